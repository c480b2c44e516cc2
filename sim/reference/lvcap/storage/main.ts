/**
 * The Data Storage application, a core service (API sections 5.1.1, 7, 8.4 to 8.6): keeps what applications want kept,
 * one table an instance, and answers who asks for it. It hears through two sessions of its own, which the broker keeps
 * while the program is away: what is to be stored, each message acknowledged when it is on the disk; and requests, so
 * that a flood of the former keeps nobody waiting, and what was reported as uploaded comes before the query after it.
 */
import { join } from 'node:path'
import { errno, topics, unixSeconds, type Message } from '../api.ts'
import { nameOfSession, type AppConfig } from '../config.ts'
import { wallClock, type Json, type ProgramEnv } from '../env.ts'
import { LvcapError, textOf } from '../errors.ts'
import { runApp, sdkParts, type AppContext, type Operation, type SdkParts } from '../sdk/app.ts'
import { openSession, type Delivery, type Presentation, type Session } from '../sdk/session.ts'
import { repeats, type IsRepeated } from '../apps/recorder/resume.ts'
import { packetLength, responseText } from './answer.ts'
import { readConfig, type StorageConfig } from './config.ts'
import { keeps, placeOf, recordOf, valueOf, type NewRecord, type Place } from './intake.ts'
import {
  planQuery,
  queryStatus,
  readMarks,
  type Asked,
  type Marks,
  type Query,
  type QueryStatus,
} from './query.ts'
import { openStore, type Found, type Keep, type Store, type StoredRecord } from './store.ts'

/** Data Storage in parts. */
export interface StorageParts extends SdkParts {
  /** How its sessions present themselves. */
  hears(app: AppConfig, session: 'records' | 'requests'): Presentation
  /** Topic filters of what may be stored. */
  sources(): readonly { readonly filter: string; readonly qos: 1 | 2 }[]
  /** Topic filters of requests and reports. */
  requests(): readonly { readonly filter: string; readonly qos: 1 | 2 }[]
  /** The records in this folder. */
  store(folder: string): Store
  place(topic: string): Place | undefined
  keeps(place: Extract<Place, { kind: 'data' }>, value: Json, config: StorageConfig): boolean
  /** `now` in ms since 1970. */
  record(place: Extract<Place, { kind: 'data' }>, payload: Uint8Array, now: number): NewRecord
  /** Keeps one record; resolves when it may be acknowledged. `append` throws where the disk takes nothing. */
  append(record: NewRecord, append: (records: readonly NewRecord[]) => void): Promise<void>
  /** `now` in Unix seconds. */
  plan(asked: Asked, config: StorageConfig, tables: readonly string[], now: number): Query | QueryStatus
  /** Status of a query that was carried out; `length` of its response's packet, in bytes. */
  judge(found: Found, length: number, config: StorageConfig): QueryStatus
  respond(status: QueryStatus, records: readonly StoredRecord[], now: number): string
  /** What of a report is marked. */
  marks(by: string, marks: Marks, allowed: readonly string[]): Marks
  /** Bounds of a purge; `now` in Unix seconds. */
  bounds(config: StorageConfig, now: number): Keep
}

export function parts(_config: Json): StorageParts {
  return {
    ...sdkParts(),
    hears: (app, session) => ({
      clientId: `${app.apid}.${session}`,
      username: app.apid,
      clean: false,
    }),
    sources: () => [
      { filter: 'algorithm/data/#', qos: 1 },
      // Not stored as a rule (section 8.3): where it asks for it.
      { filter: 'sensor/data/#', qos: 1 },
      { filter: 'storage/data/#', qos: 2 },
    ],
    requests: () => [
      { filter: 'storage/request/newdata/+', qos: 2 },
      { filter: 'storage/request/+', qos: 1 },
      { filter: 'storage/uploaded/+', qos: 1 },
    ],
    store: (folder) => openStore(folder),
    place: placeOf,
    keeps,
    record: recordOf,
    append: async (record, append) => append([record]),
    plan: planQuery,
    judge: (found, length, config) => {
      if (found.tooBig || length > config.maxBytes) return queryStatus.tooBig
      if (found.records.length === 0) return queryStatus.empty
      return found.more ? queryStatus.more : queryStatus.ok
    },
    respond: responseText,
    marks: (_by, marks, allowed) => marks.filter((m) => allowed.includes(m.table)),
    bounds: (config, now) => ({
      records: config.keep.records,
      ...(config.keep.seconds === undefined ? {} : { before: now - config.keep.seconds }),
    }),
  }
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}

