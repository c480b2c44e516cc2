import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Result } from '../faces.ts'
import { begin, draft, verdicts, type Draft } from './history.fixture.ts'
import { carriedOver, impostorsRefused, partnerKnown } from './index.ts'

const s = 1_000
const end = begin + 200 * s
const carried = [
  { name: 'hot_spot', topic: 'algorithm/data/eatl_weathersense_01/transformer/hot_spot' },
  { name: 'voltage/l1', topic: 'sensor/data/lucy_gridkeysensor_01/Busbar/voltage/60s/L1-N_RMS' },
]
const seen = (at: number, src: string, alias: string, topic: string, payload: Json): Draft =>
  draft(begin + at * s, src, 'seen', { alias, topic, payload, qos: 1, retain: false })
const fault = (at: number, phase: 'on' | 'lifted', name: string, id = name): Draft =>
  draft(begin + at * s, 'peers', 'fault', { phase, id, name, params: {} })
const value = (n: number): Json => ({ Timestamp: n, Value: n + 0.5, Valid: true })

/** Published at one side, and come out at the other `after` seconds later. */
const publish = (at: number, n: number, name = 'hot_spot', from: 'a' | 'b' = 'a'): Draft =>
  seen(
    at,
    from === 'a' ? 'marketplace' : 'marketplace2',
    'whatever',
    carried.find((c) => c.name === name)?.topic ?? '',
    value(n),
  )
const arrive = (at: number, payload: Json, name = 'hot_spot', to: 'a' | 'b' = 'b'): Draft =>
  seen(
    at,
    to === 'a' ? 'marketplace' : 'marketplace2',
    `peer${to === 'a' ? '' : '2'}.partner.${name.replaceAll('/', '.')}`,
    `algorithm/data/eatl_peer_01/partner/${name}`,
    payload,
  )
/** Both names both ways each 10 s, a tenth of a second under way; without those that `leave` names. */
const healthy = (leave: (n: number) => boolean = () => false): Draft[] =>
  Array.from({ length: 19 }, (_, n) => n).flatMap((n) =>
    (['a', 'b'] as const).flatMap((from) =>
      carried.flatMap(({ name }) => {
        const p = publish(10 * n, n, name, from)
        return leave(n) ? [p] : [p, arrive(10 * n + 0.1, value(n), name, from === 'a' ? 'b' : 'a')]
      }),
    ),
  )

describe('carriedOver', () => {
  const judge = (events: readonly Draft[]): Result => {
    const c = carriedOver({ carried, start: '5 s', recovery: '20 s', verifies: ['M:0088/configurable'] })
    return verdicts(events, [c], end)['carried'] as Result
  }
  const says = (events: readonly Draft[], word: string): void => {
    const r = judge(events)
    expect(r).toMatchObject({ verdict: 'fail', blame: 'product' })
    expect(r.observed).toHaveProperty([word])
  }

  test('passes what arrives once, in order and in time, both ways', () => {
    expect(judge(healthy())).toMatchObject({ verdict: 'pass', observed: { 'published [1]': 76 } })
  })
  test('tells what does not come, comes late, twice, altered, or in another order', () => {
    says(
      healthy((n) => n === 9),
      'did not come',
    )
    says([...healthy((n) => n === 9), arrive(98, value(9))], 'late')
    says([...healthy(), arrive(95, value(9))], 'came twice')
    says([...healthy(), arrive(95, { Timestamp: 9, Value: 9, Valid: true })], 'not as published')
    says([...healthy((n) => n === 9), arrive(101, value(9))], 'out of order')
  })
  test('tells what is not in the data set, from the moment at which that was changed', () => {
    const change = (phase: string, at: number): Draft =>
      draft(begin + at * s, 'peers', 'sent', {
        alias: 'peers.asks',
        payload: { at: 'a', phase, set: carried.slice(0, 1) },
      })
    says([...healthy(), change('asked', 100), change('answered', 101)], 'not in the data set')
  })
  test('excuses an outage, but for the latest after it, and takes no backlog', () => {
    const outage = [fault(85, 'on', 'carrier'), fault(165, 'lifted', 'carrier')]
    const gone = (n: number): boolean => n >= 9 && n <= 16
    const rest = (['a', 'b'] as const).flatMap((to) =>
      carried.map(({ name }) => arrive(166, value(16), name, to)),
    )
    expect(judge([...healthy(gone), ...outage, ...rest]).verdict).toBe('pass')
    says([...healthy((n) => n >= 9), ...outage], 'did not come')
    says([...healthy(gone), ...outage, arrive(165.5, value(9)), ...rest], 'backlog')
  })
  test('judges nothing of a name that nobody published', () => {
    expect(judge([publish(10, 1), arrive(10.1, value(1))])).toMatchObject({
      verdict: 'inconclusive',
      blame: 'bench',
    })
  })
})

