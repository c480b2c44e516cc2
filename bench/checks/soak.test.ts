/** Checks over faults and over a soak, against histories written by hand. */
import { describe, expect, it } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Check, Result } from '../faces.ts'
import { type Draft, begin, draft, marketplace, scalar, verdicts } from './history.fixture.ts'
import { flowsWhateverHappens, noGrowth } from './index.ts'

const verifies = ['M:0022']
const minute = 60_000
const alias = 'gridkey.busbar.l1n.voltage'
const quantity = 'busbar.l1n.voltage [V]'

function only(check: Check, events: readonly Draft[], end: number): Result {
  const r = verdicts(events, [check], end)[check.id]
  if (r === undefined) throw new Error('no result')
  return r
}

const at = (minutes: number): number => begin + minutes * minute
const stampOf = (time: number): number => Math.floor(time / 1000)
const message = (time: number, value: Json = 230, valid: Json = true): Draft =>
  scalar(time, alias, stampOf(time), value, valid)
const said = (time: number, answered: number | null, truth = answered ?? 0): Draft =>
  draft(time, 'gridkey', 'said', { answers: { [quantity]: [answered, truth] } })
const fault = (time: number, phase: 'on' | 'lifted', id = '1', name = 'no-reply', src = 'gridkey'): Draft =>
  draft(time, src, 'fault', { phase, id, name, params: {} })
/** One answer and one message a minute, from minute 1 on. */
const minutes = (n: number, skip: readonly number[] = [], value = (i: number): number => 230 + i): Draft[] =>
  Array.from({ length: n }, (_, i) => i + 1)
    .filter((i) => !skip.includes(i))
    .flatMap((i) => [said(at(i) - 20, value(i)), message(at(i), value(i))])

describe('flowsWhateverHappens', () => {
  const flow = (): Check =>
    flowsWhateverHappens(marketplace, 'gridkey', { verifies, period: '60 s', recover: '3 min' })
  const course = [fault(at(5.5), 'on'), fault(at(10.5), 'lifted')]
  /** Silent from 5.5 to 10.5; what is shown meanwhile is given. */
  const during = (show: (i: number) => Draft[]): Draft[] => [
    ...course,
    ...minutes(20).filter((e) => e.at < at(5.5) || e.at > at(10.5)),
    ...[6, 7, 8, 9, 10].flatMap(show),
  ]

  it('passes messages that go on as invalid and come back', () => {
    const r = only(
      flow(),
      during((i) => [message(at(i), 0, false)]),
      at(20.5),
    )
    expect(r).toMatchObject({
      verdict: 'pass',
      observed: { 'messages during faults [1]': 5, 'of them invalid [1]': 5 },
    })
  })

  it('fails silence, old stamps and old values', () => {
    expect(
      only(
        flow(),
        during((i) => (i === 8 ? [] : [message(at(i), 0, false)])),
        at(20.5),
      ),
    ).toMatchObject({
      observed: { silent: 1 },
    })
    const old = scalar(at(8), alias, stampOf(at(7)), 0, false)
    expect(
      only(
        flow(),
        during((i) => (i === 8 ? [old] : [message(at(i), 0, false)])),
        at(20.5),
      ),
    ).toMatchObject({
      observed: { 'old stamp': 1 },
    })
    expect(
      only(
        flow(),
        during((i) => [message(at(i), 235)]),
        at(20.5),
      ),
    ).toMatchObject({
      verdict: 'fail',
      observed: { 'wrongly valid': 5 },
    })
  })

  it('fails a platform that does not come back in time, or not at all', () => {
    const after = (from: number): Draft[] =>
      during((i) => [message(at(i), 0, false)]).map((e) =>
        e.kind === 'seen' && e.at > at(10.5) && e.at < at(from) ? message(e.at, 0, false) : e,
      )
    expect(only(flow(), after(11.5), at(20.5)).verdict).toBe('pass')
    expect(only(flow(), after(15.5), at(20.5)).observed).toMatchObject({ 'slow to recover': 1 })
    expect(only(flow(), after(30), at(20.5)).observed).toMatchObject({ 'not recovered': 1 })
  })

  it('proves nothing without a fault, with one too short, or with one still in force', () => {
    expect(only(flow(), minutes(20), at(20.5))).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
    const brief = [...minutes(20), fault(at(5.2), 'on'), fault(at(5.3), 'lifted')]
    expect(only(flow(), brief, at(20.5))).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
    const still = [...minutes(20), fault(at(5.5), 'on')]
    expect(only(flow(), still, at(20.5))).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
  })
})

