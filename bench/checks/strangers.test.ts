import { describe, expect, it } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Check, Result } from '../faces.ts'
import { type Draft, begin, draft, verdicts } from './history.fixture.ts'
import { always, eventually, logged, never, onlyFrom, refused, within } from './index.ts'

const verifies = ['API:8.1']
const intruders = { src: 'intruder', kind: 'seen', select: 'intruder.*' } as const
const platformLog = { src: 'log', kind: 'seen', select: '*' } as const
const at = (s: number): number => begin + s * 1000

const sent = (s: number, name: string, publish?: Json): Draft =>
  draft(at(s), 'intruder', 'sent', {
    alias: `intruder.${name}`,
    attempt: { name, identity: 'expired', ...(publish === undefined ? {} : { publish }) },
  })
const outcome = (s: number, name: string, stage: string): Draft =>
  draft(at(s), 'intruder', 'seen', { alias: `intruder.${name}`, payload: { stage } })
const entry = (s: number, payload: Json): Draft => draft(at(s), 'log', 'seen', { alias: 'refusal', payload })

function only(check: Check, events: readonly Draft[], end: number): Result {
  const r = verdicts(events, [check], end)[check.id]
  if (r === undefined) throw new Error('no result')
  return r
}

describe('refused', () => {
  const check = (): Check => refused(intruders, { expired: 'tls', 'plain-tcp': ['tcp', 'tls'] }, { verifies })
  const both = [
    sent(1, 'expired'),
    outcome(2, 'expired', 'tls'),
    sent(3, 'plain-tcp'),
    outcome(4, 'plain-tcp', 'tcp'),
  ]

  it('passes when each attempt was turned away where it should be', () => {
    expect(only(check(), both, at(10))).toMatchObject({
      verdict: 'pass',
      observed: { stages: { expired: 'tls' } },
    })
  })

  it('fails when one gets in, or is turned away elsewhere', () => {
    expect(only(check(), [...both, outcome(5, 'expired', 'inside')], at(10)).observed).toMatchObject({
      'let in': 1,
    })
    expect(only(check(), [...both, outcome(5, 'expired', 'mqtt')], at(10)).observed).toMatchObject({
      'other stage': 1,
    })
    expect(only(check(), [...both, outcome(5, 'expired', 'nonsense')], at(10)).verdict).toBe('fail')
  })

  it('proves nothing for an attempt that was not made', () => {
    expect(only(check(), both.slice(0, 2), at(10))).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
    expect(only(check(), [draft(begin, 'a', 'note', {})], at(10))).toMatchObject({ verdict: 'inconclusive' })
  })

  it('fails when what a stranger published comes out, in whatever order of keys', () => {
    const publish = { topic: 'command/x', payload: { a: 1, b: 2 } }
    const out = (topic: string, payload: Json): Draft =>
      draft(at(6), 'marketplace', 'seen', { alias: 'unknown', topic, payload })
    const tried = [sent(0.5, 'expired', publish), ...both]
    expect(only(check(), [...tried, out('command/x', { b: 2, a: 1 })], at(10)).observed).toMatchObject({
      'let through': 1,
    })
    expect(only(check(), [...tried, out('command/x', { b: 3, a: 1 })], at(10)).verdict).toBe('pass')
    expect(only(check(), [...tried, out('command/y', { a: 1, b: 2 })], at(10)).verdict).toBe('pass')
  })

  it('needs the marketplace to be observed', () => {
    expect(check().needs).toContain('marketplace')
  })
})

describe('logged', () => {
  const check = (): Check =>
    logged(
      platformLog,
      { expired: ['EXPIRED', 'eatl_x_00'], foreign: ['issuer'] },
      { verifies, within: '10 s' },
    )
  const tried = [outcome(10, 'expired', 'tls'), outcome(20, 'foreign', 'tls')]
  const told = { event: 'refused', reason: 'certificate expired', identity: 'eatl_x_00' }

  it('passes when each refusal stands in the log with its words, a little before or after', () => {
    const events = [...tried, entry(9, told), entry(25, { reason: 'unknown issuer' })]
    expect(only(check(), events, at(60))).toMatchObject({
      verdict: 'pass',
      observed: { 'slowest entry [s]': 5 },
    })
  })

  it('fails when an entry is missing, late, or lacks a word', () => {
    const one = entry(25, { reason: 'unknown issuer' })
    expect(only(check(), [...tried, one], at(60)).why).toContain('expired: no entry with EXPIRED, eatl_x_00')
    expect(only(check(), [...tried, one, entry(21, told)], at(60)).verdict).toBe('fail')
    expect(only(check(), [...tried, one, entry(11, { ...told, identity: '?' })], at(60)).verdict).toBe('fail')
  })

  it('lets one entry serve one attempt', () => {
    const same = logged(platformLog, { a: ['refused'], b: ['refused'] }, { verifies, within: '10 s' })
    const events = [outcome(10, 'a', 'tls'), outcome(12, 'b', 'tls'), entry(13, 'refused')]
    expect(only(same, events, at(60)).verdict).toBe('fail')
    const again = logged(platformLog, { a: ['refused'], b: ['refused'] }, { verifies, within: '10 s' })
    expect(only(again, [...events, entry(14, 'refused')], at(60)).verdict).toBe('pass')
  })

  it('is open while the bound has not passed', () => {
    const r = only(check(), [...tried, entry(9, told)], at(25))
    expect(r).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
  })
})

