/** Temperature of a switch: first order, after the square of its current. Exact steps between looks at the current. */
import type { Instant } from '../../../drivers/faces.ts'
import { createHistory } from './history.ts'
import type { AlvinPersonality } from './personality.ts'

/** Looks that are kept: two days of one every ten seconds. Ours. */
const kept = 20_000

export interface SwitchHeat {
  /** The current from now on, and by how much a fault heats the switch besides, K. */
  put(now: Instant, amps: number, besides: number): void
  /** °C. */
  at(t: Instant): number
}

interface Look {
  readonly t: Instant
  readonly celsius: number
  readonly target: number
}

export function createHeat(p: AlvinPersonality, now: Instant): SwitchHeat {
  const { ambient, time } = p.thermal
  const history = createHistory<Look>(now, { t: now, celsius: ambient, target: ambient }, kept)
  const later = (l: Look, t: Instant): number =>
    l.target + (l.celsius - l.target) * Math.exp(-Math.max(0, t - l.t) / time)
  return {
    put(t, amps, besides) {
      const target = ambient + p.thermal.switch * (amps / p.protection.rated) ** 2 + besides
      const { last } = history
      if (target === last.target) return
      history.put(t, { t, celsius: later(last, t), target })
    },
    at: (t) => later(history.at(t), t),
  }
}
