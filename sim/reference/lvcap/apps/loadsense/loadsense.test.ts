import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readConfig } from './config.ts'
import { decide, type Decision } from './decide.ts'
import type { Breaker, Situation, Station, Steps } from './situation.ts'

const config = readConfig({})
const start = 1_510_000_200
const now = start + 5

const halves = (amps: number | readonly number[]): Steps => ({
  start,
  interval: 1800,
  values: typeof amps === 'number' ? Array.from({ length: 48 }, () => amps) : amps,
})
const hours = (amps: number): Steps => ({
  start,
  interval: 3600,
  values: Array.from({ length: 24 }, () => amps),
})
/** Amps that are exceeded in so many half-hours, two hours ahead. */
const peak = (base: number, high: number, count: number): Steps =>
  halves(Array.from({ length: 48 }, (_, i) => (i >= 4 && i < 4 + count ? high : base)))

const station = (more: Partial<Station> = {}): Station => ({
  at: now - 30,
  valid: true,
  forecast: halves(300),
  feeder: halves(120),
  rating: hours(800),
  loadNow: 300,
  hotSpotNow: 70,
  ...more,
})
const breaker = (more: Partial<Breaker> = {}): Breaker => ({
  at: now - 5,
  state: 'open',
  bus: 240,
  cable: 238,
  fault: false,
  lockout: false,
  reclosing: false,
  localControl: false,
  unready: false,
  ...more,
})
const three = (more: Partial<Breaker> = {}): [Breaker, Breaker, Breaker] => [
  breaker(more),
  breaker(more),
  breaker(more),
]

/** A winter day: the local transformer will have too much, the peer has room. */
const needy: Situation = {
  now,
  local: station({ forecast: peak(500, 900, 2) }),
  peer: station(),
  breakers: three(),
  commanded: 'open',
  peerClosed: true,
  peerHeard: now - 30,
  isolated: false,
  lastOperation: now - 1800,
  operationsToday: 7,
  lockedOut: false,
}
/** Meshed, and no longer needed. */
const calm: Situation = {
  ...needy,
  local: station({ loadNow: 350 }),
  breakers: three({ state: 'closed', cable: 240 }),
}

type Flip = readonly [condition: string, flip: (s: Situation) => Situation, how?: string]
const local = (s: Situation, more: Partial<Station>): Situation => ({ ...s, local: { ...s.local, ...more } })
const peer = (s: Situation, more: Partial<Station>): Situation => ({
  ...s,
  peer: { ...(s.peer ?? station()), ...more },
})
/** One phase alone: each of the three counts. */
const one = (s: Situation, phase: number, more: Partial<Breaker>): Situation => {
  const [a, b, d] = s.breakers ?? three()
  const at = (i: number, x: Breaker): Breaker => (i === phase ? { ...x, ...more } : x)
  return { ...s, breakers: [at(0, a), at(1, b), at(2, d)] }
}
const failing = (d: Decision): string[] =>
  Object.entries(d.conditions).flatMap(([name, holds]) => (holds ? [] : [name]))

