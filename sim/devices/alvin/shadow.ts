/**
 * The copy of the trip processor's status that a master can read: each change shows a while later, at most the lag of
 * the personality, and no fresh copy at all is told by a bit, where it is told.
 */
import type { Instant } from '../../../drivers/faces.ts'
import { noise } from '../noise.ts'
import { bits } from './map.ts'
import type { AlvinPersonality } from './personality.ts'

export interface Shadow {
  /** The trip processor's status is this from now on. */
  note(status: number, now: Instant): void
  /** Copying stops, or goes on. `told`: whether the stale bit tells, once it has lasted. */
  hold(how: { readonly told: boolean } | undefined, now: Instant): void
  /** The copy is lost: only the stale bit is set until the next one. */
  lose(now: Instant): void
  read(now: Instant): number
}

export function createShadow(p: AlvinPersonality, seed: number, status: number): Shadow {
  let shown = status
  let known = status
  let coming: { readonly at: Instant; readonly status: number }[] = []
  let draws = 0
  let held: { readonly told: boolean; readonly since: Instant } | undefined

  const later = (now: Instant): Instant => {
    const lag = ((noise(seed, draws++) + 1) / 2) * p.mechanism.shadow_lag
    return Math.max(now + lag, coming.at(-1)?.at ?? now)
  }
  const arrive = (now: Instant): void => {
    while (coming[0] !== undefined && coming[0].at <= now) shown = coming.shift()?.status ?? shown
  }

  return {
    note(status_, now) {
      if (status_ === known) return
      known = status_
      if (held === undefined) arrive(now)
      coming.push({ at: later(now), status: status_ })
      // What is held must not fill the memory: the latest is what counts.
      if (coming.length > 64) coming = coming.slice(-32)
    },
    hold(how, now) {
      if (how === undefined) {
        held = undefined
        return
      }
      if (held === undefined) arrive(now)
      held = { told: how.told, since: held?.since ?? now }
    },
    lose(now) {
      shown = bits.stale
      coming = []
      coming.push({ at: later(now), status: known })
    },
    read(now) {
      if (held === undefined) {
        arrive(now)
        return shown
      }
      return held.told && now - held.since >= p.mechanism.shadow_stale ? shown | bits.stale : shown
    },
  }
}
