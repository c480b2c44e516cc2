/**
 * The reader: lists from the HAN ports of one or more meters, as JSON to an MQTT broker, with nothing lost while the broker
 * is away. The logger of the thesis (chapter 5) done right. Numbers of ports, brokers and keys come from its configuration,
 * and from its configuration page where it has one.
 */
import { join } from 'node:path'
import type { Reading } from '../../../drivers/protocols/han/reading.ts'
import type { Json, JsonObject, ProgramEnv } from '../lvcap/env.ts'
import { textOf } from '../lvcap/errors.ts'
import { certificateOf } from './certificate.ts'
import { tlsOf, type UplinkParts, uplinkParts } from './cloud.ts'
import { type LineConfig, type LoggerConfig, loggerSchema, readLoggerConfig } from './config.ts'
import { asInThesis, type Envelope, mended } from './format.ts'
import { openOutbox, type Outbox } from './outbox.ts'
import { readMeters, type Reader } from './reader.ts'
import { createLineReceiver, type LineReceiver, type ReadList, readList } from './receive.ts'
import { keepSettings, loadSettings, type Settings, withSettings } from './settings.ts'
import { serveWeb, type Web, type WebParts, webParts } from './web.ts'

/** The reader in parts. */
export interface LoggerParts extends UplinkParts, WebParts {
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
  /** What was set on the page, and keeping it. */
  loadSettings(file: string): Settings | undefined
  keepSettings(file: string, s: Settings): void
}

export function parts(_config: Json): LoggerParts {
  return {
    ...uplinkParts,
    ...webParts,
    receiver: createLineReceiver,
    read: readList,
    silence: (line) => line.silence * 1000,
    keeps: () => true,
    envelope: (config, sequence, arrived) => ({ logger: config.id, sequence, arrived }),
    payload: (r, e, form) => (form === 'thesis' ? asInThesis(r, e) : JSON.stringify(mended(r, e))),
    outbox: openOutbox,
    loadSettings,
    keepSettings,
  }
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}

/** Reads until `env.term`; 0 then, 2 for a configuration that does not fit, 1 for a disk that cannot be used. */
export async function run(p: LoggerParts, env: ProgramEnv): Promise<number> {
  const log = (entry: JsonObject): void => env.log(entry)
  let given: LoggerConfig
  let outbox: Outbox
  try {
    given = readLoggerConfig(env.config)
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
  const file = join(env.disk, 'settings.json')
  let settings: Settings | undefined
  let reader: Reader | undefined
  /** Ends the round that is under way: the reader begins anew. */
  let again = (): void => undefined
  if (given.web !== undefined)
    try {
      settings = p.loadSettings(file)
    } catch (e) {
      log({ event: 'config', why: textOf(e) })
    }
  const web = given.web === undefined ? undefined : await openPage()
  if (given.web !== undefined && web === undefined && settings === undefined && given.broker === undefined) {
    // Neither a page nor anything to do.
    outbox.close()
    return 1
  }

  async function openPage(): Promise<Web | undefined> {
    const config = given.web
    if (config === undefined) return undefined
    const address = config.address ?? env.address
    try {
      return await serveWeb({
        config,
        address,
        shown: certificateOf(config, address, env.disk),
        parts: p,
        lines: given.lines.map((l) => l.path),
        settings: () => settings,
        refuses(s) {
          const fit = loggerSchema.safeParse(withSettings(given, s))
          if (!fit.success) return fit.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ')
          try {
            if (fit.data.broker !== undefined) tlsOf(fit.data.broker, p)
          } catch (e) {
            return textOf(e)
          }
          return undefined
        },
        save(s) {
          p.keepSettings(file, s)
          settings = s
          log({
            event: 'config',
            what: 'saved',
            broker: s.broker,
            port: Number(s.port),
            meters: s.meterTypes,
          })
          again()
        },
        state: () => ({
          cloud: reader === undefined ? 'not configured' : reader.connected() ? 'connected' : 'not connected',
          waiting: outbox.size,
        }),
        log,
      })
    } catch (e) {
      // Meters are read all the same.
      log({ event: 'web-failed', why: textOf(e) })
      return undefined
    }
  }

  const over = new Promise<boolean>((resolve) => {
    if (env.term.aborted) resolve(true)
    else env.term.addEventListener('abort', () => resolve(true), { once: true })
  })
  /** Until the program is to end (true), or new settings were saved (false). */
  const round = async (): Promise<boolean> => {
    const ended = Promise.race([over, new Promise<boolean>((resolve) => (again = () => resolve(false)))])
    if (web !== undefined && settings === undefined && given.broker === undefined) {
      // As the thesis's device without a configuration: its own access point, and nothing but the page.
      log({ event: 'config', what: 'none' })
      return ended
    }
    try {
      reader = readMeters(p, settings === undefined ? given : withSettings(given, settings), outbox, log)
    } catch (e) {
      // A certificate of the installer's that has gone, say: what is set on the page may mend it.
      if (web === undefined) throw e
      log({ event: 'config', why: textOf(e) })
    }
    const end = await ended
    await reader?.close()
    reader = undefined
    return end
  }

  try {
    while (!(await round()));
    return 0
  } catch (e) {
    log({ event: 'config', why: textOf(e) })
    return 2
  } finally {
    web?.close()
    outbox.close()
  }
}
