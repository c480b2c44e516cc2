/** Each check against histories written by hand. */
import { describe, expect, it } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Check, Result } from '../faces.ts'
import { type Draft, begin, draft, healthy, marketplace, scalar, verdicts } from './history.fixture.ts'
import {
  arrivesEvery,
  equalsTruth,
  flowsWhateverHappens,
  scalarFormat,
  stampedByPlatformClock,
  stampedOnSending,
} from './index.ts'

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

describe('arrivesEvery', () => {
  const spacing = (more: object = {}): Check => arrivesEvery('60 s', marketplace, { verifies, ...more })

  it('names a message that is lost, where, and how long the gap was', () => {
    const r = only(spacing(), minutes(30, [12]), at(30.5))
    expect(r).toMatchObject({
      verdict: 'fail',
      blame: 'product',
      observed: { lost: 1, 'longest gap [s]': 120 },
    })
    expect(r.why).toContain('gridkey.busbar.l1n.voltage: 2 min between two messages, 13 min into the watch')
    expect(r.because).toHaveLength(2)
  })

  it('fails a message that strays to another topic, and no lasting change of name', () => {
    const on = (n: number, name: (i: number) => string): Draft[] =>
      minutes(n).map((d) =>
        d.kind === 'seen'
          ? { ...d, data: { ...(d.data as object), topic: name(Math.round((d.at - begin) / minute)) } }
          : d,
      )
    const strayed = only(
      spacing(),
      on(30, (i) => (i === 9 ? 'a/x' : 'a')),
      at(30.5),
    )
    expect(strayed).toMatchObject({ verdict: 'fail', observed: { strayed: 1 } })
    expect(
      only(
        spacing(),
        on(30, (i) => (i < 9 ? 'a' : 'b')),
        at(30.5),
      ).verdict,
    ).toBe('pass')
  })

  it('fails a channel that stopped before the end', () => {
    expect(only(spacing(), minutes(28), at(30))).toMatchObject({ verdict: 'fail', observed: { silent: 1 } })
  })

  it('fails a channel that is expected and never seen', () => {
    const r = only(spacing({ channels: [alias, 'gridkey.feeder1.l1.current'] }), minutes(30), at(30.5))
    expect(r).toMatchObject({ verdict: 'fail', observed: { missing: 1, 'channels missing [1]': 1 } })
    expect(r.why).toContain('gridkey.feeder1.l1.current')
  })

  it('fails when nothing at all arrives, once it is due', () => {
    const start = [draft(begin, 'bench', 'step', { what: 'x' })]
    expect(only(spacing(), start, at(1))).toMatchObject({ verdict: 'inconclusive' })
    expect(only(spacing(), start, at(2))).toMatchObject({ verdict: 'fail', blame: 'product' })
  })

  it('fails a first message that comes too late', () => {
    const late = minutes(30, [1, 2])
    expect(only(spacing(), late, at(30.5))).toMatchObject({ verdict: 'fail', observed: { late: 1 } })
    expect(only(spacing({ start: '4 min' }), late, at(30.5))).toMatchObject({ verdict: 'pass' })
  })

  it('fails a period that is off by more than the drift, even if each gap is within its tolerance', () => {
    const drifting = (ppm: number): Draft[] =>
      Array.from({ length: 200 }, (_, i) => message(at(1) + Math.round(i * minute * (1 + ppm / 1e6))))
    const judge = (ppm: number): Result =>
      only(spacing(), drifting(ppm), at(1) + 199 * minute * (1 + ppm / 1e6) + 5000)
    expect(judge(0)).toMatchObject({ verdict: 'pass' })
    expect(judge(-700)).toMatchObject({ verdict: 'pass' })
    expect(judge(900)).toMatchObject({ verdict: 'marginal' })
    expect(judge(1100)).toMatchObject({ verdict: 'fail', observed: { drifting: 1 } })
    expect(judge(-1100)).toMatchObject({ verdict: 'fail' })
  })

  it('does not judge drift from too few messages', () => {
    const jittery = [message(at(1)), message(at(2) + 900), message(at(3)), message(at(4) + 900)]
    expect(only(spacing(), jittery, at(4.5))).toMatchObject({ verdict: 'inconclusive', blame: 'rig' })
  })

  it('is marginal where more than 80 % of the tolerance is used', () => {
    const events = minutes(120).map((e) => (e.at === at(30) ? { ...e, at: e.at + 5000 } : e))
    expect(only(spacing(), events, at(120.5))).toMatchObject({ verdict: 'marginal' })
  })

  it('tells a stamp that stands still, goes back, or jumps', () => {
    const with30 = (stamp: number): Result =>
      only(
        spacing(),
        minutes(60).map((e) => (e.kind === 'seen' && e.at === at(30) ? scalar(e.at, alias, stamp, 260) : e)),
        at(60.5),
      )
    expect(with30(stampOf(at(29))).observed).toMatchObject({ duplicated: 1 })
    expect(with30(stampOf(at(28))).observed).toMatchObject({ 'out of order': 1 })
    expect(with30(stampOf(at(30)) + 20).observed).toMatchObject({ 'stamps apart': 2 })
  })

  it('takes the stamp from the message, whatever the observer made of it', () => {
    const events = minutes(30).map((e) => (e.kind === 'seen' ? { ...e, stamp: 0 } : e))
    expect(only(spacing(), events, at(30.5)).verdict).toBe('pass')
  })
})

