import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { readConfig } from '../../sim/reference/lvcap/apps/loadsense/config.ts'
import type { Check, Result } from '../faces.ts'
import { commandsEveryPhase, decisionFollowsRules } from './decision.ts'
import { draft, numbered, scalar } from './history.fixture.ts'
import type { Draft } from './history.fixture.ts'
import { meshRules } from './mesh-rules.ts'

/** A day with nothing special about it, on a half-hour; ms. */
const begin = 1_515_974_400_000
const phases = ['l1', 'l2', 'l3'] as const

/** Everything that LoadSense hears, `s` seconds after the begin. */
function world(s: number, more: Readonly<Record<string, Json>> = {}): Draft[] {
  const at = begin + s * 1000
  const t = Math.floor(at / 1000)
  const series = (alias: string, amps: number, step: number): Draft => {
    const value = more[alias] ?? Array.from({ length: 48 }, () => amps)
    return draft(at, 'marketplace', 'seen', {
      alias,
      payload: {
        Timestamp: t,
        StartPoint: begin / 1000,
        Interval: step,
        Value: value,
        Valid: value !== null,
      },
    })
  }
  const one = (alias: string, value: Json): Draft =>
    scalar(at, alias, t, more[alias] ?? value, more[alias] !== null)
  return [
    series('predictor.transformer.forecast', 900, 1800),
    series('predictor.feeder.forecast', 100, 1800),
    series('dtr.transformer.rating.forecast', 800, 3600),
    one('dtr.transformer.hot_spot', 80),
    one('peer.alive', true),
    series('peer.partner.transformer.forecast', 300, 1800),
    series('peer.partner.feeder.forecast', 100, 1800),
    series('peer.partner.rating.forecast', 800, 3600),
    one('peer.partner.hot_spot', 60),
    one('isolation.engaged', false),
    ...phases.flatMap((p) => [
      one(`gridkey.feeder1.${p}.current`, 700),
      one(`peer.partner.current.${p}`, 300),
      one(`peer.partner.breaker.${p}`, 1),
      one(`alvin.${p}.bus_voltage`, 241),
      one(`alvin.${p}.cable_voltage`, 239),
      one(`alvin.${p}.fault_status`, 2),
    ]),
  ]
}
const closed: Readonly<Record<string, Json>> = Object.fromEntries(
  phases.map((p) => [`alvin.${p}.fault_status`, 1]),
)
const calmForecast: Readonly<Record<string, Json>> = {
  'predictor.transformer.forecast': Array.from({ length: 48 }, () => 400),
}

function commands(s: number, close: boolean, which: readonly string[] = phases, apart = 0.5): Draft[] {
  return which.map((p, i) => {
    const at = begin + (s + i * apart) * 1000
    return draft(at, 'marketplace', 'seen', {
      alias: `loadsense.control.${p}`,
      payload: { Timestamp: Math.floor(at / 1000), Value: close, Valid: true, ToStore: true },
    })
  })
}
const after = (s: number, value: boolean, which: readonly string[] = phases): Draft[] =>
  which.map((p) =>
    scalar(begin + s * 1000, `meshing.operation.${p}.after`, Math.floor(begin / 1000 + s), value),
  )
const row = (s: number, what: string): Draft => draft(begin + s * 1000 - 1, 'bench', 'note', { what })

function judged(check: Check, drafts: readonly Draft[], seconds: number): Result {
  const declared = draft(begin - 5, 'bench', 'check', { phase: 'declared', id: check.id })
  for (const e of numbered([declared, ...drafts])) check.see(e)
  return check.result(begin + seconds * 1000)
}
const decision = (drafts: readonly Draft[], seconds: number, more = {}): Result =>
  judged(decisionFollowsRules({ within: '12 s', verifies: ['M:0044'], ...more }), drafts, seconds)
const every = (from: number, to: number, more: Readonly<Record<string, Json>> = {}): Draft[] =>
  Array.from({ length: Math.ceil((to - from) / 10) }, (_, i) => world(from + 10 * i, more)).flat()

