import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { readConfig as readDtr } from '../../sim/reference/lvcap/apps/dtr/config.ts'
import { forecastOf, presentOf, seriesOf } from '../../sim/reference/lvcap/apps/dtr/forecast.ts'
import { readConfig } from '../../sim/reference/lvcap/apps/predictor/config.ts'
import { predict, seriesOf as loadSeriesOf } from '../../sim/reference/lvcap/apps/predictor/predict.ts'
import { halfHour, pastOf } from '../analysis/past.ts'
import type { Check, Event, LoadPast, Series, VerdictWord } from '../faces.ts'
import { forecastDue, forecastForm } from './forecast.ts'
import { forecastByMethod, forecastDependsOn, forecastError } from './predicts.ts'
import { onceForEach } from './once-for-each.ts'
import { thermalForecast, thermalNow } from './thermal.ts'

const begin = Date.UTC(2018, 0, 15, 7, 30)
const start = begin / 1000
const seen = (select: string): Series => ({ src: 'marketplace', kind: 'seen', select })
const all = seen('*')
const past: Series = { src: 'forecaster', kind: 'sent', select: 'forecaster.past' }
const verifies = ['M:0038']
const weeks = 7 * 336 * halfHour

type Told = readonly [at: number, alias: string, payload: Json, src?: 'forecaster']

/** The verdict over a history, from its begin on. */
function judge(check: Check, told: readonly Told[], until = 60_000): { word: VerdictWord; why: string } {
  const declared: Event = {
    seq: 0,
    at: begin,
    src: 'bench',
    kind: 'check',
    data: { phase: 'declared', id: check.id },
  }
  check.see(declared)
  told.forEach(([at, alias, payload, src], i) =>
    check.see({
      seq: i + 1,
      at: begin + at,
      src: src ?? 'marketplace',
      kind: src === undefined ? 'seen' : 'sent',
      data: { alias, payload },
    }),
  )
  const r = check.result(begin + until)
  return { word: r.verdict, why: r.why ?? '' }
}

const series = (more: { readonly [k: string]: Json } = {}): Json => ({
  Timestamp: start + 5,
  StartPoint: start,
  Interval: 1800,
  Value: Array.from({ length: 48 }, () => 5),
  Confidence: Array.from({ length: 48 }, () => 1),
  Valid: true,
  ...more,
})

describe('the form of a forecast', () => {
  const form = (): Check =>
    forecastForm(seen('a'), { verifies, values: 48, interval: '30 min', startsAt: '30 min' })

  test('is good', () => expect(judge(form(), [[1, 'a', series()]]).word).toBe('pass'))
  test.each<[string, { readonly [k: string]: Json }]>([
    ['a value less', { Value: [1, 2], Confidence: [1, 1] }],
    ['no number', { Value: [...Array.from({ length: 47 }, () => 5), null] }],
    ['less than nothing', { Value: [...Array.from({ length: 47 }, () => 5), -1] }],
    ['another interval', { Interval: 3600 }],
    ['a start of its own', { StartPoint: start + 5 }],
    ['the start of the one before', { StartPoint: start - 1800 }],
    ['the start of the next one', { StartPoint: start + 1800 }],
    ['other confidences', { Confidence: [1] }],
    ['too much confidence', { Confidence: Array.from({ length: 48 }, () => 1.1) }],
    ['no validity', { Valid: 'true' }],
    ['no time', { Timestamp: null }],
  ])('with %s is not', (_, more) => {
    expect(judge(form(), [[1, 'a', series(more)]]).word).toBe('fail')
  })
  test('of one that is not valid is no proof', () => {
    expect(judge(form(), [[1, 'a', series({ Valid: false, Value: [], Confidence: [] })]]).word).toBe(
      'inconclusive',
    )
  })
})

describe('a forecast each half-hour', () => {
  const due = (): Check => forecastDue(seen('a'), { verifies, every: '30 min', within: '60 s' })
  const at = (k: number, ms = 5000): Told => [
    k * halfHour * 1000 + ms,
    'a',
    series({ StartPoint: start + k * halfHour }),
  ]
  const hour = 3_700_000

  test('is there, or late, or missing', () => {
    expect(judge(due(), [at(0), at(1), at(2)], hour).word).toBe('pass')
    expect(judge(due(), [at(0), at(1, 61_000), at(2)], hour).why).toMatch(/came 61 s after|1 min/)
  })

  test('is missing', () => {
    expect(judge(due(), [at(0), at(2)], hour).why).toMatch(/08:00:00/)
  })
  test('is not judged before one was due', () => {
    expect(judge(due(), [at(0)], 600_000).word).toBe('inconclusive')
  })
})

