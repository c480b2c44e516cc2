import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readConfig } from '../../sim/reference/lvcap/apps/loadsense/config.ts'
import { decide } from '../../sim/reference/lvcap/apps/loadsense/decide.ts'
import type { Breaker, Situation, Station } from '../../sim/reference/lvcap/apps/loadsense/situation.ts'
import { contactOf, expectedOf, meshRules, rootMeanSquare } from './mesh-rules.ts'
import type { Curve, Side, Told, Unit, View } from './mesh-rules.ts'

const t = 1_515_981_000 + 700
const halfHour = 1_515_981_000 - 600
const config = readConfig({})

test('a status word tells the contact, unless it is an old copy', () => {
  expect([1, 2, 0, 3, 1 + 32_768].map(contactOf)).toEqual(['closed', 'open', 'unsure', 'unsure', undefined])
})

// Figures near the limits, so that each of them is crossed often.
const amps = fc.constantFrom(300, 630, 679, 680, 700, 720, 800, 801, 900)
const curve = (step: number): fc.Arbitrary<Told<Curve>> =>
  fc.record({
    at: fc.constantFrom(t - 60, t - 3_900, t - 3_901),
    is: fc.record({
      start: fc.constant(halfHour),
      step: fc.constant(step),
      amps: fc.oneof(
        { weight: 4, arbitrary: amps.map((a) => Array.from({ length: 48 }, () => a)) },
        { weight: 2, arbitrary: fc.array(amps, { minLength: 9, maxLength: 9 }) },
        { weight: 1, arbitrary: fc.array(amps, { maxLength: 4 }) },
      ),
    }),
  })
const age = fc.oneof(
  { weight: 9, arbitrary: fc.constant(t - 30) },
  fc.constantFrom(t - 120, t - 121, t + 200),
)
const side: fc.Arbitrary<Side> = fc.record({
  forecast: curve(1800),
  feeder: curve(1800).map((c) => ({ ...c, is: { ...c.is, amps: c.is.amps.map((a) => a / 5) } })),
  rating: curve(3600).map((c) => ({ ...c, is: { ...c.is, amps: c.is.amps.map((a) => (a + 1600) / 3) } })),
  hotSpot: fc.record({ at: age, is: fc.constantFrom(80, 80, 80, 120, 121) }),
  currents: fc.tuple(age, amps).map(([at, is]) => Array.from({ length: 3 }, () => ({ at, is }))),
  newest: fc.constantFrom(true, true, true, true, false),
})
const flags = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0) },
  fc.constantFrom(...[2, 3, 4, 5, 6, 7, 8, 11, 12, 13].map((n) => 2 ** n)),
)
const volts = fc.oneof(
  { weight: 8, arbitrary: fc.constant(240) },
  fc.constantFrom(216.1, 216.2, 235, 245.1, 253, 253.1),
)
const unit = (contact: Unit['contact']): fc.Arbitrary<Unit> =>
  fc
    .record({
      flags,
      read: fc.oneof({ weight: 9, arbitrary: fc.constant(t - 5) }, fc.constantFrom(t - 90, t - 91)),
      bus: volts,
      cable: volts,
    })
    .map((u) => ({
      word: { at: u.read, is: u.flags + { open: 2, closed: 1, unsure: 0 }[contact] },
      contact,
      read: u.read,
      bus: { at: t - 5, is: u.bus },
      cable: { at: t - 5, is: u.cable },
    }))
const contacts = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('open' as const, 'closed' as const).map((c) => [c, c, c] as const),
  },
  fc.tuple(
    ...([0, 1, 2] as const).map(() => fc.constantFrom('open' as const, 'closed' as const, 'unsure' as const)),
  ),
)
const anyView: fc.Arbitrary<View> = fc
  .record({
    here: side,
    there: side,
    alive: fc.record({
      at: fc.constantFrom(t - 5, t - 5, t - 30, t - 31),
      is: fc.constantFrom(true, true, true, false),
    }),
    heardPeer: fc.constantFrom(t - 130, t - 899, t - 900, t - 901),
    farWords: fc
      .constantFrom(1, 1, 1, 2, 0, 32_769)
      .map((is) => Array.from({ length: 3 }, () => ({ at: t - 60, is }))),
    contacts,
    isolated: fc.constantFrom(false, false, false, true),
    lastOperation: fc.constantFrom(undefined, t - 1_799, t - 1_800, t - 7_200),
    operationsToday: fc.constantFrom(0, 0, 7, 8),
    lockedOut: fc.constantFrom(false, false, false, true),
  })
  .chain(({ contacts: [a, b, c], ...v }) =>
    fc.tuple(unit(a), unit(b), unit(c)).map((units) => ({ ...v, units, differSince: t - 10 })),
  )