const shared: readonly Flip[] = [
  ['breakers-answer', (s) => one(s, 2, { at: now - 91 })],
  ['remote-control', (s) => one(s, 1, { localControl: true })],
  ['isolation-off', (s) => ({ ...s, isolated: true })],
  ['automation-on', (s) => ({ ...s, lockedOut: true })],
  ['local-known', (s) => local(s, { at: now - 121 }), 'old'],
  ['local-known', (s) => local(s, { valid: false }), 'not valid'],
  ['local-known', (s) => local(s, { at: now + 500 }), 'from the future'],
  ['peer-known', (s) => peer(s, { valid: false }), 'not valid'],
]
const meshing: readonly Flip[] = [
  ...shared,
  ['needed', (s) => local(s, { forecast: peak(500, 900, 1) }), 'one half-hour is not two'],
  ['needed', (s) => local(s, { forecast: peak(500, 800, 8) }), 'at the rating is not above it'],
  ['peer-known', (s) => peer(s, { at: now - 121 }), 'old'],
  ['other-side-has-room', (s) => peer(s, { forecast: halves(601) }), '601 + 120 is above 0.9 of 800'],
  [
    'other-side-has-room',
    (s) => peer(s, { forecast: halves(Array.from({ length: 8 }, () => 300)) }),
    'short',
  ],
  [
    'other-side-has-room',
    (s) => peer(s, { rating: { ...hours(800), values: [800, 800, 800, 400] } }),
    'later',
  ],
  ['other-side-has-room', (s) => peer(s, { forecast: peak(300, 810, 1) }), 'a peak of its own'],
  ['other-side-has-room', (s) => peer(s, { hotSpotNow: 121 }), 'it needs help itself'],
  ['peer-closed', (s) => ({ ...s, peerClosed: false })],
  ['voltages-in-range', (s) => one(s, 0, { bus: 216.1, cable: 216.3 }), 'low bus'],
  ['voltages-in-range', (s) => one(s, 1, { bus: 252, cable: 253.1 }), 'high cable'],
  ['voltages-alike', (s) => one(s, 2, { bus: 240, cable: 234.9 })],
  ['no-fault', (s) => one(s, 0, { fault: true })],
  ['no-lockout', (s) => one(s, 1, { lockout: true })],
  ['ready', (s) => one(s, 1, { unready: true })],
  ['no-reclosing', (s) => one(s, 2, { reclosing: true })],
  ['rested', (s) => ({ ...s, lastOperation: now - 1799 })],
  ['not-too-often', (s) => ({ ...s, operationsToday: 8 })],
]

describe('the truth table of meshing', () => {
  test('with every condition met it meshes', () => {
    const d = decide(needy, config)
    expect(d).toMatchObject({ do: 'mesh', because: 'needed-and-safe', alarms: [], lockOut: false })
    expect(failing(d)).toEqual([])
  })

  test.each(meshing.map(([name, flip, how = '']) => ({ name, how, flip })))(
    '$name $how: alone, it holds',
    ({ name, flip, how }) => {
      const d = decide(flip(needy), config)
      expect(d).toMatchObject({ do: 'hold', because: 'conditions', alarms: [] })
      expect(failing(d), how).toEqual([name])
    },
  )

  test('the end that is closed as a rule never closes or opens', () => {
    const other = readConfig({ normallyOpen: false })
    expect(failing(decide(needy, other))).toEqual(['ours-to-move'])
    expect(decide(needy, other).do).toBe('hold')
    expect(decide(calm, other).do).toBe('hold')
    // one phase has tripped, and may reclose
    const [l1, ...rest] = calm.breakers ?? []
    const tripped = { ...calm, breakers: [{ ...l1, state: 'open' }, ...rest] } as Situation
    expect(decide(tripped, config).do).toBe('open-all')
    expect(decide(tripped, other)).toMatchObject({ do: 'hold', lockOut: false, alarms: ['discrepancy'] })
  })

  test('has a row for each condition', () => {
    const rows = new Set(['ours-to-move', ...meshing.map(([name]) => name)])
    expect(Object.keys(decide(needy, config).conditions).toSorted()).toEqual([...rows].toSorted())
  })

  test('any of them together hold as well, and each is told', () => {
    // those that leave the others as they are, one for each condition
    const single = meshing.filter(([name], i) => meshing.findIndex(([n]) => n === name) === i)
    fc.assert(
      fc.property(fc.subarray([...single]), (flips) => {
        const d = decide(
          flips.reduce((s, [, flip]) => flip(s), needy),
          config,
        )
        expect(d.do).toBe(flips.length === 0 ? 'mesh' : 'hold')
        expect(failing(d).toSorted()).toEqual(flips.map(([name]) => name).toSorted())
      }),
      { numRuns: 200 },
    )
  })

  test.each<[string, Partial<Station>]>([
    ['a hot spot above its limit now', { hotSpotNow: 120.1 }],
    ['a load above the rating now', { loadNow: 801 }],
  ])('%s needs it too, whatever the forecast', (_, more) => {
    const quiet = local(needy, { forecast: halves(300) })
    expect(decide(quiet, config).do).toBe('hold')
    expect(decide(local(quiet, more), config).do).toBe('mesh')
  })

  test('the peer may be the one that needs it: then the room is to be here', () => {
    const theirs = peer(local(needy, { forecast: halves(300) }), { forecast: peak(500, 900, 2) })
    expect(decide(theirs, config).do).toBe('mesh')
    expect(failing(decide(local(theirs, { forecast: halves(700) }), config))).toEqual(['other-side-has-room'])
  })

  test('without a word from the peer, ever, or from the breakers, nothing is closed', () => {
    expect(decide({ ...needy, peer: undefined }, config).do).toBe('hold')
    const { breakers: _, ...rest } = needy
    expect(decide({ ...rest, breakers: undefined }, config).do).toBe('hold')
  })

  test('where no breakers are fitted it decides and commands all the same', () => {
    const bare = readConfig({ fitted: false })
    const without: Situation = { ...needy, breakers: undefined, peerClosed: false }
    expect(decide(without, bare).do).toBe('mesh')
    expect(decide({ ...without, isolated: true }, bare).do).toBe('hold')
    expect(decide({ ...calm, breakers: undefined, commanded: 'closed' }, bare).do).toBe('part')
  })

  test('thresholds are configuration', () => {
    const s = local(needy, { forecast: peak(500, 900, 1) })
    expect(decide(s, readConfig({ need: { halfHours: 1 } })).do).toBe('mesh')
    expect(decide(one(needy, 2, { cable: 233 }), readConfig({ voltage: { apart: 8 } })).do).toBe('mesh')
    expect(decide(needy, readConfig({ operations: { aDay: 7 } })).do).toBe('hold')
    expect(decide(needy, readConfig({ room: { ofRating: 0.5 } })).do).toBe('hold')
  })
})