describe('a predictor', () => {
  const config = readConfig({})
  const spec: LoadPast = { name: 'plain', load: { profile: 'winter-weekday' }, span: '35 d' }
  const given = (p: LoadPast): { readonly told: Told; readonly says: Json } => {
    const made = pastOf(p, begin, 3)
    const known = (t: number): number | undefined =>
      made.transformer[(t - made.begins) / halfHour] ?? undefined
    const { name, group, beside = false } = p
    const payload = { name, ...(group === undefined ? {} : { group }), beside, ...made } as unknown as Json
    return {
      told: [0, 'forecaster.past', payload, 'forecaster'],
      says: loadSeriesOf(predict(known, start + 5, config), start + 5),
    }
  }
  const said = (says: Json): Told => [5000, 'predictor.transformer.forecast', says]
  const method = (): Check =>
    forecastByMethod(all, {
      verifies,
      circuit: 'transformer',
      past,
      phases: ['l1', 'l2', 'l3'],
      every: '60 s',
    })

  test('keeps to its method, over pasts with gaps and outages', () => {
    const cut = fc.record({
      from: fc.integer({ min: 2, max: 35 }),
      days: fc.integer({ min: 1, max: 9 }),
      dark: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(cut, { maxLength: 3 }), fc.integer({ min: 2, max: 40 }), (cuts, days) => {
        const changes = cuts.map((c) => ({
          from: `${c.from} d`,
          to: `${Math.max(0, c.from - c.days) * 24} h`,
          ...(c.dark ? { times: 0 } : {}),
        }))
        const g = given({ ...spec, span: `${days} d`, changes })
        expect(judge(method(), [g.told, said(g.says)])).toEqual({ word: 'pass', why: '' })
      }),
      { numRuns: 15 },
    )
  })

  test.each<[string, (s: { readonly [k: string]: Json }) => { readonly [k: string]: Json }]>([
    [
      'a millionth too much',
      (s) => ({ Value: (s['Value'] as number[]).map((v, i) => (i === 40 ? v * 1.000_003 : v)) }),
    ],
    ['a value less', (s) => ({ Value: (s['Value'] as number[]).slice(1) })],
    ['another confidence', () => ({ Confidence: Array.from({ length: 48 }, () => 0.75) })],
    ['no validity', () => ({ Valid: false })],
    ['a younger past', () => ({ TimestampStart: start - weeks / 7 })],
    ['the end of the first value only', () => ({ TimestampEnd: start - 1800 })],
  ])('that says %s does not', (_, change) => {
    const g = given(spec)
    const says = g.says as { readonly [k: string]: Json }
    expect(judge(method(), [g.told, said({ ...says, ...change(says) })]).word).toBe('fail')
  })

  test('depends on what its groups differ in', () => {
    const depends = (): Check =>
      forecastDependsOn(all, { verifies, circuit: 'transformer', past, says: 'it depends' })
    const of = (p: Partial<LoadPast>): readonly Told[] => {
      const g = given({ ...spec, ...p })
      return [g.told, said(g.says)]
    }
    const older = [{ from: '35 d', to: '29 d', times: 3 }]
    const oldest = [{ from: '28 d', to: '27 d', times: 3 }]
    expect(
      judge(depends(), [
        ...of({ group: 'a' }),
        ...of({ group: 'a', changes: older }),
        ...of({ group: 'b', changes: oldest }),
      ]).word,
    ).toBe('pass')
    expect(judge(depends(), [...of({ group: 'a' }), ...of({ group: 'a', changes: oldest })]).why).toMatch(
      /changes a value/,
    )
    expect(judge(depends(), [...of({ group: 'a' }), ...of({ group: 'b', changes: older })]).why).toMatch(
      /changes nothing/,
    )
    expect(judge(depends(), of({ group: 'a' })).word).toBe('inconclusive')
  })

  test('is no worse than the last week said again, or is', () => {
    const error = (days: number): Check =>
      forecastError(all, { verifies, circuit: 'transformer', past, atMost: 1.15, days })
    const over = (change: (values: number[]) => number[]): readonly Told[] =>
      ['0 s', '24 h', '48 h'].flatMap((later) => {
        const g = given({ ...spec, ...(later === '0 s' ? {} : { later }) })
        const says = g.says as { readonly Value: number[] }
        return [g.told, said({ ...says, Value: change(says.Value) })]
      })
    expect(
      judge(
        error(3),
        over((v) => v),
      ).word,
    ).toBe('pass')
    expect(
      judge(
        error(4),
        over((v) => v),
      ).word,
    ).toBe('inconclusive')
    expect(
      judge(
        error(3),
        over((v) => v.map((x) => 1.3 * x)),
      ).why,
    ).toMatch(/off by/)
    const [g] = over((v) => v)
    expect(judge(error(1), [g as Told, said(series({ Valid: false }))]).why).toMatch(/no valid forecast/)
  })
})

