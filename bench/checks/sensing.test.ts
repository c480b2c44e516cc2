/** Checks of sensing against histories written by hand: clocks that are set, faults, samples, rates. */
import { describe, expect, it } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Check, Result } from '../faces.ts'
import { type Draft, begin, draft, marketplace, scalar, verdicts } from './history.fixture.ts'
import { followsSetting, intervalSet, invalidDuring, sampledTogether, stampedByHostClock } from './index.ts'

const verifies = ['M:0022']
const alias = 'gridkey.busbar.l1n.voltage'
const other = 'gridkey.feeder1.l1.current'
const at = (seconds: number): number => begin + seconds * 1000

function only(check: Check, events: readonly Draft[], end: number): Result {
  const r = verdicts(events, [check], end)[check.id]
  if (r === undefined) throw new Error('no result')
  return r
}
const message = (time: number, stamp: number, valid: Json = true, name = alias): Draft =>
  scalar(time, name, Math.floor(stamp / 1000), 230, valid)
const every = (seconds: number, n: number, make: (t: number) => Draft): Draft[] =>
  Array.from({ length: n }, (_, i) => make(at((i + 1) * seconds)))

describe('stampedByHostClock', () => {
  const clock = (time: number, offsetMs: number, ppm = 0): Draft =>
    draft(time, 'clock', 'note', { what: 'the clock', offsetMs, uncertaintyMs: 1, ppm })
  const check = (): Check => stampedByHostClock(marketplace, { verifies, within: '2 s', steps: 2 })
  /** The clock an hour back from 100 s to 200 s; stamps by `offset`. */
  const history = (offset: (t: number) => number): Draft[] => [
    clock(at(100) + 1, -3_600_000),
    clock(at(200) + 1, 0),
    ...every(10, 30, (t) => message(t, t + offset(t))),
  ]
  const host = (t: number): number => (t > at(100) + 1 && t <= at(200) + 1 ? -3_600_000 : 0)

  it('passes stamps that follow the clock, also back', () => {
    const r = only(check(), history(host), at(305))
    expect(r).toMatchObject({ verdict: 'pass', observed: { 'steps of the clock [1]': 2 } })
  })
  it('fails stamps that do not follow it, and tells which way', () => {
    expect(
      only(
        check(),
        history(() => 0),
        at(305),
      ),
    ).toMatchObject({
      verdict: 'fail',
      observed: { 'ahead of the clock': 10 },
    })
    expect(
      only(
        check(),
        history((t) => host(t) - 3000),
        at(305),
      ),
    ).toMatchObject({ verdict: 'fail', observed: { 'behind the clock': 30 } })
  })
  it('lets a message just after a step carry the time before it, and no later one', () => {
    const late = (ms: number): Draft[] => [
      clock(at(100), -3_600_000),
      clock(at(200), 0),
      message(at(50), at(50)),
      message(at(100) + ms, at(100)),
      message(at(250), at(250)),
    ]
    expect(only(check(), late(1500), at(260)).verdict).toBe('pass')
    expect(only(check(), late(2500), at(260)).verdict).toBe('fail')
  })
  it('follows a clock that runs wrong', () => {
    const drifting = [
      clock(at(0) + 1, 5000),
      clock(at(0) + 2, 5000, 10_000),
      ...every(100, 10, (t) => message(t, t + 5000 + (t - at(0)) * 0.01)),
      clock(at(1001), 0),
      message(at(1010), at(1010)),
    ]
    expect(only(check(), drifting, at(1020)).verdict).toBe('pass')
  })
  it('shows nothing while the clock was not set', () => {
    expect(
      only(
        check(),
        every(10, 30, (t) => message(t, t)),
        at(305),
      ),
    ).toMatchObject({
      verdict: 'inconclusive',
      blame: 'bench',
    })
  })
  it('fails a stamp that is no whole number of seconds', () => {
    const r = only(check(), [scalar(at(10), alias, 1.5, 230)], at(20))
    expect(r).toMatchObject({ verdict: 'fail', observed: { 'no stamp': 1 } })
  })
})