describe('the truth table of parting', () => {
  test('with every condition met it parts', () => {
    const d = decide(calm, config)
    expect(d).toMatchObject({ do: 'part', because: 'no-longer-needed', alarms: [] })
    expect(failing(d)).toEqual([])
  })

  const parting: readonly Flip[] = [
    ...shared.filter(([name]) => name !== 'breakers-answer'),
    [
      'local-calm-alone',
      (s) => local(s, { forecast: peak(300, 681, 1) }),
      'above 0.85 of 800, two hours ahead',
    ],
    ['peer-calm-alone', (s) => peer(s, { forecast: halves(681) })],
    ['dwelt', (s) => ({ ...s, lastOperation: now - 1799 })],
  ]
  test.each(parting.map(([name, flip, how = '']) => ({ name, how, flip })))(
    '$name $how: alone, it stays meshed',
    ({ name, flip }) => {
      const d = decide(flip(calm), config)
      expect(d.do).toBe('hold')
      expect(failing(d)).toEqual([name])
    },
  )

  test('the number of operations of the day does not keep it from parting', () => {
    expect(decide({ ...calm, operationsToday: 99 }, config).do).toBe('part')
  })

  test('breakers that do not answer are an alarm', () => {
    expect(decide(one(calm, 0, { at: now - 91 }), config)).toMatchObject({
      do: 'hold',
      alarms: ['breakers-silent'],
    })
  })

  // still needed, and closed a minute ago
  const busy = { ...local(calm, { forecast: peak(500, 900, 4) }), lastOperation: now - 60 }

  test.each<[string, Partial<Breaker>]>([
    ['a fault', { fault: true }],
    ['a lockout', { lockout: true }],
  ])('%s on any phase parts at once', (_, more) => {
    expect(decide(busy, config).do).toBe('hold')
    for (const phase of [0, 1, 2])
      expect(decide(one(busy, phase, more), config)).toMatchObject({
        do: 'part',
        because: 'fault',
        alarms: ['fault'],
      })
  })

  test('a fault behind a locked isolator, or in local control, commands nothing and is an alarm', () => {
    const fault = one(busy, 0, { fault: true })
    for (const s of [{ ...fault, isolated: true }, one(fault, 1, { localControl: true })])
      expect(decide(s, config)).toMatchObject({ do: 'hold', alarms: ['fault', 'cannot-open'] })
  })

  test('an overload that meshing makes worse parts at once; one that it relieves does not', () => {
    expect(decide(peer(busy, { loadNow: 810, forecast: halves(600) }), config)).toMatchObject({
      do: 'part',
      because: 'meshing-makes-it-worse',
    })
    expect(decide(peer(busy, { loadNow: 810, forecast: halves(900) }), config).do).toBe('hold')
    expect(decide(peer(busy, { loadNow: 790, forecast: halves(600) }), config).do).toBe('hold')
    expect(decide(peer(busy, { loadNow: 810, forecast: halves(600), valid: false }), config).do).toBe('hold')
  })
})