describe('equalsTruth', () => {
  const values = (more: object = {}): Check => equalsTruth(marketplace, 'gridkey', { verifies, ...more })
  const exchanged = (n: number, events: readonly Draft[]): Draft[] => [
    ...minutes(20).filter((e) => e.at <= at(n) - minute || e.at >= at(n) + minute / 2),
    ...events,
  ]

  it('fails a valid value for which the device answered nothing, as stale', () => {
    const r = only(values(), exchanged(10, [message(at(10), 239)]), at(20.5))
    expect(r).toMatchObject({ verdict: 'fail', blame: 'product', observed: { stale: 1 } })
  })

  it('fails the old value shown again while the device is read', () => {
    const r = only(values(), exchanged(10, [said(at(10) - 20, 240), message(at(10), 239)]), at(20.5))
    expect(r).toMatchObject({ verdict: 'fail', observed: { 'wrong value': 1 } })
    expect(r.why).toContain('239 shown where the device answered 240')
    expect(r.because).toHaveLength(2)
  })

  it('passes invalid while the device is silent, and fails valid while it says that it has no value', () => {
    expect(only(values(), exchanged(10, [message(at(10), 0, false)]), at(20.5)).verdict).toBe('pass')
    const none = [said(at(10) - 20, null), message(at(10), 239)]
    expect(only(values(), exchanged(10, none), at(20.5))).toMatchObject({ observed: { 'wrongly valid': 1 } })
    const told = [said(at(10) - 20, null), message(at(10), 0, false)]
    expect(only(values(), exchanged(10, told), at(20.5)).verdict).toBe('pass')
  })

  it('fails invalid while the device answers healthily, unless a fault is in force or it is listed as legal', () => {
    const invalid = [said(at(10) - 20, 240), message(at(10), 240, false)]
    expect(only(values(), exchanged(10, invalid), at(20.5))).toMatchObject({
      observed: { 'wrongly invalid': 1 },
    })
    expect(
      only(values({ mayBeInvalid: ['gridkey.busbar.*'] }), exchanged(10, invalid), at(20.5)).verdict,
    ).toBe('pass')
    const on = fault(at(9.2), 'on', '1', 'noise', 'gridkey/tcp')
    const lifted = fault(at(9.5), 'lifted', '1', 'noise', 'gridkey/tcp')
    expect(only(values(), exchanged(10, [...invalid, on, lifted]), at(20.5)).verdict).toBe('pass')
  })

  it('excuses a wrong value by no fault', () => {
    const wrong = [said(at(10) - 20, 240), message(at(10), 9), fault(at(9.2), 'on'), fault(at(9.5), 'lifted')]
    expect(only(values(), exchanged(10, wrong), at(20.5)).verdict).toBe('fail')
  })

  it('fails a plausible value during a fault that must show as invalid', () => {
    const frozen = [
      fault(at(8.5), 'on', '1', 'freeze'),
      fault(at(12.5), 'lifted', '1', 'freeze'),
      ...minutes(20),
    ]
    expect(only(values({ invalidWhile: ['freeze'] }), frozen, at(20.5))).toMatchObject({
      verdict: 'fail',
      observed: { 'wrongly valid': 3 },
    })
  })

  it('fails what is no number, and a message without one of its keys', () => {
    for (const wrong of ['230', null, true, [230]])
      expect(
        only(values(), exchanged(10, [said(at(10) - 20, 240), message(at(10), wrong)]), at(20.5)),
      ).toMatchObject({
        observed: { malformed: 1 },
      })
    const keyless = draft(at(10), 'marketplace', 'seen', { alias, payload: { Timestamp: 1, Value: 240 } })
    expect(only(values(), exchanged(10, [said(at(10) - 20, 240), keyless]), at(20.5)).verdict).toBe('fail')
    const text = draft(at(10), 'marketplace', 'seen', { alias, payload: { notJson: 'x' } })
    expect(only(values(), exchanged(10, [said(at(10) - 20, 240), text]), at(20.5)).verdict).toBe('fail')
  })

  it('does not blame a platform for a first value that it read before the watch', () => {
    const started = [message(begin + 20_000, 229), ...minutes(20).map((e) => ({ ...e, at: e.at + 20_000 }))]
    const r = only(values(), started, at(21))
    expect(r).toMatchObject({ verdict: 'pass', observed: { 'values not judged [1]': 1 } })
  })

  it('blames the bench when its device answers beyond its stated accuracy', () => {
    const device = { role: 'gridkey', accuracy: (_q: string, v: number) => 0.01 * Math.abs(v) }
    const off = [said(at(10) - 20, 240, 236), message(at(10), 240)]
    const check = (d: typeof device | string): Check => equalsTruth(marketplace, d, { verifies })
    expect(only(check(device), exchanged(10, off), at(20.5))).toMatchObject({
      verdict: 'inconclusive',
      blame: 'bench',
    })
    expect(only(check('gridkey'), exchanged(10, off), at(20.5)).verdict).toBe('pass')
    const faulted = [
      ...off,
      fault(at(9.5), 'on', '1', 'reversed-ct'),
      fault(at(10.2), 'lifted', '1', 'reversed-ct'),
    ]
    expect(only(check(device), exchanged(10, faulted), at(20.5)).verdict).toBe('pass')
  })

  it('lets a platform round to the resolution that the device states, and no further', () => {
    const device = { role: 'gridkey', resolution: (q: string) => (q.endsWith('[V]') ? 0.1 : 0) }
    const shown = (value: number): string =>
      only(
        equalsTruth(marketplace, device, { verifies }),
        exchanged(10, [said(at(10) - 20, 240), message(at(10), value)]),
        at(20.5),
      ).verdict
    expect([239.9, 240, 240.1].map(shown)).toEqual(['pass', 'pass', 'pass'])
    expect([239.89, 240.11].map(shown)).toEqual(['fail', 'fail'])
  })

  it('sees every expected channel, or fails', () => {
    expect(
      only(values({ channels: [alias, 'gridkey.busbar.frequency'] }), minutes(20), at(20.5)),
    ).toMatchObject({
      verdict: 'fail',
      observed: { missing: 1 },
    })
  })

  it('never passes without a value', () => {
    expect(
      only(
        values(),
        minutes(20).filter((e) => e.kind === 'said'),
        at(20.5),
      ),
    ).toMatchObject({
      verdict: 'inconclusive',
      blame: 'bench',
    })
  })
})

