/** Checks of updates, against histories written by hand. */
import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Check, Kind, Result } from '../faces.ts'
import { idleManagement } from '../platforms/management.ts'
import { killed } from '../platforms/machine.ts'
import { neverHalfUpdated, updatesTakeEffect } from './updates.ts'

type Told = readonly [second: number, src: string, kind: Kind, data: Json]

function judged(check: Check, events: readonly (readonly Told[])[], end = 60): Result {
  const all: Told[] = [[0, 'bench', 'check', { phase: 'declared', id: check.id }], ...events.flat()]
  all.forEach(([second, src, kind, data], seq) => check.see({ seq, at: second * 1000, src, kind, data }))
  return check.result(end * 1000)
}
const series = idleManagement()
const takesEffect = (looks: 'versions' | 'settings' | 'both' = 'both'): Check =>
  updatesTakeEffect(series, { verifies: ['I:00150'], within: '20 s', looks })
const neverHalf = (): Check => neverHalfUpdated(series, { verifies: ['W:008'] })

const [oldA, newA] = [{ pulse: 10 }, { pulse: 4 }]
const [oldB, newB] = [{ pulse: 11 }, { pulse: 5 }]
const offer = (s: number, id: string, fate: 'applied' | 'returned' | 'refused', more: Json = {}): Told => [
  s,
  'management',
  'sent',
  {
    alias: 'management.offered',
    id,
    sha256: id,
    update: {
      fate,
      apps: [
        { iid: 'a', apid: 'a_1.1', config: newA, was: { apid: 'a_1.0', config: oldA } },
        { iid: 'b', apid: null, config: newB, was: { apid: 'b_1.0', config: oldB } },
      ],
      remove: [],
      ...(more as object),
    },
  },
]
const told = (s: number, id: string, state: string): Told => [
  s,
  'management',
  'seen',
  { alias: 'management.reported', body: { sha256: id, state } },
]
const say = (s: number, iid: string, event: string, payload: Json): Told => [
  s,
  'scripted',
  'seen',
  { alias: `scripted.${iid}.${event}`, iid, payload },
]
const stops = (s: number, iid: string, run: number): Told => say(s, iid, 'stopped', { run })
const starts = (s: number, iid: string, run: number, apid: string, config: Json): Told[] => [
  say(s, iid, 'started', { run, apid }),
  say(s, iid, 'configured', { run, config }),
]
const pulse = (s: number, iid: string): Told => [
  s,
  'marketplace',
  'seen',
  { alias: `pulse.${iid}`, payload: { Value: 1 } },
]
const mains = (s: number, what: 'cut' | 'restored'): Told => [
  s,
  'mains',
  'host',
  { alias: `mains.${what}`, host: 'platform' },
]
const stopped = [stops(4, 'a', 1), stops(4, 'b', 1)]
const asNew = (s: number, run = 2): Told[] => [
  ...starts(s, 'a', run, 'a_1.1', newA),
  ...starts(s, 'b', run, 'b_1.0', newB),
]
const beats = (s: number): Told[] => [pulse(s + 4, 'a'), pulse(s + 5, 'b')]
const whole = [[offer(1, 'one', 'applied')], stopped, asNew(5), beats(5), [told(12, 'one', 'applied')]]

