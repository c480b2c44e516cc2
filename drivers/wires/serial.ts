/** A wire over a serial port of this machine, by SerialPort. The hardware paces the bytes. */
import { realpathSync, statSync } from 'node:fs'
import { SerialPort } from 'serialport'
import { GridproofError, messageOf } from '../errors.ts'
import type { Conn, Instant, SerialSettings, Wire, WireCan } from '../faces.ts'
import { connOver, createInbox, type Inbox } from './inbox.ts'

export interface SerialWireOptions {
  readonly name: string
  /** For instance /dev/ttyUSB0, or better a stable name below /dev/serial/by-id. */
  readonly path: string
  readonly settings: SerialSettings
  /** The bench clock, in ms since 1970. Date.now unless given. */
  readonly now?: () => Instant
  /**
   * How often it is looked after whether the port is there: to tell an unplug, and to open it again (ms). 500 unless
   * given; ours.
   */
  readonly retryMs?: number
}

/**
 * A wire that opens a serial path. A frame is written whole at its start. When the port is unplugged, its Conn ends
 * as `lost`; when it is back, there is a new one. Opening throws `rig-lacks` where the port cannot be had.
 */
export function serialWire(o: SerialWireOptions): Wire {
  let open = false
  return {
    name: o.name,
    can: canOf(o.path),
    async open(f) {
      if (open)
        throw new GridproofError(
          'bad-value',
          `${o.name} is open already: dispose it before it is opened again`,
        )
      open = true
      const session = createSession(o, f)
      try {
        await session.begin()
      } catch (e) {
        open = false
        throw e
      }
      let closing: Promise<void> | undefined
      return {
        [Symbol.asyncDispose]() {
          closing ??= session.close().then(() => {
            open = false
          })
          return closing
        },
      }
    },
  }
}

/** A pseudo terminal behind the path carries bytes only; an UART, all there is. */
function canOf(path: string): ReadonlySet<WireCan> {
  let real = path
  try {
    real = realpathSync(path)
  } catch {
    // Not there yet; opening will say so.
  }
  const pseudo = /^\/dev\/(?:pts\/\d+|ttys\d+)$/.test(real)
  return new Set<WireCan>(pseudo ? [] : ['parity', 'break', 'byte-gap'])
}

function createSession(
  o: SerialWireOptions,
  f: (c: Conn) => void,
): { begin(): Promise<void>; close(): Promise<void> } {
  const now = o.now ?? Date.now
  const retryMs = o.retryMs ?? 500
  let port: SerialPort | undefined
  let current: SerialConn | undefined
  let closed = false
  let retry: NodeJS.Timeout | undefined

  const begin = async (): Promise<void> => {
    const p = await openPort(o)
    if (closed) {
      await closePort(p)
      return
    }
    port = p
    const conn = serialConn(o, p, now)
    current = conn
    p.on('data', (b: Buffer) => conn.inbox.bytes(b, now()))
    // A write that fails is told to whoever sent; without this listener it would end the bench.
    p.on('error', () => {})
    const unwatch = watchDevice(o.path, retryMs, () => p.close())
    p.once('close', () => {
      unwatch()
      if (closed) return
      port = undefined
      conn.inbox.end('lost')
      again()
    })
    f(conn.conn)
  }
  const again = (): void => {
    if (closed) return
    retry = setTimeout(() => {
      begin().catch(again)
    }, retryMs)
  }
  return {
    begin,
    async close() {
      closed = true
      clearTimeout(retry)
      current?.drop()
      if (port !== undefined) await closePort(port)
    },
  }
}

/**
 * Calls `gone` once the path no longer leads to the device that it leads to now. SerialPort alone would not do: a
 * terminal that is hung up reads as empty for ever, and its reader asks again at once, without end (serialport/bindings-cpp pull request 164).
 */
function watchDevice(path: string, everyMs: number, gone: () => void): () => void {
  const first = deviceOf(path)
  if (first === undefined) return () => {}
  const timer = setInterval(() => {
    if (deviceOf(path) === first) return
    clearInterval(timer)
    gone()
  }, everyMs)
  return () => clearInterval(timer)
}

/** Which device a path leads to; nothing if to none. */
function deviceOf(path: string): string | undefined {
  try {
    const s = statSync(path)
    return `${s.dev}/${s.ino}/${s.rdev}`
  } catch {
    return undefined
  }
}

function openPort(o: SerialWireOptions): Promise<SerialPort> {
  return new Promise((resolve, reject) => {
    const refuse = (e: unknown): void =>
      reject(
        new GridproofError(
          'rig-lacks',
          `${o.name}: cannot open the serial port ${o.path}: ${openTrouble(messageOf(e))}`,
          { cause: e },
        ),
      )
    try {
      const port = new SerialPort({
        path: o.path,
        baudRate: o.settings.baudRate,
        dataBits: o.settings.dataBits,
        parity: o.settings.parity,
        stopBits: o.settings.stopBits,
        autoOpen: false,
      })
      port.open((e) => {
        if (e === null) resolve(port)
        else refuse(e)
      })
    } catch (e) {
      refuse(e)
    }
  })
}

/** What the binding says (its texts are those of the system), with what to do. */
function openTrouble(said: string): string {
  if (/no such file/i.test(said)) return `${said}: is it plugged in?`
  if (/permission denied/i.test(said))
    return `${said}: the user needs the group that owns it (dialout on Debian, uucp on Arch)`
  if (/cannot lock|busy|temporarily unavailable/i.test(said)) return `${said}: another program has it open`
  return said
}

function closePort(port: SerialPort): Promise<void> {
  return new Promise((resolve) => {
    if (port.isOpen) port.close(() => resolve())
    else resolve()
  })
}

interface SerialConn {
  readonly conn: Conn
  readonly inbox: Inbox
  drop(): void
}

function serialConn(o: SerialWireOptions, port: SerialPort, now: () => Instant): SerialConn {
  const { baudRate, dataBits, parity, stopBits } = o.settings
  const msPerCharacter = ((1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits) * 1000) / baudRate
  const inbox = createInbox()
  let free = Number.NEGATIVE_INFINITY
  let over = false
  const drop = (): void => {
    over = true
    inbox.shut()
  }
  const send = (b: Uint8Array): Promise<Instant> =>
    new Promise((resolve, reject) => {
      const refuse = (e?: unknown): void =>
        reject(
          new GridproofError('rig-broke', `${o.name}: nothing can be sent on ${o.path} any more`, {
            cause: e,
          }),
        )
      if (over || !port.isOpen) {
        refuse()
        return
      }
      // The line takes one frame after another: what is written meanwhile begins when the line is free.
      const at = Math.max(now(), free)
      free = at + b.length * msPerCharacter
      if (b.length === 0) {
        resolve(at)
        return
      }
      port.write(Buffer.from(b), undefined, (e) => {
        if (e === null || e === undefined) resolve(at)
        else refuse(e)
      })
    })
  return {
    inbox,
    drop,
    // A serial line has no way to tell its peer of an end: all three fall silent.
    conn: connOver(o.path, inbox, { send, end: drop }),
  }
}
