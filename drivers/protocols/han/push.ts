/**
 * Whole messages out of frames: HDLC segments (LLC in the first one only), general block transfer, M-Bus segments, and
 * ciphering. What is left is the plain APDU, usually a data-notification.
 */
import { DlmsError } from '../dlms/axdr.ts'
import { decodeBlock, generalBlockTransfer } from '../dlms/blocks.ts'
import {
  type Ciphered,
  type Keys,
  decipher,
  ecbDecipher,
  generalGloCiphering,
  readCiphered,
} from '../dlms/ciphering.ts'
import { dataNotification } from '../dlms/notification.ts'
import type { HdlcFrame } from '../hdlc/frame.ts'
import type { MbusFrame } from '../mbus/link.ts'
import { segmentOf } from '../mbus/transport.ts'

/** What a message was made of. */
export interface Message {
  /** The APDU without any cipher, or undefined: it is ciphered, and no key of it is known. */
  readonly apdu: Uint8Array | undefined
  /** The header of a ciphered message. */
  readonly ciphered: Omit<Ciphered, 'payload'> | undefined
  /** Frames that carried it. */
  readonly frames: number
}

export type PushFlaw =
  | 'no LLC header'
  | 'a segment is missing'
  | 'a block is missing'
  | 'not an APDU that is known'
  | 'malformed'
  | 'longer than any message'
  | 'the tag does not fit'
  | 'left unfinished'

export interface PushHandlers {
  message(m: Message): void
  rejected?(why: PushFlaw, what: string): void
}

export interface PushOptions {
  /** Keys by system title, as 16 hexadecimal digits; `any`: for whichever title. */
  readonly keys?: ReadonlyMap<string, Keys>
  /** The key of the first Norwegian Kaifa meters' AES-128-ECB. */
  readonly ecbKey?: Uint8Array
}

export interface PushAssembler {
  hdlc(f: HdlcFrame): void
  mbus(f: MbusFrame): void
  /** Nothing came for so long that what is begun cannot be finished. */
  expire(): void
  /** Something is begun and waits for its rest. */
  readonly waiting: boolean
}

/** No push of a known meter is longer. */
const maxMessage = 65_536

interface Parts {
  readonly list: Uint8Array[]
  bytes: number
  frames: number
  /** Number of the next block or segment. */
  next: number
}

export function createPushAssembler(to: PushHandlers, options: PushOptions = {}): PushAssembler {
  let segments: Parts | undefined
  let blocks: Parts | undefined
  let mbus: Parts | undefined

  const reject = (why: PushFlaw, what = ''): void => to.rejected?.(why, what)

  /** Adds a part; false where the whole would be longer than any message. */
  const add = (p: Parts, data: Uint8Array): boolean => {
    if (p.bytes + data.length > maxMessage) return false
    p.list.push(Uint8Array.from(data))
    p.bytes += data.length
    p.frames++
    p.next++
    return true
  }

  const joined = (p: Parts): Uint8Array => Buffer.concat(p.list)

  const block = (apdu: Uint8Array): void => {
    const b = decodeBlock(apdu)
    if (b.number === 1) {
      if (blocks !== undefined) reject('left unfinished', 'a first block came before the last one')
      blocks = { list: [], bytes: 0, frames: 0, next: 1 }
    } else if (blocks === undefined || b.number !== blocks.next) {
      blocks = undefined
      reject('a block is missing', `block ${b.number}`)
      return
    }
    if (!add(blocks, b.data)) {
      blocks = undefined
      reject('longer than any message')
    } else if (b.last) {
      const whole = joined(blocks)
      const n = blocks.frames
      blocks = undefined
      deliver(whole, n)
    }
  }

  const keysOf = (title: Uint8Array): Keys | undefined =>
    options.keys?.get(Buffer.from(title).toString('hex')) ?? options.keys?.get('any')

  const deliver = (apdu: Uint8Array, frames: number): void => {
    try {
      if (apdu[0] === generalBlockTransfer) block(apdu)
      else if (apdu[0] === generalGloCiphering) {
        const { payload, ...head } = readCiphered(apdu)
        const keys = keysOf(head.systemTitle)
        const plain = keys === undefined ? undefined : decipher({ ...head, payload }, keys)
        to.message({ apdu: plain, ciphered: head, frames })
      } else if (apdu[0] === dataNotification) {
        to.message({ apdu, ciphered: undefined, frames })
      } else if (options.ecbKey !== undefined && apdu.length % 16 === 0 && apdu.length > 0) {
        to.message({ apdu: ecbDecipher(apdu, options.ecbKey), ciphered: undefined, frames })
      } else reject('not an APDU that is known', `tag ${apdu[0] ?? 'none'}`)
    } catch (e) {
      if (!(e instanceof DlmsError)) throw e
      reject(e.message.includes('tag does not fit') ? 'the tag does not fit' : 'malformed', e.message)
    }
  }

  const hasLlc = (b: Uint8Array): boolean =>
    b.length >= 3 && b[0] === 0xe6 && (b[1] === 0xe7 || b[1] === 0xe6) && b[2] === 0

  return {
    get waiting() {
      return segments !== undefined || blocks !== undefined || mbus !== undefined
    },
    hdlc(f) {
      if (f.information.length === 0) return
      const llc = hasLlc(f.information)
      if (segments !== undefined && llc) {
        segments = undefined
        reject('left unfinished', 'a message began before the last segment of the one before')
      }
      if (segments === undefined && !llc) {
        // Landis+Gyr writes the LLC header in the first of its blocks only.
        if (f.information[0] === generalBlockTransfer && !f.segmented)
          deliver(Uint8Array.from(f.information), 1)
        else reject('no LLC header')
        return
      }
      const data = llc ? f.information.subarray(3) : f.information
      segments ??= { list: [], bytes: 0, frames: 0, next: 0 }
      if (!add(segments, data)) {
        segments = undefined
        reject('longer than any message')
      } else if (!f.segmented) {
        const whole = joined(segments)
        const n = segments.frames
        segments = undefined
        deliver(whole, n)
      }
    },
    mbus(f) {
      const s = segmentOf(f)
      if (s === undefined) return
      if (s.number === 0) {
        if (mbus !== undefined) reject('left unfinished', 'a first segment came before the last one')
        mbus = { list: [], bytes: 0, frames: 0, next: 0 }
      } else if (mbus === undefined || s.number !== mbus.next) {
        mbus = undefined
        reject('a segment is missing', `segment ${s.number}`)
        return
      }
      if (!add(mbus, s.data)) {
        mbus = undefined
        reject('longer than any message')
      } else if (s.last) {
        const whole = joined(mbus)
        const n = mbus.frames
        mbus = undefined
        deliver(whole, n)
      }
    },
    expire() {
      if (this.waiting) reject('left unfinished', 'the rest did not come')
      segments = undefined
      blocks = undefined
      mbus = undefined
    },
  }
}
