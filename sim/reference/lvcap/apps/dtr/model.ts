/**
 * How warm a transformer gets, by IEC 60076-7. Under a constant load and air its hot spot is a sum of three decaying
 * exponentials over a constant, and what is asked of it here (where it is after a time, how hot it was at most on the
 * way) comes from these without any stepping.
 */
import type { Transformer } from './config.ts'

/** Three first-order parts: top oil in °C, and the two gradients in K whose difference lies between it and hot spot. */
export interface Heat {
  readonly oil: number
  readonly up: number
  readonly down: number
}

/** For `seconds`, the load (over rated load) and the air (°C) stand still. */
export interface Piece {
  readonly seconds: number
  readonly load: number
  readonly air: number
}

const minute = 60

/** °C of the hot spot. */
export const hotSpotOf = (h: Heat): number => h.oil + h.up - h.down

/** Time constants in seconds, in the order of `Heat`. */
function timesOf(t: Transformer): Heat {
  return {
    oil: t.k11 * t.oilTime * minute,
    up: t.k22 * t.windingTime * minute,
    down: (t.oilTime / t.k22) * minute,
  }
}

/** Where everything ends up if load and air stay as they are. */
export function endOf(t: Transformer, load: number, air: number): Heat {
  const losses = (1 + t.lossRatio * load ** 2) / (1 + t.lossRatio)
  const gradient = t.hotSpotRise * Math.abs(load) ** t.windingExponent
  return {
    oil: air + t.enclosure + t.topOilRise * losses ** t.oilExponent,
    up: t.k21 * gradient,
    down: (t.k21 - 1) * gradient,
  }
}

/** The heat at the end of a piece. */
export function after(t: Transformer, h: Heat, p: Piece): Heat {
  const end = endOf(t, p.load, p.air)
  const times = timesOf(t)
  const part = (key: keyof Heat): number => end[key] + (h[key] - end[key]) * Math.exp(-p.seconds / times[key])
  return { oil: part('oil'), up: part('up'), down: part('down') }
}

/** Highest hot spot and top oil of a piece, its ends included. */
export function peakOf(
  t: Transformer,
  h: Heat,
  p: Piece,
): { readonly hotSpot: number; readonly topOil: number } {
  const end = endOf(t, p.load, p.air)
  const times = timesOf(t)
  const last = after(t, h, p)
  // rate of the hot spot: the sum of size * exp(-x / time)
  const terms = (
    [
      [h.oil - end.oil, times.oil],
      [h.up - end.up, times.up],
      [end.down - h.down, times.down],
    ] as const
  ).map(([away, time]) => ({ size: -away / time, rate: 1 / time }))
  const turns = zerosOf(terms, p.seconds).map((x) => hotSpotOf(after(t, h, { ...p, seconds: x })))
  return {
    hotSpot: Math.max(hotSpotOf(h), hotSpotOf(last), ...turns),
    // the oil alone goes one way
    topOil: Math.max(h.oil, last.oil),
  }
}

/**
 * Where a sum of three decaying exponentials crosses zero within [0, upTo]. Times exp(first rate * x), its derivative
 * has two terms and so one zero, in closed form; on each side of that it is monotone, and halving finds the crossing.
 */
function zerosOf(terms: readonly { readonly size: number; readonly rate: number }[], upTo: number): number[] {
  const base = terms[0]?.rate ?? 0
  const value = (x: number): number =>
    terms.reduce((sum, { size, rate }) => sum + size * Math.exp((base - rate) * x), 0)
  const [, b, c] = terms
  const split =
    b === undefined || c === undefined
      ? Number.NaN
      : Math.log((-c.size * (c.rate - base)) / (b.size * (b.rate - base))) / (c.rate - b.rate)
  const marks = split > 0 && split < upTo ? [0, split, upTo] : [0, upTo]
  const found: number[] = []
  for (let i = 1; i < marks.length; i++) {
    let low = marks[i - 1] ?? 0
    let high = marks[i] ?? 0
    const sign = Math.sign(value(low))
    if (sign === 0 || sign === Math.sign(value(high))) continue
    for (let n = 0; n < 60 && high - low > 1e-6; n++) {
      const middle = (low + high) / 2
      if (Math.sign(value(middle)) === sign) low = middle
      else high = middle
    }
    found.push((low + high) / 2)
  }
  return found
}

/** The heat after all pieces, and the highest hot spot and top oil on the way. Without pieces: as it stands. */
export function through(
  t: Transformer,
  from: Heat,
  pieces: readonly Piece[],
): { readonly heat: Heat; readonly hotSpot: number; readonly topOil: number } {
  let heat = from
  let hotSpot = hotSpotOf(from)
  let topOil = from.oil
  for (const p of pieces) {
    const peak = peakOf(t, heat, p)
    hotSpot = Math.max(hotSpot, peak.hotSpot)
    topOil = Math.max(topOil, peak.topOil)
    heat = after(t, heat, p)
  }
  return { heat, hotSpot, topOil }
}

/** What a rating keeps to: °C, °C, and load over rated load. */
export interface Limits {
  readonly hotSpot: number
  readonly topOil: number
  readonly load: number
}

/**
 * The largest constant load (over rated load) that, held through all pieces in place of theirs, passes no limit. 0
 * where it is too hot at the beginning already, or no load at all is too much. Found by halving, to 1e-9: more load
 * is never cooler.
 */
export function ratingOver(t: Transformer, from: Heat, pieces: readonly Piece[], limits: Limits): number {
  const keeps = (load: number): boolean => {
    const { hotSpot, topOil } = through(
      t,
      from,
      pieces.map((p) => ({ ...p, load })),
    )
    return hotSpot <= limits.hotSpot && topOil <= limits.topOil
  }
  if (keeps(limits.load)) return limits.load
  let low = 0
  let high = limits.load
  while (high - low > 1e-9) {
    const middle = (low + high) / 2
    if (keeps(middle)) low = middle
    else high = middle
  }
  return low
}
