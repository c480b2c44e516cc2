/**
 * Lays the lines of a recorder's files beside what was seen at the marketplace, topic by topic and in order: what is lost,
 * duplicated, altered, out of order or unexpected. What recorder and bench hear may be interleaved differently between
 * topics, so order is judged within each. A recorder may also have kept what the bench is yet to hear: from the first
 * such line on, the lines of its topic wait until the reading is closed (`csv.read`, bench/platforms/recorder.ts).
 */
import type { Instant, Json } from '../../drivers/faces.ts'
import { duration } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Event, Series } from '../faces.ts'
import { type CheckOptions, type Watch } from './check.ts'
import { platformClock } from './platform-clock.ts'
import { type JsonObject, objectOf } from './scalar.ts'

export interface RecordOptions extends CheckOptions {
  /** How far the time of recording may be from when the message was seen; 2 s unless given. */
  readonly within?: string
  /** From so long after the declaration on what was published is judged; at once unless given. */
  readonly start?: string
}

/** A message as seen at the marketplace. */
export interface Published {
  readonly topic: string
  readonly text: string
  readonly stamp: Json | undefined
  readonly at: Instant
  readonly seq: number
  /** Must be recorded: sent at least once, and not a replay of something kept. */
  readonly owed: boolean
  taken: boolean
}

/** A line of the recorder's files. */
export interface Line {
  readonly topic: string
  readonly payload: Json
  readonly text: string
  readonly recordedAt: Instant | null
  readonly publisher: string
  readonly columns: JsonObject
  /** Where it stands, for a person. */
  readonly where: string
  readonly bytes: number
  readonly seq: number
}

export type How = 'in order' | 'out of order' | 'altered' | 'duplicated' | 'unexpected' | 'before the watch'

export interface Pair {
  readonly line: Line
  readonly how: How
  /** The message that it is a record of; none for what is unexpected or from before the watch. */
  readonly published?: Published
}

interface Topic {
  readonly list: Published[]
  /** Whether its lines wait for the end of the reading. */
  waits: boolean
  /** Highest index that a line belongs to; and the first that none does. */
  high: number
  next: number
}

/** A line with a time of recording up to so long after the beginning may be of a message from before it. Ours. */
const early = 2_000

/** How far a time of recording may be from when the message was seen, unless a check says otherwise. Ours. */
export const usualWithin = '2 s'

/** Time that a message may take from being seen to standing in a file. Ours. */
const settle = 5_000

export class Pairing {
  readonly #watch: Watch
  readonly #isPublished: (e: Event) => boolean
  readonly #isLine: (e: Event) => boolean
  readonly #isRead: (e: Event) => boolean
  readonly #within: number
  readonly #start: number
  readonly #clock = platformClock()
  readonly #topics = new Map<string, Topic>()
  /** Lines that wait, in the order of the files. */
  #waiting: Line[] = []
  /** When the files were last read; nothing: not yet. */
  readAt: Instant | undefined
  readSeq = 0
  /** What the reader found in all files together. */
  read: JsonObject = {}
  lines = 0

  constructor(watch: Watch, published: Series, lines: Series, o: RecordOptions) {
    this.#watch = watch
    this.#isPublished = matcher(published)
    this.#isLine = matcher(lines)
    this.#isRead = matcher({ src: lines.src, kind: 'seen', select: 'csv.read' })
    this.#within = duration(o.within ?? usualWithin)
    this.#start = o.start === undefined ? 0 : duration(o.start)
  }

  get within(): number {
    return this.#within
  }

