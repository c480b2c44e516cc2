/**
 * Bytes over the air in a period, kept over restarts and losses of power, and what a budget leaves of it (I:00127). Whoever
 * is about to ask a server for something asks here first: what does not fit waits for the next period, and is not lost.
 */
import { z } from 'zod'
import { LvcapError } from '../errors.ts'
import { readJson, replaceFile, type Flush } from '../sdk/disk.ts'
import type { Carried } from './carried.ts'
import type { Line } from './line.ts'

/** Periods begin at midnight UTC, or at the first of a month; a number is in seconds. */
const period = z.union([
  z.literal('month'),
  z
    .int()
    .min(10)
    .max(86_400)
    .refine((s) => 86_400 % s === 0, 'expected a number of seconds that divides a day'),
])

export const budgetSchema = z.strictObject({
  /** Bytes of a period at most, of what this application sends and receives below TLS. */
  bytes: z.int().min(10_000),
  per: period.default('month'),
  /** Share of them that is kept back for what must not wait: word of an outage, a sign of life to the server. */
  reserve: z.number().min(0).max(0.9).default(0.2),
})
export type Budget = Readonly<z.infer<typeof budgetSchema>>

/** What bytes are for. `contact`: that the server hears of the platform at all. */
export type Purpose = 'ordinary' | 'contact' | 'important'

/** How volume is counted and kept to a budget, in parts. */
export interface VolumeParts {
  /** Bytes that count, of what a line has carried. */
  counted(c: Carried): number
  /** Names the period: with another name the count begins anew. */
  period(now: number, per: Budget['per']): string
  /** Bytes of a period that may have gone by now. */
  limit(budget: Budget, purpose: Purpose, now: number): number
  /** Whether so many bytes more may go where so many have gone. */
  affords(used: number, cost: number, limit: number): boolean
  /** Puts the count on the disk. */
  keepCount(write: () => void): void
}

export const soundVolume: VolumeParts = {
  counted: (c) => c.sent + c.received,
  period: (now, per) =>
    per === 'month'
      ? new Date(now).toISOString().slice(0, 7)
      : `${per} s from ${new Date(Math.floor(now / (per * 1_000)) * per * 1_000).toISOString()}`,
  limit: ({ bytes, reserve }, purpose) =>
    bytes * (1 - { ordinary: reserve, contact: reserve / 2, important: 0 }[purpose]),
  affords: (used, cost, limit) => used + cost <= limit,
  keepCount: (write) => write(),
}

/** Nothing more of the budget: an attempt is of no use before the next period. */
export class Spent extends LvcapError {
  constructor() {
    super('link', 'What the budget has for this is used up; the next period will do.')
  }
}

export interface Volume {
  /** Counts what a line carries from now on. */
  count(line: Pick<Line, 'volume'>): void
  /** Of this period, both ways, in bytes. */
  used(now: number): number
  affords(cost: number, purpose: Purpose, now: number): boolean
  /** The count as it is now, onto the disk. */
  keep(now: number): void
  /** Milliseconds between two contacts, where only those are left: a 24th of a period, an hour at the most. Undefined: no budget. */
  readonly contactEvery: number | undefined
}

const kept = z.looseObject({ period: z.string(), bytes: z.number().min(0) })

/** The disk has the count so many bytes ahead, by which a loss of power may make it too large, and never too small: a 20th of a budget, 64 KiB at the most. Ours. */
const ahead = (b: Budget): number => Math.min(65_536, b.bytes / 20)

/**
 * @param file in a folder that is there. One that cannot be read counts as none: the period begins anew.
 * @param now ms since 1970.
 */
export function openVolume(
  p: VolumeParts,
  file: string,
  now: number,
  budget: Budget | undefined,
  flush?: Flush,
): Volume {
  const per = budget?.per ?? 'month'
  let current = p.period(now, per)
  let bytes = 0
  const read = kept.safeParse(readJson(file))
  if (read.success && read.data.period === current) bytes = read.data.bytes
  /** What stands on the disk, of this period. */
  let noted = bytes
  const lines: { readonly line: Pick<Line, 'volume'>; before: number }[] = []

  const take = (at: number): void => {
    let more = 0
    for (const one of lines) {
      const sum = p.counted(one.line.volume())
      more += Math.max(0, sum - one.before)
      one.before = sum
    }
    const name = p.period(at, per)
    if (name !== current) {
      current = name
      bytes = 0
      noted = 0
    }
    bytes += more
  }
  const note = (count: number): void => {
    if (count === noted) return
    noted = count
    p.keepCount(() =>
      replaceFile(
        file,
        JSON.stringify({ period: current, bytes: count }),
        flush === undefined ? {} : { flush },
      ),
    )
  }

  return {
    count: (line) => void lines.push({ line, before: p.counted(line.volume()) }),
    used(at) {
      take(at)
      return bytes
    },
    affords(cost, purpose, at) {
      take(at)
      if (budget === undefined) return true
      if (!p.affords(bytes, cost, p.limit(budget, purpose, at))) return false
      if (bytes + cost > noted) note(Math.min(budget.bytes, bytes + cost + ahead(budget)))
      return true
    },
    keep(at) {
      take(at)
      note(bytes)
    },
    contactEvery: budget === undefined ? undefined : Math.min(3_600, daysOf(per) * 3_600) * 1_000,
  }
}

/** Of a period, a month being one of many. */
const daysOf = (per: Budget['per']): number => (per === 'month' ? 30 : per / 86_400)

/** A line of which every request must be affordable. It throws `Spent` where one is not. */
export function metered(line: Line, volume: Volume, purpose: Purpose, clock: () => number): Line {
  return {
    ...line,
    ask(method, path, headers, body, take, expected = 0) {
      if (!volume.affords(line.cost((body?.length ?? 0) + expected), purpose, clock())) throw new Spent()
      return line.ask(method, path, headers, body, take, expected)
    },
  }
}
