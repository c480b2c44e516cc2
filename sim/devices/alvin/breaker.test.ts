import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readPersonality } from '../personality.ts'
import { step } from './breaker.ts'
import { bits, statusOf } from './map.ts'
import { alvinSchema } from './personality.ts'
import { dueAt, newBreaker, results } from './state.ts'
import type { Breaker, Conditions, Effect, Input, Order, Side } from './state.ts'

const p = readPersonality('alvin-reclose', alvinSchema)
const calm = { busVolts: 240, cableVolts: 239, switchCelsius: 20 }
const second = 1000

/** A breaker that is driven by hand: current while it is closed, and what happened with when. */
function rig(side: Side, conditions: Conditions = {}) {
  const r = {
    now: 0,
    s: newBreaker(p, side, 0),
    conditions,
    amps: 50,
    cableVolts: 239,
    effects: [] as (Effect & { at: number })[],
    feed(input: Input): void {
      const { state, effects } = step(p, 7, r.s, input, r.now, r.conditions)
      r.s = state
      r.effects.push(...effects.map((e) => ({ ...e, at: r.now })))
    },
    look(): void {
      r.feed({ is: 'due' })
      const amps = r.s.contact === 'closed' ? r.amps : 0
      r.feed({ is: 'measured', m: { ...calm, cableVolts: r.cableVolts, amps } })
    },
    /** Lets time pass, as the device does: at what is due, and no more often. */
    pass(ms: number): void {
      const end = r.now + ms
      r.look()
      for (let i = 0; i < 1000; i++) {
        const next = dueAt(p, r.s)
        if (next === undefined || next > end) break
        r.now = Math.max(next, r.now)
        r.look()
      }
      r.now = end
    },
    order(order: Order): void {
      r.feed({ is: 'token', order })
      r.feed({ is: 'command', order })
    },
    moves: () => r.effects.flatMap((e) => (e.is === 'operated' ? [`${e.to} by ${e.by} at ${e.at}`] : [])),
    refusals: () => r.effects.flatMap((e) => (e.is === 'refused' ? [e.why] : [])),
  }
  return r
}

describe('a cycle of recloses', () => {
  test('a fault in the cable that stays: three recloses after 5, 30 and 120 s, then lockout', () => {
    const r = rig('closed')
    r.amps = 3000
    r.pass(200 * second)
    const causes = r.moves().map((m) => m.replace(/ at .*/, ''))
    expect(causes).toEqual([
      'open by trip',
      'closed by reclose',
      'open by trip',
      'closed by reclose',
      'open by trip',
      'closed by reclose',
      'open by trip',
    ])
    const times = r.effects.flatMap((e) => (e.is === 'operated' ? [e.at] : []))
    const dead = [1, 3, 5].map((i) => (times[i] ?? 0) - (times[i - 1] ?? 0))
    for (const [i, want] of [5, 30, 120].entries()) {
      // and the time that closing takes, 60 to 100 ms
      expect(dead[i]).toBeGreaterThanOrEqual(want * second + 60)
      expect(dead[i]).toBeLessThanOrEqual(want * second + 100)
    }
    expect(r.s.lockout).toBe(true)
    expect(r.s).toMatchObject({ opens: 4, closes: 3, shot: 3 })
    const status = statusOf(r.s, {}, r.now)
    expect(status & (bits.lockout | bits.overcurrent | bits.cableFault)).toBe(
      bits.lockout | bits.overcurrent | bits.cableFault,
    )
    r.order('close')
    expect(r.refusals()).toEqual(['lockout'])
    r.order('reset')
    r.amps = 50
    r.order('close')
    r.pass(second)
    expect(r.moves().at(-1)).toMatch(/^closed by command/)
    expect(statusOf(r.s, {}, r.now) & (bits.lockout | bits.overcurrent)).toBe(0)
  })

  test('a fault that is gone at the first reclose: 180 s later the cycle is over', () => {
    const r = rig('closed')
    r.amps = 3000
    r.pass(4 * second)
    r.amps = 80
    r.pass(10 * second)
    expect(r.s).toMatchObject({ contact: 'closed', shot: 1 })
    expect(statusOf(r.s, {}, r.now) & bits.cableFault).not.toBe(0)
    r.pass(180 * second)
    expect(r.s).toMatchObject({ contact: 'closed', shot: 0, lockout: false, tripped: false })
    expect(r.effects.at(-1)?.is).toBe('reclaimed')
  })

  test('an overload trips after 10 s, and not if it goes before', () => {
    const r = rig('closed')
    r.amps = 700
    r.pass(9 * second)
    r.amps = 100
    r.pass(second)
    expect(r.moves()).toEqual([])
    r.amps = 700
    r.pass(11 * second)
    expect(r.moves()[0]).toMatch(/^open by trip/)
    expect(r.s.faultSeen).toBe(false)
  })

  test('closed by command onto a fault it locks out at once', () => {
    const r = rig('open')
    r.amps = 5000
    r.order('close')
    r.pass(20 * second)
    expect(r.moves().map((m) => m.split(' at ')[0])).toEqual(['closed by command', 'open by trip'])
    expect(r.effects.at(-1)).toMatchObject({ is: 'lockout', why: 'it was closed onto a fault' })
  })

  test('opened by command during the dead time it stays open', () => {
    const r = rig('closed')
    r.amps = 3000
    r.pass(2 * second)
    r.order('close')
    expect(r.refusals()).toEqual(['reclose cycle running'])
    r.order('open')
    r.pass(300 * second)
    expect(r.s).toMatchObject({ contact: 'open', lockout: false, result: results.done, opens: 1 })
  })
})

