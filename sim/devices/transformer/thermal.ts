/**
 * Top oil and hot spot of an oil-immersed transformer, by the exponential model of IEC 60076-7 (the differential
 * equations as open programs cite them; facts in the personality). Three first-order lags:
 *
 *   k11 τo        dθo/dt = Δθor ((1 + R K²) / (1 + R))^x - (θo - θa)
 *   k22 τw        dg1/dt = k21 Δθhr K^y - g1
 *   (τo / k22)    dg2/dt = (k21 - 1) Δθhr K^y - g2
 *   θh = θo + g1 - g2
 *
 * While load and air stand still each lag is an exponential, so a step of any length is exact: there is no step size
 * to choose, and no difference equation (which at 1 min is off by up to 1.2 K after a step of load).
 */
import { GridproofError } from '../../../drivers/errors.ts'
import type { Instant } from '../../../drivers/faces.ts'
import type { TransformerParameters } from './personality.ts'

export interface ThermalState {
  /** °C */
  readonly topOil: number
  /** K: the two parts of the hot spot's rise over the top oil, g1 and g2 above. */
  readonly fast: number
  readonly slow: number
}

/** What drives it, constant over a span. */
export interface ThermalInput {
  /** Load over rated load (K); its sign does not matter. */
  readonly load: number
  /** °C of the air outside. */
  readonly ambient: number
}

/** °C of the hot spot. */
export function hotSpot(s: ThermalState): number {
  return s.topOil + s.fast - s.slow
}

/** Where it settles under a constant input. */
export function settled(p: TransformerParameters, { load, ambient }: ThermalInput): ThermalState {
  const k = Math.abs(load)
  const rise = p.top_oil_rise * ((1 + p.loss_ratio * k * k) / (1 + p.loss_ratio)) ** p.oil_exponent
  const gradient = p.hot_spot_rise * k ** p.winding_exponent
  return {
    topOil: ambient + p.enclosure + rise,
    fast: p.k21 * gradient,
    slow: (p.k21 - 1) * gradient,
  }
}

/** After `minutes` under a constant input: exact, for any length from 0. */
export function step(
  p: TransformerParameters,
  s: ThermalState,
  input: ThermalInput,
  minutes: number,
): ThermalState {
  const to = settled(p, input)
  const towards = (from: number, target: number, constant: number): number =>
    from + (target - from) * -Math.expm1(-minutes / constant)
  return {
    topOil: towards(s.topOil, to.topOil, p.k11 * p.oil_time_constant),
    fast: towards(s.fast, to.fast, p.k22 * p.winding_time_constant),
    slow: towards(s.slow, to.slow, p.oil_time_constant / p.k22),
  }
}

/**
 * Relative ageing rate of paper at a hot spot in °C (IEC 60076-7, as cited): 1 at 98 °C for normal paper, at 110 °C
 * for thermally upgraded paper.
 */
export function ageingRate(hot: number, paper: 'normal' | 'upgraded'): number {
  return paper === 'normal' ? 2 ** ((hot - 98) / 6) : Math.exp(15_000 / 383 - 15_000 / (hot + 273))
}

/**
 * Load over rated load of a transformer from the amps of its phases: their root mean square, as the losses go. Ours:
 * the standard's model knows one winding.
 */
export function loadFactor(p: TransformerParameters, amps: readonly number[]): number {
  const squares = amps.reduce((sum, a) => sum + a * a, 0)
  return amps.length === 0 ? 0 : Math.sqrt(squares / amps.length) / p.rated_current
}

/** A transformer's temperatures as a function of time, under inputs that change now and then. */
export interface ThermalTruth {
  /** From `from` on, until the next change. Changes at or after `from` are forgotten. */
  change(from: Instant, input: ThermalInput): void
  /** At any instant; before the first change it stands as it began. */
  at(t: Instant): { readonly topOil: number; readonly hotSpot: number; readonly state: ThermalState }
}

const minute = 60_000

/** Begins at `began` in `state`, or settled under `input` where no state is given. Throws `bad-value` for no number. */
export function createThermalTruth(
  p: TransformerParameters,
  began: Instant,
  input: ThermalInput,
  state: ThermalState = settled(p, input),
): ThermalTruth {
  const spans: { from: Instant; input: ThermalInput; state: ThermalState }[] = []

  function add(from: Instant, next: ThermalInput, at: ThermalState): void {
    for (const n of [from, next.load, next.ambient, at.topOil, at.fast, at.slow])
      if (!Number.isFinite(n))
        throw new GridproofError(
          'bad-value',
          `a transformer's time, load and temperatures are numbers, not ${n}`,
        )
    spans.push({ from, input: next, state: at })
  }

  /** The last span that began at or before `t`, else the first. */
  function spanAt(t: Instant): (typeof spans)[number] | undefined {
    let low = 0
    let high = spans.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((spans[middle]?.from ?? 0) <= t) low = middle
      else high = middle - 1
    }
    return spans[low]
  }

  function stateAt(t: Instant): ThermalState {
    const span = spanAt(t)
    if (span === undefined || t <= span.from) return span?.state ?? state
    return step(p, span.state, span.input, (t - span.from) / minute)
  }

  add(began, input, state)
  return {
    change(from, next) {
      const at = stateAt(from)
      while (spans.length > 0 && (spans.at(-1)?.from ?? 0) >= from) spans.pop()
      add(from, next, at)
    },
    at(t) {
      const now = stateAt(t)
      return { topOil: now.topOil, hotSpot: hotSpot(now), state: now }
    },
  }
}
