import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readFixture } from './fixtures.ts'
import { dayCurve, profile, profileSchema } from './profile.ts'
import { readSeries } from './profile-csv.ts'

const day = Date.parse('2018-01-15T00:00Z')
const folder = mkdtempSync(join(tmpdir(), 'gridproof-profile-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
function file(ending: string, text: string): string {
  const path = join(folder, `${files++}.${ending}`)
  writeFileSync(path, text)
  return path
}

describe('the models', () => {
  test('winter-weekday has the public figures: 12.29 kWh, 0.92 kW at 17:30-18:30, load factor 0.557', () => {
    const curve = dayCurve(readFixture('profiles', 'winter-weekday', profileSchema))
    const energy = curve.reduce((a, b) => a + b, 0) / 60 / 100
    const peak = Math.max(...curve) / 100
    const at = curve.indexOf(peak * 100) / 60
    expect(energy).toBeCloseTo(12.29, 6)
    expect(peak).toBeCloseTo(0.92, 2)
    expect(at).toBeGreaterThanOrEqual(17.5)
    expect(at).toBeLessThanOrEqual(18.5)
    expect(energy / 24 / peak).toBeCloseTo(0.557, 2)
  })

  test('100 homes in winter draw about 137 A a phase at the peak', () => {
    const p = profile({ profile: 'winter-weekday' }, 1)
    const amps = Array.from({ length: 60 }, (_, i) => p.amps(day + 17.5 * 3_600_000 + i * 60_000))
    expect(Math.max(...amps)).toBeGreaterThan(130)
    expect(Math.max(...amps)).toBeLessThan(146)
  })

  test('with solar panels power flows back about noon', () => {
    const p = profile({ profile: 'summer-weekday-solar' }, 1)
    expect(p.amps(day + 12 * 3_600_000)).toBeLessThan(0)
    expect(p.amps(day)).toBeGreaterThan(0)
  })

  test('a profile is a function of time and seed, in any order, and its scale multiplies', () => {
    const times = Array.from({ length: 500 }, (_, i) => day + i * 173_777)
    const p = profile({ profile: 'summer-weekday' }, 7)
    const there = times.map((t) => p.amps(t))
    const again = profile({ profile: 'summer-weekday' }, 7)
    expect(times.toReversed().map((t) => again.amps(t))).toEqual(there.toReversed())
    const other = profile({ profile: 'summer-weekday' }, 8)
    expect(times.map((t) => other.amps(t))).not.toEqual(there)
    const doubled = profile({ profile: 'summer-weekday', scale: 2 }, 7)
    expect(doubled.amps(day)).toBe(2 * p.amps(day))
  })

  test('a fault in the file is named with file, line, path and what was expected', () => {
    const bad = file('yaml', 'format: gridproof-profile/1\norigin: ours\ntitle: x\nhomes: many\n')
    expect(() => profile({ profile: bad }, 1)).toThrow(`${bad}:4:1 (homes): Invalid input: expected number`)
    expect(() => profile({ profile: 'autumn' }, 1)).toThrow(/has no 'autumn'; there are: .*winter-weekday/)
  })
})

describe('a series of half-hours', () => {
  const csv = (values: readonly number[]): string =>
    file(
      'csv',
      [
        'datetime,mw',
        ...values.map((v, i) => `${new Date(day + i * 1_800_000).toISOString().slice(0, 19)},${v}`),
      ].join('\n'),
    )
  /** Mean over the seconds of half-hour `k`. */
  const meanOf = (p: { amps(t: number): number }, begins: number, k: number): number => {
    let sum = 0
    for (let s = 0; s < 1800; s++) sum += p.amps(begins + k * 1_800_000 + s * 1000 + 500)
    return sum / 1800
  }

  test('each half-hour has the mean that was given, and none of its seconds is negative', () => {
    const values = [2, 2.5, 0, 0, 9, 1, 0.1, 4, 4, 4]
    const p = profile({ csv: csv(values), column: 'mw', scale: 50 }, 3)
    values.forEach((v, k) => expect(meanOf(p, day, k)).toBeCloseTo(50 * v, 9))
    for (let t = day; t < day + 10 * 1_800_000; t += 1000) expect(p.amps(t)).toBeGreaterThanOrEqual(-1e-9)
  })

  test('it has no jumps at the edges of half-hours', () => {
    const p = profile({ csv: csv([2, 2.5, 3, 1, 4]), column: 'mw', scale: 1 }, 3)
    for (let k = 1; k < 5; k++) {
      const edge = day + k * 1_800_000
      expect(Math.abs(p.amps(edge - 1) - p.amps(edge + 1))).toBeLessThan(1e-3)
    }
  })

  test('`from` plays a day of the series on the day it is started; past the end it goes on by whole weeks', () => {
    const path = csv(Array.from({ length: 48 * 15 }, (_, i) => 1 + (i % 97)))
    const plain = profile({ csv: path, column: 'mw', scale: 1 }, 3)
    const later = Date.parse('2026-06-01T15:00Z')
    const moved = profile({ csv: path, column: 'mw', scale: 1, from: '2018-01-17' }, 3, later)
    expect(moved.amps(later)).toBe(plain.amps(Date.parse('2018-01-17T15:00Z')))
    expect(plain.amps(day + 15 * 86_400_000)).toBe(plain.amps(day + 86_400_000))
    expect(() => profile({ csv: path, column: 'mw', scale: 1, from: '2019-01-01' }, 3)).toThrow(
      'does not reach',
    )
  })

  test.each([
    [
      'datetime,mw\n2018-01-15 00:00:00,1\n2018-01-15 01:00:00,1',
      /:3 \(mw\): expected the half-hour 2018-01-15T00:30/,
    ],
    ['datetime,mw\n2018-01-15 00:00:00,one', /:2 \(mw\): 'one' is not a number/],
    ['datetime,mw\nyesterday,1', /:2 \(mw\): 'yesterday' is not a date/],
    ['datetime,mw', /has no rows/],
    ['datetime,kw\n2018-01-15 00:00:00,1', /:1: no column 'mw'; there are: kw/],
  ])('a fault in the file is named by line: %j', (text, message) => {
    expect(() => readSeries(file('csv', text), 'mw')).toThrow(message)
  })

  const real = join(import.meta.dirname, '../../../shared/profiles/wpd_primary_2017-11-03_2018-07-22.csv')
  test.skipIf(!existsSync(real))(
    'a real primary substation keeps its means (skipped where ../shared is absent)',
    () => {
      const p = profile({ csv: real, column: 'demand_MW', scale: 40 }, 5)
      const series = readSeries(real, 'demand_MW')
      expect(series.means.length).toBe(12_576)
      for (let k = 0; k < series.means.length; k += 97)
        expect(meanOf(p, series.begins, k)).toBeCloseTo(40 * (series.means[k] ?? 0), 6)
    },
  )
})