describe('decisions by the rules', () => {
  const good = [...world(0), ...commands(1, true), ...after(3, true), ...every(10, 60, closed)]

  test('pass where it meshes once when it is needed', () => {
    expect(decision(good, 60)).toMatchObject({ verdict: 'pass', observed: { 'closings [1]': 1 } })
  })

  test('fail where it does not mesh in time', () => {
    expect(decision(every(0, 60), 60)).toMatchObject({ verdict: 'fail', why: /did not mesh within 12 s/ })
  })

  test('fail where it commands the same twice', () => {
    const twice = [
      ...world(0),
      ...commands(1, true),
      ...commands(4, true),
      ...after(5, true),
      ...every(10, 60, closed),
    ]
    expect(decision(twice, 60).verdict).toBe('fail')
  })

  const against: readonly (readonly [string, Readonly<Record<string, Json>>, RegExp])[] = [
    ['nobody needs it', calmForecast, /nobody needs it/],
    ['the local data is not valid', { 'dtr.transformer.hot_spot': null }, /local data is not known/],
    ['the peer is away', { 'peer.alive': false }, /peer is not known/],
    [
      'the peer has no room',
      { 'peer.partner.transformer.forecast': Array.from({ length: 48 }, () => 630) },
      /no room/,
    ],
    ['a far breaker is open', { 'peer.partner.breaker.l3': 2 }, /far breakers/],
    ['a voltage is out of range', { 'alvin.l1.bus_voltage': 256 }, /out of range/],
    ['the voltages are apart', { 'alvin.l2.cable_voltage': 235 }, /apart/],
    ['a breaker tells of a fault', { 'alvin.l2.fault_status': 2 + 32 }, /fault/],
    ['a breaker is locked out', { 'alvin.l1.fault_status': 2 + 4 }, /locked out/],
    ['a breaker recloses', { 'alvin.l1.fault_status': 2 + 8 }, /reclose/],
    ['a breaker is not ready', { 'alvin.l1.fault_status': 2 + 128 }, /not ready/],
    ['a breaker is in local control', { 'alvin.l3.fault_status': 2 + 256 }, /in hand/],
    ['the isolation switch is engaged', { 'isolation.engaged': true }, /isolation/],
  ]
  test.each(against)('fail where it meshes although %s; holding is right', (_, spoilt, why) => {
    expect(decision([...world(0, spoilt), ...commands(1, true)], 20)).toMatchObject({ verdict: 'fail', why })
    expect(decision([...good, row(100, 'later'), ...every(100, 160, { ...closed })], 160).verdict).toBe(
      'pass',
    )
    expect(decision(every(0, 40, spoilt), 40)).toMatchObject({
      verdict: 'inconclusive',
      observed: { 'closings [1]': 0 },
    })
  })

  test('age is told by the Timestamp: what has not come for 120 s is not known', () => {
    const late = world(150).filter(
      (d) => (d.data as { alias: string }).alias !== 'gridkey.feeder1.l2.current',
    )
    expect(decision([...world(0, calmForecast), ...late, ...commands(151, true)], 160)).toMatchObject({
      verdict: 'fail',
      why: /local data is not known/,
    })
  })

  test('breakers that do not follow: all are opened, and nothing after that', () => {
    const stuck = [
      ...world(0),
      ...commands(1, true),
      ...after(3, true, ['l1', 'l3']),
      ...after(3, false, ['l2']),
    ]
    const open = [...commands(7.2, false), ...after(9, false)]
    const rest = every(10, 60)
    expect(decision([...stuck, ...open, ...rest], 60)).toMatchObject({
      verdict: 'pass',
      observed: { 'openings [1]': 1 },
    })
    expect(
      decision([...stuck, ...every(10, 60, { ...closed, 'alvin.l2.fault_status': 2 })], 60),
    ).toMatchObject({
      verdict: 'fail',
      why: /did not part/,
    })
    const again = [...stuck, ...open, ...rest, ...commands(41, true)]
    expect(decision(again, 60, { rules: { rest: 5 } })).toMatchObject({ verdict: 'fail', why: /locked out/ })
    const letIn = draft(begin + 35_000, 'operator', 'sent', {
      alias: 'operator.request',
      payload: { ContainerConfig: { letIn: 'seen to' } },
    })
    expect(decision([...again, letIn, ...after(43, true)], 45, { rules: { rest: 5 } }).verdict).toBe('pass')
  })

  test('a mesh is parted when both could do alone, at once on a fault, and kept without the peer for 15 min', () => {
    const meshed = (s: number, more: Readonly<Record<string, Json>> = {}): Draft[] =>
      world(s, { ...closed, ...more })
    const part = [
      ...meshed(0, calmForecast),
      ...commands(1, false),
      ...after(3, false),
      ...every(10, 30, calmForecast),
    ]
    expect(decision(part, 30).verdict).toBe('pass')
    const fault = { ...closed, 'alvin.l2.fault_status': 1 + 16 }
    expect(decision(every(0, 30, fault), 30)).toMatchObject({ verdict: 'fail', why: /did not part/ })
    expect(decision([...meshed(0), ...commands(1, false)], 5)).toMatchObject({
      verdict: 'fail',
      why: /parted/,
    })
    const lost = (d: Draft): boolean => !(d.data as { alias: string }).alias.startsWith('peer.')
    const busy = { 'peer.partner.transformer.forecast': Array.from({ length: 48 }, () => 720) }
    const silent = [...meshed(0, busy), ...every(10, 950, { ...closed, ...calmForecast }).filter(lost)]
    expect(decision([...silent, ...commands(500, false)], 505).verdict).toBe('fail')
    expect(decision(silent, 950)).toMatchObject({ verdict: 'fail', why: /did not part/ })
    expect(
      decision(
        [...silent.filter((d) => d.at < begin + 905_000), ...commands(905, false), ...after(907, false)],
        909,
      ).verdict,
    ).toBe('pass')
  })

  test('rows are judged by themselves, and closing and opening as well', () => {
    const unasked = [row(0, 'row peer: away'), ...world(0, { 'peer.alive': false }), ...commands(1, true)]
    expect(decision(unasked, 20, { rows: /^row forecast/ }).verdict).toBe('inconclusive')
    expect(decision(unasked, 20, { rows: /^row peer/ })).toMatchObject({
      verdict: 'fail',
      why: /row peer: away/,
    })
    expect(decision(unasked, 20, { only: 'open' }).verdict).not.toBe('fail')
  })

  test('whatever passes the marketplace is no error of the check', () => {
    for (const value of [null, 'x', [], {}, -1, [null], Number.MAX_VALUE]) {
      const odd = [...good].map((d): Draft => ({
        ...d,
        data: { ...(d.data as object), payload: value } as Json,
      }))
      expect(decision([...odd, ...good], 60).verdict).toBeDefined()
    }
  })
})