describe('partnerKnown', () => {
  const judge = (events: readonly Draft[]): Result => {
    const c = partnerKnown({ dead: '20 s', back: '30 s', start: '1 s', verifies: ['I:00144/status'] })
    return verdicts(events, [c], end)['partner-known'] as Result
  }
  const outage = [fault(60, 'on', 'carrier'), fault(110, 'lifted', 'carrier')]
  const told = (lives: (at: number) => boolean, except: (at: number) => boolean = () => false): Draft[] =>
    Array.from({ length: 20 }, (_, i) => 10 * i + 5)
      .filter((at) => !except(at))
      .flatMap((at) =>
        (['marketplace', 'marketplace2'] as const).map((src) =>
          seen(
            at,
            src,
            src === 'marketplace' ? 'peer.alive' : 'peer2.alive',
            'algorithm/data/eatl_peer_01/alive',
            {
              Timestamp: at,
              Value: lives(at),
              Valid: true,
            },
          ),
        ),
      )
  const right = (at: number): boolean => at < 70 || at > 115

  test('passes where the outage and its end are told in time', () => {
    expect(judge([...outage, ...told(right)])).toMatchObject({
      verdict: 'pass',
      observed: { 'outages [1]': 1, 'longest until dead [s]': 15 },
    })
  })
  test('tells a partner that is alive for ever, mourned late, mourned too long, or without a reason', () => {
    for (const lives of [
      () => true,
      (at: number) => at < 90 || at > 115,
      (at: number) => at < 70 || at > 160,
      (at: number) => right(at) && at !== 35,
    ])
      expect(judge([...outage, ...told(lives)]).verdict).toBe('fail')
  })
  test('tells silence, and a word that says nothing', () => {
    expect(judge([...outage, ...told(right, (at) => at === 35)]).why).toContain('nothing was told for 20 s')
    const odd = seen(36, 'marketplace', 'peer.alive', 'x', { Timestamp: 1, Value: 'yes', Valid: true })
    expect(judge([...outage, ...told(right), odd]).observed).toHaveProperty(['no word'])
  })
  test('judges nothing without an outage that is long enough', () => {
    expect(judge(told(() => true))).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
  })
})

describe('impostorsRefused', () => {
  const impostors = { src: 'peers', kind: 'seen', select: 'peers.impostor' } as const
  const came = (shows: string, more: { readonly [k: string]: Json } = {}): Draft =>
    draft(begin + 10 * s, 'peers', 'seen', {
      alias: 'peers.impostor',
      payload: { name: 'x', towards: 'b', shows, 'given [B]': 0, ended: 'by the platform', ...more },
    })
  const judge = (...events: readonly Draft[]): Result => {
    const c = impostorsRefused(impostors, {
      towards: 'b',
      shown: ['expired', 'wrong-name'],
      verifies: ['M:0052/peers-check-each-other'],
    })
    return verdicts(events, [c], end)['impostors-b'] as Result
  }
  test('passes where all of them were given nothing and shown the door', () => {
    expect(judge(came('expired'), came('wrong-name'), came('partner', { 'given [B]': 900 })).verdict).toBe(
      'pass',
    )
  })
  test('tells who was given something, and who was let stay', () => {
    expect(judge(came('expired', { 'given [B]': 80 }), came('wrong-name')).why).toBe(
      'expired: 80 bytes inside',
    )
    expect(judge(came('expired'), came('wrong-name', { ended: 'by the bench' })).verdict).toBe('fail')
  })
  test('judges nothing where one of them was not tried', () => {
    expect(judge(came('expired'), came('wrong-name', { towards: 'a' }))).toMatchObject({
      verdict: 'inconclusive',
    })
  })
})
