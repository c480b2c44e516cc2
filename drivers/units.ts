/** Values with units, parsed once. Texts such as '60 s', '±6 s', '0.1 %' stand in scenarios and are stored with results. */
import { GridproofError } from './errors.ts'

const durations: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * A duration in milliseconds from a text such as `60 s`, `1.5 h`, `250 ms`, `7 d`.
 * Units: ms, s, min, h, d. Throws `bad-value` for anything else, and for a negative duration.
 */
export function duration(text: string): number {
  const m = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)\s*$/.exec(text)
  const unit = m?.[2] === undefined ? undefined : durations[m[2]]
  if (m?.[1] === undefined || unit === undefined)
    throw new GridproofError(
      'bad-value',
      `'${text}' is not a duration: write a number and ms, s, min, h or d`,
    )
  return Number(m[1]) * unit
}

/** A symmetrical tolerance in milliseconds from `±6 s`. Throws `bad-value`. */
export function tolerance(text: string): number {
  const m = /^\s*(?:±|\+-|\+\/-)\s*(.+)$/.exec(text)
  if (m?.[1] === undefined)
    throw new GridproofError('bad-value', `'${text}' is not a tolerance: write ± and a duration`)
  return duration(m[1])
}

/** A ratio from `0.1 %` (0.001), `50 ppm` (0.00005). Throws `bad-value`. */
export function ratio(text: string): number {
  const m = /^\s*(\d+(?:\.\d+)?)\s*(%|ppm)\s*$/.exec(text)
  if (m?.[1] === undefined)
    throw new GridproofError('bad-value', `'${text}' is not a ratio: write a number and % or ppm`)
  return Number(m[1]) * (m[2] === '%' ? 0.01 : 1e-6)
}

/** A duration as a person writes it: `250 ms`, `6 s`, `1 h 30 min`. */
export function durationText(ms: number): string {
  if (!Number.isFinite(ms)) return String(ms)
  if (ms < 0) return `-${durationText(-ms)}`
  if (ms < 1000) return `${Number(ms.toFixed(ms < 10 ? 2 : 0))} ms`
  if (ms < 120_000) return `${Number((ms / 1000).toFixed(ms < 10_000 ? 2 : 1))} s`
  const parts: string[] = []
  let rest = Math.round(ms / 1000)
  for (const [name, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const) {
    const n = Math.floor(rest / size)
    if (n > 0) parts.push(`${n} ${name}`)
    rest -= n * size
  }
  return parts.slice(0, 2).join(' ')
}
