/** Bytes that went over the air this month (UTC), kept over restarts (I:00127). */
import { readFileSync, writeFileSync } from 'node:fs'

export interface Carried {
  readonly sent: number
  readonly received: number
}

export interface Volume {
  /** Of this month, both ways, up to what `keep` heard last. */
  used(): number
  /** Takes what a line has carried since it was opened. */
  keep(carried: Carried, now: number): void
  isSpent(carried: Carried, now: number): boolean
}

/** `now` in ms since 1970. A file that cannot be read counts as none: the month then begins anew. */
export function openVolume(file: string, now: number, most: number | undefined): Volume {
  let month = monthOf(now)
  let bytes = 0
  let before = 0
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as { month?: unknown; bytes?: unknown }
    if (kept.month === month && typeof kept.bytes === 'number') bytes = kept.bytes
  } catch {
    // The first month.
  }
  const take = (carried: Carried, at: number): void => {
    const sum = carried.sent + carried.received
    const more = Math.max(0, sum - before)
    before = sum
    if (monthOf(at) !== month) {
      month = monthOf(at)
      bytes = 0
    }
    bytes += more
  }
  return {
    used: () => bytes,
    keep(carried, at) {
      const was = bytes
      take(carried, at)
      if (bytes !== was) writeFileSync(file, JSON.stringify({ month, bytes }))
    },
    isSpent(carried, at) {
      take(carried, at)
      return most !== undefined && bytes >= most
    },
  }
}

function monthOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 7)
}
