/**
 * A Modbus slave on one connection: the pure parts bound to a Conn. A server of many clients calls these for each.
 * Neither ever throws for what arrives; what no answer fits is counted and dropped.
 */
import type { Conn, SerialSettings } from '../../faces.ts'
import { putCrc } from './crc.ts'
import { askOf } from './hooks.ts'
import type { Ask, Hooks, Shape } from './hooks.ts'
import { createMbapDecoder, mbapHead } from './mbap.ts'
import { exceptions, functions } from './model.ts'
import type { DataModel, Units } from './model.ts'
import { createOutbox } from './outbox.ts'
import { createResponder, maxPdu } from './respond.ts'
import { createRtuReceiver, rtuTiming } from './rtu.ts'

/** One connection being served. */
export interface Session {
  readonly peer: string
  /** Ends it; nothing more is answered. */
  end(how: 'fin' | 'rst' | 'silent'): void
  /** Requests seen, answers sent, and frames dropped for their framing. */
  readonly counts: { readonly requests: number; readonly answers: number; readonly dropped: number }
}

export interface TcpOptions {
  readonly hooks?: Hooks
  /**
   * Unit that IDs 0 and 255 mean: the device itself (Messaging Guide V1.0b, 4.4.2.1). By default the only unit,
   * where there is one only; else these IDs are unknown.
   */
  readonly direct?: number
  /** A request to an unknown unit: `gateway` answers exception 11 (MAP section 7), `silent` nothing. */
  readonly unknownUnit?: 'gateway' | 'silent'
  readonly onEnd?: (how: 'fin' | 'rst' | 'lost') => void
}

export interface RtuOptions {
  readonly hooks?: Hooks
  /** Between the end of a request and the answer, ms; by default, and as the least the standard allows, t3.5. */
  readonly turnaroundMs?: number
  /** Silence that ends a frame, ms; by default t3.5. More is wise where a driver delivers late (USB: 16 ms). */
  readonly silenceMs?: number
  readonly onEnd?: (how: 'fin' | 'rst' | 'lost') => void
}

/** Answers collected before they are sent together. */
const batchSize = 4096

/** Serves Modbus/TCP on one connection. Pipelined requests are answered in order. */
export function serveModbusTcp(conn: Conn, units: Units, options: TcpOptions = {}): Session {
  const { hooks } = options
  const respond = createResponder()
  const decoder = createMbapDecoder()
  const session = createSession(conn, options.onEnd)
  const only = units.size === 1 ? [...units.keys()][0] : undefined
  const direct = units.get(options.direct ?? only ?? -1)
  const silent = options.unknownUnit === 'silent'
  const batch = new Uint8Array(batchSize)
  let filled = 0

  const modelOf = (unit: number): DataModel | undefined =>
    units.get(unit) ?? (unit === 0 || unit === 255 ? direct : undefined)

  const flush = (): void => {
    if (filled === 0) return
    const bytes = Buffer.from(batch.subarray(0, filled))
    filled = 0
    session.send(bytes)
  }

  const putHead = (
    out: Uint8Array,
    at: number,
    transaction: number,
    unit: number,
    pduLength: number,
  ): void => {
    out[at] = transaction >>> 8
    out[at + 1] = transaction & 0xff
    out[at + 2] = 0
    out[at + 3] = 0
    out[at + 4] = (pduLength + 1) >>> 8
    out[at + 5] = (pduLength + 1) & 0xff
    out[at + 6] = unit
  }

  const plain = (b: Uint8Array, start: number, end: number): void => {
    const unit = b[start + 6] ?? 0
    const model = modelOf(unit)
    if (model === undefined && silent) return
    if (filled + mbapHead + maxPdu > batchSize) flush()
    let length: number
    if (model === undefined) {
      batch[filled + mbapHead] = (b[start + mbapHead] ?? 0) | 0x80
      batch[filled + mbapHead + 1] = exceptions.gatewayTarget
      length = 2
    } else length = respond(model, b, start + mbapHead, end, batch, filled + mbapHead)
    putHead(batch, filled, ((b[start] ?? 0) << 8) | (b[start + 1] ?? 0), unit, length)
    filled += mbapHead + length
    session.answers++
  }

  const withHooks = (b: Uint8Array, start: number, end: number): void => {
    const unit = b[start + 6] ?? 0
    const model = modelOf(unit)
    if (model === undefined && silent) return
    const transaction = ((b[start] ?? 0) << 8) | (b[start + 1] ?? 0)
    const ask = askOf(unit, b.slice(start + mbapHead, end), transaction, conn.peer)
    session.handle(ask, hooks ?? {}, 0, {
      respond(out) {
        if (model !== undefined) return respond(model, ask.pdu, 0, ask.pdu.length, out, 0)
        out[0] = ask.fc | 0x80
        out[1] = exceptions.gatewayTarget
        return 2
      },
      frame(pdu, shape) {
        const frame = new Uint8Array(mbapHead + pdu.length)
        putHead(frame, 0, shape.transaction ?? transaction, shape.unit ?? unit, pdu.length)
        frame[2] = (shape.protocol ?? 0) >>> 8
        frame[3] = (shape.protocol ?? 0) & 0xff
        frame.set(pdu, mbapHead)
        return frame
      },
    })
  }

  const take = (b: Uint8Array, start: number, end: number): void => {
    session.requests++
    if (hooks === undefined) plain(b, start, end)
    else if (!session.ended) withHooks(b, start, end)
  }

  conn.onBytes((chunk) => {
    if (session.ended) return
    const framed = decoder.push(chunk, take)
    flush()
    session.dropped = decoder.discarded
    if (!framed) session.end('fin')
  })
  return session
}

