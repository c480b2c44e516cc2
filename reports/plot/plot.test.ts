import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Decimator } from './decimate.ts'
import { drawPlot } from './plot.ts'
import { dotPath, linePath } from './svg.ts'
import { dayText, figureRange, figureTicks, scale, timeTicks } from './scale.ts'

const day = Date.UTC(2026, 0, 14)

describe('ticks', () => {
  test('of figures stand on 1, 2 or 5 times a power of ten', () => {
    expect(figureTicks(0, 10).map((t) => t.label)).toEqual(['0', '2', '4', '6', '8', '10'])
    expect(figureTicks(230.1, 250.2).map((t) => t.label)).toEqual(['235', '240', '245', '250'])
    expect(figureTicks(-0.02, 0.021).map((t) => t.label)).toEqual(['−0.02', '−0.01', '0.00', '0.01', '0.02'])
    expect(figureTicks(0, 30_000).map((t) => t.label)).toEqual(['0', '10k', '20k', '30k'])
  })

  test('of time stand on whole hours or minutes of UTC, with the date at midnight', () => {
    expect(timeTicks(day, day + 86_400_000).map((t) => t.label)).toEqual([
      '14 Jan',
      '03:00',
      '06:00',
      '09:00',
      '12:00',
      '15:00',
      '18:00',
      '21:00',
      '15 Jan',
    ])
    expect(timeTicks(day + 1000, day + 61_000).map((t) => t.label)).toEqual([
      '00:00:10',
      '00:00:20',
      '00:00:30',
      '00:00:40',
      '00:00:50',
      '00:01:00',
    ])
    expect(dayText(day, day + 1)).toBe('14 Jan 2026')
  })

  test('never number too many, whatever the range', () => {
    const any = fc.double({ noNaN: false })
    fc.assert(
      fc.property(any, any, (a, b) => {
        expect(figureTicks(a, b).length).toBeLessThanOrEqual(50)
        expect(timeTicks(a, b).length).toBeLessThanOrEqual(50)
        const r = figureRange(a, b)
        expect(typeof r.low).toBe('number')
      }),
    )
  })

  test('a scale of nothing divides by nothing', () => {
    expect(scale(5, 5, 0, 100).of(5)).toBe(50)
  })
})

describe('a decimated series', () => {
  test('keeps its extremes, its ends and its count in bounded memory, in any order of arrival', () => {
    const point = fc.tuple(
      fc.integer({ min: -1e9, max: 1e12 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    )
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 400 }), (points) => {
        const d = new Decimator(20)
        for (const [at, value] of points) d.add(at, value)
        const kept = d.points(60)
        const values = points.map(([, v]) => v)
        expect(kept.length).toBeLessThanOrEqual(80)
        expect(Math.min(...kept.map((p) => p.value))).toBe(Math.min(...values))
        expect(Math.max(...kept.map((p) => p.value))).toBe(Math.max(...values))
        expect(kept.map((p) => p.at)).toEqual(kept.map((p) => p.at).toSorted((a, b) => a - b))
        expect(kept[0]?.at).toBe(Math.min(...points.map(([at]) => at)))
        expect(kept.at(-1)?.at).toBe(Math.max(...points.map(([at]) => at)))
        expect(d.count).toBe(points.length)
      }),
    )
  })

  test('of a million points gives at most a thousand', () => {
    const d = new Decimator()
    for (let i = 0; i < 1_000_000; i++) d.add(day + i * 1000, Math.sin(i / 5000) + (i === 123_456 ? 9 : 0))
    const kept = d.points(1000)
    expect(kept.length).toBeLessThanOrEqual(1000)
    expect(kept.length).toBeGreaterThan(400)
    expect(Math.max(...kept.map((p) => p.value))).toBeGreaterThan(8)
  })

  test('takes no point that is no number', () => {
    const d = new Decimator()
    for (const v of [NaN, Infinity]) {
      d.add(0, v)
      d.add(v, 0)
    }
    expect(d.points()).toEqual([])
  })
})

test('a path goes from point to point without rounding adding up', () => {
  expect(
    linePath([
      [1.04, 2],
      [1.5, 1.96],
      [1.5, 10],
    ]),
  ).toBe('M1 2l.5 0l0 8')
  expect(
    dotPath([
      [10, 10],
      [9.5, 9.5],
    ]),
  ).toBe('M10 10h0m-.5-.5h0')
  const many = Array.from({ length: 1000 }, (_, i): [number, number] => [i * 0.333, 0])
  const sum = [...linePath(many).matchAll(/[Ml](-?[\d.]+)/g)].reduce((n, m) => n + Number(m[1]), 0)
  expect(sum).toBeCloseTo(332.7, 5)
})

describe('a drawn plot', () => {
  const plot = {
    id: 'p',
    title: 'a <title> & "more"',
    description: 'what it shows',
    unit: 'A',
    span: { from: day, to: day + 3_600_000 },
    truth: [
      { at: day, value: 10 },
      { at: day + 3_600_000, value: 20 },
    ],
    answered: [{ at: day, value: 10.5 }],
    seen: [{ at: day + 60_000, value: 11 }],
    bad: false,
    late: [{ at: day + 120_000, value: 12 }],
    deciding: [{ at: day + 180_000, value: 13 }],
    gaps: [{ from: day + 1_000_000, to: day + 2_000_000 }],
    band: { low: 5, high: 25 },
  }

  test('has a title and description, axes with units, and each kind of mark', () => {
    const svg = drawPlot(plot)
    expect(svg).toContain('<title id="p-title">a &lt;title&gt; &amp; &quot;more&quot;</title>')
    expect(svg).toContain('aria-labelledby="p-title p-desc"')
    expect(svg).toContain('>A</text>')
    expect(svg).toContain('UTC, 14 Jan 2026')
    for (const name of ['truth', 'answered', 'seen few', 'late', 'deciding', 'gap', 'band', 'axis', 'grid'])
      expect(svg).toContain(`class="${name}"`)
    expect(svg).not.toContain('NaN')
  })

  test('of nothing at all is still a plot', () => {
    const bare = {
      ...plot,
      truth: [],
      answered: [],
      seen: [],
      late: [],
      deciding: [],
      gaps: [],
      band: undefined,
    }
    for (const kind of ['large', 'small'] as const) expect(drawPlot(bare, kind)).not.toContain('NaN')
  })
})
