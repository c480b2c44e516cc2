/**
 * The CSV recorder of the reference platform: how it is installed, and its files as evidence. The files are read from the
 * host's disk as an engineer would copy them; which columns hold what is configuration, since another recorder names and
 * orders them its own way.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Host, Instant, Json, Realm } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'
import type { CsvLine, CsvRead, CsvVolume } from '../evidence/schema.ts'
import { matcher } from '../evidence/series.ts'
import type { Event, Recorder, Series } from '../faces.ts'
import { publisherIn } from '../analysis/publisher.ts'
import { isSensorTopic } from '../analysis/volume.ts'
import { csvReader } from './csv.ts'
import { payloadOf, stampOf } from './observer.ts'

/** The recorder's certificate name (APID), instance (IID) and program. */
export const recorderApp = {
  apid: 'eatl_csvrecorder_1.0',
  iid: 'eatl_csvrecorder_01',
  entry: 'sim/reference/lvcap/apps/recorder/main.ts',
} as const

/** Header names of the columns that evidence is made of. */
export interface CsvColumns {
  readonly recordedAt: string
  readonly publisher: string
  readonly topic: string
  readonly timestamp: string
  readonly value: string
  readonly valid: string
  readonly payload: string
}

export interface CsvExport {
  /** Folder with the files, below the host's disk. Files are read in the order of their names. */
  readonly folder: string
  readonly columns: CsvColumns
}

export interface RecorderOptions {
  readonly host: Pick<Host, 'disk' | 'kill'>
  readonly realm: Realm
  readonly export: CsvExport
  readonly emit: Emit
  readonly aliasOf: (topic: string) => string
  now(): Instant
}

/** The role, told of what is seen at the marketplace by `see`. */
export type PlayedRecorder = Recorder & {
  see(e: Event): void
  /** Passes over what stands in the files by now: it was recorded before anybody watched. */
  passOver(): void
}

/**
 * How long a reading stays open, in ms: what the recorder has kept but the bench is yet to hear, on a machine that keeps
 * the bench waiting, comes within it. Ours.
 */
const hearsWithin = 5_000

/** Bytes read at a time. */
const chunk = 65_536

export function makeRecorder(o: RecorderOptions): PlayedRecorder {
  /** Lines of each file that are evidence already. */
  const done = new Map<string, number>()
  let waiting: ((e: Event) => boolean) | undefined
  const crash = (): void => {
    o.emit('host', { what: 'the process of the CSV recorder is killed', proc: recorderApp.iid })
    if (!o.host.kill(recorderApp.iid))
      throw new GridproofError('timeout', 'the CSV recorder does not run, so it cannot be made to crash')
  }
  return {
    lines: { src: 'csv', kind: 'seen', select: '*' } satisfies Series,
    crash(at) {
      if (at === undefined) crash()
      else waiting = matcher(at)
    },
    passOver() {
      const folder = join(o.host.disk, o.export.folder)
      const silent = { ...o, emit: () => 0 }
      for (const file of filesIn(folder)) readOne(silent, folder, file, summary(), done)
    },
    see(e) {
      if (waiting?.(e) !== true) return
      waiting = undefined
      crash()
    },
    collect: (what = 'lines') =>
      o.realm.run(async () => {
        const folder = join(o.host.disk, o.export.folder)
        const began = o.now()
        const sum = summary()
        let files = 0
        for (const file of filesIn(folder)) {
          readOne(o, folder, file, sum, what === 'lines' ? done : undefined)
          files++
        }
        if (what === 'lines')
          await new Promise<void>((resolve) => {
            setTimeout(resolve, hearsWithin)
          })
        const payload = { 'files [1]': files, ...sum.read() } as unknown as Json
        o.emit('seen', { alias: 'csv.read', payload }, { stamp: began })
      }),
  }
}

interface Summary {
  line(topic: string, recordedAt: number | null, bytes: number): void
  torn(): void
  read(): Omit<CsvRead, 'files [1]'>
}

/** Instances that are summed up by themselves at most. Ours. */
const mostPublishers = 1_000

interface Sum {
  lines: number
  bytes: number
}

interface Sums {
  readonly sensors: Sum
  readonly apps: Sum
}

function sums(): Sums {
  return { sensors: { lines: 0, bytes: 0 }, apps: { lines: 0, bytes: 0 } }
}

