/** Quotas: how much has passed, and what is left to it when one is full. */
import type { z } from 'zod'
import type { quota } from './profile.ts'

type Quota = z.infer<typeof quota>

export interface Meters {
  /** Counts; tells what follows when one becomes full by it. */
  add(n: number): 'blocked' | number | undefined
  limit(id: string, q: Quota, now: number): void
  unlimit(id: string): void
  readonly blocked: boolean
  /** The rate that is left, where one is full and leaves one. */
  readonly kbit: number | undefined
  /** When one is counted anew; Infinity: never. */
  readonly anew: number
  /** Counts those anew whose time has come. */
  begin(now: number): void
}

interface Meter {
  readonly q: Quota
  used: number
  anew: number
}

const end = (q: Quota, now: number): number => (q.per === undefined ? Number.POSITIVE_INFINITY : now + q.per)
const isFull = (m: Meter): boolean => m.used >= m.q.bytes

export function createMeters(own: Quota | undefined, now: number): Meters {
  const all = new Map<string, Meter>()
  const limit = (id: string, q: Quota, at: number): void => void all.set(id, { q, used: 0, anew: end(q, at) })
  if (own !== undefined) limit('profile', own, now)
  return {
    limit,
    unlimit: (id) => void all.delete(id),
    add(n) {
      let then: 'blocked' | number | undefined
      for (const m of all.values()) {
        const was = isFull(m)
        m.used += n
        if (!was && isFull(m)) then = m.q.full === 'blocked' ? 'blocked' : m.q.full.kbit
      }
      return then
    },
    get blocked() {
      return [...all.values()].some((m) => isFull(m) && m.q.full === 'blocked')
    },
    get kbit() {
      let least: number | undefined
      for (const m of all.values())
        if (isFull(m) && m.q.full !== 'blocked' && (least === undefined || m.q.full.kbit < least))
          least = m.q.full.kbit
      return least
    },
    get anew() {
      let first = Number.POSITIVE_INFINITY
      for (const m of all.values()) if (m.anew < first) first = m.anew
      return first
    },
    begin(at) {
      for (const m of all.values())
        if (m.anew <= at) {
          m.used = 0
          m.anew = end(m.q, at)
        }
    },
  }
}
