/**
 * Uploading, as Data Upload (OpenLV 3.12.4) and Management Comms (3.12.3) both do it: asks Data Storage for what was not
 * uploaded yet (API section 8.5), keeps that as a batch on its own disk, sends it, resumed wherever it broke off, and
 * reports the rows when the server has said that it holds them all; not before, and until Data Storage has taken the
 * report. Whatever is interrupted goes on from the batch on the disk: so nothing is lost, and nothing sent twice.
 */
import { fsyncSync } from 'node:fs'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { errno, parseObject, scalar, topics, unixSeconds } from '../api.ts'
import type { AppConfig } from '../config.ts'
import { wallClock, type Json, type JsonObject } from '../env.ts'
import { LvcapError, textOf } from '../errors.ts'
import { sdkParts, type AppContext, type Operation, type SdkParts } from '../sdk/app.ts'
import {
  idsOf,
  keyOf,
  nameOf,
  pack,
  readAnswer,
  reportOf,
  sha256Of,
  type Answer,
  type Ids,
  type Row,
} from './batch.ts'
import type { UploadConfig } from './config.ts'
import { credentials, openLine, readerOf } from './line.ts'
import { Refused, sendOnce, soundSending, type SendParts } from './send.ts'
import { openSpool } from './spool.ts'
import { metered, openVolume, soundVolume, Spent, type Volume, type VolumeParts } from './volume.ts'

/** An uploading application in parts. */
export interface UploadParts extends SdkParts, SendParts, VolumeParts {
  /** Requests for what is not uploaded yet, in the order of asking. */
  queries(config: UploadConfig, rows: number): readonly JsonObject[]
  pack(rows: readonly Row[]): Uint8Array
  /** The batch's name, by which the server knows it again. */
  name(rows: readonly Row[]): string
  tls(
    app: AppConfig,
    server: string,
    read: (file: string) => string,
  ): Omit<ConnectionOptions, 'host' | 'port'>
  /** Flushes a file of the spool to the disk itself. */
  flush(fd: number): void
  report(ids: Ids): Json
  /** Called when the server holds a batch; what `reported` does is to tell Data Storage, and wait for its acknowledgement. */
  afterUpload(ids: Ids, reported: (ids: Ids) => Promise<void>): Promise<void>
  /** Called before a batch is sent for the first time. */
  beforeUpload(ids: Ids, reported: (ids: Ids) => Promise<void>): Promise<void>
  /** Called when a batch must wait for the next period; `give` would give it up. */
  whenSpent(ids: Ids, reported: (ids: Ids) => Promise<void>, give: () => void): Promise<void>
  /** Milliseconds to the next attempt, after so many failures in a row, from 1. `chance` in [0, 1). */
  pause(failures: number, config: UploadConfig, chance: number): number
}

export function uploadParts(): UploadParts {
  return {
    ...sdkParts(),
    ...soundSending,
    ...soundVolume,
    queries(config, rows) {
      const all = { MaxLength: rows, PreferOldest: true }
      if (config.select === 'all') return [all]
      return config.select.map((s) => ({
        ...all,
        InstanceID: s.iid,
        ...(s.subTopic === undefined ? {} : { SubTopic: s.subTopic }),
      }))
    },
    pack,
    name: nameOf,
    tls: (app, server, read) => credentials(app.apid, server, read),
    flush: (fd) => fsyncSync(fd),
    report: reportOf,
    afterUpload: (ids, reported) => reported(ids),
    beforeUpload: async () => {},
    whenSpent: async () => {},
    pause: (failures, { retry }, chance) =>
      Math.min(retry.most, retry.first * 2 ** Math.min(20, failures - 1)) * 1_000 * (0.5 + chance / 2),
  }
}

/** Values of Status in a response (table 18) that an upload acts on. */
const said = {
  ok: 1,
  empty: 2,
  denied: 3,
  tooLong: 4,
  tooBig: 5,
  tooOld: 6,
  unavailable: 7,
  more: 8,
} as const
/** Data Storage grants so many rows always (API 8.5.1). */
const alwaysGranted = 100

/**
 * @param folder of its own, for the batch on its way and the volume of the period.
 * @param shared the volume that the application counts for this and all else that it does.
 */