describe('stampedByPlatformClock', () => {
  const stamps = (): Check => stampedByPlatformClock(marketplace, { verifies, within: '2 s' })
  const with10 = (stamp: Json, more: readonly Draft[] = []): Result =>
    only(
      stamps(),
      [
        ...minutes(20).map((e) =>
          e.kind === 'seen' && e.at === at(10) ? scalar(e.at, alias, stamp, 240) : e,
        ),
        ...more,
      ],
      at(20.5),
    )

  it('fails a stamp that is too early, too late, not later, missing, or no whole number', () => {
    const s = stampOf(at(10))
    expect(with10(s).verdict).toBe('pass')
    expect(with10(s - 1).verdict).toBe('pass')
    expect(with10(s - 3).observed).toMatchObject({ 'too early': 1 })
    expect(with10(s + 3).observed).toMatchObject({ 'too late': 1 })
    expect(with10(stampOf(at(9))).observed).toMatchObject({ 'not later': 1 })
    expect(with10(s + 0.5).observed).toMatchObject({ 'no stamp': 1 })
    expect(with10(null).observed).toMatchObject({ 'no stamp': 1 })
    expect(with10(String(s)).observed).toMatchObject({ 'no stamp': 1 })
  })

  it('is inconclusive in no way about milliseconds taken for seconds', () => {
    expect(with10(at(10)).observed).toMatchObject({ 'too late': 1 })
  })

  it('widens by the clock offset that was measured, and is inconclusive where that is not known well enough', () => {
    const note = (offsetMs: number, uncertaintyMs: number): Draft =>
      draft(begin + 10, 'clock', 'note', { offsetMs, uncertaintyMs })
    const s = stampOf(at(10))
    expect(with10(s + 4, [note(3000, 100)]).verdict).not.toBe('fail')
    expect(with10(s - 4, [note(3000, 100)]).verdict).toBe('fail')
    expect(with10(s - 4, [note(-3000, 100)]).verdict).not.toBe('fail')
    expect(with10(s, [note(0, 5000)])).toMatchObject({ verdict: 'inconclusive', blame: 'rig' })
  })

  it('asks for a new stamp while the device is silent', () => {
    const silent = minutes(20).filter((e) => e.kind === 'seen' || e.at < at(9.5) || e.at > at(12.5))
    expect(only(stamps(), silent, at(20.5)).verdict).toBe('pass')
    const old = silent.map((e) =>
      e.kind === 'seen' && e.at === at(11) ? scalar(e.at, alias, stampOf(at(9.5)), 0, false) : e,
    )
    expect(only(stamps(), old, at(20.5)).verdict).toBe('fail')
  })
})