describe('three commands', () => {
  const check = (drafts: readonly Draft[]): Result =>
    judged(commandsEveryPhase({ between: '1 s', verifies: ['M:0044'] }), drafts, 60)

  test('pass in any order', () => {
    expect(check([...commands(1, true), ...commands(20, false, ['l3', 'l1', 'l2'])]).verdict).toBe('pass')
  })
  test.each([
    ['one is missing', commands(1, true, ['l1', 'l3']), /only l1, l3 closes/],
    ['they are slow', commands(1, true, phases, 1.2), /passed before/],
    ['one is not to be stored', spoil({ ToStore: false }), /not to be stored/],
    ['one is not valid', spoil({ Valid: false }), /no valid command/],
    ['one is stamped with another time', spoil({ Timestamp: begin / 1000 - 60 }), /is stamped/],
    ['there are none', [], /commanded nothing/],
  ] as const)('fail where %s', (_, drafts, why) => {
    expect(check([...drafts])).toMatchObject({ verdict: 'fail', why })
  })
  function spoil(keys: object): Draft[] {
    return commands(1, true).map((d, i) => {
      const data = d.data as { readonly payload: object }
      return i === 1 ? { ...d, data: { ...data, payload: { ...data.payload, ...keys } } } : d
    })
  }
})

test('the figures of the oracle are those that the app ships with: a change of either is meant', () => {
  const c = readConfig({})
  expect(meshRules).toEqual({
    need: { within: c.need.horizon, halfHours: c.need.halfHours, hotSpot: c.need.hotSpot },
    age: { measured: c.age.data, forecast: c.age.forecast, breakers: c.age.breakers, alive: c.age.alive },
    room: { share: c.room.ofRating, planned: c.room.dwell },
    volts: c.voltage,
    rest: c.operations.rest,
    aDay: c.operations.aDay,
    part: { share: c.part.ofRating, ahead: c.part.ahead, dwell: c.part.dwell },
    peerLost: c.peerLost,
    differ: c.sequence.settle,
    readBack: c.sequence.readBack,
    lag: c.sequence.lag,
  })
})
