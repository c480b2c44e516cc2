/** What passes on a Modbus wire, put into words as it happens, whatever it is. The device is not asked. */
import { createMbapDecoder, mbapHead } from '../../../drivers/protocols/modbus/mbap.ts'
import { createRtuReceiver, rtuTiming } from '../../../drivers/protocols/modbus/rtu.ts'
import { exceptions } from '../../../drivers/protocols/modbus/model.ts'
import { askOf } from '../../../drivers/protocols/modbus/hooks.ts'
import type { Conn, SerialSettings, Wire } from '../../../drivers/faces.ts'

/** One thing that happened on the wire. */
export interface Exchange {
  readonly peer: string
  /** `read input registers 0 to 13 of unit 1` */
  readonly request?: string
  /** `14 registers`, `exception 2 (illegal data address)`, `no answer` */
  readonly answer: string
  /** Whether a device that is well would have done so. */
  readonly odd: boolean
}

export type Tell = (x: Exchange) => void

/** Follows one connection. */
interface Follower {
  heard(b: Uint8Array, at: number): void
  said(b: Uint8Array): void
  end(): void
}

/** After so long without an answer it is said that there is none, ms. Ours; a late one is told all the same. */
const patience = 1000

/** The same wire; everything on it is told. */
export function toldWire(wire: Wire, follow: (peer: string) => Follower): Wire {
  return {
    name: wire.name,
    can: wire.can,
    open: (f) =>
      wire.open((c) => {
        const follower = follow(c.peer)
        const told: Conn = {
          peer: c.peer,
          send(b) {
            follower.said(b)
            return c.send(b)
          },
          onBytes: (g) =>
            c.onBytes((b, at) => {
              follower.heard(b, at)
              g(b, at)
            }),
          onEnd: (g) =>
            c.onEnd((how) => {
              follower.end()
              g(how)
            }),
          end(how) {
            follower.end()
            c.end(how)
          },
        }
        f(told)
      }),
  }
}

interface Pending {
  readonly request: string
  /** MBAP transaction; -1 on a serial line, where answers come in order. */
  readonly transaction: number
  readonly timer: NodeJS.Timeout
  late: boolean
}

/** Requests that wait for their answer. */
function createPending(peer: string, tell: Tell) {
  let waiting: Pending[] = []
  return {
    asked(request: string, transaction: number): void {
      const p: Pending = {
        request,
        transaction,
        late: false,
        timer: setTimeout(() => {
          p.late = true
          tell({ peer, request, answer: 'no answer', odd: true })
        }, patience),
      }
      p.timer.unref()
      waiting.push(p)
      // More than a chunk of TCP can hold of the shortest requests: whoever never gets an answer fills no memory.
      if (waiting.length > 8192) clearTimeout(waiting.shift()?.timer)
    },
    answered(transaction: number, answer: string, odd: boolean): void {
      const at = waiting.findIndex((x) => x.transaction === transaction)
      const [p] = at < 0 ? [] : waiting.splice(at, 1)
      if (p === undefined) return tell({ peer, answer: `${answer}, which nobody asked for`, odd: true })
      clearTimeout(p.timer)
      tell({ peer, request: p.request, answer: p.late ? `${answer}, late` : answer, odd: odd || p.late })
    },
    /** The oldest request, where an answer does not say which it belongs to. */
    oldest: (): number => waiting[0]?.transaction ?? -1,
    end(): void {
      for (const p of waiting) clearTimeout(p.timer)
      waiting = []
    },
  }
}

const hex = (b: Uint8Array): string => {
  const text = Buffer.from(b.subarray(0, 16))
    .toString('hex')
    .replaceAll(/(..)(?=.)/g, '$1 ')
  return b.length > 16 ? `${text} … (${b.length} bytes)` : text
}

/** Of Modbus/TCP. */
export function followTcp(peer: string, tell: Tell): Follower {
  const decoder = createMbapDecoder()
  const pending = createPending(peer, tell)
  let discarded = 0
  let lost = false
  return {
    heard(b) {
      if (lost) return
      lost = !decoder.push(b, (bytes, start, end) => {
        const transaction = word(bytes, start)
        pending.asked(requestText(bytes[start + 6] ?? 0, bytes.slice(start + mbapHead, end)), transaction)
      })
      if (decoder.discarded > discarded)
        tell({ peer, request: 'a frame of another protocol', answer: 'dropped', odd: true })
      discarded = decoder.discarded
      if (lost)
        tell({ peer, request: `bytes that are no Modbus/TCP: ${hex(b)}`, answer: 'closed', odd: true })
    },
    said(b) {
      for (let at = 0; at < b.length;) {
        const length = word(b, at + 4)
        const end = at + 6 + length
        if (b.length - at < 8 || end > b.length) {
          pending.answered(pending.oldest(), `only ${hex(b.subarray(at))}`, true)
          return
        }
        const { text, odd } = answerText(b.subarray(at + mbapHead, end))
        pending.answered(word(b, at), text, odd)
        at = end
      }
    },
    end: () => pending.end(),
  }
}