describe('stampedOnSending', () => {
  const sent = (payload: Json, more: readonly Draft[] = []): Result =>
    only(
      stampedOnSending(marketplace, { verifies, within: '2 s' }),
      [...more, draft(at(1), 'marketplace', 'seen', { alias, payload })],
      at(2),
    )
  const note = (offsetMs: number, uncertaintyMs = 100): readonly Draft[] => [
    draft(at(0.5), 'clock', 'note', { offsetMs, uncertaintyMs }),
  ]
  const s = stampOf(at(1))

  it('passes a whole second near to the arrival, and fails every other', () => {
    expect(sent({ Timestamp: s }).verdict).toBe('pass')
    for (const Timestamp of [s - 4, s + 4, s + 0.5, String(s), null, s * 1000])
      expect(sent({ Timestamp }).verdict, String(Timestamp)).toBe('fail')
    expect(sent({ Status: 'gone' })).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
  })

  it("goes by the platform's clock as far as it is known", () => {
    expect(sent({ Timestamp: s + 4 }, note(3000)).verdict).toBe('pass')
    expect(sent({ Timestamp: s - 4 }, note(3000)).verdict).toBe('fail')
    expect(sent({ Timestamp: s - 4 }, note(-3000)).verdict).toBe('pass')
    expect(sent({ Timestamp: s }, note(0, 5000))).toMatchObject({ verdict: 'inconclusive', blame: 'rig' })
  })
})

describe('scalarFormat', () => {
  const format = (payload: Json, o: object = {}, more: object = {}): Result =>
    only(
      scalarFormat(marketplace, { verifies, ...o }),
      [draft(at(1), 'marketplace', 'seen', { alias, payload, ...more })],
      at(2),
    )
  const good = { Timestamp: 1_700_000_000, Value: 1.5, Valid: true }

  it('passes the object of the API, with and without its optional keys', () => {
    for (const more of [
      {},
      { ToStore: true, Priority: 3, Signature: {} },
      { Value: true },
      { Value: -3 },
      { Extra: 1 },
    ])
      expect(format({ ...good, ...more }).verdict).toBe('pass')
    expect(format({ ...good, Valid: false, Value: null }).verdict).toBe('pass')
  })

  it('fails what the API does not allow', () => {
    for (const more of [
      { Timestamp: 1.5 },
      { Timestamp: '1700000000' },
      { Timestamp: -1 },
      { Value: '1' },
      { Value: null },
      { Value: [1] },
      { Valid: 1 },
      { Valid: 'true' },
      { ToStore: 'yes' },
      { Priority: 1.5 },
      { Signature: 'x' },
    ])
      expect(format({ ...good, ...more }), JSON.stringify(more)).toMatchObject({
        verdict: 'fail',
        because: [2],
      })
    for (const p of [{ notJson: 'x' }, null, 3, [], { Timestamp: 1, Valid: true }])
      expect(format(p).verdict).toBe('fail')
  })

  it('judges type, QoS and retention where asked', () => {
    expect(format({ ...good, Value: true }, { value: 'number' }).verdict).toBe('fail')
    expect(format(good, { value: 'integer' }).verdict).toBe('fail')
    expect(format(good, { qos: 1 }, { qos: 0 }).verdict).toBe('fail')
    expect(format(good, { retain: false }, { retain: true }).verdict).toBe('fail')
    expect(format(good, { qos: 1, retain: false }, { qos: 1, retain: false }).verdict).toBe('pass')
  })
})

describe('every check', () => {
  it('may be asked early and twice without changing what it says later', () => {
    const h = healthy({ samples: 20 })
    const make = (): Check[] => [
      arrivesEvery('60 s', marketplace, { verifies }),
      equalsTruth(marketplace, 'gridkey', { verifies }),
      stampedByPlatformClock(marketplace, { verifies, within: '2 s' }),
      scalarFormat(marketplace, { verifies }),
      flowsWhateverHappens(marketplace, 'gridkey', { verifies, period: '60 s', recover: '2 min' }),
    ]
    const asked = make()
    const left = make()
    h.drafts
      .toSorted((a, b) => a.at - b.at)
      .forEach((e, i) => {
        for (const c of [...asked, ...left]) c.see({ ...e, seq: i + 1 })
        for (const c of asked) c.result(e.at)
      })
    expect(asked.map((c) => c.result(h.end))).toEqual(left.map((c) => c.result(h.end)))
  })
})
