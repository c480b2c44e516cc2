/**
 * What a HAN port says, of any dialect, as it comes: frames found by trying both framings until one is right, messages put
 * together, deciphered where a key is known, lists read; and what was rejected, why, and how much was noise.
 */
import type { Instant } from '../../../drivers/faces.ts'
import { DlmsError } from '../../../drivers/protocols/dlms/axdr.ts'
import type { Keys } from '../../../drivers/protocols/dlms/ciphering.ts'
import { type Message, createPushAssembler } from '../../../drivers/protocols/han/push.ts'
import { type Reading, readApdu } from '../../../drivers/protocols/han/reading.ts'
import { createHdlcReceiver } from '../../../drivers/protocols/hdlc/receiver.ts'
import { createMbusReceiver } from '../../../drivers/protocols/mbus/link.ts'

export type Framing = 'hdlc' | 'mbus'

/** Of one message on the line. */
export interface Span {
  /**
   * Begin of its first byte and end of its last one: of a serial line reckoned back from the arrival of the chunk that
   * holds it, at the line's speed, for a driver hands bytes on in lumps; over TCP the arrival itself.
   */
  readonly began: Instant
  readonly ended: Instant
  readonly bytes: number
  /** The longest pause between chunks inside it, ms. */
  readonly pause: number
}

export type Heard =
  | { readonly what: 'list'; readonly reading: Reading; readonly span: Span; readonly ciphered: boolean }
  /** A message that cannot be read: ciphered without a key, or of a form that is not known. */
  | { readonly what: 'unread'; readonly why: string; readonly span: Span }
  | { readonly what: 'rejected'; readonly why: string; readonly at: Instant; readonly begin: Uint8Array }
  | { readonly what: 'noise'; readonly bytes: number; readonly at: Instant }

export interface DecodeOptions {
  /** Both are tried unless one is given. */
  readonly framing?: Framing
  /** By system title; `any`. */
  readonly keys?: ReadonlyMap<string, Keys>
  readonly ecbKey?: Uint8Array
  readonly lengthOverflow?: boolean
  readonly kamstrupEnergy?: 1 | 10
  /** Of a serial line, ms; 0 unless given. */
  readonly msPerCharacter?: number
}

export interface Decoder {
  push(b: Uint8Array, at: Instant): void
  /** The line has been silent for so long that nothing more belongs to what has begun. */
  silent(): void
  /** Which framing it is, once a frame was right. */
  readonly framing: Framing | undefined
  readonly bytes: number
  /** Of a framing not settled: what was rejected so far, by reason. */
  readonly doubts: Readonly<Record<string, number>>
}

/** Pieces in which a chunk is handed on: no receiver has less room left, so that what it holds tells where it stands. */
const piece = 64
/** What is kept of a rejected frame, bytes; ours. */
const beginKept = 12
/** Events of a framing that is not settled, kept until it is. Ours. */
const mostPending = 1000

interface Lane {
  readonly framing: Framing
  readonly pending: Heard[]
  push(b: Uint8Array): void
  silent(): void
  readonly held: number
  readonly rejected: Record<string, number>
}