/** Serves until it is told to shut down. */
export async function run(p: StorageParts, env: ProgramEnv): Promise<number> {
  return runApp(p, env, (containerConfig, context) =>
    operate(p, readConfig(containerConfig), context, env.disk),
  )
}

/** Milliseconds between two complaints about the disk. Ours. */
const complaintEvery = 60_000

function operate(p: StorageParts, config: StorageConfig, context: AppContext, disk: string): Operation {
  const store = p.store(join(disk, config.folder))
  for (const iid of config.instances) store.open(iid)
  const stopping = new AbortController()
  const counts = { stored: 0, passedBy: 0, repeated: 0, refused: 0, queries: 0, purged: 0 }
  /** Reports that the disk has not taken yet: until then a query would bring rows that were uploaded. */
  const unmarked: { readonly by: string; readonly marks: Marks }[] = []
  let broken = false
  let connection = 0
  /** Knows again what the broker kept of the connection before, and has been stored already. */
  let again: IsRepeated | undefined
  let complained = Number.NEGATIVE_INFINITY

  const complain = (error: unknown): void => {
    broken = true
    const now = performance.now()
    if (now - complained < complaintEvery) return
    complained = now
    context.log({ event: 'trouble', text: `Nothing can be written: ${textOf(error)}` })
    context.error(errno.io, `Data Storage cannot write: ${textOf(error)}`)
  }
  const mended = (): void => {
    if (!broken) return
    broken = false
    complained = Number.NEGATIVE_INFINITY
    context.log({ event: 'writes-again' })
  }
  const refuse = (topic: string, code: number, text: string): void => {
    counts.refused++
    context.error(code, `${topic}: ${text}`)
  }

  /**
   * Until the disk takes it. Where the session or the program ends before, it is given up: the broker then delivers it
   * again.
   */
  const keep = async (record: NewRecord): Promise<void> => {
    const mine = connection
    for (;;) {
      if (mine !== connection || !records.session.stats().connected)
        throw new LvcapError('closed', 'The session of this message has ended.')
      try {
        await p.append(record, (list) => store.append(list))
        counts.stored++
        mended()
        return
      } catch (error) {
        complain(error)
        await pause(config.retry * 1_000, stopping.signal)
      }
    }
  }

  /** Whether it is a record that the broker sends again because its acknowledgement was lost with the session before. */
  const isRepeated = (record: NewRecord, how: Delivery): boolean =>
    again?.({ topic: keyOf(record), payload: Buffer.from(record.data).toString('latin1') }, how) === true

  const takeRecord = async (topic: string, payload: Uint8Array, how: Delivery): Promise<void> => {
    const place = p.place(topic)
    // What is retained was stored when it was published.
    if (place?.kind !== 'data' || how.retain) return
    const value = valueOf(payload)
    if (value === undefined) {
      refuse(topic, errno.jsonInvalid, 'not valid JSON, and not stored.')
      return
    }
    if (!p.keeps(place, value, config)) {
      counts.passedBy++
      return
    }
    const record = p.record(place, payload, wallClock())
    if (isRepeated(record, how)) counts.repeated++
    else await keep(record)
  }

  const flushMarks = (): void => {
    for (let one = unmarked[0]; one !== undefined; one = unmarked[0]) {
      store.mark(one.by, one.marks)
      unmarked.shift()
    }
  }

  const answerQuery = (asked: Asked): void => {
    counts.queries++
    const topic =
      asked.api === 'newdata' ? topics.newDataResponse(asked.by) : topics.storageResponse(asked.by)
    const now = unixSeconds(wallClock())
    const text = carryOut(asked, topic, now)
    const message: Message = {
      topic,
      payload: null,
      text,
      qos: asked.api === 'newdata' ? 2 : 1,
      retain: false,
    }
    context.publish(message)
  }

  const carryOut = (asked: Asked, topic: string, now: number): string => {
    if (stopping.signal.aborted || unmarked.length > 0) return p.respond(queryStatus.unavailable, [], now)
    const query = p.plan(asked, config, store.tables, now)
    if (typeof query === 'number') return p.respond(query, [], now)
    let found: Found
    try {
      found = store.find(query, config.maxBytes)
    } catch (error) {
      context.log({ event: 'trouble', text: `A query could not be carried out: ${textOf(error)}` })
      return p.respond(queryStatus.unavailable, [], now)
    }
    const likely = found.more ? queryStatus.more : queryStatus.ok
    const tried = p.respond(likely, found.records, now)
    const status = p.judge(found, packetLength(topic, tried), config)
    // It may be hundreds of megabytes long: once is enough.
    if (status === likely) return tried
    const full = status === queryStatus.ok || status === queryStatus.more
    return p.respond(status, full ? found.records : [], now)
  }

  const takeReport = (topic: string, by: string, payload: Uint8Array): void => {
    const marks = readMarks(payload)
    if (marks === undefined) {
      refuse(topic, errno.jsonInvalid, 'not a report of uploaded records.')
      return
    }
    const granted = config.uploaders[by] ?? []
    const allowed = granted === 'all' ? store.tables : granted
    unmarked.push({ by, marks: p.marks(by, marks, allowed) })
    try {
      flushMarks()
      mended()
    } catch (error) {
      complain(error)
    }
  }

  const takeRequest = async (topic: string, payload: Uint8Array): Promise<void> => {
    const place = p.place(topic)
    if (place?.kind === 'uploaded') takeReport(topic, place.by, payload)
    else if (place?.kind === 'query') answerQuery({ by: place.by, api: place.api, payload })
  }

  const records = openOwn('records', p, context, p.sources())
  records.session.onConnect((resumed) => {
    connection++
    const tail = resumed ? store.recent(remembered) : []
    again = repeats(tail.map((r) => ({ topic: keyOf(r), payload: Buffer.from(r.data).toString('latin1') })))
  })
  records.session.onDelivery(takeRecord)
  const requests = openOwn('requests', p, context, p.requests())
  requests.session.onDelivery(takeRequest)

  const later = setInterval(() => {
    if (unmarked.length === 0) return
    try {
      flushMarks()
      mended()
    } catch (error) {
      complain(error)
    }
  }, config.retry * 1_000)
  const purge = setInterval(() => {
    try {
      const gone = store.purge(p.bounds(config, unixSeconds(wallClock())))
      counts.purged += gone
      if (gone > 0) context.log({ event: 'purged', records: gone })
    } catch (error) {
      complain(error)
    }
  }, config.keep.every * 1_000)

  return {
    ready: Promise.all([records.ready, requests.ready]).then(() => undefined),
    gauges: () => ({ ...counts, unmarked: unmarked.length }),
    async stop() {
      clearInterval(later)
      clearInterval(purge)
      stopping.abort(new LvcapError('closed', 'Data Storage ends.'))
      await records.session.close(2_000)
      await requests.session.close(2_000)
      try {
        flushMarks()
      } catch (error) {
        context.log({ event: 'trouble', text: `Reports of uploads are lost: ${textOf(error)}` })
      }
      store.close()
    },
  }
}

