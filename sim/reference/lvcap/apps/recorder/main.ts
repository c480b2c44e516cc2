/**
 * The CSV Data Recorder (section 3.8): hears all that passes the Data Marketplace and keeps each message as a line, with
 * its time, its publisher and its payload (I:0091). A last line of defence: it takes everything, stored elsewhere or not.
 *
 * It hears through a session of its own, which the broker keeps while the program is away, so that what is published
 * meanwhile is recorded after its return. A message is acknowledged when its line is with the operating system.
 */
import { join } from 'node:path'
import { errno } from '../../api.ts'
import { nameOfSession, type AppConfig } from '../../config.ts'
import { wallClock, type Json, type ProgramEnv } from '../../env.ts'
import { textOf } from '../../errors.ts'
import { runApp, sdkParts, type AppContext, type Operation, type SdkParts } from '../../sdk/app.ts'
import { openSession, type Delivery, type Presentation } from '../../sdk/session.ts'
import { readConfig, type RecorderConfig } from './config.ts'
import { openRecords, shippedFileParts, type FileParts } from './files.ts'
import { remembered, repeats, type IsRepeated, type Key } from './resume.ts'
import { lineOf, publisherOf, rowOf, type Heard, type Row } from './row.ts'

export interface RecorderParts extends SdkParts, FileParts {
  /** How the recording session presents itself. */
  hears(app: AppConfig): Presentation
  /** Topic filters that are subscribed. */
  filters(): readonly string[]
  /** Whether a message is recorded at all. */
  wants(heard: Heard): boolean
  publisher(topic: string, config: RecorderConfig): string
  /** `now` in ms since 1970. */
  row(heard: Heard, now: number, publisher: string): Row
  line(row: Row, config: RecorderConfig): string
  repeats(tail: readonly Key[]): IsRepeated
  /** Lets one line go to the files; `append` throws where it was not kept. */
  store(line: string, now: number, append: (line: string, now: number) => void): void
}

/** Milliseconds between two complaints that lines are lost. Ours. */
const complaintEvery = 60_000

export function parts(_config: Json): RecorderParts {
  return {
    ...sdkParts(),
    ...shippedFileParts,
    hears: (app) => ({ clientId: `${app.apid}.recording`, username: app.apid, clean: false }),
    filters: () => ['#'],
    wants: () => true,
    publisher: publisherOf,
    row: rowOf,
    line: lineOf,
    repeats,
    store: (line, now, append) => append(line, now),
  }
}

export async function run(p: RecorderParts, env: ProgramEnv): Promise<number> {
  return runApp(p, env, (containerConfig, context) =>
    operate(p, readConfig(containerConfig), context, env.disk),
  )
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}

function operate(p: RecorderParts, config: RecorderConfig, context: AppContext, disk: string): Operation {
  const files = openRecords(join(disk, config.folder), config, p, context.log)
  const recent: Key[] = [...files.tail]
  let isRepeated: IsRepeated | undefined
  const counts = { lines: 0, repeated: 0, lost: 0 }
  let complained = Number.NEGATIVE_INFINITY

  const complain = (error: unknown): void => {
    counts.lost++
    const now = performance.now()
    if (now - complained < complaintEvery) return
    complained = now
    const text = `${textOf(error)} (${counts.lost} lost so far)`
    context.log({ event: 'trouble', text })
    context.error(errno.io, text)
  }

  const take = (topic: string, payload: Uint8Array, how: Delivery): void => {
    const heard = { topic, payload }
    if (!p.wants(heard)) return
    const now = wallClock()
    try {
      const row = p.row(heard, now, p.publisher(topic, config))
      const key = { topic, payload: row.Payload }
      if (isRepeated?.(key, how) === true) {
        counts.repeated++
        return
      }
      p.store(p.line(row, config), now, (line, at) => files.append(line, at))
      counts.lines++
      recent.push(key)
      if (recent.length > 2 * remembered) recent.splice(0, remembered)
    } catch (error) {
      complain(error)
    }
  }

  const session = openSession(
    {
      pki: context.config.pki,
      name: nameOfSession(context.config, 'recording'),
      ...context.config.marketplace,
    },
    p.hears(context.config),
    (text) => context.log({ event: 'trouble', text }),
  )
  const subscribe = async (): Promise<void> => {
    try {
      for (const f of p.filters()) await session.subscribe(f, 1)
      context.log({ event: 'recording' })
    } catch (error) {
      // The connection went away again; the next one subscribes anew.
      context.log({ event: 'trouble', text: textOf(error) })
    }
  }
  session.onMessage(take)
  session.onConnect((resumed) => {
    isRepeated = resumed ? p.repeats(recent.slice(-remembered)) : undefined
    context.log({ event: 'listening', resumed })
    if (!resumed) void subscribe()
  })

  const flush = (): void => {
    try {
      files.sync()
    } catch (error) {
      context.log({ event: 'trouble', text: `Not flushed: ${textOf(error)}` })
    }
  }
  const timer = setInterval(flush, config.syncSeconds * 1_000)

  return {
    gauges: () => ({ ...counts, ...files.counts() }),
    async stop() {
      clearInterval(timer)
      await session.close(2_000)
      try {
        files.close()
      } catch (error) {
        context.log({ event: 'trouble', text: textOf(error) })
      }
    },
  }
}
