/** One round of the reader, from a configuration in force until the next: ports open, readings to the outbox, the outbox to the broker. */
import type { SerialPort } from 'serialport'
import type { Reading } from '../../../drivers/protocols/han/reading.ts'
import { wallClock, type JsonObject } from '../lvcap/env.ts'
import { textOf } from '../lvcap/errors.ts'
import { createUplink, type Uplink } from './cloud.ts'
import type { LoggerConfig } from './config.ts'
import type { LoggerParts } from './main.ts'
import { createModem, type Modem } from './modem.ts'
import type { Outbox } from './outbox.ts'
import { keepOpen, type Port } from './ports.ts'
import type { LineReceiver } from './receive.ts'

export interface Reader {
  connected(): boolean
  /** Resolves when ports and connections are closed. */
  close(): Promise<void>
}

/** Readings held in memory while the disk takes none, the oldest given up first: more than a day of one meter. Ours. */
const mostHeld = 50_000
/** Bytes that may wait for the debugging line; what comes then is not echoed. Ours. */
const mostEcho = 65_536

interface Held {
  readonly reading: Reading
  readonly arrived: number
}

/** @throws LoggerError for certificates that cannot be used */
export function readMeters(
  p: LoggerParts,
  config: LoggerConfig,
  outbox: Outbox,
  log: (entry: JsonObject) => void,
): Reader {
  const { broker } = config
  let modem: Modem | undefined
  let uplink: Uplink | undefined
  if (broker !== undefined) {
    const m = config.modem === undefined ? undefined : createModem(config.modem)
    modem = m
    uplink = createUplink({
      broker,
      outbox,
      parts: p,
      window: config.outbox.window,
      retryMs: config.retry * 1000,
      ...(m === undefined || config.modem === undefined
        ? {}
        : {
            open: (host: string, port: number) => m.connect(host, port),
            patience: config.modem.sessionSeconds * 1000,
            keepalive: config.modem.keepalive,
          }),
      log,
    })
  }
  let debug: SerialPort | undefined
  /** Readings that no disk has taken yet, oldest first. */
  const held: Held[] = []
  let lost = 0
  let failing = false

  const keep = ({ reading, arrived }: Held): void => {
    const e = p.envelope(config, outbox.next(), arrived)
    const payload = p.payload(reading, e, config.form)
    outbox.keep({ sequence: e.sequence, payload })
    try {
      const gone = outbox.trim(config.outbox.most)
      if (gone > 0) log({ event: 'outbox-full', dropped: gone })
    } catch {
      // It is kept; a disk that does not let the oldest go now is asked again with the next.
    }
    if (debug?.isOpen === true && debug.writableLength < mostEcho) debug.write(`${payload}\r\n`)
  }
  const flush = (): void => {
    try {
      for (let next = held[0]; next !== undefined; next = held[0]) {
        keep(next)
        held.shift()
      }
      if (failing) log({ event: 'disk', what: 'takes readings again', lost })
      failing = false
      lost = 0
    } catch (e) {
      // Said once: a full disk stays full for a while.
      if (!failing) log({ event: 'disk', why: textOf(e) })
      failing = true
      while (held.length > mostHeld) {
        held.shift()
        lost++
      }
    }
    uplink?.poke()
  }

  const ports: Port[] = []
  const receivers: LineReceiver[] = []
  const timers = new Map<LineReceiver, NodeJS.Timeout>()
  for (const line of config.lines) {
    const receiver = p.receiver(
      line,
      (reading) => {
        if (!p.keeps(reading)) return
        held.push({ reading, arrived: wallClock() })
        flush()
      },
      p.read,
    )
    receivers.push(receiver)
    ports.push(
      keepOpen(line, log, {
        bytes(chunk) {
          receiver.push(chunk)
          clearTimeout(timers.get(receiver))
          timers.set(
            receiver,
            setTimeout(() => receiver.silent(), p.silence(line)),
          )
        },
        // What has begun is not continued by what comes after the gap.
        lost: () => receiver.silent(),
      }),
    )
  }
  if (config.debug !== undefined)
    ports.push(
      keepOpen(config.debug, log, {
        // What is typed on the debugging line is echoed, as the thesis tried its lines (chapter 6).
        bytes: (chunk) => void debug?.write(Buffer.from(chunk)),
        opened: (port) => (debug = port),
      }),
    )
  log({ event: 'reading', lines: config.lines.length, waiting: outbox.size })

  return {
    connected: () => uplink?.connected === true,
    async close() {
      for (const t of timers.values()) clearTimeout(t)
      for (const [i, r] of receivers.entries())
        log({
          event: 'line',
          line: i,
          messages: r.stats.messages,
          noise: r.stats.noise,
          rejected: r.stats.rejected,
        })
      await Promise.all(ports.map((x) => x.close()))
      if (held.length > 0) log({ event: 'disk', what: 'readings were given up', lost: lost + held.length })
      await uplink?.close()
      await modem?.close()
    },
  }
}