export function operateUpload(
  p: UploadParts,
  config: UploadConfig,
  context: AppContext,
  folder: string,
  shared?: Volume,
): Operation {
  const { iid } = context.config
  const flush = (fd: number): void => p.flush(fd)
  const spool = openSpool(folder, { flush })
  const line = openLine(
    config.server,
    p.tls(shownBy(config, context.config), config.server.name, readerOf(context.config.pki)),
    config.timeout,
  )
  const volume = shared ?? openVolume(p, join(folder, 'volume.json'), wallClock(), config.budget, flush)
  volume.count(line)
  const paid = metered(line, volume, 'ordinary', wallClock)
  const stopping = new AbortController()
  const counts = { batches: 0, rows: 0, failures: 0, resumed: spool.held === undefined ? 0 : 1 }
  let rows = config.rows
  /** Uploaded and reported before the batch on its way, and given by Data Storage beside it: it has not heard of them. */
  let givenAgain: string[] = []
  const isUploaded = (r: Row): boolean => spool.has(keyOf(r))
  let answered: ((a: Answer | undefined) => void) | undefined
  const ready = context.hear([topics.newDataResponse(iid)], (_topic, payload) => {
    const body = parseObject(payload)
    answered?.(body === undefined ? undefined : readAnswer(body))
  })

  const ask = async (request: JsonObject): Promise<Answer | undefined> => {
    const reply = Promise.withResolvers<Answer | undefined>()
    answered = reply.resolve
    const late = setTimeout(() => reply.resolve(undefined), config.patience * 1_000)
    try {
      await context.deliver({ topic: topics.newDataRequest(iid), payload: request, qos: 2, retain: false })
      return await reply.promise
    } finally {
      clearTimeout(late)
      answered = undefined
    }
  }

  /** The next batch into the spool; false where there is nothing to upload. */
  const fetchNext = async (): Promise<boolean> => {
    givenAgain = []
    for (const request of p.queries(config, rows)) {
      const a = await ask({ ...request, Timestamp: unixSeconds(wallClock()) })
      if (a === undefined) throw new LvcapError('closed', 'Data Storage did not answer in time.')
      if (a.status === said.tooLong && rows > alwaysGranted) {
        rows = alwaysGranted
        return fetchNext()
      }
      if (a.status === said.tooBig && rows > 1) {
        rows = Math.ceil(rows / 2)
        return fetchNext()
      }
      if (a.status === said.unavailable) throw new LvcapError('closed', 'Data Storage cannot answer now.')
      if (a.status !== said.ok && a.status !== said.more) {
        if (a.status !== said.empty)
          context.error(errno.access, `Data Storage refused with status ${a.status}.`)
        continue
      }
      if (a.rows.length === 0) continue
      const [still, fresh] = [a.rows.filter(isUploaded), a.rows.filter((r) => !isUploaded(r))]
      givenAgain.push(...still.map(keyOf))
      if (still.length > 0) {
        context.log({ event: 'not-marked-yet', rows: still.length })
        await p.afterUpload(idsOf(still), reported)
      }
      if (fresh.length === 0) continue
      const bytes = p.pack(fresh)
      spool.put({
        name: p.name(fresh),
        rtu: config.rtu,
        sha256: sha256Of(bytes),
        ids: idsOf(fresh),
        rows: fresh.map(keyOf),
        bytes,
        url: undefined,
      })
      await p.beforeUpload(idsOf(fresh), reported)
      return true
    }
    return false
  }

  const reported = (ids: Ids): Promise<void> =>
    context.deliver({ topic: topics.uploaded(iid), payload: p.report(ids), qos: 1, retain: false })

  /** One step: true where something was done. */
  const step = async (): Promise<boolean> => {
    if (spool.held === undefined && !(await fetchNext())) return false
    const batch = spool.held
    if (batch === undefined) return false
    await sendOnce(p, paid, spool, config.server.path, config.window)
    context.log({ event: 'uploaded', batch: batch.name, bytes: batch.bytes.length })
    await p.afterUpload(batch.ids, reported)
    spool.clear(givenAgain)
    counts.batches++
    counts.rows += Object.values(batch.ids).reduce((n, list) => n + list.length, 0)
    return true
  }

  const tellVolume = (): void => {
    const now = wallClock()
    volume.keep(now)
    context.publish({
      topic: `${topics.algorithm(iid)}/volume`,
      payload: scalar(unixSeconds(now), volume.used(now), true, false),
      qos: 1,
      retain: false,
    })
  }

  const work = async (): Promise<void> => {
    await ready
    let inARow = 0
    /** For the next period. */
    let waiting = false
    while (!stopping.signal.aborted) {
      let wait = config.interval * 1_000
      try {
        if (await step()) wait = 0
        waiting = false
        inARow = 0
      } catch (error) {
        if (stopping.signal.aborted) break
        if (error instanceof Spent) {
          if (!waiting) context.log({ event: 'volume-spent', bytes: volume.used(wallClock()) })
          waiting = true
          await p.whenSpent(spool.held?.ids ?? {}, reported, () => spool.clear())
          tellVolume()
          await sleep(wait, stopping.signal)
          continue
        }
        inARow++
        counts.failures++
        context.log({ event: 'upload-failed', text: textOf(error), inARow })
        if (error instanceof Refused && error.status === 413) context.error(errno.network, textOf(error))
        const chance = Math.random()
        wait = p.pause(inARow, config, chance)
      }
      tellVolume()
      await sleep(wait, stopping.signal)
    }
  }
  const working = work().catch((error: unknown) => context.log({ event: 'trouble', text: textOf(error) }))

  return {
    ready,
    gauges: () => ({ ...counts, held: spool.held === undefined ? 0 : 1 }),
    async stop() {
      stopping.abort()
      line.close()
      answered?.(undefined)
      await working
      volume.keep(wallClock())
    },
  }
}

/** Who the application is to its server. */
export function shownBy({ certificate }: Pick<UploadConfig, 'certificate'>, app: AppConfig): AppConfig {
  return certificate === undefined ? app : { ...app, apid: certificate }
}

/** Resolves early, without a word, when the signal is given. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
    return undefined
  })
}