const flat = (a: number, step: number): Told<Curve> => ({
  at: t - 60,
  is: { start: halfHour, step, amps: Array.from({ length: 48 }, () => a) },
})
const well: Side = {
  forecast: flat(400, 1800),
  feeder: flat(100, 1800),
  rating: flat(800, 3600),
  hotSpot: { at: t - 30, is: 80 },
  currents: Array.from({ length: 3 }, () => ({ at: t - 30, is: 400 })),
  newest: true,
}
const unitAt = (word: number): Unit => ({
  word: { at: t - 5, is: word },
  contact: word === 1 ? 'closed' : 'open',
  read: t - 5,
  bus: { at: t - 5, is: 240 },
  cable: { at: t - 5, is: 240 },
})
/** Meshed, and both could do alone. */
const calm: View = {
  here: well,
  there: well,
  alive: { at: t - 5, is: true },
  heardPeer: t - 30,
  farWords: Array.from({ length: 3 }, () => ({ at: t - 60, is: 1 })),
  units: Array.from({ length: 3 }, () => unitAt(1)),
  isolated: false,
  lastOperation: t - 7_200,
  operationsToday: 0,
  lockedOut: false,
}
/** Apart, and a mesh is needed. */
const needy: View = {
  ...calm,
  here: { ...well, forecast: flat(900, 1800) },
  units: Array.from({ length: 3 }, () => unitAt(2)),
}
/** Any view; or a plain one of which a few things are as in any. */
const view: fc.Arbitrary<View> = fc.oneof(
  anyView,
  fc
    .tuple(
      fc.constantFrom(calm, needy),
      anyView,
      fc.subarray(
        Object.keys(calm).filter((k) => k !== 'here' && k !== 'there'),
        { maxLength: 2 },
      ),
      fc.subarray(Object.keys(well), { maxLength: 2 }),
      fc.subarray(Object.keys(well), { maxLength: 1 }),
    )
    .map(([base, any, keys, here, there]) => ({
      ...base,
      ...picked(any, keys),
      here: { ...base.here, ...picked(any.here, here) },
      there: { ...base.there, ...picked(any.there, there) },
      ...(keys.includes('units') && { differSince: any.differSince }),
    })),
)
function picked<T extends object>(from: T, keys: readonly string[]): Partial<T> {
  return Object.fromEntries(Object.entries(from).filter(([k]) => keys.includes(k))) as Partial<T>
}

function stationOf(s: Side): Station {
  const steps = (c: Told<Curve> | undefined): Station['forecast'] => ({
    start: c?.is.start ?? 0,
    interval: c?.is.step ?? 1,
    values: c?.is.amps ?? [],
  })
  const ats = [s.hotSpot, ...s.currents].map((x) => x?.at ?? Number.NEGATIVE_INFINITY)
  return {
    at: ats.reduce((worst, at) => (Math.abs(t - at) > Math.abs(t - worst) ? at : worst)),
    valid: s.newest && [s.forecast, s.feeder, s.rating].every((c) => c !== undefined && t - c.at <= 3_900),
    forecast: steps(s.forecast),
    feeder: steps(s.feeder),
    rating: steps(s.rating),
    loadNow: rootMeanSquare(s),
    hotSpotNow: s.hotSpot?.is ?? Number.NaN,
  }
}

function situationOf(v: View): Situation {
  const has = (u: Unit, n: number): boolean => ((u.word.is >> n) & 1) === 1
  const breakers = v.units.map((u): Breaker => {
    if (u === undefined) throw new Error('every unit is told of here')
    return {
      at: u.read,
      state: u.contact === 'unsure' ? 'between' : u.contact,
      bus: u.bus?.is ?? Number.NaN,
      cable: u.cable?.is ?? Number.NaN,
      fault: [4, 5, 6, 11, 12].some((n) => has(u, n)),
      lockout: has(u, 2),
      reclosing: has(u, 3),
      localControl: has(u, 8),
      unready: has(u, 7) || has(u, 13),
    }
  })
  const there = stationOf(v.there)
  return {
    now: t,
    local: stationOf(v.here),
    peer: { ...there, valid: there.valid && v.alive?.is === true && t - v.alive.at <= 30 },
    peerHeard: v.heardPeer,
    breakers: breakers as [Breaker, Breaker, Breaker],
    commanded: 'open',
    peerClosed: v.farWords.every((w) => w?.is === 1),
    isolated: v.isolated,
    lastOperation: v.lastOperation,
    operationsToday: v.operationsToday,
    lockedOut: v.lockedOut,
  }
}

test('the oracle and the reference app, written apart from each other, decide alike', () => {
  const words = { mesh: 'close', part: 'open', 'open-all': 'open', hold: 'nothing' } as const
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(view, (v) => {
      const wish = expectedOf(v, t, meshRules)
      const d = decide(situationOf(v), config)
      seen.set(d.do, (seen.get(d.do) ?? 0) + 1)
      expect([wish.wish, wish.lockOut]).toEqual([words[d.do], d.lockOut])
    }),
    { numRuns: 6_000, seed: 7 },
  )
  // Each of them comes up, or the comparison would say little.
  for (const what of ['mesh', 'part', 'open-all', 'hold'])
    expect([what, seen.get(what) ?? 0]).not.toEqual([what, 0])
})