/** Records stored last that a resumed session is compared with: more than a broker has in flight. Ours. */
const remembered = 500

function keyOf(r: { readonly table: string; readonly subTopic: string | null }): string {
  return `${r.table}/${r.subTopic ?? ''}`
}

/** A session that the broker keeps, and its subscriptions. `ready`: they stand for the first time. */
function openOwn(
  name: 'records' | 'requests',
  p: StorageParts,
  context: AppContext,
  filters: readonly { readonly filter: string; readonly qos: 1 | 2 }[],
): { readonly session: Session; readonly ready: Promise<void> } {
  const { config } = context
  const ready = Promise.withResolvers<void>()
  const session = openSession(
    { pki: config.pki, name: nameOfSession(config, name), ...config.marketplace },
    p.hears(config, name),
    (text) => context.log({ event: 'trouble', text }),
  )
  const subscribe = async (): Promise<void> => {
    try {
      for (const { filter, qos } of filters) await session.subscribe(filter, qos)
      ready.resolve()
    } catch (error) {
      // The connection went away again; the next one subscribes anew.
      context.log({ event: 'trouble', text: textOf(error) })
    }
  }
  session.onConnect((resumed) => {
    context.log({ event: 'hears', what: name, resumed })
    if (resumed) ready.resolve()
    else void subscribe()
  })
  return { session, ready: ready.promise }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer)
      reject(new LvcapError('closed', 'The program ends.'))
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end)
      resolve()
    }, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}
