/**
 * What a report keeps of one scenario's log, folded event by event in bounded memory: headers, checks, the
 * timeline, decimated series. Every field is distrusted: a log is a file, and may hold anything.
 */
import type { Instant } from '../../drivers/faces.ts'
import type { Event, Kind, Series } from '../../bench/faces.ts'
import { matcher } from '../../bench/evidence/series.ts'
import { recordFold, type ScenarioRecord } from '../../bench/verdicts/record.ts'
import type { ClockNote, DefectNote } from '../../bench/evidence/schema.ts'
import { Decimator } from '../plot/decimate.ts'
import { Channel } from './channel.ts'
import { aliasOf, figureOf, isRecord } from './payload.ts'
import {
  clockNote,
  type Declared,
  declared,
  defectNote,
  judged,
  scenarioEnd,
  scenarioHeader,
} from './shapes.ts'
import type { CheckView, Moment, SeriesChannels, TruthChannel } from './run.ts'

/** The most that is kept of each: a hostile log must not fill the memory. */
const most = { moments: 400, channels: 256, truths: 512, checks: 1000, defects: 200, series: 64 }

const moments: ReadonlySet<string> = new Set(['step', 'fault', 'host', 'link', 'note'])

interface GrowingSeries {
  readonly series: Series
  readonly fits: (e: Event) => boolean
  readonly channels: Map<string, Channel>
  leftOut: number
}

export class ScenarioFold {
  readonly #record = recordFold()
  events = 0
  first: Instant | undefined
  last: Instant | undefined
  readonly timeline: Moment[] = []
  momentsLeftOut = 0
  /** Events about the scenario or its checks that are not what they should be. */
  unread = 0
  readonly defects: DefectNote[] = []
  /** What was told last of the platform's clock. */
  clock: ClockNote | undefined
  readonly truth = new Map<string, TruthChannel>()
  readonly #declared = new Map<string, Declared>()
  readonly #series = new Map<string, GrowingSeries>()
  readonly #kinds = new Map<Kind, number>()

  see(e: Event): void {
    this.events++
    if (Number.isFinite(e.at)) {
      this.first = Math.min(this.first ?? e.at, e.at)
      this.last = Math.max(this.last ?? e.at, e.at)
    }
    if (this.#kinds.size < 64 || this.#kinds.has(e.kind))
      this.#kinds.set(e.kind, (this.#kinds.get(e.kind) ?? 0) + 1)
    for (const s of this.#series.values()) this.#seen(s, e)
    if (e.kind === 'said') this.#said(e)
    else if (e.kind === 'check') this.#check(e)
    else if (e.kind === 'run') this.#tell(e, scenarioHeader.safeParse(e.data).success)
    else if (e.kind === 'end') this.#tell(e, scenarioEnd.safeParse(e.data).success)
    else if (moments.has(e.kind)) this.#moment(e)
  }

  #said(e: Event): void {
    const answers = isRecord(e.data) ? e.data['answers'] : undefined
    if (!isRecord(answers)) return
    for (const [quantity, pair] of Object.entries(answers)) {
      const [answered, truth]: readonly unknown[] = Array.isArray(pair) ? pair : []
      if (typeof truth !== 'number') continue
      const { alias, unit } = aliasOf(e.src, quantity)
      let t = this.truth.get(alias)
      if (t === undefined) {
        if (this.truth.size >= most.truths) continue
        t = { unit, truth: new Decimator(), answered: new Decimator() }
        this.truth.set(alias, t)
      }
      t.truth.add(e.at, truth)
      if (typeof answered === 'number') t.answered.add(e.at, answered)
    }
  }

  #seen(s: GrowingSeries, e: Event): void {
    if (!s.fits(e) || !isRecord(e.data)) return
    const { alias } = e.data
    if (typeof alias !== 'string') return
    let c = s.channels.get(alias)
    if (c === undefined) {
      if (s.channels.size >= most.channels) {
        s.leftOut++
        return
      }
      c = new Channel(alias)
      s.channels.set(alias, c)
    }
    c.add(e.at, figureOf(e.data['payload']), e.stamp)
  }

  /** Only what has the shape that it should have may tell of verdicts. */
  #tell(e: Event, whole: boolean): void {
    if (whole) this.#record.see(e)
    else this.unread++
  }

  #check(e: Event): void {
    const phase = isRecord(e.data) ? e.data['phase'] : undefined
    if (phase === 'judged') {
      this.#tell(e, judged.safeParse(e.data).success)
      return
    }
    const d = declared.safeParse(e.data).data
    const room = d !== undefined && (this.#declared.size < most.checks || this.#declared.has(d.id))
    this.#tell(e, phase === 'declared' && room)
    if (d === undefined || !room || this.#declared.has(d.id)) return
    this.#declared.set(d.id, d)
    const { over } = d
    if (over !== undefined && !this.#series.has(seriesKey(over)) && this.#series.size < most.series)
      this.#series.set(seriesKey(over), {
        series: over,
        fits: matcher(over),
        channels: new Map(),
        leftOut: 0,
      })
  }

  #moment(e: Event): void {
    const d = isRecord(e.data) ? e.data : {}
    // What the bench itself did to a clock, at a rate (ppm), is no measurement.
    if (e.kind === 'note' && e.src === 'clock' && !('ppm' in d))
      this.clock = clockNote.safeParse(e.data).data ?? this.clock
    if (e.kind === 'note' && e.src === 'defect' && this.defects.length < most.defects) {
      const note = defectNote.safeParse(e.data).data
      if (note !== undefined) this.defects.push(note)
    }
    if (this.timeline.length >= most.moments) {
      this.momentsLeftOut++
      return
    }
    const what = [d['what'], d['text'], d['name'], d['defect']].find((v) => typeof v === 'string')
    const phase = typeof d['phase'] === 'string' ? `${d['phase']}: ` : ''
    const detail = d['detail'] ?? d['params'] ?? d['data'] ?? null
    this.timeline.push({
      seq: e.seq,
      at: e.at,
      src: e.src,
      kind: e.kind,
      what: clip(phase + (typeof what === 'string' ? what : ''), 200),
      detail: clip(detailText(what === undefined ? e.data : detail), 300),
    })
  }

  record(): ScenarioRecord {
    return this.#record.record()
  }

  /** The record's checks, with what else was declared of them. */
  checks(record: ScenarioRecord): CheckView[] {
    return record.checks.map((c) => {
      const { least, over } = this.#declared.get(c.id) ?? {}
      return { ...c, ...(least === undefined ? {} : { least }), ...(over === undefined ? {} : { over }) }
    })
  }

  kinds(): [Kind, number][] {
    return [...this.#kinds.entries()].sort((a, b) => (a[0] < b[0] ? -1 : 1))
  }

  series(): SeriesChannels[] {
    return [...this.#series.values()]
  }
}

export function seriesKey(s: Series): string {
  return JSON.stringify([s.src, s.kind, s.select])
}

function detailText(detail: unknown): string {
  if (detail === null || detail === undefined) return ''
  if (isRecord(detail) && Object.keys(detail).length === 0) return ''
  return typeof detail === 'string' ? detail : JSON.stringify(detail)
}

function clip(text: string, room: number): string {
  return text.length > room ? `${text.slice(0, room).toWellFormed()}…` : text
}
