/** Everybody who posed as one of two platforms was given nothing, and shown the door by the platform itself. */
import type { Check, PeerEnd, PeerShown, Series } from '../faces.ts'
import { type CheckOptions, checkOf, inconclusive, offences, pass } from './check.ts'
import { matcher } from '../evidence/series.ts'
import { objectOf, payloadOf, textOf } from './scalar.ts'

export interface ImpostorsRefusedOptions extends CheckOptions {
  /** Whom they faced; what each of them showed. All of these must have been tried. */
  readonly towards: PeerEnd
  readonly shown: readonly PeerShown[]
}

export function impostorsRefused(impostors: Series, o: ImpostorsRefusedOptions): Check {
  return checkOf(o, {
    id: `impostors-${o.towards}`,
    limit: `towards ${o.towards}, with ${o.shown.join(', ')}: given no byte of what is carried, and ended by the platform`,
    over: impostors,
    fold: () => {
      const isOne = matcher(impostors)
      const found = offences()
      const tried = new Map<string, number>()
      return {
        see(e) {
          if (!isOne(e)) return false
          const p = objectOf(payloadOf(e))
          const shows = textOf(p?.['shows'])
          if (p?.['towards'] !== o.towards || !o.shown.some((s) => s === shows)) return false
          tried.set(shows, (tried.get(shows) ?? 0) + 1)
          const given = Number(p['given [B]'])
          if (given !== 0) found.add('given something', `${shows}: ${given} bytes inside`, e.seq)
          else if (p['ended'] !== 'by the platform')
            found.add('not shown the door', `${shows} stayed until it left by itself`, e.seq)
          return true
        },
        result() {
          const observed = {
            'impostures [1]': [...tried.values()].reduce((a, b) => a + b, 0),
            ...found.counts(),
          }
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          const untried = o.shown.filter((s) => !tried.has(s))
          if (untried.length > 0) return inconclusive('bench', `not tried: ${untried.join(', ')}`, observed)
          return pass(observed)
        },
      }
    },
  })
}