  /** The pairs that an event has made. */
  see(e: Event): readonly Pair[] {
    if (this.#clock.see(e)) return []
    if (this.#isRead(e)) {
      this.readAt = e.stamp ?? e.at
      this.readSeq = e.seq
      this.read = objectOf(objectOf(e.data)?.['payload']) ?? {}
      const lines = this.#waiting
      this.#waiting = []
      for (const t of this.#topics.values()) t.waits = false
      return lines.map((l) => this.#pair(l))
    }
    if (this.#isPublished(e)) this.#publish(e)
    else if (this.#isLine(e)) return this.#line(lineOf(e))
    return []
  }

  #topic(name: string): Topic {
    let t = this.#topics.get(name)
    if (t === undefined) {
      t = { list: [], waits: false, high: -1, next: 0 }
      this.#topics.set(name, t)
    }
    return t
  }

  #publish(e: Event): void {
    const d = objectOf(e.data)
    const topic = typeof d?.['topic'] === 'string' ? d['topic'] : ''
    const payload = d?.['payload'] ?? null
    this.#topic(topic).list.push({
      topic,
      text: JSON.stringify(payload),
      stamp: objectOf(payload)?.['Timestamp'],
      at: e.at,
      seq: e.seq,
      owed: d?.['qos'] !== 0 && d?.['retain'] !== true && e.at >= this.#watch.begin + this.#start,
      taken: false,
    })
  }

  #line(line: Line): readonly Pair[] {
    this.lines++
    const t = this.#topic(line.topic)
    t.waits ||= this.#find(t, line) < 0
    if (!t.waits) return [this.#pair(line)]
    this.#waiting.push(line)
    return []
  }

  /** Index of the first message that is word for word the line's and has none yet; -1: there is none. */
  #find({ list, next }: Topic, line: Line): number {
    for (let i = next; i < list.length; i++)
      if (list[i]?.taken === false && list[i]?.text === line.text) return i
    return -1
  }

  #pair(line: Line): Pair {
    const t = this.#topic(line.topic)
    const { list } = t
    const i = this.#find(t, line)
    const hit = list[i]
    if (hit !== undefined) return this.#take(t, i, hit, line, i >= t.high ? 'in order' : 'out of order')
    // What was published just before the watch may stand beside what was published just after, and look the same.
    if (
      line.recordedAt !== null &&
      this.#clock.after(line.recordedAt, this.#watch.begin + this.#start + early) <= 0
    )
      return { line, how: 'before the watch' }
    const again = list.findLast((m) => m.taken && m.text === line.text)
    if (again !== undefined) return { line, how: 'duplicated', published: again }
    const stamp = objectOf(line.payload)?.['Timestamp']
    const other = list.findIndex((m) => {
      if (m.taken) return false
      if (stamp !== undefined) return m.stamp === stamp
      return line.recordedAt !== null && this.#isNear(line.recordedAt, m.at)
    })
    const altered = list[other]
    if (altered !== undefined) return this.#take(t, other, altered, line, 'altered')
    return { line, how: 'unexpected' }
  }

  #isNear(recorded: Instant, seen: Instant): boolean {
    return (
      this.#clock.before(recorded, seen) <= this.#within && this.#clock.after(recorded, seen) <= this.#within
    )
  }

  #take(t: Topic, i: number, published: Published, line: Line, how: How): Pair {
    published.taken = true
    t.high = Math.max(t.high, i)
    while (t.list[t.next]?.taken === true) t.next++
    return { line, how, published }
  }

  /** What should stand in the files by the time they were last read, and does not. */
  *lost(): Iterable<Published> {
    const until = this.readAt === undefined ? Number.NEGATIVE_INFINITY : this.readAt - settle
    for (const t of this.#topics.values())
      for (const m of t.list) if (m.owed && !m.taken && m.at <= until) yield m
  }

  /** Messages that must be in the files by the time they were last read. */
  owed(): number {
    const until = this.readAt === undefined ? Number.NEGATIVE_INFINITY : this.readAt - settle
    let n = 0
    for (const t of this.#topics.values()) for (const m of t.list) if (m.owed && m.at <= until) n++
    return n
  }
}

function lineOf(e: Event): Line {
  const d = objectOf(e.data) ?? {}
  const text = (key: string): string => (typeof d[key] === 'string' ? d[key] : '')
  const payload = d['payload'] ?? null
  return {
    topic: text('topic'),
    payload,
    text: JSON.stringify(payload),
    recordedAt: typeof d['recordedAt'] === 'number' ? d['recordedAt'] : null,
    publisher: text('publisher'),
    columns: objectOf(d['columns']) ?? {},
    where: `${text('file')}, line ${JSON.stringify(d['line'] ?? null)}`,
    bytes: typeof d['bytes'] === 'number' ? d['bytes'] : 0,
    seq: e.seq,
  }
}