function summary(): Summary {
  const all = sums()
  const publishers = new Map<string, Sums>()
  let first: number | null = null
  let last: number | null = null
  let torn = 0
  const told = (v: Sum): CsvVolume => ({ 'lines [1]': v.lines, 'volume [B]': v.bytes })
  const both = (v: Sums) => ({ sensors: told(v.sensors), apps: told(v.apps) })
  const ofPublisher = (iid: string): Sums | undefined => {
    const known = publishers.get(iid)
    if (known !== undefined || publishers.size >= mostPublishers) return known
    const fresh = sums()
    publishers.set(iid, fresh)
    return fresh
  }
  return {
    line(topic, recordedAt, bytes) {
      const kind = isSensorTopic(topic) ? 'sensors' : 'apps'
      const iid = publisherIn(topic)
      for (const v of [all[kind], iid === undefined ? undefined : ofPublisher(iid)?.[kind]]) {
        if (v === undefined) continue
        v.lines++
        v.bytes += bytes
      }
      if (recordedAt === null) return
      first = first === null ? recordedAt : Math.min(first, recordedAt)
      last = last === null ? recordedAt : Math.max(last, recordedAt)
    },
    torn: () => void torn++,
    read: () => ({
      'lines [1]': all.sensors.lines + all.apps.lines,
      'volume [B]': all.sensors.bytes + all.apps.bytes,
      'torn lines [1]': torn,
      first,
      last,
      ...both(all),
      publishers: Object.fromEntries([...publishers].map(([iid, v]) => [iid, both(v)])),
    }),
  }
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((f) => f.endsWith('.csv'))
      .sort()
  } catch (e) {
    throw new GridproofError('timeout', `the recorder has left no files to copy: ${messageOf(e)}`, {
      cause: e,
    })
  }
}

/** Sums one file up, and makes evidence of its lines that are not yet; `done` counts those of each file. */
function readOne(
  o: RecorderOptions,
  folder: string,
  file: string,
  sum: Summary,
  done: Map<string, number> | undefined,
): void {
  const { columns } = o.export
  let header: ReadonlyMap<string, number> | undefined
  let n = 0
  const known = done?.get(file) ?? 0
  const reader = csvReader((fields, bytes) => {
    if (header === undefined) {
      header = new Map(fields.map((name, i) => [name.replace(/^\uFEFF/, ''), i]))
      return
    }
    n++
    const of = (column: keyof CsvColumns): string | undefined => fields[header?.get(columns[column]) ?? -1]
    sum.line(of('topic') ?? '', timeOf(of('recordedAt')), bytes)
    if (done !== undefined && n > known) emitLine(o, { file, line: n, bytes, of })
  })
  const fd = openSync(join(folder, file), 'r')
  try {
    const buffer = Buffer.alloc(chunk)
    for (;;) {
      const got = readSync(fd, buffer, 0, chunk, null)
      if (got === 0) break
      reader.take(buffer.subarray(0, got))
    }
  } finally {
    closeSync(fd)
  }
  done?.set(file, n)
  if (reader.rest() > 0) sum.torn()
}

function emitLine(
  o: RecorderOptions,
  l: {
    readonly file: string
    readonly line: number
    readonly bytes: number
    of(column: keyof CsvColumns): string | undefined
  },
): void {
  const topic = l.of('topic')
  const text = l.of('payload')
  const payload = text === undefined ? { missing: true } : payloadOf(bytesOf(text))
  const recordedAt = timeOf(l.of('recordedAt'))
  const data: CsvLine = {
    alias: topic === undefined ? 'unknown' : o.aliasOf(topic),
    topic: topic ?? '',
    payload,
    recordedAt,
    publisher: l.of('publisher') ?? '',
    columns: {
      timestamp: l.of('timestamp') ?? null,
      value: l.of('value') ?? null,
      valid: l.of('valid') ?? null,
    },
    file: l.file,
    line: l.line,
    bytes: l.bytes,
  }
  const stamp = stampOf(payload)
  o.emit('seen', data as unknown as Json, stamp === undefined ? {} : { stamp })
}

/** Bytes that are no text stand in the reference's files as `base64:...`. */
function bytesOf(text: string): Buffer {
  return text.startsWith('base64:') ? Buffer.from(text.slice(7), 'base64') : Buffer.from(text)
}

/** A time as ISO 8601, or as seconds since 1970, in ms; null where it is neither. */
function timeOf(text: string | undefined): number | null {
  if (text === undefined || text === '') return null
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text)
  return Number.isFinite(ms) ? ms : null
}
