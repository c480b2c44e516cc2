import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { initial, patience, step, type Effect, type Input, type Policy, type State } from './machine.ts'

const policy: Policy = {
  computer: { silence: 15, boot: 120 },
  router: { silence: 30, boot: 120, link: 300 },
  most: 1_000,
}

/** Ticks each second from 0 to the end, with what comes at other times; what was reset, and when. */
function resets(
  end: number,
  comes: (t: number) => readonly Input['kind'][],
  supply: (t: number) => Extract<Input, { kind: 'supply' }> = (t) => ({
    kind: 'supply',
    state: 'on',
    forMs: t,
  }),
): (readonly [number, 'computer' | 'router'])[] {
  const out: [number, 'computer' | 'router'][] = []
  let state = initial(0)
  const take = (input: Input, t: number): void => {
    const [next, effects] = step(state, input, t, policy)
    state = next
    for (const e of effects) {
      if (e.do === 'reset') out.push([t, e.of])
      if (e.do === 'look') take(supply(t), t)
    }
  }
  for (let t = 1; t <= end; t++) {
    for (const kind of comes(t)) if (kind === 'fed' || kind === 'page' || kind === 'beyond') take({ kind }, t)
    take({ kind: 'tick' }, t)
  }
  return out
}
const every = (n: number, t: number): boolean => t % n === 0
const router = (t: number): readonly Input['kind'][] => (every(5, t) ? ['page', 'beyond'] : [])
const computer = (t: number): readonly Input['kind'][] => (every(3, t) ? ['fed'] : [])

describe('the watchdog of the computer', () => {
  test('leaves one alone that gives signs of life, however long', () => {
    expect(resets(5_000, (t) => [...computer(t), ...router(t)])).toEqual([])
  })

  test('resets one that is silent once, and gives it time to boot', () => {
    const alive = (t: number): boolean => t <= 60 || t > 170
    expect(resets(400, (t) => [...(alive(t) ? computer(t) : []), ...router(t)])).toEqual([[75, 'computer']])
  })

  test('doubles the wait each time that a reset brought nothing, up to a bound', () => {
    const at = resets(5_000, router).map(([t]) => t)
    // 120 s, then 240, 480, 960, and 1000 from there on.
    expect(at).toEqual([120, 360, 840, 1_800, 2_800, 3_800, 4_800])
  })

  test('does not reset one that has no power, or has just got it', () => {
    const alive = (t: number): boolean => t <= 60 || t > 330
    const supply = (t: number): Extract<Input, { kind: 'supply' }> =>
      t < 300 ? { kind: 'supply', state: 'off', forMs: 0 } : { kind: 'supply', state: 'on', forMs: t - 300 }
    expect(resets(500, (t) => [...(alive(t) ? computer(t) : []), ...router(t)], supply)).toEqual([])
  })

  test('resets one whose relay does not tell how its supply stands', () => {
    const supply = (): Extract<Input, { kind: 'supply' }> => ({ kind: 'supply', state: 'unknown', forMs: 0 })
    expect(resets(80, (t) => [...(t <= 60 ? computer(t) : []), ...router(t)], supply)).toEqual([
      [75, 'computer'],
    ])
  })

  test('takes a word that comes while the supply is looked at for life', () => {
    let state: State = { ...initial(0), looking: true }
    state = step(state, { kind: 'fed' }, 500, policy)[0]
    expect(step(state, { kind: 'supply', state: 'on', forMs: 1e6 }, 501, policy)[1]).toEqual([])
  })
})

describe('the watchdog of the router', () => {
  test('resets one whose page is silent, once, and gives it time to boot', () => {
    const page = (t: number): readonly Input['kind'][] => (t <= 100 || t > 200 ? router(t) : [])
    expect(resets(600, (t) => [...computer(t), ...page(t)])).toEqual([[130, 'router']])
  })

  test('resets one that passes nothing on, ever more seldom, and begins anew when something passes', () => {
    const beyond = (t: number): boolean => t <= 10 || (t > 2_000 && t <= 2_100)
    const at = resets(2_500, (t) => [
      ...computer(t),
      ...(every(5, t) ? (['page'] as const) : []),
      ...(every(5, t) && beyond(t) ? (['beyond'] as const) : []),
    ])
    expect(at.map(([t]) => t)).toEqual([310, 910, 1_910, 2_400])
    expect(new Set(at.map(([, of]) => of))).toEqual(new Set(['router']))
  })
})

test('whatever comes, waits stay within their bounds and one tick resets nobody twice', () => {
  const input = fc.oneof(
    fc.constantFrom<Input>({ kind: 'tick' }, { kind: 'fed' }, { kind: 'page' }, { kind: 'beyond' }),
    fc.record({
      kind: fc.constant('supply' as const),
      state: fc.constantFrom('on' as const, 'off' as const, 'unknown' as const),
      forMs: fc.nat(10_000),
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(400), input), { maxLength: 60 }), (story) => {
      let [state, now] = [initial(0), 0]
      for (const [ms, i] of story) {
        now += ms
        const [next, effects]: readonly [State, readonly Effect[]] = step(state, i, now, policy)
        state = next
        const of = effects.flatMap((e) => (e.do === 'reset' ? [e.of] : []))
        expect(new Set(of).size).toBe(of.length)
        expect(patience(state.computer, policy.computer, policy.most)).toBeLessThanOrEqual(policy.most)
        for (const w of [state.computer, state.router, state.link]) expect(w.since).toBeLessThanOrEqual(now)
      }
    }),
  )
})
