/** Axes: sensible ticks for figures and for time in UTC. */
import type { Instant } from '../../drivers/faces.ts'

export interface Tick {
  readonly value: number
  readonly label: string
}

/** From data to pixels. */
export interface Scale {
  readonly low: number
  readonly high: number
  readonly of: (value: number) => number
}

/** A linear scale. An empty span is widened, so that nothing is divided by zero. */
export function scale(low: number, high: number, from: number, to: number): Scale {
  const [a, b] = high > low ? [low, high] : [low - 0.5, low + 0.5]
  return { low: a, high: b, of: (v) => from + ((v - a) / (b - a)) * (to - from) }
}

/** Steps of 1, 2 or 5 times a power of ten: between two and about `most` ticks within [low, high]. */
export function figureTicks(low: number, high: number, most = 6): Tick[] {
  if (!(Number.isFinite(low) && Number.isFinite(high)) || high <= low) return []
  const step = niceStep((high - low) / Math.max(1, most - 1))
  const decimals = Math.max(0, Math.min(12, -Math.floor(Math.log10(step) + 1e-9)))
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(high / step + 1e-9)
  const ticks: Tick[] = []
  for (let i = first; i <= last && ticks.length < 50; i++) {
    const value = i * step
    ticks.push({ value, label: tickLabel(value, decimals) })
  }
  return ticks
}

/** The smallest of 1, 2, 5 times a power of ten that is not below `rough`. */
export function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  const m = rough / power
  return (m <= 1.0000001 ? 1 : m <= 2.0000001 ? 2 : m <= 5.0000001 ? 5 : 10) * power
}

function tickLabel(value: number, decimals: number): string {
  const v = value === 0 ? 0 : value
  if (Math.abs(v) >= 1e6) return `${Number((v / 1e6).toFixed(6))}M`.replace('-', '−')
  if (Math.abs(v) >= 1e4) return `${Number((v / 1e3).toFixed(6))}k`.replace('-', '−')
  return v.toFixed(decimals).replace('-', '−')
}

/** The range of a y axis: the data with room above and below, never flatter than a share of its own size. */
export function figureRange(low: number, high: number): { low: number; high: number } {
  const size = Math.max(Math.abs(low), Math.abs(high))
  const least = size === 0 ? 1 : size * 0.002
  const span = Math.max(high - low, least)
  const middle = (low + high) / 2
  const half = span * 0.56
  const nonNegative = low >= 0 && middle - half < 0
  return { low: nonNegative ? 0 : middle - half, high: middle + half }
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const timeSteps: readonly number[] = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  ...[1, 2, 5, 10, 15, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
  ...[1, 2, 3, 6, 12].map((n) => n * hour),
  ...[1, 2, 7, 14, 28, 91, 182, 364].map((n) => n * day),
]

/**
 * Ticks on whole seconds, minutes, hours or days of UTC. At midnight, the label is the date.
 * Times outside what a date can hold: no ticks.
 */
export function timeTicks(low: Instant, high: Instant, most = 8): Tick[] {
  if (!(high > low) || Math.abs(low) > 8.64e15 || Math.abs(high) > 8.64e15) return []
  const step = timeSteps.find((s) => (high - low) / s <= most * 1.02) ?? (high - low) / most
  const ticks: Tick[] = []
  for (let t = Math.ceil(low / step) * step; t <= high && ticks.length < 50; t += step)
    ticks.push({ value: t, label: timeLabel(t, step) })
  return ticks
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function timeLabel(t: Instant, step: number): string {
  const d = new Date(t)
  const two = (n: number): string => String(n).padStart(2, '0')
  if (t % day === 0) return `${d.getUTCDate()} ${months[d.getUTCMonth()] ?? ''}`
  const hm = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`
  if (step >= minute) return hm
  const s = `${hm}:${two(d.getUTCSeconds())}`
  return step >= second ? s : `${s}.${String(d.getUTCMilliseconds()).padStart(3, '0')}`
}

/** The day, or days, that a time axis spans: `14 Jan 2026`, `14 Jan – 16 Jan 2026`. */
export function dayText(low: Instant, high: Instant): string {
  const name = (t: Instant): string => {
    const d = new Date(t)
    return Number.isNaN(d.getTime())
      ? '?'
      : `${d.getUTCDate()} ${months[d.getUTCMonth()] ?? ''} ${d.getUTCFullYear()}`
  }
  const [a, b] = [name(low), name(high)]
  return a === b ? a : `${a} – ${b}`
}
