/** Whether a mesh kept a transformer within its limit that would have left it without (OpenLV I:0073, I:0094). */
import { matcher } from '../evidence/series.ts'
import type { Check } from '../faces.ts'
import { type CheckOptions, checkOf, fail, inconclusive, notShown, pass } from './check.ts'
import { field } from './scalar.ts'

export interface MeshSavesOptions extends CheckOptions {
  /** °C of the hot spot: the limit of normal cyclic loading that ratings keep to (IEC 60076-7, table 2, as cited): 120 unless given. */
  readonly limit?: number
  /** The truth knows the transformer a little better than the apps: so much above the limit is no failure, K. 4 unless given (ours). */
  readonly grace?: number
}

/**
 * From what the network tells each minute of both substations: the hot spot of the relieved one stayed within its limit
 * and would have left it had no breaker moved; and the one that helped stayed within it too. Where neither would have,
 * nothing is shown.
 */
export function meshSaves(o: MeshSavesOptions): Check {
  const limit = o.limit ?? 120
  const grace = o.grace ?? 4
  return checkOf(o, {
    id: 'mesh-saves',
    limit: `no hot spot above ${limit} °C by more than ${grace} K, where one would have been without a mesh`,
    over: { src: 'network', kind: 'seen', select: 'network.*' },
    fold: (watch) => {
      const sides = (['a', 'b'] as const).map((side) => ({
        side,
        fits: matcher({ src: 'network', kind: 'seen', select: `network.${side}` }),
        hot: { value: Number.NEGATIVE_INFINITY, seq: 0 },
        apart: { value: Number.NEGATIVE_INFINITY, seq: 0 },
      }))
      return {
        see(e) {
          const s = e.at < watch.begin ? undefined : sides.find((x) => x.fits(e))
          if (s === undefined) return false
          for (const [name, most] of [
            ['hot_spot', s.hot],
            ['hot_spot_apart', s.apart],
          ] as const) {
            const v = field(e, name)
            if (typeof v === 'number' && v > most.value) Object.assign(most, { value: v, seq: e.seq })
          }
          return true
        },
        result() {
          const observed = Object.fromEntries(
            sides.flatMap((s) => [
              [`peak hot spot of ${s.side} [°C]`, finite(s.hot.value)],
              [`without a mesh [°C] (${s.side})`, finite(s.apart.value)],
            ]),
          )
          const because = sides.flatMap((s) => [s.hot.seq, s.apart.seq]).filter((n) => n > 0)
          const hottest = sides.find((s) => s.hot.value > limit + grace)
          if (hottest !== undefined)
            return fail(`the hot spot of ${hottest.side} rose to ${hottest.hot.value} °C`, observed, [
              hottest.hot.seq,
            ])
          if (!sides.some((s) => s.apart.value > limit + grace))
            return inconclusive(
              notShown(o),
              'no transformer would have become too hot without a mesh',
              observed,
            )
          return pass(observed, because)
        },
      }
    },
  })
}

const finite = (v: number): number | null => (Number.isFinite(v) ? v : null)