describe('orders that are refused', () => {
  const refused = (r: ReturnType<typeof rig>, why: string): void => {
    const { opens, closes, contact } = r.s
    r.feed({ is: 'command', order: 'close' })
    r.pass(second)
    expect(r.refusals()).toEqual([why])
    expect(r.s).toMatchObject({ opens, closes, contact, result: results.refused })
  }
  const selected = (r: ReturnType<typeof rig>): ReturnType<typeof rig> => {
    r.look()
    r.feed({ is: 'token', order: 'close' })
    return r
  }

  test('not selected, selected for something else, or too long ago', () => {
    refused(rig('open'), 'not selected')
    const other = rig('open')
    other.feed({ is: 'token', order: 'open' })
    refused(other, 'not selected')
    const late = selected(rig('open'))
    late.pass(5001)
    refused(late, 'not selected')
    const twice = selected(rig('open'))
    twice.feed({ is: 'command', order: 'close' })
    twice.pass(second)
    twice.feed({ is: 'command', order: 'close' })
    expect(twice.refusals()).toEqual(['not selected'])
  })

  test('in local control, with a dead side, with too much across it, without energy, with a self-test fault', () => {
    const local = selected(rig('open'))
    local.feed({ is: 'local', on: true })
    refused(local, 'local control')
    const dead = rig('open')
    dead.cableVolts = 3
    refused(selected(dead), 'dead')
    const apart = rig('open')
    apart.cableVolts = 220
    refused(selected(apart), 'voltage difference')
    refused(selected(rig('open', { noEnergy: true })), 'stored energy low')
    refused(selected(rig('open', { selfTest: true })), 'self-test fault')
  })

  test('by hand it may close onto a dead cable, and not while locked out', () => {
    const r = rig('open')
    r.cableVolts = 0
    r.look()
    r.feed({ is: 'hand', order: 'close' })
    r.pass(second)
    expect(r.moves()[0]).toMatch(/^closed by local/)
    const locked = rig('open')
    locked.s = { ...locked.s, lockout: true }
    locked.feed({ is: 'hand', order: 'close' })
    locked.pass(second)
    expect(locked.moves()).toEqual([])
    locked.feed({ is: 'hand', order: 'reset' })
    locked.feed({ is: 'hand', order: 'close' })
    locked.pass(second)
    expect(locked.moves()).toHaveLength(1)
  })
})