describe('onlyFrom', () => {
  const orders = { src: 'breaker', kind: 'said', select: '*' } as const
  const order = (from: Json): Draft => draft(at(1), 'breaker', 'said', { peer: { name: from } })
  const check = (): Check => onlyFrom(orders, ['loadsense'], { verifies, key: 'peer.name' })

  it('passes orders from those allowed and fails any other, or one from nobody', () => {
    expect(only(check(), [order('loadsense')], at(2)).verdict).toBe('pass')
    expect(only(check(), [order('loadsense'), order('other')], at(2))).toMatchObject({ verdict: 'fail' })
    expect(only(check(), [order(null)], at(2)).verdict).toBe('fail')
    expect(only(check(), [draft(begin, 'a', 'note', {})], at(2)).verdict).toBe('inconclusive')
  })
})

describe('the general checks', () => {
  const notes = { src: 'a', kind: 'note', select: '*' } as const
  const note = (s: number, data: Json): Draft => draft(at(s), 'a', 'note', data)
  const o = { id: 'it', limit: 'at most 3', verifies }

  it('always: fails on the first event that does not hold', () => {
    const check = (): Check => always(notes, (e) => Number(e.data) <= 3, o)
    expect(only(check(), [note(1, 1), note(2, 3)], at(5)).verdict).toBe('pass')
    expect(only(check(), [note(1, 1), note(2, 4)], at(5))).toMatchObject({ verdict: 'fail', because: [3] })
    expect(only(check(), [], at(5)).verdict).toBe('inconclusive')
  })

  it('never: needs proof that the observation point was alive', () => {
    const alarms = { src: 'b', kind: 'note', select: '*' } as const
    const check = (): Check => never(alarms, () => true, { ...o, alive: notes })
    expect(only(check(), [note(1, 1)], at(5)).verdict).toBe('pass')
    expect(only(check(), [], at(5)).verdict).toBe('inconclusive')
    expect(only(check(), [note(1, 1), draft(at(2), 'b', 'note', 1)], at(5)).verdict).toBe('fail')
    expect(only(check(), [draft(at(2), 'b', 'note', 1)], at(5)).verdict).toBe('fail')
  })

  it('eventually: passes in time, fails late or at the end without', () => {
    const check = (by?: string): Check =>
      eventually(notes, (e) => e.data === 'yes', { ...o, ...(by === undefined ? {} : { by }) })
    expect(only(check(), [note(1, 'no'), note(9, 'yes')], at(10)).verdict).toBe('pass')
    expect(only(check(), [note(1, 'no')], at(10)).verdict).toBe('fail')
    expect(only(check('20 s'), [note(9, 'yes')], at(30)).verdict).toBe('pass')
    expect(only(check('10 s'), [note(9, 'yes')], at(30)).verdict).toBe('marginal')
    expect(only(check('5 s'), [note(9, 'yes')], at(30)).verdict).toBe('fail')
    expect(only(check('20 s'), [note(1, 'no')], at(10)).verdict).toBe('inconclusive')
    expect(only(check('20 s'), [note(1, 'no')], at(30)).verdict).toBe('fail')
  })

  it('within: every cause is followed in time', () => {
    const effects = { src: 'b', kind: 'note', select: '*' } as const
    const effect = (s: number): Draft => draft(at(s), 'b', 'note', 1)
    const check = (): Check => within('10 s', notes, effects, o)
    expect(only(check(), [note(1, 1), effect(3), note(20, 1), effect(21)], at(60)).verdict).toBe('pass')
    expect(only(check(), [note(1, 1), effect(10)], at(60)).verdict).toBe('marginal')
    expect(only(check(), [note(1, 1), effect(12)], at(60)).verdict).toBe('fail')
    expect(only(check(), [note(1, 1)], at(60)).verdict).toBe('fail')
    expect(only(check(), [note(55, 1)], at(60)).verdict).toBe('inconclusive')
    expect(only(check(), [effect(1)], at(60)).verdict).toBe('inconclusive')
  })

  it('within: an effect may come early where that is allowed, and no earlier', () => {
    const effects = { src: 'b', kind: 'note', select: '*' } as const
    const effect = (s: number): Draft => draft(at(s), 'b', 'note', 1)
    const check = (more: { early?: string } = { early: '2 s' }): Check =>
      within('10 s', notes, effects, { ...o, ...more })
    expect(only(check(), [effect(3), note(4, 1)], at(60)).verdict).toBe('pass')
    expect(only(check(), [effect(1), note(4, 1)], at(60)).verdict).toBe('fail')
    expect(only(check(), [effect(1), note(4, 1), effect(5)], at(60)).verdict).toBe('pass')
    expect(only(check({}), [effect(3), note(4, 1)], at(60)).verdict).toBe('fail')
  })
})
