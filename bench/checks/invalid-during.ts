/**
 * While a fault that the device tells of is in force, what it concerns is shown as invalid (LV-CAP API 4.8): a number
 * that still comes, plausible or not, proves nothing.
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Series } from '../faces.ts'
import { type CheckOptions, checkOf, inconclusive, into, notShown, offences, pass } from './check.ts'
import { channelOf, field, objectOf, textOf } from './scalar.ts'

export interface InvalidDuringOptions extends CheckOptions {
  /** Source of the faults: the device's role. */
  readonly role: string
  /** Names of the faults; each must have been in force while a message of the series came, else inconclusive. */
  readonly faults: readonly string[]
  /** Time that the platform has from the begin of the fault; 15 s unless given (ours). */
  readonly settle?: string
}

/**
 * A message counts for a fault that was in force for `settle` before it came. A message right at the fault's end may
 * tell of the time after it: what comes within a second of a lifting is not judged, for it is not in force then.
 */
export function invalidDuring(series: Series, o: InvalidDuringOptions): Check {
  const settle = duration(o.settle ?? '15 s')
  return checkOf(o, {
    id: 'invalid-during',
    limit: `Valid false from ${durationText(settle)} after ${o.faults.join(', ')} of ${o.role} has begun`,
    over: series,
    fold: (watch) => {
      const fits = matcher(series)
      const found = offences()
      const active = new Map<string, { readonly name: string; readonly at: Instant }>()
      const shown = new Map(o.faults.map((f) => [f, 0]))
      return {
        see(e) {
          if (e.kind === 'fault' && e.src === o.role) {
            const d = objectOf(e.data)
            const id = textOf(d?.['id'])
            const name = textOf(d?.['name'])
            if (d?.['phase'] === 'lifted') active.delete(id)
            else if (o.faults.includes(name)) active.set(id, { name, at: e.at })
            return false
          }
          if (!fits(e)) return false
          const names = [...active.values()].filter((f) => e.at - f.at >= settle).map((f) => f.name)
          for (const n of names) shown.set(n, (shown.get(n) ?? 0) + 1)
          if (names.length > 0 && field(e, 'Valid') !== false)
            found.add(
              'not invalid',
              `${channelOf(e)}: not shown as invalid during '${names.join("', '")}', ${into(watch, e.at)}`,
              e.seq,
            )
          return true
        },
        result() {
          const observed = { 'messages during': Object.fromEntries(shown), ...found.counts() }
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          const idle = [...shown].filter(([, n]) => n === 0).map(([f]) => f)
          if (idle.length > 0)
            return inconclusive(notShown(o), `no message came during ${idle.join(', ')}`, observed)
          return pass(observed)
        },
      }
    },
  })
}
