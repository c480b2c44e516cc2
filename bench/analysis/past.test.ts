import { describe, expect, test } from 'vitest'
import { rowsOf } from '../../sim/reference/lvcap/apps/predictor/store.ts'
import { csvOf, halfHour, pastOf } from './past.ts'

const now = Date.UTC(2018, 0, 15, 7, 47)
const ends = now / 1000 - 17 * 60
const load = { profile: 'winter-weekday' }
const plain = { name: 'plain', load, span: '10 d' }

describe('the past of a load', () => {
  const p = pastOf(plain, now, 1)

  test('reaches up to the half-hour of now, and what came after it goes on from there', () => {
    expect(p.transformer).toHaveLength(480)
    expect(p.begins + 480 * halfHour).toBe(ends)
    expect(p.next.transformer).toHaveLength(48)
    // a winter's morning is not its night
    expect((p.transformer[2 * 16] ?? 0) / (p.transformer[2 * 4] ?? 1)).not.toBeCloseTo(1, 1)
    const same = pastOf({ ...plain, later: '1 d' }, now, 1)
    expect(same.begins).toBe(p.begins)
  })

  test('is the same for the same seed', () => {
    expect(pastOf(plain, now, 1)).toEqual(p)
    expect(pastOf(plain, now, 2)).not.toEqual(p)
  })

  test('is what the predictor takes', () => {
    const rows = rowsOf(csvOf(p), 'past.csv', now / 1000)
    expect(rows).toHaveLength(960)
    expect(rows.filter((r) => r.circuit === 'feeder').map((r) => r.amps)).toEqual(p.feeder)
  })

  test('differs where it is asked to, by how long ago, and nowhere else', () => {
    const other = pastOf(
      {
        ...plain,
        changes: [
          { from: '10 d', to: '9 d' },
          { from: '1 d', to: '0 s', times: 2 },
        ],
      },
      now,
      1,
    )
    expect(other.transformer.slice(0, 48)).toEqual(Array.from({ length: 48 }, () => null))
    expect(other.transformer.slice(48, -48)).toEqual(p.transformer.slice(48, -48))
    for (const [i, v] of other.transformer.slice(-48).entries())
      expect(v).toBeCloseTo(2 * (p.transformer.at(i - 48) ?? 0), 2)
    expect(rowsOf(csvOf(other), 'past.csv', now / 1000)).toHaveLength(960 - 96)
  })

  test.each<[string, object, RegExp]>([
    ['of less than a half-hour', { span: '5 min' }, /no half-hour/],
    ['with a name that is a path', { name: '../other' }, /lower-case/],
    ['that is later by half a day', { later: '12 h' }, /whole days/],
    ['with a stretch that ends before it begins', { changes: [{ from: '1 d', to: '2 d' }] }, /no stretch/],
    ['with less than no load', { changes: [{ from: '2 d', to: '1 d', times: -1 }] }, /-1 times/],
  ])('%s is refused', (_, more, why) => {
    expect(() => pastOf({ ...plain, ...more }, now, 1)).toThrow(why)
  })
})