describe('an update that is to be applied', () => {
  test('passes where versions and settings show in time, and nothing is there in part', () => {
    expect(judged(takesEffect(), whole).verdict).toBe('pass')
    expect(judged(neverHalf(), whole).verdict).toBe('pass')
  })
  test('has from the return of power as long again', () => {
    const cut = [
      [offer(1, 'one', 'applied')],
      [mains(6, 'cut')],
      [mains(30, 'restored')],
      asNew(33),
      beats(33),
    ]
    expect(judged(takesEffect(), cut).verdict).toBe('pass')
    const late = [
      [offer(1, 'one', 'applied')],
      [mains(6, 'cut')],
      [mains(30, 'restored')],
      asNew(52),
      beats(52),
    ]
    expect(judged(takesEffect(), late)).toMatchObject({ verdict: 'fail', blame: 'product' })
  })
  test('is not shown by an app that says nothing, or at the pace of before', () => {
    expect(judged(takesEffect(), [[offer(1, 'one', 'applied')], stopped, asNew(5)]).verdict).toBe('fail')
    const slow = [[offer(1, 'one', 'applied')], stopped, asNew(5), [pulse(15, 'a'), pulse(16, 'b')]]
    expect(judged(takesEffect('settings'), slow).verdict).toBe('fail')
    expect(judged(takesEffect('versions'), slow).verdict).toBe('pass')
  })
  test('fails where versions or settings alone are there', () => {
    const one = (apid: string, config: Json): Told[][] => [
      [offer(1, 'one', 'applied')],
      stopped,
      [...starts(5, 'a', 2, apid, config), ...starts(5, 'b', 2, 'b_1.0', newB)],
      beats(5),
    ]
    expect(judged(takesEffect('versions'), one('a_1.0', newA)).verdict).toBe('fail')
    expect(judged(takesEffect('settings'), one('a_1.0', newA)).verdict).toBe('pass')
    expect(judged(takesEffect('settings'), one('a_1.1', oldA)).verdict).toBe('fail')
    for (const events of [one('a_1.0', newA), one('a_1.1', oldA)])
      expect(judged(neverHalf(), events)).toMatchObject({ verdict: 'fail', observed: { half: 1 } })
  })
  test('fails where one app runs as before beside another as the update has it', () => {
    const mixed = [[offer(1, 'one', 'applied')], [stops(4, 'a', 1)], starts(5, 'a', 2, 'a_1.1', newA)]
    expect(judged(neverHalf(), mixed)).toMatchObject({ observed: { mixed: 1 }, verdict: 'fail' })
  })
  test.each([
    ['fell back', starts(20, 'a', 3, 'a_1.0', oldA)],
    ['again', starts(20, 'a', 3, 'a_1.1', newA)],
    ['said otherwise', [told(20, 'one', 'returned')]],
  ] as const)('fails where, when it has been said to be applied, it %s', (word, more) => {
    const r = judged(neverHalf(), [...whole, more])
    expect(r.verdict).toBe('fail')
    expect(JSON.stringify(r.observed)).toContain(word)
  })
  test('may be started again after a cut, or after everything was ended', () => {
    const ended: Told = [20, 'platform', 'host', { what: killed }]
    for (const end of [[mains(20, 'cut'), mains(21, 'restored')], [ended]])
      expect(judged(neverHalf(), [...whole, end, asNew(25, 3)]).verdict).toBe('pass')
  })
  test('must not be said to be applied before it is', () => {
    const early = [[offer(1, 'one', 'applied')], [told(3, 'one', 'applied')], stopped, asNew(5)]
    expect(judged(neverHalf(), early)).toMatchObject({ observed: { 'said too early': 1 } })
  })
  test('that takes an app off is in effect when that is gone', () => {
    const was = { apid: 'c_1.0', config: oldA }
    const remove: Told = offer(1, 'less', 'applied', { apps: [], remove: [{ iid: 'c', was }] })
    expect(judged(takesEffect(), [[remove], [stops(5, 'c', 1)], [pulse(9, 'a')]]).verdict).toBe('pass')
    expect(judged(takesEffect(), [[remove], [pulse(9, 'a')]]).verdict).toBe('fail')
  })
  test('is not judged where the run ends before its time is up', () => {
    expect(judged(takesEffect(), [[offer(50, 'one', 'applied')]]).verdict).toBe('inconclusive')
    expect(judged(neverHalf(), [[pulse(1, 'a')]]).verdict).toBe('inconclusive')
  })
})

describe('an update that is to change nothing', () => {
  test('passes where nothing changes', () => {
    const events = [[offer(1, 'bad', 'refused')], [pulse(9, 'a')], [told(9, 'bad', 'refused')]]
    expect(judged(takesEffect(), events).verdict).toBe('pass')
    expect(judged(neverHalf(), events).verdict).toBe('pass')
  })
  test('fails where anything of it is started', () => {
    const events = [[offer(1, 'bad', 'refused')], stopped, starts(5, 'a', 2, 'a_1.1', newA)]
    expect(judged(neverHalf(), events)).toMatchObject({ verdict: 'fail' })
    expect(judged(takesEffect(), events).verdict).toBe('fail')
  })
  test('may be tried where it is sound, and has to give way to what was before', () => {
    const tried = [[offer(1, 'unfit', 'returned')], stopped, starts(5, 'a', 2, 'a_1.1', newA)]
    const back = [
      [stops(12, 'a', 2)],
      starts(13, 'a', 3, 'a_1.0', oldA),
      starts(13, 'b', 2, 'b_1.0', oldB),
      [told(14, 'unfit', 'returned')],
    ]
    for (const check of [takesEffect(), neverHalf()])
      expect(judged(check, [...tried, ...back]).verdict).toBe('pass')
    expect(judged(takesEffect(), tried).verdict).toBe('fail')
  })
})
