/** Whether the three poles stand alike: a difference that lasts longer than a second is told (pole discrepancy; ours). */
import type { Instant, Json } from '../../../drivers/faces.ts'
import type { Phase } from '../../faces.ts'
import { phases } from './map.ts'
import type { Side } from './state.ts'

const patience = 1000

export interface Poles {
  moved(phase: Phase, to: Side, now: Instant): void
  /** When `tick` is wanted; Infinity: not at all. */
  dueAt(): Instant
  tick(now: Instant): void
}

export function createPoles(tell: (what: { readonly [k: string]: Json }) => void): Poles {
  const side = new Map<Phase, Side>()
  let since: Instant | undefined
  let told = false
  return {
    moved(phase, to, now) {
      side.set(phase, to)
      const differ = new Set(side.values()).size > 1
      if (differ) since ??= now
      else {
        if (told) tell({ what: 'poles agree', to })
        since = undefined
        told = false
      }
    },
    dueAt: () => (since === undefined || told ? Infinity : since + patience),
    tick(now) {
      if (since === undefined || told || now < since + patience) return
      told = true
      tell({ what: 'poles differ', since, ...Object.fromEntries(phases.map((p) => [p, side.get(p) ?? ''])) })
    },
  }
}
