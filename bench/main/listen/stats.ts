/** Figures of a line that is listened to: how many lists, how far apart, how long on the line, what was lost. */
import type { Instant } from '../../../drivers/faces.ts'
import type { Heard } from './decode.ts'

/** Of a quantity in ms. */
export interface Spread {
  readonly count: number
  readonly least: number
  readonly mean: number
  readonly most: number
}

export interface ListFigures {
  readonly list: string
  readonly bytes: readonly number[]
  /** From the first byte of one to the first byte of the next of the same kind. */
  readonly every: Spread
  /** From the first byte to the last. */
  readonly took: Spread
  /** The first byte after the whole second. */
  readonly phase: Spread
  /** The longest pause inside one. */
  readonly pause: number
}

export interface Figures {
  readonly lists: readonly ListFigures[]
  /** Silence between the last byte of a message and the first of the next. */
  readonly gaps: Spread
  readonly unread: Readonly<Record<string, number>>
  readonly rejected: Readonly<Record<string, number>>
  readonly noise: number
}

function spread(): { add(v: number): void; readonly value: Spread } {
  let [count, sum, least, most] = [0, 0, Infinity, -Infinity]
  return {
    add(v) {
      count++
      sum += v
      least = Math.min(least, v)
      most = Math.max(most, v)
    },
    get value() {
      return count === 0
        ? { count: 0, least: 0, mean: 0, most: 0 }
        : { count, least, mean: sum / count, most }
    },
  }
}

/** `List 2`, or the dialect where it has no lists. */
export function listName(h: Extract<Heard, { readonly what: 'list' }>): string {
  return h.reading.list === undefined ? `a ${h.reading.dialect} list` : `List ${h.reading.list}`
}

/** `lost`: the line broke: what came before has no gap to what comes after. */
export function createStats(): {
  hear(h: Heard): void
  lost(): void
  readonly figures: Figures
  readonly read: number
} {
  const kinds = new Map<
    string,
    {
      bytes: Set<number>
      every: ReturnType<typeof spread>
      took: ReturnType<typeof spread>
      phase: ReturnType<typeof spread>
      pause: number
      last: Instant | undefined
    }
  >()
  const gaps = spread()
  const unread: Record<string, number> = {}
  const rejected: Record<string, number> = {}
  let noise = 0
  let read = 0
  let ended: Instant | undefined

  return {
    get read() {
      return read
    },
    hear(h) {
      if (h.what === 'noise') noise += h.bytes
      else if (h.what === 'rejected') rejected[h.why] = (rejected[h.why] ?? 0) + 1
      else {
        if (ended !== undefined) gaps.add(h.span.began - ended)
        ended = h.span.ended
        if (h.what === 'unread') {
          unread[h.why] = (unread[h.why] ?? 0) + 1
          return
        }
        read++
        const name = listName(h)
        let k = kinds.get(name)
        if (k === undefined) {
          k = {
            bytes: new Set(),
            every: spread(),
            took: spread(),
            phase: spread(),
            pause: 0,
            last: undefined,
          }
          kinds.set(name, k)
        }
        if (k.bytes.size < 20) k.bytes.add(h.span.bytes)
        if (k.last !== undefined) k.every.add(h.span.began - k.last)
        k.last = h.span.began
        k.took.add(h.span.ended - h.span.began)
        k.phase.add(h.span.began - Math.floor(h.span.began / 1000) * 1000)
        k.pause = Math.max(k.pause, h.span.pause)
      }
    },
    lost() {
      ended = undefined
      for (const k of kinds.values()) k.last = undefined
    },
    get figures() {
      return {
        lists: [...kinds]
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([list, k]) => ({
            list,
            bytes: [...k.bytes].sort((a, b) => a - b),
            every: k.every.value,
            took: k.took.value,
            phase: k.phase.value,
            pause: k.pause,
          })),
        gaps: gaps.value,
        unread,
        rejected,
        noise,
      }
    },
  }
}

const ms = (v: number): string =>
  v >= 10_000 ? `${(v / 1000).toFixed(1)} s` : `${v.toFixed(v < 100 ? 1 : 0)} ms`

function spreadText(s: Spread): string {
  return s.count === 0 ? '-' : `${ms(s.least)} .. ${ms(s.mean)} .. ${ms(s.most)}`
}

const counts = (r: Readonly<Record<string, number>>): string =>
  Object.entries(r)
    .toSorted(([, a], [, b]) => b - a)
    .map(([why, n]) => `${why} ${n}`)
    .join(', ')

/** For a person; spreads are least, mean, most. */
export function figuresText(f: Figures): string {
  const lines = f.lists.map((l) =>
    [
      `${l.list}: ${l.took.count} of ${l.bytes.join(', ')} bytes`,
      `  each after              ${spreadText(l.every)}`,
      `  first to last byte      ${spreadText(l.took)}${l.pause > 0 ? `, longest pause inside ${ms(l.pause)}` : ''}`,
      `  after the whole second  ${spreadText(l.phase)}`,
    ].join('\n'),
  )
  if (f.gaps.count > 0) lines.push(`silence between messages: ${spreadText(f.gaps)}`)
  if (Object.keys(f.unread).length > 0) lines.push(`messages that cannot be read: ${counts(f.unread)}`)
  lines.push(
    Object.keys(f.rejected).length === 0 ? 'no frame was rejected' : `rejected frames: ${counts(f.rejected)}`,
    f.noise === 0 ? 'no noise' : `noise: ${f.noise} bytes that belong to no frame`,
  )
  return lines.join('\n')
}