describe('noGrowth', () => {
  const figures = { src: 'figures', kind: 'seen', select: '*' } as const
  const course = (f: (i: number) => Json, n = 1440): Draft[] =>
    Array.from({ length: n }, (_, i) => draft(at(i), 'figures', 'seen', { alias: 'rss [B]', payload: f(i) }))
  const growth = (events: readonly Draft[], o: object = {}): Result =>
    only(noGrowth(figures, { verifies, growth: '5 %', ...o }), events, at(1441))
  const saw = (i: number): number => 50e6 + (i % 37) * 1e6 + ((i * 7919) % 101) * 1e4

  it('passes a level that goes up and down', () => {
    expect(growth(course(saw)).verdict).toBe('pass')
    expect(growth(course(() => 0)).verdict).toBe('pass')
    expect(growth(course((i) => (i === 1000 ? 5e9 : saw(i)))).verdict).toBe('pass')
  })

  it('fails what grows slowly under the same noise', () => {
    const r = growth(course((i) => saw(i) + i * 5000))
    expect(r).toMatchObject({ verdict: 'fail', blame: 'product', observed: { growing: 1 } })
    expect(r.why).toContain('rss [B] grew by')
  })

  it('fails a queue that fills, and lets one breathe within its slack', () => {
    expect(growth(course((i) => Math.floor(i / 100))).verdict).toBe('fail')
    expect(
      growth(
        course((i) => i % 3),
        { slack: 2 },
      ).verdict,
    ).toBe('pass')
  })

  it('tells which of the named figures nobody showed', () => {
    const report = course(() => ({ 'handles [1]': 7 }))
    const r = growth(report, { figures: ['handles [1]', 'memory [B]'] })
    expect(r).toMatchObject({ verdict: 'pass', observed: { 'not to be seen here': ['memory [B]'] } })
    expect(growth(report, { figures: ['handles [1]'] }).observed).not.toHaveProperty('not to be seen here')
  })

  it('takes the figures that are named out of a health report, for each proc', () => {
    const report = (key: string): Draft[] =>
      course(() => 0).map((e, i) => ({
        ...e,
        data: {
          alias: 'health',
          proc: `p${i % 2}`,
          payload: { event: 'health', queued: i % 3, sweeps: i, [key]: i },
        },
      }))
    const figures = ['queued', 'open']
    expect(growth(report('open'))).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
    expect(growth(report('other'), { figures, slack: 2 })).toMatchObject({
      verdict: 'pass',
      observed: { 'figures [1]': 2 },
    })
    const grown = growth(report('open'), { figures, slack: 2 })
    expect(grown).toMatchObject({ verdict: 'fail', observed: { growing: 2 } })
    expect(grown.why).toContain('p0: open grew by')
  })

  it('leaves out the warm-up', () => {
    const warm = course((i) => (i < 60 ? i * 1e6 : 60e6 + (i % 7)))
    expect(growth(warm, { warmUp: '1 h' }).verdict).toBe('pass')
  })

  it('does not tell a trend from a handful of values', () => {
    expect(growth(course(saw, 10))).toMatchObject({ verdict: 'inconclusive', blame: 'rig' })
    expect(growth(course(saw), { warmUp: '2 d' })).toMatchObject({ verdict: 'inconclusive', blame: 'rig' })
  })

  it('keeps its memory bounded', () => {
    expect(growth(course((i) => saw(i), 20_000)).verdict).toBe('pass')
  })
})
