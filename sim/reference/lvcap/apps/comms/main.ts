/**
 * The Management Comms application (OpenLV 3.12.3): what Data Storage holds, to the management server; what that one has
 * for the platform, onto its disk; and word of each outage.
 */
import { fsyncSync } from 'node:fs'
import { join } from 'node:path'
import { parseObject, topics, unixSeconds } from '../../api.ts'
import { parseConfig } from '../../config.ts'
import { wallClock, type Json, type JsonObject, type ProgramEnv } from '../../env.ts'
import { LvcapError, textOf } from '../../errors.ts'
import { runApp, type AppContext, type Operation } from '../../sdk/app.ts'
import { readAnswer } from '../../upload/batch.ts'
import { operateUpload, shownBy, sleep, uploadParts, type UploadParts } from '../../upload/engine.ts'
import { openLine, readerOf, type Line, type Reply } from '../../upload/line.ts'
import { Refused } from '../../upload/send.ts'
import { metered, openVolume, Spent, type Purpose } from '../../upload/volume.ts'
import { hearCalls, soundCalls, type CallParts } from './calls.ts'
import { commsSchema, type CommsConfig } from './config.ts'
import { openDownloads, readJobs, soundDownloads, type DownloadParts, type Job } from './downloads.ts'
import { awayBy, openLife, type Away, type Life, type Sign } from './life.ts'
import type { Decision } from '../../updates/decision.ts'
import { openNotices } from './notices.ts'
import { openOutcomes } from './outcomes.ts'
import { outageReport, reportAsJson, type OutageReport, type Records } from './outage.ts'

/** The application in parts. */
export interface CommsParts extends UploadParts, DownloadParts, CallParts {
  /** Flushes a sign of life to the disk itself. */
  flushSign(fd: number): void
  away(before: Sign | undefined, started: number, now: number): Away | undefined
  outage(away: Away, records: readonly Records[], config: CommsConfig): OutageReport
  /** Word of it to the server. Undefined: none. */
  notice(report: OutageReport): JsonObject | undefined
  /** What bytes of it are for, where there is a budget. */
  purposeOf(what: 'notice' | 'jobs' | 'download'): Purpose
  /** Milliseconds to the next look at what there is to fetch. */
  pollEvery(config: CommsConfig): number
  /** What the server is told of a download that is installed. */
  installed(j: Job): JsonObject
  /** Called before a download is fetched; `report` tells the server that it is installed. */
  beforeFetch(j: Job, report: () => Promise<void>): Promise<void>
  /** What the server is told of an update that was fetched, when the Container Manager has dealt with it. */
  outcome(j: Job, d: Decision): JsonObject
}

export function parts(_config: Json): CommsParts {
  return {
    ...uploadParts(),
    ...soundDownloads,
    ...soundCalls,
    flushPart: (fd) => fsyncSync(fd),
    flushSign: (fd) => fsyncSync(fd),
    away: awayBy,
    outage: (away, records, config) => outageReport(away, records, config.site, config.life),
    notice: reportAsJson,
    purposeOf: (what) => (what === 'notice' ? 'important' : 'ordinary'),
    pollEvery: (config) => config.poll * 1_000,
    installed: (j) => ({ state: 'installed', sha256: j.sha256 }),
    beforeFetch: async () => {},
    outcome: (j, { state, why }) => ({ state, why, sha256: j.sha256 }),
  }
}

/** What lasts as long as the program, whatever its configuration becomes. */
interface Own {
  life?: Life
  away: Away | undefined
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}

export async function run(p: CommsParts, env: ProgramEnv): Promise<number> {
  const folder = join(env.disk, 'comms')
  const own: Own = { away: undefined }
  const code = await runApp(p, env, (containerConfig, context) =>
    operate(p, parseConfig(commsSchema, containerConfig, 'the configuration of Management Comms'), context, {
      address: env.address,
      disk: env.disk,
      folder,
      own,
    }),
  )
  own.life?.mark(wallClock(), true)
  return code
}

