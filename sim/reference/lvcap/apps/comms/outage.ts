/** The report of an outage (OpenLV S:006): from the signs of life, and from what Data Storage has. */
import type { JsonObject } from '../../env.ts'
import { unixSeconds } from '../../api.ts'
import type { Away } from './life.ts'

/** Records of one instance, newest first: when each was stored, Unix seconds. */
export interface Records {
  readonly instance: string
  readonly stored: readonly number[]
}

/** Times in Unix seconds. */
export interface OutageReport {
  readonly id: string
  readonly kind: 'outage'
  readonly serial: string
  readonly location: string
  /** Null: nothing was stored, or Data Storage does not say. */
  readonly lastRecord: number | null
  readonly lastSign: number
  readonly restored: number
  /** At most so long, and at least so long less `uncertain`: power went some time after the last sign of life. */
  readonly offline: number
  readonly uncertain: number
  /** Records that were due by then, by the interval of those before. */
  readonly lost: readonly { readonly instance: string; readonly missing: number; readonly interval: number }[]
}

/** @param every seconds between two signs of life. */
export function outageReport(
  away: Away,
  records: readonly Records[],
  site: { readonly serial: string; readonly location: string },
  every: number,
): OutageReport {
  const restored = unixSeconds(away.restored)
  const last = records.flatMap((r) => r.stored.slice(0, 1))
  const offline = Math.round((away.restored - away.lastSign) / 1_000)
  return {
    id: `outage-${away.started}`,
    kind: 'outage',
    ...site,
    lastRecord: last.length === 0 ? null : Math.max(...last),
    lastSign: unixSeconds(away.lastSign),
    restored,
    offline,
    uncertain: Math.min(offline, every),
    lost: records.flatMap(({ instance, stored }) => {
      const interval = usualGap(stored)
      const [newest] = stored
      if (interval === undefined || newest === undefined) return []
      return [{ instance, missing: Math.max(0, Math.floor((restored - newest) / interval)), interval }]
    }),
  }
}

/** The median of the gaps, in seconds; undefined where there are too few to tell. */
function usualGap(stored: readonly number[]): number | undefined {
  const gaps = stored
    .slice(1)
    .map((t, i) => (stored[i] ?? t) - t)
    .filter((g) => g > 0)
    .toSorted((a, b) => a - b)
  return gaps.length < 3 ? undefined : gaps[gaps.length >> 1]
}

export function reportAsJson(r: OutageReport): JsonObject {
  return r as unknown as JsonObject
}