describe('a contact that does not follow', () => {
  test.each([
    ['done', results.done, 'open', 1, false],
    ['failed', results.failed, 'open', 0, true],
    ['lying', results.done, 'closed', 1, false],
  ] as const)('%s', (stuck, result, shown, closes, failed) => {
    const r = rig('open', { stuck })
    r.order('close')
    r.pass(second)
    expect(r.moves()).toEqual([])
    expect(r.s).toMatchObject({ contact: 'open', shown, result, closes, failed })
    expect(r.effects.at(-1)?.is).toBe('not-moved')
  })

  test('one that cannot open on a fault tries once, and locks out', () => {
    const r = rig('closed', { stuck: 'failed' })
    r.amps = 3000
    r.pass(60 * second)
    expect(r.effects.map((e) => e.is)).toEqual(['tripped', 'not-moved', 'lockout'])
    expect(r.s).toMatchObject({ contact: 'closed', opens: 0 })
  })
})

test('it is opened within 60 ms and closed within 100 ms, and can close again 3 s after it closed', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      let s = newBreaker(p, 'open', 0)
      s = step(p, seed, s, { is: 'token', order: 'close' }, 0).state
      s = step(p, seed, s, { is: 'command', order: 'close' }, 0).state
      const closing = s.moving?.until ?? 0
      s = step(p, seed, s, { is: 'due' }, closing).state
      s = step(p, seed, s, { is: 'hand', order: 'open' }, closing).state
      const opening = (s.moving?.until ?? 0) - closing
      expect(closing).toBeGreaterThanOrEqual(60)
      expect(closing).toBeLessThanOrEqual(100)
      expect(opening).toBeGreaterThanOrEqual(30)
      expect(opening).toBeLessThanOrEqual(60)
      expect(s.chargedAt).toBe(closing + 3000)
    }),
  )
})

test('counters wrap at 65,535', () => {
  const r = rig('closed')
  r.feed({ is: 'preset', opens: 65_535, closes: 65_535 })
  r.order('open')
  r.pass(second)
  r.pass(5 * second)
  r.order('close')
  r.pass(second)
  expect(r.s).toMatchObject({ opens: 0, closes: 0 })
})

