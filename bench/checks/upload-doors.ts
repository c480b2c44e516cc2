/**
 * The door of a server that takes uploads: whoever may not come in is turned away and leaves nothing there, and whoever may
 * is let in: a door that is shut for all proves nothing.
 */
import { matcher } from '../evidence/series.ts'
import type { Check, Series } from '../faces.ts'
import type { DoorOutcome } from '../platforms/upload-door.ts'
import { type CheckOptions, checkOf, inconclusive, into, offences, pass } from './check.ts'
import { payloadOf } from './scalar.ts'
import type { BatchEvent } from './uploaded.ts'

/** `doors`: what came of knocking. `batches`: what the server keeps. */
export function keepsOut(
  doors: Series,
  batches: Series,
  o: CheckOptions & {
    /** Attempts that must be turned away; and one that must be let in. */
    readonly out: readonly string[]
    readonly inside: string
  },
): Check {
  const all = new Set([...o.out, o.inside])
  return checkOf(o, {
    id: 'keeps-out',
    limit: `turned away, and nothing kept of them: ${o.out.join(', ')}; let in: ${o.inside}`,
    over: doors,
    fold: (watch) => {
      const isDoor = matcher(doors)
      const isBatch = matcher(batches)
      const outcomes = new Map<string, DoorOutcome>()
      const kept = new Set<string>()
      const found = offences()
      return {
        see(e) {
          if (isBatch(e)) {
            const { batch } = e.data as unknown as BatchEvent
            kept.add(batch)
            const whose = [...o.out].find((name) => batch === `door-${name}`)
            if (whose !== undefined)
              found.add('kept', `what ${whose} uploaded is kept, ${into(watch, e.at)}`, e.seq)
            return false
          }
          if (!isDoor(e)) return false
          const d = payloadOf(e) as unknown as DoorOutcome
          if (!all.has(d.attempt)) return false
          outcomes.set(d.attempt, d)
          if (d.stage === 'inside' && d.attempt !== o.inside)
            found.add('let in', `${d.attempt} was let in`, e.seq)
          if (d.stage !== 'inside' && d.attempt === o.inside)
            found.add('shut out', `${d.attempt} was turned away: ${d.reason ?? String(d.status)}`, e.seq)
          return true
        },
        result() {
          const observed = {
            ...Object.fromEntries(
              [...outcomes].map(([name, d]) => [
                name,
                d.status === undefined ? d.stage : `${d.stage} (${d.status})`,
              ]),
            ),
            ...found.counts(),
          }
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          const missing = [...all].filter((name) => !outcomes.has(name))
          if (missing.length > 0) return inconclusive('bench', `not tried: ${missing.join(', ')}`, observed)
          const rightful = outcomes.get(o.inside)?.batch
          if (rightful !== undefined && !kept.has(rightful))
            return inconclusive('bench', `what ${o.inside} uploaded was not seen to be kept`, observed)
          return pass(observed)
        },
      }
    },
  })
}
