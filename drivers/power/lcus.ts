/**
 * The four-byte frames of serial relay boards as many makers sell them (LCUS and its kin, 9600 8N1): A0, the number of the
 * relay from 1, what to do, and the sum of these three. 00 opens and 01 closes without an answer; boards that answer do the
 * same for 02 and 03 and tell how the relay stands after 05, with a frame whose third byte is 00 or 01. From the makers' own
 * leaflets; no standard.
 */
import { GridproofError } from '../errors.ts'

export const frameLength = 4
const begin = 0xa0
const most = 0xff

export type RelayCommand = 'open' | 'close' | 'open-and-tell' | 'close-and-tell' | 'tell'

const codes: Readonly<Record<RelayCommand, number>> = {
  open: 0,
  close: 1,
  'open-and-tell': 2,
  'close-and-tell': 3,
  tell: 5,
}
const commands = new Map(Object.entries(codes).map(([name, code]) => [code, name as RelayCommand]))

export interface RelayFrame {
  /** From 1. */
  readonly relay: number
  readonly code: number
}

/** Throws `bad-value` for a relay that a frame cannot name. */
export function encodeRelay(relay: number, what: RelayCommand | number): Uint8Array {
  if (!(Number.isInteger(relay) && relay >= 1 && relay <= most))
    throw new GridproofError('bad-value', `relay ${relay}: take 1 to ${most}`)
  const code = typeof what === 'number' ? what & 0xff : codes[what]
  return Uint8Array.of(begin, relay, code, (begin + relay + code) & 0xff)
}

/** Throws `bad-frame` for anything but a whole frame with its sum. */
export function decodeRelay(bytes: Uint8Array): RelayFrame {
  const [head, relay = 0, code = 0, sum] = bytes
  const shown = Buffer.from(bytes.subarray(0, 16)).toString('hex')
  if (bytes.length !== frameLength || head !== begin)
    throw new GridproofError('bad-frame', `no frame of a relay board: ${shown}`)
  if (sum !== ((begin + relay + code) & 0xff))
    throw new GridproofError('bad-frame', `the sum of a relay board's frame is wrong: ${shown}`)
  return { relay, code }
}

/** What a frame's third byte asks; nothing: nobody knows. */
export function commandOf(code: number): RelayCommand | undefined {
  return commands.get(code)
}
