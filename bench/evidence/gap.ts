/** Spans of a resumed run in which no bench was there, and how steady time was until then: as the log tells them. */
import type { Instant, Json } from '../../drivers/faces.ts'
import type { Event } from '../faces.ts'

/** `step`, src `bench`: from the last event that a killed bench had logged to the first of the one that goes on. */
export interface Gap {
  readonly from: Instant
  readonly to: Instant
  /** Length of the stretch that follows, ms: it ends earlier only if it is interrupted too. */
  readonly horizonMs: number
  /** The first characters of a line that the killed bench had not written to its end; it was taken out of the log. */
  readonly torn?: string
}

const gapWhat = 'the bench was away'

/** The data of its event. */
export function gapEvent(gap: Gap): Json {
  return { what: gapWhat, detail: { ...gap } }
}

/** The gap that an event tells of; nothing of any other event. */
export function gapOf(e: Event): Gap | undefined {
  if (e.kind !== 'step' || e.src !== 'bench') return undefined
  const d = e.data as { readonly what?: Json; readonly detail?: Partial<Gap> } | null
  if (d === null || typeof d !== 'object' || d.what !== gapWhat) return undefined
  const { from, to, horizonMs } = d.detail ?? {}
  if (typeof from !== 'number' || typeof to !== 'number' || typeof horizonMs !== 'number') return undefined
  return d.detail as Gap
}

/** `note`, src `bench`, in real time and where a run can be resumed: the world's report so far, since a killed bench makes none. */
export interface Steadiness {
  /** Share of wall time stolen from the bench, 0..1; absent where it cannot be told. */
  readonly stolen?: number
  /** Longest time for which the bench itself could not react, ms. */
  readonly stalledMs?: number
}

const steadyWhat = 'how steady time was'

export function steadinessEvent(s: Steadiness): Json {
  return { what: steadyWhat, ...s }
}

export function steadinessOf(e: Event): Steadiness | undefined {
  if (e.kind !== 'note' || e.src !== 'bench') return undefined
  const d = e.data as { readonly what?: Json; readonly stolen?: Json; readonly stalledMs?: Json } | null
  if (d === null || typeof d !== 'object' || d.what !== steadyWhat) return undefined
  return {
    ...(typeof d.stolen === 'number' ? { stolen: d.stolen } : {}),
    ...(typeof d.stalledMs === 'number' ? { stalledMs: d.stalledMs } : {}),
  }
}
