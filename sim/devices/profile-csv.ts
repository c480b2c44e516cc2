/**
 * A series of half-hour means filled to any instant, so that the mean of each half-hour, over its seconds, is the
 * one given. The model is ours: within a half-hour the load goes straight from one edge to a middle value and on to
 * the other edge. An edge is the mean of its two neighbours, but at most twice the smaller one; the middle is then
 * what the mean asks for, and never below zero. On top come whole sine waves of a seeded size, which vanish at the
 * edges and in the mean. Seconds stand for their middle: the mean over t = 0.5 s, 1.5 s ... is exact.
 */
import { readFileSync } from 'node:fs'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Instant } from '../../drivers/faces.ts'
import type { ProfileSpec } from '../faces.ts'
import { fromRoot } from './fixtures.ts'
import { channel, noise } from './noise.ts'
import type { LoadProfile } from './profile.ts'

const halfHour = 1_800_000
const dayMs = 86_400_000
const weekMs = 7 * dayMs
/** Waves in a half-hour, and their largest share of the smallest of edge and middle. Ours. */
const waves = [3, 11, 47]
const waveShare = 0.02

export interface Series {
  readonly name: string
  /** Instant of the first half-hour's beginning; times in the file are UTC. */
  readonly begins: Instant
  readonly means: Float64Array
}

/**
 * Reads a column of a CSV file whose first column is a date and time (`2018-01-15 00:30:00`), in steps of 30 min.
 * Throws `bad-file` with file and line, `no-such` for an unknown column.
 */
export function readSeries(csv: string, column: string): Series {
  const file = fromRoot(csv)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (e) {
    throw new GridproofError('bad-file', `cannot be read: ${messageOf(e)}`, { cause: e, place: { file } })
  }
  const lines = text.split(/\r?\n/)
  while (lines.at(-1) === '') lines.pop()
  const header = (lines[0] ?? '').split(',').map((h) => h.trim())
  const index = header.indexOf(column, 1)
  if (index < 0)
    throw new GridproofError('no-such', `no column '${column}'; there are: ${header.slice(1).join(', ')}`, {
      place: { file, line: 1 },
    })
  const bad = (line: number, message: string): GridproofError =>
    new GridproofError('bad-file', message, { place: { file, line, path: column } })

  if (lines.length < 2) throw bad(1, 'has no rows under its header')
  const means = new Float64Array(lines.length - 1)
  let begins = Number.NaN
  for (let i = 1; i < lines.length; i++) {
    const cells = (lines[i] ?? '').split(',')
    const when = (cells[0] ?? '').trim()
    const at = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?$/.test(when)
      ? Date.parse(`${when.replace(' ', 'T')}Z`)
      : Number.NaN
    if (Number.isNaN(at)) throw bad(i + 1, `'${when}' is not a date and time such as 2018-01-15 00:30:00`)
    if (i === 1) begins = at
    const expected = begins + (i - 1) * halfHour
    if (at !== expected || at % halfHour !== 0)
      throw bad(
        i + 1,
        `expected the half-hour ${new Date(expected).toISOString().slice(0, 16)}, found ${when}`,
      )
    const cell = (cells[index] ?? '').trim()
    const value = cell === '' ? Number.NaN : Number(cell)
    if (!Number.isFinite(value)) throw bad(i + 1, `'${cell}' is not a number`)
    means[i - 1] = value
  }
  return { name: `${csv}#${column}`, begins, means }
}

/** Which day of the series an instant plays: as it is, or from a given day on; past its ends by whole weeks. */
function placeOf(series: Series, from: string | undefined, started: Instant): (t: Instant) => Instant {
  const span = series.means.length * halfHour
  const startedDay = Math.floor(started / dayMs) * dayMs
  const shift = from === undefined ? 0 : Date.parse(`${from}T00:00Z`) - startedDay
  const period = Math.floor(span / weekMs) * weekMs || span
  return (t) => {
    const at = t + shift - series.begins
    return at >= 0 && at < span ? at : ((at % period) + period) % period
  }
}

/** A series as a profile; `scale` makes amps per phase of its unit. */
export function seriesLoad(
  series: Series,
  spec: Extract<ProfileSpec, { csv: string }>,
  seed: number,
  started: Instant,
): LoadProfile {
  const { means, name } = series
  const count = means.length
  if (spec.from !== undefined) {
    const day = Date.parse(`${spec.from}T00:00Z`) - series.begins
    if (Number.isNaN(day) || day < 0 || day >= count * halfHour)
      throw new GridproofError('bad-value', `${name} does not reach to ${spec.from}`)
  }
  const place = placeOf(series, spec.from, started)
  const signed = means.some((m) => m < 0)
  const mean = (k: number): number => means[Math.max(0, Math.min(count - 1, k))] ?? 0
  const edge = (k: number): number => {
    const before = mean(k - 1)
    const after = mean(k)
    const middle = (before + after) / 2
    return signed ? middle : Math.min(middle, 2 * before, 2 * after)
  }
  const seeds = waves.map((_, i) => channel(seed, i))
  return {
    name,
    amps(t) {
      const at = place(t)
      const k = Math.floor(at / halfHour)
      const x = at / halfHour - k
      const left = edge(k)
      const right = edge(k + 1)
      const middle = (4 * mean(k) - left - right) / 2
      const straight = x < 0.5 ? left + (middle - left) * 2 * x : middle + (right - middle) * (2 * x - 1)
      const room = Math.min(Math.abs(left), Math.abs(middle), Math.abs(right))
      let wave = 0
      waves.forEach((n, i) => {
        wave += noise(seeds[i] ?? 0, k) * Math.sin(2 * Math.PI * n * x)
      })
      return spec.scale * (straight + (room * waveShare * wave) / waves.length)
    },
  }
}