/** Serves Modbus RTU on one serial line, for any number of units. Unit 0 is a broadcast: done, never answered. */
export function serveModbusRtu(
  conn: Conn,
  units: Units,
  settings: SerialSettings,
  options: RtuOptions = {},
): Session {
  const bits = 1 + settings.dataBits + (settings.parity === 'none' ? 0 : 1) + settings.stopBits
  const timing = rtuTiming(settings.baudRate, bits)
  const silenceMs = options.silenceMs ?? timing.silenceMs
  const turnaroundMs = options.turnaroundMs ?? timing.silenceMs
  const receiver = createRtuReceiver({ ...timing, silenceMs })
  const respond = createResponder()
  const hooks = options.hooks ?? {}
  const idle = new Uint8Array(maxPdu)
  let quiet: ReturnType<typeof setTimeout> | undefined
  const session = createSession(conn, (how) => {
    clearTimeout(quiet)
    options.onEnd?.(how)
  })

  const broadcast = (pdu: Uint8Array): void => {
    const fc = pdu[0] ?? 0
    if (!broadcasts.has(fc)) return
    for (const model of units.values()) respond(model, pdu, 0, pdu.length, idle, 0)
  }

  const take = (frame: Uint8Array): void => {
    if (session.ended) return
    const unit = frame[0] ?? 0
    const model = units.get(unit)
    if (unit !== 0 && model === undefined) return
    session.requests++
    const ask = askOf(unit, frame.slice(1, -2), 0, conn.peer)
    if (model === undefined) {
      if (hooks.asked?.(ask)?.ignore !== true) broadcast(ask.pdu)
      return
    }
    session.handle(ask, hooks, turnaroundMs, {
      respond: (out) => respond(model, ask.pdu, 0, ask.pdu.length, out, 0),
      frame(pdu, shape) {
        const frame = new Uint8Array(pdu.length + 3)
        frame[0] = shape.unit ?? unit
        frame.set(pdu, 1)
        putCrc(frame, 0, pdu.length + 1)
        const flip = shape.crcFlip ?? 0
        frame[pdu.length + 1] = (frame[pdu.length + 1] ?? 0) ^ (flip & 0xff)
        frame[pdu.length + 2] = (frame[pdu.length + 2] ?? 0) ^ (flip >>> 8)
        return frame
      },
    })
  }

  conn.onBytes((chunk, at) => {
    if (session.ended) return
    clearTimeout(quiet)
    receiver.push(chunk, at, take)
    session.dropped = receiver.dropped
    if (receiver.waiting) quiet = setTimeout(() => receiver.silence(take), Math.ceil(silenceMs))
  })
  return session
}

/** Functions that make sense without an answer: Modbus over Serial Line V1.02, 2.2, "necessarily writing commands". */
const broadcasts: ReadonlySet<number> = new Set([
  functions.writeCoil,
  functions.writeRegister,
  functions.writeCoils,
  functions.writeRegisters,
  functions.maskWriteRegister,
])

/** How a transport answers one request. */
interface Answerer {
  /** Writes the response PDU at the start of `out`; its length. */
  respond(out: Uint8Array): number
  frame(pdu: Uint8Array, shape: Shape): Uint8Array
}

const asItShouldBe: Shape = {}

/** What both transports share: hooks, order, delay, pieces, the end. */
function createSession(conn: Conn, onEnd: ((how: 'fin' | 'rst' | 'lost') => void) | undefined) {
  const outbox = createOutbox()
  const out = new Uint8Array(maxPdu)

  const session = {
    peer: conn.peer,
    ended: false,
    requests: 0,
    answers: 0,
    dropped: 0,
    get counts() {
      const { requests, answers, dropped } = session
      return { requests, answers, dropped }
    },
    end(how: 'fin' | 'rst' | 'silent'): void {
      if (session.ended) return
      session.ended = true
      outbox.clear()
      conn.end(how)
    },
    send(bytes: Uint8Array): void {
      if (session.ended) return
      // a peer that has just gone is no fault of ours; onEnd tells
      conn.send(bytes).catch(() => undefined)
    },
    /** Answers one request, `delayMs` from now and after those before it. */
    handle(ask: Ask, hooks: Hooks, delayMs: number, how: Answerer): void {
      const before = hooks.asked?.(ask)
      if (before?.end !== undefined) return session.end(before.end)
      if (before?.ignore === true) return
      outbox.post(delayMs + (before?.delayMs ?? 0), () => {
        let length = 2
        if (before?.exception === undefined) length = how.respond(out)
        else {
          out[0] = ask.fc | 0x80
          out[1] = before.exception
        }
        const pdu = out.subarray(0, length)
        const shape = hooks.answering?.(ask, pdu) ?? asItShouldBe
        if (shape.drop === true) return
        const frame = how.frame(pdu, shape)
        leave(frame.subarray(0, shape.cut ?? frame.length), shape)
        session.answers++
        hooks.answered?.(ask, pdu, shape)
      })
    },
  }

  /** Sends a frame whole or in pieces; what waits behind it waits for its last piece. */
  const leave = (frame: Uint8Array, shape: Shape): void => {
    const size = shape.pieces?.[0]
    if (size === undefined || size >= frame.length) return session.send(frame)
    session.send(frame.subarray(0, size))
    const rest = { ...shape, pieces: shape.pieces?.slice(1) ?? [] }
    outbox.next(shape.gapMs ?? 0, () => leave(frame.subarray(size), rest))
  }

  conn.onEnd((how) => {
    session.ended = true
    outbox.clear()
    onEnd?.(how)
  })
  return session
}