describe('whatever happens', () => {
  const order = fc.constantFrom<Order>('close', 'open', 'reset')
  const input: fc.Arbitrary<Input> = fc.oneof(
    order.map((o): Input => ({ is: 'token', order: o })),
    order.map((o): Input => ({ is: 'command', order: o })),
    order.map((o): Input => ({ is: 'hand', order: o })),
    fc.boolean().map((on): Input => ({ is: 'local', on })),
    fc.constant<Input>({ is: 'due' }),
    fc.constant<Input>({ is: 'spurious-trip' }),
    fc.constant<Input>({ is: 'reboot' }),
    fc
      .record({ enable: fc.boolean(), shots: fc.integer({ min: 0, max: 3 }) }, { requiredKeys: [] })
      .map((reclosing): Input => ({ is: 'set', reclosing })),
    fc
      .record({
        busVolts: fc.constantFrom(0, 225, 240),
        cableVolts: fc.constantFrom(0, 225, 240),
        amps: fc.constantFrom(0, 300, 700, 4000),
        switchCelsius: fc.constantFrom(20, 130),
      })
      .map((m): Input => ({ is: 'measured', m })),
  )
  const conditions: fc.Arbitrary<Conditions> = fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    fc.constantFrom<Conditions>(
      { stuck: 'done' },
      { stuck: 'failed' },
      { stuck: 'lying' },
      { noEnergy: true },
      { selfTest: true },
    ),
  )
  const story = fc.array(fc.tuple(input, conditions, fc.integer({ min: 0, max: 20_000 })), { maxLength: 120 })

  /** Runs a story; each step is looked at with the state before it. */
  function run(
    side: Side,
    steps: readonly (readonly [Input, Conditions, number])[],
    look: (before: Breaker, after: Breaker, effects: readonly Effect[], input: Input, now: number) => void,
  ): void {
    let now = 0
    let s = newBreaker(p, side, 0)
    const feed = (i: Input, c: Conditions): void => {
      const r = step(p, 3, s, i, now, c)
      look(s, r.state, r.effects, i, now)
      s = r.state
    }
    for (const [i, c, ms] of steps) {
      const end = now + ms
      for (let n = 0; n < 20; n++) {
        const next = dueAt(p, s)
        if (next === undefined || next > end) break
        now = Math.max(now, next)
        feed({ is: 'due' }, c)
        if (dueAt(p, s) === next) break
      }
      now = end
      feed(i, c)
    }
  }

  const sides = fc.constantFrom<Side>('open', 'closed')

  test('the contact moves only with an event that tells why, and every such event is a move', () => {
    fc.assert(
      fc.property(sides, story, (side, steps) => {
        run(side, steps, (before, after, effects) => {
          const told = effects.filter((e) => e.is === 'operated')
          expect(told.length).toBe(before.contact === after.contact ? 0 : 1)
          for (const e of told) {
            expect(e.to).toBe(after.contact)
            expect(before.moving).toMatchObject({ to: e.to, by: e.by })
          }
        })
      }),
      { numRuns: 150 },
    )
  })

  test('counters move by one with what the mechanism did, and never with a refusal', () => {
    fc.assert(
      fc.property(sides, story, (side, steps) => {
        run(side, steps, (before, after, effects) => {
          const moved = after.opens - before.opens + (after.closes - before.closes)
          expect([0, 1]).toContain(moved)
          if (moved === 1) expect(effects.some((e) => e.is === 'operated' || e.is === 'not-moved')).toBe(true)
          if (effects.some((e) => e.is === 'refused')) {
            expect(moved).toBe(0)
            expect(after.contact).toBe(before.contact)
            expect(after.moving).toBe(before.moving)
          }
        })
      }),
      { numRuns: 150 },
    )
  })

  test('nothing begins to close while it is locked out, and a dead time never runs while it is', () => {
    fc.assert(
      fc.property(sides, story, (side, steps) => {
        run(side, steps, (before, after, _, input) => {
          if (after.lockout) expect(after.cycle).toBeUndefined()
          const begins = after.moving !== before.moving && after.moving?.to === 'closed'
          if (begins) expect([input.is, before.lockout]).toEqual([input.is, false])
          if (begins && after.moving?.by === 'command') expect(before).toMatchObject({ local: false })
        })
      }),
      { numRuns: 150 },
    )
  })

  test('a command moves nothing that was not selected by its own code within 5 s', () => {
    fc.assert(
      fc.property(sides, story, (side, steps) => {
        run(side, steps, (before, after, effects, input, now) => {
          if (input.is !== 'command') return
          expect(after.seq).toBe((before.seq + 1) & 0xffff)
          expect(after.token).toBeUndefined()
          const good = before.token?.order === input.order && now <= before.token.until
          if (!good) {
            expect(effects).toMatchObject([{ is: 'refused', why: 'not selected' }])
            expect(after.moving).toBe(before.moving)
          }
        })
      }),
      { numRuns: 150 },
    )
  })

  test('its bits are never open and closed at once, and neither only while it moves', () => {
    fc.assert(
      fc.property(sides, story, (side, steps) => {
        run(side, steps, (_, after, __, ___, now) => {
          const pair = statusOf(after, {}, now) & (bits.closed | bits.open)
          expect(pair).not.toBe(bits.closed | bits.open)
          expect(pair === 0).toBe(after.moving !== undefined)
        })
      }),
      { numRuns: 100 },
    )
  })
})
