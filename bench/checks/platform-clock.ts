/**
 * What a check knows of the platform's clock: the last note of source `clock` (bench/platforms/clock-meter.ts). Without one
 * the two clocks are taken as one. Whether platforms stamp by a clock that is apart from the bench's or by a common one,
 * both are right: a time fits if it does for any offset between none and the one measured, widened by what that leaves open.
 */
import type { Instant, Json } from '../../drivers/faces.ts'
import type { Event, Result } from '../faces.ts'
import { inconclusive, seconds } from './check.ts'
import { objectOf } from './scalar.ts'

export interface PlatformClock {
  /** True if the event was about the clock. */
  see(e: Event): boolean
  /** By how much a time of the platform's lies before one of the bench's, in ms; negative: it does not. */
  before(theirs: Instant, ours: Instant): number
  /** And by how much after it. */
  after(theirs: Instant, ours: Instant): number
  /** Empty where nothing is known. */
  figures(): Readonly<Record<string, Json>>
  /** Inconclusive (rig) where it is known less well than to `within` ms. */
  tooUnsure(within: number, observed: Json): Result | undefined
}

export function platformClock(): PlatformClock {
  let known: { readonly offset: number; readonly unsure: number; readonly seq: number } | undefined
  const now = (): { readonly offset: number; readonly unsure: number } => known ?? { offset: 0, unsure: 0 }
  return {
    see(e) {
      if (e.kind !== 'note' || e.src !== 'clock') return false
      const d = objectOf(e.data)
      const [offset, unsure] = [d?.['offsetMs'], d?.['uncertaintyMs']]
      if (typeof offset === 'number' && typeof unsure === 'number') known = { offset, unsure, seq: e.seq }
      return true
    },
    before: (theirs, ours) => ours - theirs + Math.min(0, now().offset) - now().unsure,
    after: (theirs, ours) => theirs - ours - Math.max(0, now().offset) - now().unsure,
    figures: (): Readonly<Record<string, Json>> =>
      known === undefined
        ? {}
        : { 'clock offset [s]': seconds(known.offset), 'known to [s]': seconds(known.unsure) },
    tooUnsure(within, observed) {
      if (known === undefined || known.unsure <= within) return undefined
      return inconclusive('rig', "the platform's clock could not be measured well enough", observed, [
        known.seq,
      ])
    },
  }
}