export function createDecoder(o: DecodeOptions, hear: (h: Heard) => void): Decoder {
  /** Ends of chunks in the stream, with their instants. */
  let marks: { end: number; at: Instant }[] = []
  let total = 0
  let now: Instant = 0
  let settled: Lane | undefined

  const character = o.msPerCharacter ?? 0
  /** The instant at which so many bytes had come. */
  const instantOf = (bytes: number, holding: number): Instant => {
    const mark = marks.find((m) => m.end > holding)
    return mark === undefined ? now : mark.at - (mark.end - bytes) * character
  }
  const pauseIn = (from: number, to: number): number => {
    let longest = 0
    for (const [i, m] of marks.entries()) {
      const next = marks[i + 1]
      if (next !== undefined && m.end > from && m.end < to) longest = Math.max(longest, next.at - m.at)
    }
    return longest
  }

  const settle = (lane: Lane): void => {
    if (settled !== undefined) return
    settled = lane
    for (const h of lane.pending.splice(0)) hear(h)
  }

  function createLane(framing: Framing): Lane {
    let begun: number | undefined
    let bytes = 0
    const tell = (h: Heard): void => {
      if (settled === lane) hear(h)
      else if (settled === undefined && lane.pending.length < mostPending) lane.pending.push(h)
    }
    const rejected = (why: string, begin: Uint8Array = new Uint8Array()): void => {
      lane.rejected[why] = (lane.rejected[why] ?? 0) + 1
      tell({ what: 'rejected', why, at: now, begin: begin.slice(0, beginKept) })
    }
    const noise = (count: number): void => tell({ what: 'noise', bytes: count, at: now })
    const message = (m: Message): void => {
      const [from, to] = [begun ?? 0, total - receiver.held + lastSize]
      const span: Span = {
        began: instantOf(from, from),
        ended: instantOf(to, to - 1),
        bytes,
        pause: pauseIn(from, to),
      }
      begun = undefined
      bytes = 0
      if (m.apdu === undefined)
        return tell({ what: 'unread', why: 'ciphered, and no key of it is known', span })
      try {
        const reading = readApdu(
          m.apdu,
          o.kamstrupEnergy === undefined ? {} : { kamstrupEnergy: o.kamstrupEnergy },
        )
        if (reading.items.length > 0)
          tell({ what: 'list', reading, span, ciphered: m.ciphered !== undefined })
        else tell({ what: 'unread', why: 'nothing in it is known', span })
      } catch (e) {
        if (!(e instanceof DlmsError)) throw e
        tell({ what: 'unread', why: e.message.replace(/ \(byte \d+\)$/, ''), span })
      }
    }
    const assembler = createPushAssembler(
      { message, rejected: (why) => rejected(why) },
      {
        ...(o.keys === undefined ? {} : { keys: o.keys }),
        ...(o.ecbKey === undefined ? {} : { ecbKey: o.ecbKey }),
      },
    )
    let lastSize = 0
    /** A frame of this framing that is right; `f` hands it to the assembler. */
    const frame = (size: number, f: () => void): void => {
      settle(lane)
      lastSize = size
      if (!assembler.waiting) {
        begun = total - receiver.held
        bytes = 0
      }
      bytes += size
      f()
    }
    const receiver =
      framing === 'hdlc'
        ? createHdlcReceiver({
            frame: (f, b) => frame(b.length, () => assembler.hdlc(f)),
            rejected,
            noise,
          })
        : createMbusReceiver(
            {
              frame(f, b) {
                // One byte, or five, may be right by chance; a long frame is not.
                if (f.kind === 'long') frame(b.length, () => assembler.mbus(f))
                else noise(b.length)
              },
              rejected,
              noise,
            },
            { lengthOverflow: o.lengthOverflow === true },
          )
    const lane: Lane = {
      framing,
      pending: [],
      rejected: {},
      push: (b) => receiver.push(b),
      silent() {
        receiver.flush()
        assembler.expire()
      },
      get held() {
        return assembler.waiting && begun !== undefined ? total - begun : receiver.held
      },
    }
    return lane
  }

  const lanes = (['hdlc', 'mbus'] as const)
    .filter((f) => o.framing === undefined || o.framing === f)
    .map(createLane)
  if (o.framing !== undefined) settled = lanes[0]
  const live = (): readonly Lane[] => (settled === undefined ? lanes : [settled])

  return {
    push(b, at) {
      now = at
      marks.push({ end: total + b.length, at })
      for (let i = 0; i < b.length; i += piece) {
        const part = b.subarray(i, i + piece)
        total += part.length
        for (const lane of live()) lane.push(part)
      }
      const needed = total - Math.max(0, ...live().map((l) => l.held))
      if (marks.length > 64 || (marks[0]?.end ?? 0) <= needed) marks = marks.filter((m) => m.end > needed)
    },
    silent() {
      for (const lane of live()) lane.silent()
      marks = marks.slice(-1)
    },
    get framing() {
      return settled?.framing
    },
    get bytes() {
      return total
    },
    get doubts() {
      return Object.assign({}, ...live().map((l) => l.rejected)) as Record<string, number>
    },
  }
}