function operate(
  p: CommsParts,
  config: CommsConfig,
  context: AppContext,
  {
    address,
    disk,
    folder,
    own,
  }: {
    readonly address: string
    readonly disk: string
    readonly folder: string
    readonly own: Own
  },
): Operation {
  const flush = (fd: number): void => p.flush(fd)
  const { iid, started = 0 } = context.config
  const volume = openVolume(p, join(folder, 'volume.json'), wallClock(), config.budget, flush)
  const uploading = operateUpload(p, config, context, join(folder, 'data'), volume)
  const tls = p.tls(shownBy(config, context.config), config.server.name, readerOf(context.config.pki))
  const line = openLine(config.server, tls, config.timeout)
  volume.count(line)
  const linesFor = {
    ordinary: metered(line, volume, 'ordinary', wallClock),
    contact: metered(line, volume, 'contact', wallClock),
    important: metered(line, volume, 'important', wallClock),
  }
  const lineFor = (what: Parameters<typeof p.purposeOf>[0]): Line => linesFor[p.purposeOf(what)]
  /** When the server was last heard. */
  let heard = 0
  const downloads = openDownloads(p, folder, config.piece, flush)
  const notices = openNotices(join(folder, 'notices'), flush)
  const outcomes = openOutcomes(disk, folder, flush)
  const stopping = new AbortController()
  const counts = { fetched: 0, noticed: 0, failedTalks: 0 }

  if (own.life === undefined) {
    own.life = openLife(folder, started, (fd) => p.flushSign(fd))
    own.away = p.away(own.life.before, started, wallClock())
  }
  const { life } = own
  // The sign before counts until its outage has been reported.
  const mark = (): void => {
    if (own.away === undefined) life.mark(wallClock(), false)
  }
  mark()
  const beat = setInterval(mark, config.life * 1_000)

  /** Ends the pause between two talks. */
  let rouse = (): void => {}
  let wanted = false
  const calls =
    config.calls === undefined
      ? undefined
      : hearCalls(p, {
          address,
          port: config.calls.port,
          server: config.server.name,
          tls,
          look() {
            wanted = true
            rouse()
          },
          trouble: (text) => context.log({ event: 'trouble', text }),
        })
  if (calls !== undefined) volume.count(calls)

  const asked = historyOf(context, iid, config.patience)

  const reportOutage = async (): Promise<void> => {
    const { away } = own
    if (away === undefined) return
    const records: Records[] = []
    for (const instance of config.records) {
      const stored = await asked.newest(instance, unixSeconds(away.started), stopping.signal)
      if (stored !== undefined) records.push({ instance, stored })
    }
    if (stopping.signal.aborted) return
    const report = p.outage(away, records, config)
    context.log({ event: 'outage', ...reportAsJson(report) })
    const body = p.notice(report)
    if (body !== undefined) notices.add(report.id, body)
    own.away = undefined
    mark()
  }

  const askForJobs = async (): Promise<Reply> => {
    try {
      return await lineFor('jobs').ask('GET', '/jobs')
    } catch (error) {
      const due = wallClock() - heard >= (volume.contactEvery ?? Number.POSITIVE_INFINITY)
      if (!(error instanceof Spent) || !due) throw error
      // It must not take the platform for dead.
      return linesFor.contact.ask('GET', '/jobs')
    }
  }
  const talk = async (): Promise<void> => {
    for (let n = notices.next(); n !== undefined; n = notices.next()) {
      good(await lineFor('notice').ask('POST', '/notices', json, Buffer.from(JSON.stringify(n.body))))
      notices.taken(n.name)
      counts.noticed++
    }
    const jobs = readJobs(good(await askForJobs()).body)
    heard = wallClock()
    if (jobs === undefined) throw new LvcapError('link', 'The server gave no list of what is to be fetched.')
    let failed: unknown
    for (const j of jobs) {
      // One that does not come must not keep the others waiting.
      try {
        await fetchOne(j)
      } catch (e) {
        if (e instanceof Spent) throw e
        context.log({ event: 'download-failed', name: j.name, text: textOf(e) })
        failed ??= e
      }
      if (stopping.signal.aborted) return
    }
    if (failed !== undefined) throw failed
  }
  const fetchOne = async (j: Job): Promise<void> => {
    const paid = lineFor('download')
    const tell = (): Promise<void> => tellServer(paid, j, p.installed(j))
    if (!downloads.has(j)) {
      await p.beforeFetch(j, tell)
      await downloads.get(paid, j)
      if (!downloads.has(j)) return
      counts.fetched++
      context.log({ event: 'installed', kind: j.kind, name: j.name, sha256: j.sha256 })
    }
    if (!downloads.isTold(j)) {
      await tell()
      downloads.told(j)
    }
    const news = outcomes.news(j)
    if (news === undefined) return
    await tellServer(paid, j, p.outcome(j, news))
    outcomes.told(j, news)
  }

  const work = async (): Promise<void> => {
    await asked.ready
    await reportOutage()
    let inARow = 0
    while (!stopping.signal.aborted) {
      let wait = p.pollEvery(config)
      try {
        await talk()
        inARow = 0
      } catch (error) {
        if (stopping.signal.aborted) break
        if (error instanceof Spent) inARow = 0
        else {
          inARow++
          counts.failedTalks++
          context.log({ event: 'talk-failed', text: textOf(error), inARow })
          const chance = Math.random()
          wait = p.pause(inARow, config, chance)
        }
      }
      if (!wanted) await pause(wait)
      wanted = false
    }
  }
  const pause = async (ms: number): Promise<void> => {
    const nap = new AbortController()
    rouse = () => nap.abort()
    stopping.signal.addEventListener('abort', rouse, { once: true })
    await sleep(ms, nap.signal)
    stopping.signal.removeEventListener('abort', rouse)
  }
  const working = work().catch((error: unknown) => context.log({ event: 'trouble', text: textOf(error) }))

  return {
    ready: Promise.all([uploading.ready, asked.ready]).then(() => undefined),
    gauges: () => ({ ...uploading.gauges(), ...counts }),
    async stop() {
      stopping.abort()
      clearInterval(beat)
      line.close()
      calls?.close()
      await Promise.all([uploading.stop(), working])
      volume.keep(wallClock())
    },
  }
}