describe('a peer that is lost while meshed', () => {
  const silent = (seconds: number, s: Situation = calm): Situation => ({
    ...peer(s, { at: now - seconds }),
    peerHeard: now - seconds,
  })

  test('the mesh is kept for 15 min', () => {
    expect(decide(silent(121), config)).toMatchObject({ do: 'hold', because: 'peer-lost', alarms: [] })
    expect(decide(silent(900), config).do).toBe('hold')
  })

  test('then it parts if the local load allows', () => {
    expect(decide(silent(901), config)).toMatchObject({ do: 'part', because: 'peer-lost', alarms: [] })
    const never = { ...silent(901), peer: undefined }
    expect(decide(never, config)).toMatchObject({ do: 'part', because: 'peer-lost' })
    // listening began a minute ago
    expect(decide({ ...never, peerHeard: now - 60 }, config)).toMatchObject({
      do: 'hold',
      because: 'peer-lost',
    })
  })

  test('else it stays, and an alarm is given', () => {
    const heavy = local(calm, { forecast: peak(300, 700, 2) })
    for (const s of [silent(901, heavy), silent(901, local(calm, { at: now - 999 }))])
      expect(decide(s, config)).toMatchObject({ do: 'hold', because: 'peer-lost', alarms: ['peer-lost'] })
  })
})

describe('breakers that disagree', () => {
  const odd = one(needy, 1, { state: 'closed' })

  test('are all opened, the automation is locked out, and an alarm is given', () => {
    const asked = { do: 'open-all', because: 'discrepancy', alarms: ['discrepancy'], lockOut: true }
    expect(decide(odd, config)).toMatchObject(asked)
    expect(decide(one(calm, 2, { state: 'open' }), config)).toMatchObject(asked)
    expect(decide(one(calm, 2, { state: 'between' }), config)).toMatchObject(asked)
  })

  test('once locked out, or isolated, or in a person’s hands, or silent, nothing is commanded', () => {
    for (const s of [
      { ...odd, lockedOut: true },
      { ...odd, isolated: true },
      one(odd, 0, { localControl: true }),
      one(odd, 0, { at: now - 999 }),
    ])
      expect(decide(s, config)).toMatchObject({ do: 'hold', alarms: ['discrepancy'], lockOut: false })
  })
})

test('whatever is known, no breaker is moved while one is isolated, locked out or in local control', () => {
  const number = fc.double({ min: -50, max: 1500 })
  const anyStation = fc.record({
    at: fc.constantFrom(now, now - 200, now - 2000),
    valid: fc.boolean(),
    forecast: fc.array(number, { maxLength: 48 }).map((v) => halves(v)),
    feeder: fc.array(number, { maxLength: 48 }).map((v) => halves(v)),
    rating: number.map(hours),
    loadNow: number,
    hotSpotNow: number,
  })
  const anyBreaker = fc.record({
    at: fc.constantFrom(now, now - 100),
    state: fc.constantFrom('open', 'closed', 'between'),
    bus: number,
    cable: number,
    fault: fc.boolean(),
    lockout: fc.boolean(),
    reclosing: fc.boolean(),
    localControl: fc.boolean(),
    unready: fc.boolean(),
  })
  const any = fc.record({
    now: fc.constant(now),
    local: anyStation,
    peer: fc.option(anyStation, { nil: undefined }),
    breakers: fc.option(fc.tuple(anyBreaker, anyBreaker, anyBreaker), { nil: undefined }),
    commanded: fc.constantFrom('open', 'closed'),
    peerClosed: fc.boolean(),
    peerHeard: fc.constantFrom(now, now - 2000),
    isolated: fc.boolean(),
    lastOperation: fc.option(fc.integer({ min: now - 4000, max: now }), { nil: undefined }),
    operationsToday: fc.nat(10),
    lockedOut: fc.boolean(),
  })
  fc.assert(
    fc.property(any, (s) => {
      const d = decide(s, config)
      if (d.do === 'hold') return
      expect([s.isolated, s.lockedOut]).toEqual([false, false])
      expect(s.breakers?.some((b) => b.localControl || b.at < now - 30)).toBe(false)
      if (d.do === 'mesh') expect(s.peer?.valid).toBe(true)
    }),
    { numRuns: 500 },
  )
})