/** Of Modbus RTU on a line of these settings; `silenceMs` ends a frame. */
export function followRtu(
  peer: string,
  settings: SerialSettings,
  units: ReadonlySet<number>,
  silenceMs: number,
  tell: Tell,
): Follower {
  const bits = 1 + settings.dataBits + (settings.parity === 'none' ? 0 : 1) + settings.stopBits
  const receiver = createRtuReceiver({ ...rtuTiming(settings.baudRate, bits), silenceMs })
  const pending = createPending(peer, tell)
  let dropped = 0
  let quiet: NodeJS.Timeout | undefined
  const take = (frame: Uint8Array): void => {
    const unit = frame[0] ?? 0
    const text = requestText(unit, frame.slice(1, -2))
    if (units.has(unit)) pending.asked(text, -1)
    else
      tell({ peer, request: text, answer: unit === 0 ? 'a broadcast' : 'not for this unit', odd: unit !== 0 })
  }
  const tellDropped = (): void => {
    if (receiver.dropped > dropped)
      tell({ peer, request: 'bytes without a right CRC', answer: 'dropped', odd: true })
    dropped = receiver.dropped
  }
  return {
    heard(b, at) {
      clearTimeout(quiet)
      receiver.push(b, at, take)
      tellDropped()
      if (receiver.waiting) {
        quiet = setTimeout(() => {
          receiver.silence(take)
          tellDropped()
        }, silenceMs)
        quiet.unref()
      }
    },
    said(b) {
      if (b.length < 5) return pending.answered(-1, `only ${hex(b)}`, true)
      const { text, odd } = answerText(b.subarray(1, -2))
      pending.answered(-1, text, odd)
    },
    end() {
      clearTimeout(quiet)
      pending.end()
    },
  }
}

const word = (b: Uint8Array, at: number): number => ((b[at] ?? 0) << 8) | (b[at + 1] ?? 0)

const functionNames: Readonly<Record<number, string>> = {
  1: 'read coils',
  2: 'read discrete inputs',
  3: 'read holding registers',
  4: 'read input registers',
  5: 'write coil',
  6: 'write register',
  15: 'write coils',
  16: 'write registers',
  22: 'mask write register',
  23: 'read and write registers',
  43: 'read identification',
}

const exceptionNames: Readonly<Record<number, string>> = {
  [exceptions.illegalFunction]: 'illegal function',
  [exceptions.illegalAddress]: 'illegal data address',
  [exceptions.illegalValue]: 'illegal data value',
  [exceptions.deviceFailure]: 'server device failure',
  [exceptions.acknowledge]: 'acknowledge',
  [exceptions.busy]: 'server device busy',
  [exceptions.memoryParity]: 'memory parity error',
  [exceptions.gatewayPath]: 'gateway path unavailable',
  [exceptions.gatewayTarget]: 'gateway target failed to respond',
}

function requestText(unit: number, pdu: Uint8Array): string {
  const { fc, address, quantity } = askOf(unit, pdu, 0, '')
  const name = functionNames[fc] ?? `function ${fc}`
  if (fc === 43 || functionNames[fc] === undefined) return `${name} of unit ${unit}`
  if (pdu.length < 5) return `${name}, cut short (${hex(pdu)}), of unit ${unit}`
  const where = quantity <= 1 ? `${address}` : `${address} to ${address + quantity - 1}`
  return `${name} ${where} of unit ${unit}`
}

function answerText(pdu: Uint8Array): { text: string; odd: boolean } {
  const fc = pdu[0] ?? 0
  if (fc & 0x80) {
    const code = pdu[1] ?? 0
    return { text: `exception ${code} (${exceptionNames[code] ?? 'unknown'})`, odd: true }
  }
  if (fc === 3 || fc === 4 || fc === 23) return { text: `${(pdu.length - 2) >> 1} registers`, odd: false }
  if (fc === 1 || fc === 2) return { text: `${pdu.length - 2} bytes of bits`, odd: false }
  return { text: fc === 43 ? 'told' : 'done', odd: false }
}
