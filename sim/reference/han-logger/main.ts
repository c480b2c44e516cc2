/**
 * The reader: lists from the HAN ports of one or more meters, as JSON to an MQTT broker, with nothing lost while the broker
 * is away. The logger of the thesis (chapter 5) done right. Numbers of ports, brokers and keys come from its configuration.
 */
import { SerialPort } from 'serialport'
import type { Reading } from '../../../drivers/protocols/han/reading.ts'
import { wallClock, type Json, type JsonObject, type ProgramEnv } from '../lvcap/env.ts'
import { textOf } from '../lvcap/errors.ts'
import { type LineConfig, type LoggerConfig, readLoggerConfig } from './config.ts'
import { createUplink, type Uplink, type UplinkParts, uplinkParts } from './cloud.ts'
import { asInThesis, type Envelope, mended } from './format.ts'
import { openOutbox, type Outbox } from './outbox.ts'
import { createLineReceiver, type LineReceiver, type ReadList, readList } from './receive.ts'

/** The reader in parts. */
export interface LoggerParts extends UplinkParts {
  /** Bytes of a line to readings. */
  receiver(line: LineConfig, reading: (r: Reading) => void, read: ReadList): LineReceiver
  read: ReadList
  /** How long a line is silent before what has begun on it is given up, ms. */
  silence(line: LineConfig): number
  /** Whether a reading is worth keeping. */
  keeps(r: Reading): boolean
  envelope(config: LoggerConfig, sequence: number, arrived: number): Envelope
  /** A reading as it goes out. */
  payload(r: Reading, e: Envelope, form: LoggerConfig['form']): string
  outbox(folder: string): Outbox
}

export function parts(_config: Json): LoggerParts {
  return {
    ...uplinkParts,
    receiver: createLineReceiver,
    read: readList,
    silence: (line) => line.silence * 1000,
    keeps: () => true,
    envelope: (config, sequence, arrived) => ({ logger: config.id, sequence, arrived }),
    payload: (r, e, form) => (form === 'thesis' ? asInThesis(r, e) : JSON.stringify(mended(r, e))),
    outbox: openOutbox,
  }
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}

/** Seconds between looks at a port that could not be opened, or is gone. Ours. */
const reopenAfter = 2_000

interface Port {
  close(): Promise<void>
}

/** A serial line that is opened again whenever it is gone. */
function keepOpen(
  line: Pick<LineConfig, 'path' | 'baudRate' | 'dataBits' | 'parity' | 'stopBits'>,
  log: (entry: JsonObject) => void,
  bytes: (chunk: Uint8Array) => void,
  opened?: (port: SerialPort) => void,
): Port {
  let port: SerialPort | undefined
  let retry: NodeJS.Timeout | undefined
  let closed = false
  let told = ''
  const again = (): void => {
    if (!closed) retry = setTimeout(open, reopenAfter)
  }
  const open = (): void => {
    const { path, baudRate, dataBits, parity, stopBits } = line
    const p = new SerialPort({ path, baudRate, dataBits, parity, stopBits, autoOpen: false })
    port = p
    p.on('data', bytes)
    p.on('error', () => undefined)
    p.open((e) => {
      if (closed) {
        if (p.isOpen) p.close()
        return
      }
      if (e !== null && e !== undefined) {
        // Said once, not every other second.
        if (told !== e.message) log({ event: 'port-refused', path, why: e.message })
        told = e.message
        return again()
      }
      told = ''
      log({ event: 'port-open', path, baud: baudRate })
      opened?.(p)
      p.once('close', () => {
        if (!closed) log({ event: 'port-lost', path })
        again()
      })
    })
  }
  open()
  return {
    close() {
      closed = true
      clearTimeout(retry)
      const p = port
      return new Promise((resolve) => {
        if (p?.isOpen === true) p.close(() => resolve())
        else resolve()
      })
    },
  }
}

/** Reads until `env.term`; 0 then, 2 for a configuration that does not fit, 1 for a disk that cannot be used. */
export async function run(p: LoggerParts, env: ProgramEnv): Promise<number> {
  const log = (entry: JsonObject): void => env.log(entry)
  let config: LoggerConfig
  let outbox: Outbox
  try {
    config = readLoggerConfig(env.config)
  } catch (e) {
    log({ event: 'config', why: textOf(e) })
    return 2
  }
  try {
    outbox = p.outbox(env.disk)
  } catch (e) {
    log({ event: 'disk', why: textOf(e) })
    return 1
  }
  let uplink: Uplink | undefined
  try {
    if (config.broker !== undefined)
      uplink = createUplink({
        broker: config.broker,
        outbox,
        parts: p,
        window: config.outbox.window,
        retryMs: config.retry * 1000,
        log,
      })
  } catch (e) {
    log({ event: 'config', why: textOf(e) })
    outbox.close()
    return 2
  }
  let debug: SerialPort | undefined
  let failing = false

  const take = (r: Reading): void => {
    if (!p.keeps(r)) return
    const e = p.envelope(config, outbox.next(), wallClock())
    const payload = p.payload(r, e, config.form)
    try {
      outbox.keep({ sequence: e.sequence, payload })
      failing = false
    } catch (why) {
      // Said once: a full disk stays full for a while.
      if (!failing) log({ event: 'disk', why: textOf(why) })
      failing = true
      return
    }
    const gone = outbox.trim(config.outbox.most)
    if (gone > 0) log({ event: 'outbox-full', dropped: gone })
    if (debug?.isOpen === true) debug.write(`${payload}\r\n`)
    uplink?.poke()
  }

  const ports: Port[] = []
  const receivers: LineReceiver[] = []
  const timers = new Set<NodeJS.Timeout>()
  for (const line of config.lines) {
    const receiver = p.receiver(line, take, p.read)
    receivers.push(receiver)
    let silence: NodeJS.Timeout | undefined
    ports.push(
      keepOpen(line, log, (chunk) => {
        receiver.push(chunk)
        if (silence !== undefined) {
          clearTimeout(silence)
          timers.delete(silence)
        }
        silence = setTimeout(() => receiver.silent(), p.silence(line))
        timers.add(silence)
      }),
    )
  }
  if (config.debug !== undefined)
    ports.push(
      keepOpen(
        config.debug,
        log,
        // What is typed on the debugging line is echoed, as the thesis tried its lines (chapter 6).
        (chunk) => void debug?.write(Buffer.from(chunk)),
        (port) => {
          debug = port
        },
      ),
    )
  log({ event: 'reading', lines: config.lines.length, waiting: outbox.size })
  await new Promise<void>((resolve) => {
    if (env.term.aborted) resolve()
    else env.term.addEventListener('abort', () => resolve(), { once: true })
  })
  for (const t of timers) clearTimeout(t)
  for (const [i, r] of receivers.entries())
    log({
      event: 'line',
      line: i,
      messages: r.stats.messages,
      noise: r.stats.noise,
      rejected: r.stats.rejected,
    })
  await Promise.all(ports.map((x) => x.close()))
  await uplink?.close()
  outbox.close()
  return 0
}
