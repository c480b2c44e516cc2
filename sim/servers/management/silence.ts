/** Platforms of which nothing is heard: an alert each after more than 1, 3 and 5 days, once for one silence (OpenLV S:005). */
import type { Instant } from '../../../drivers/faces.ts'
import type { SilentDays } from '../../faces.ts'

const thresholds: readonly SilentDays[] = [1, 3, 5]
const day = 86_400_000

export interface SilenceOptions {
  now(): Instant
  raise(rtu: string, days: SilentDays, heard: Instant): void
}

export interface Silence {
  /** Something was heard of it; from the first time on it is watched, unless it was taken out of service. */
  heard(rtu: string): void
  /** It was taken out of service. */
  forget(rtu: string): void
  end(): void
}

export function watchSilence(o: SilenceOptions): Silence {
  const last = new Map<string, Instant>()
  const timers = new Map<string, NodeJS.Timeout>()
  const retired = new Set<string>()

  const arm = (rtu: string, next: number): void => {
    clearTimeout(timers.get(rtu))
    const days = thresholds[next]
    const heard = last.get(rtu)
    if (days === undefined || heard === undefined) return
    // More than so long: a millisecond after it.
    const wait = heard + days * day + 1 - o.now()
    timers.set(
      rtu,
      setTimeout(
        () => {
          // The clock by which contacts are dated decides, whatever the timer's own.
          if (o.now() <= heard + days * day) return arm(rtu, next)
          o.raise(rtu, days, heard)
          arm(rtu, next + 1)
          return undefined
        },
        Math.max(1, wait),
      ),
    )
  }
  return {
    heard(rtu) {
      if (retired.has(rtu)) return
      last.set(rtu, o.now())
      arm(rtu, 0)
    },
    forget(rtu) {
      retired.add(rtu)
      clearTimeout(timers.get(rtu))
      timers.delete(rtu)
      last.delete(rtu)
    },
    end() {
      for (const t of timers.values()) clearTimeout(t)
      timers.clear()
    },
  }
}