const json = { 'content-type': 'application/json' }

async function tellServer(line: Line, j: Job, body: JsonObject): Promise<void> {
  good(await line.ask('POST', `/jobs/${j.id}`, json, Buffer.from(JSON.stringify(body))))
}

function good(r: Reply): Reply {
  if (r.status >= 300) throw new Refused(r)
  return r
}

/** So many records tell the usual interval. Ours. */
const enough = 30
/** Data Storage may still be on its way up after an outage: it is asked so often. Ours. */
const tries = 5

/** Questions to Data Storage about the past (API 8.6). */
function historyOf(
  context: AppContext,
  iid: string,
  patience: number,
): {
  readonly ready: Promise<void>
  /** When the newest records were stored that were so before a time, Unix seconds, newest first. Undefined: no answer. */
  newest(instance: string, before: number, stop: AbortSignal): Promise<readonly number[] | undefined>
} {
  let answered: ((stored: readonly number[] | undefined) => void) | undefined
  const ready = context.hear([topics.storageResponse(iid)], (_topic, payload) => {
    const body = parseObject(payload)
    answered?.(
      (body === undefined ? undefined : readAnswer(body))?.rows
        .map((r) => r.timestamp)
        // Data Storage may give them in whichever order.
        .toSorted((a, b) => b - a),
    )
  })
  const once = async (
    instance: string,
    before: number,
    stop: AbortSignal,
  ): Promise<readonly number[] | undefined> => {
    const reply = Promise.withResolvers<readonly number[] | undefined>()
    const late = setTimeout(() => reply.resolve(undefined), patience * 1_000)
    const end = (): void => reply.resolve(undefined)
    stop.addEventListener('abort', end, { once: true })
    answered = reply.resolve
    try {
      await context.deliver({
        topic: `storage/request/${iid}`,
        payload: { InstanceID: instance, EndTime: before, MaxLength: enough, PreferOldest: false },
        qos: 1,
        retain: false,
      })
      return await reply.promise
    } catch {
      return undefined
    } finally {
      clearTimeout(late)
      stop.removeEventListener('abort', end)
      answered = undefined
    }
  }
  return {
    ready,
    async newest(instance, before, stop) {
      for (let n = 0; n < tries && !stop.aborted; n++) {
        const stored = await once(instance, before, stop)
        if (stored !== undefined) return stored
      }
      return undefined
    },
  }
}