describe('invalidDuring', () => {
  const fault = (time: number, phase: 'on' | 'lifted', name = 'freeze', id = '1'): Draft =>
    draft(time, 'gridkey', 'fault', { phase, id, name, params: {} })
  const check = (more: object = {}): Check =>
    invalidDuring(marketplace, { verifies, role: 'gridkey', faults: ['freeze'], settle: '15 s', ...more })
  const history = (valid: (t: number) => boolean): Draft[] => [
    fault(at(32), 'on'),
    fault(at(72), 'lifted'),
    ...every(10, 10, (t) => message(t, t, valid(t))),
  ]

  it('passes what is invalid from the settling time on until the fault is lifted', () => {
    const r = only(
      check(),
      history((t) => t < at(50) || t > at(72)),
      at(105),
    )
    expect(r).toMatchObject({ verdict: 'pass', observed: { 'messages during': { freeze: 3 } } })
  })
  it('fails what is still shown as valid', () => {
    const r = only(
      check(),
      history((t) => t < at(50) || t >= at(70)),
      at(105),
    )
    expect(r).toMatchObject({ verdict: 'fail', observed: { 'not invalid': 1 } })
    expect(r.why).toContain("not shown as invalid during 'freeze'")
  })
  it('does not judge other faults, other devices and the time afterwards', () => {
    const r = only(
      check(),
      [fault(at(2), 'on', 'slow', '2'), ...history((t) => t < at(45) || t > at(72))],
      at(105),
    )
    expect(r.verdict).toBe('pass')
  })
  it('shows nothing where the fault did not come, and tells so beforehand where the run is too short', () => {
    const quiet = every(10, 5, (t) => message(t, t))
    expect(only(check(), quiet, at(55))).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
    expect(only(check({ least: '10 min' }), quiet, at(55))).toMatchObject({
      verdict: 'inconclusive',
      blame: 'rig',
    })
  })
})

describe('sampledTogether', () => {
  const said = (time: number, quantity: string): Draft =>
    draft(time, 'gridkey', 'said', { answers: { [quantity]: [1, 1] } })
  const check = (): Check => sampledTogether(marketplace, { verifies, role: 'gridkey', spread: '500 ms' })
  const outputs = (apart: number, stamps: number): Draft[] =>
    [1, 2, 3].flatMap((n) => {
      const t = at(10 * n)
      return [
        said(t - 900, 'busbar.l1n.voltage [V]'),
        said(t - 900 + apart, 'feeder1.l1.current [A]'),
        message(t, t),
        message(t + 5, t + stamps, true, other),
      ]
    })

  it('passes what was read together and stamped alike', () => {
    expect(only(check(), outputs(40, 0), at(35))).toMatchObject({
      verdict: 'pass',
      observed: { 'outputs [1]': 3, 'widest spread of reading [s]': 0.04 },
    })
  })
  it('fails values that were read apart, once for each output', () => {
    expect(only(check(), outputs(600, 0), at(35))).toMatchObject({
      verdict: 'fail',
      observed: { 'read apart': 3 },
    })
  })
  it('fails stamps that differ', () => {
    expect(only(check(), outputs(40, 1000), at(35))).toMatchObject({
      verdict: 'fail',
      observed: { 'stamps differ': 3 },
    })
  })
  it('is marginal close to its limit, and shows nothing with one output', () => {
    expect(only(check(), outputs(450, 0), at(35)).verdict).toBe('marginal')
    expect(only(check(), outputs(40, 0).slice(0, 4), at(15)).verdict).toBe('inconclusive')
  })
})

describe('followsSetting', () => {
  const set = (time: number, seconds: number): Draft =>
    draft(time, 'bench', 'note', { what: intervalSet, data: { seconds } })
  const check = (): Check =>
    followsSetting(marketplace, { verifies, settings: [10, 20], readings: 3, channels: [alias] })
  const from = (start: number, seconds: number, n: number): Draft[] =>
    Array.from({ length: n }, (_, i) => message(at(start + (i + 1) * seconds), at(start + (i + 1) * seconds)))
  const history = (second: number): Draft[] => [
    set(at(1), 10),
    ...from(1, 10, 3),
    set(at(33), 20),
    ...from(33, second, Math.floor(62 / second)),
  ]

  it('passes where each setting is followed', () => {
    expect(only(check(), history(20), at(96))).toMatchObject({
      verdict: 'pass',
      observed: { 'settings tried [1]': 2 },
    })
  })
  it('fails where one is not, whichever way, and may be asked twice', () => {
    expect(only(check(), history(10), at(96)).verdict).toBe('fail')
    const r = only(check(), history(30), at(96))
    expect(r).toMatchObject({ verdict: 'fail', observed: { late: 2, 'too few': 1 } })
  })
  it('fails a channel that is silent under a setting', () => {
    const silent = [set(at(1), 10), ...from(1, 10, 3), set(at(33), 20)]
    expect(only(check(), silent, at(96))).toMatchObject({ verdict: 'fail', observed: { 'too few': 1 } })
  })
  it('shows nothing for what was not tried', () => {
    expect(only(check(), [set(at(1), 10), ...from(1, 10, 3)], at(33)).verdict).toBe('inconclusive')
  })
})
