/** Bytes of one meter's line to readings: frames, messages, lists. What cannot be read is counted by its reason. */
import { DlmsError } from '../../../drivers/protocols/dlms/axdr.ts'
import type { Keys } from '../../../drivers/protocols/dlms/ciphering.ts'
import { createPushAssembler } from '../../../drivers/protocols/han/push.ts'
import { type Reading, readApdu } from '../../../drivers/protocols/han/reading.ts'
import { createHdlcReceiver } from '../../../drivers/protocols/hdlc/receiver.ts'
import { createMbusReceiver } from '../../../drivers/protocols/mbus/link.ts'
import type { LineConfig } from './config.ts'

export interface LineStats {
  messages: number
  /** By reason. */
  readonly rejected: Record<string, number>
  noise: number
}

export interface LineReceiver {
  push(chunk: Uint8Array): void
  /** The line has been silent for so long that nothing more belongs to what has begun. */
  silent(): void
  readonly stats: LineStats
}

/** How an APDU becomes a reading: the part that a maker's dialect decides. */
export type ReadList = (apdu: Uint8Array, line: LineConfig) => Reading

export const readList: ReadList = (apdu, line) => readApdu(apdu, { kamstrupEnergy: line.kamstrupEnergy })

function keysOf(line: LineConfig): ReadonlyMap<string, Keys> | undefined {
  if (line.key === undefined) return undefined
  const keys: Keys = {
    encryption: Buffer.from(line.key, 'hex'),
    ...(line.authenticationKey === undefined
      ? {}
      : { authentication: Buffer.from(line.authenticationKey, 'hex') }),
  }
  return new Map([['any', keys]])
}

/** A receiver for one line. `reading` is called for each list that was read. */
export function createLineReceiver(
  line: LineConfig,
  reading: (r: Reading) => void,
  read: ReadList = readList,
): LineReceiver {
  const stats: LineStats = { messages: 0, rejected: {}, noise: 0 }
  const reject = (why: string): void => {
    stats.rejected[why] = (stats.rejected[why] ?? 0) + 1
  }
  const noise = (count: number): void => {
    stats.noise += count
  }
  const keys = keysOf(line)
  const assembler = createPushAssembler(
    {
      message(m) {
        if (m.apdu === undefined) return reject('ciphered, and no key is known')
        let r: Reading
        try {
          r = read(m.apdu, line)
        } catch (e) {
          if (!(e instanceof DlmsError)) throw e
          return reject('not readable')
        }
        if (r.items.length === 0) return reject('nothing known in it')
        stats.messages++
        reading(r)
      },
      rejected: reject,
    },
    {
      ...(keys === undefined ? {} : { keys }),
      ...(line.key === undefined ? {} : { ecbKey: Buffer.from(line.key, 'hex') }),
    },
  )
  const frames =
    line.framing === 'hdlc'
      ? createHdlcReceiver({ frame: (f) => assembler.hdlc(f), rejected: reject, noise })
      : createMbusReceiver(
          { frame: (f) => assembler.mbus(f), rejected: reject, noise },
          { lengthOverflow: line.lengthOverflow },
        )
  return {
    stats,
    push: (chunk) => frames.push(chunk),
    silent() {
      frames.flush()
      assembler.expire()
    },
  }
}