describe('a thermal rating app', () => {
  const config = readDtr({ transformer: { ratedCurrent: 666.7 } })
  const phase = (n: number): string => `gridkey.feeder1.l${n}.current`
  const reading = (at: number, alias: string, value: number | null): Told => [
    at,
    alias,
    { Timestamp: start + Math.floor(at / 1000), Value: value, Valid: value !== null },
  ]
  const readings = (
    at: number,
    oil: number | null,
    air: number | null,
    amps: number | null,
  ): readonly Told[] => [
    reading(at, 'thermocouple.top_oil.temperature', oil),
    reading(at, 'thermocouple.ambient.temperature', air),
    ...[1, 2, 3].map((n) => reading(at, phase(n), amps)),
  ]
  const situation = fc.record({
    oil: fc.double({ min: 5, max: 100, noNaN: true }),
    air: fc.double({ min: -20, max: 40, noNaN: true }),
    amps: fc.double({ min: 0, max: 900, noNaN: true }),
    load: fc.array(fc.double({ min: 0, max: 900, noNaN: true }), { minLength: 48, maxLength: 48 }),
  })
  const measured = (s: { oil: number; air: number; amps: number }, at: number) => ({
    at,
    topOil: s.oil,
    ambient: s.air,
    load: [{ at: start + 1, amps: s.amps }],
  })

  test('agrees with the bench: two programs of one standard', () => {
    fc.assert(
      fc.property(situation, (s) => {
        const at = start + 5
        const o = forecastOf(config, measured(s, at), { start, interval: 1800, values: s.load })
        const told: readonly Told[] = [
          ...readings(1000, s.oil, s.air, s.amps),
          [4000, 'predictor.transformer.forecast', series({ Value: s.load })],
          ...(['topOil', 'hotSpot', 'rating'] as const).map((which, i): Told => {
            const alias = `dtr.transformer.${['top_oil', 'hot_spot', 'rating'][i]}.forecast`
            return [5000, alias, seriesOf(o, which, at, start)]
          }),
        ]
        for (const which of ['top_oil', 'hot_spot', 'rating'] as const) {
          const within = which === 'rating' ? 0.002 : 0.1
          const check = thermalForecast(all, { verifies, which, within, transformer: 'transformer-onan' })
          expect(judge(check, told), which).toEqual({ word: 'pass', why: '' })
        }
        const p = presentOf(config, measured(s, at))
        if (!p.ok) throw new Error(p.why)
        for (const [which, value, within] of [
          ['hot_spot', p.hotSpot, 0.1],
          ['rating', p.rating, 0.002],
        ] as const) {
          const check = thermalNow(all, { verifies, which, within, transformer: 'transformer-onan' })
          const now: Told = [5000, `dtr.transformer.${which}`, { Timestamp: at, Value: value, Valid: true }]
          expect(judge(check, [...told, now]), which).toEqual({ word: 'pass', why: '' })
          const off: Told = [
            5000,
            `dtr.transformer.${which}`,
            { Timestamp: at, Value: value * 1.05 + 5, Valid: true },
          ]
          const again = thermalNow(all, { verifies, which, within, transformer: 'transformer-onan' })
          expect(judge(again, [...told, off]).word, which).toBe('fail')
        }
      }),
      { numRuns: 10, endOnFailure: true },
    )
  })

  describe('says when it does not know', () => {
    const now = (): Check =>
      thermalNow(all, { verifies, which: 'rating', within: 0.02, transformer: 'transformer-onan' })
    const rating = (at: number, value: number | null): Told => [
      at,
      'dtr.transformer.rating',
      { Timestamp: start + at / 1000, Value: value, Valid: value !== null },
    ]
    const good = readings(1000, 60, 10, 300)
    const p = presentOf(config, measured({ oil: 60, air: 10, amps: 300 }, start + 10))
    const right = p.ok ? p.rating : 0

    test('and not before', () => {
      expect(judge(now(), [...good, rating(10_000, right)]).word).toBe('pass')
      expect(judge(now(), [...good, rating(10_000, right), rating(20_000, null)]).why).toMatch(
        /not valid, and all/,
      )
    })
    test.each<[string, readonly Told[]]>([
      ['oil', readings(20_000, null, 10, 300)],
      ['air', readings(20_000, 60, null, 300)],
      ['load', readings(20_000, 60, 10, null)],
    ])('without %s', (_, broken) => {
      const history = [...good, rating(10_000, right), ...broken]
      // with what it had a moment ago it may go on for a while
      expect(judge(now(), [...history, rating(30_000, right)]).word).toBe('pass')
      expect(judge(now(), [...history, rating(30_000, null)]).word).toBe('pass')
      expect(judge(now(), [...history, rating(400_000, null)], 400_000).word).toBe('pass')
      expect(judge(now(), [...history, rating(400_000, right)], 400_000).why).toMatch(/without readings/)
    })
  })

  test('answers each forecast once', () => {
    const once = (): Check => onceForEach(seen('f'), [seen('x'), seen('y')], { verifies, within: 10 })
    const f: Told = [1000, 'f', series()]
    const x: Told = [2000, 'x', series()]
    const y: Told = [2000, 'y', series()]
    expect(judge(once(), [f, x, y]).word).toBe('pass')
    expect(judge(once(), [f, x]).why).toMatch(/0 of y/)
    expect(judge(once(), [f, x, y, y]).why).toMatch(/2 of y/)
    expect(judge(once(), [f, x, [2000, 'y', series({ StartPoint: start + 1800 })]]).why).toMatch(/starts at/)
    expect(judge(once(), [f, x, [12_000, 'y', series()]]).why).toMatch(/11 s after/)
    expect(judge(once(), [x, y]).word).toBe('inconclusive')
  })
})
