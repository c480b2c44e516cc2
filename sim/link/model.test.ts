import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LinkInput, LinkWay } from '../../drivers/link-faces.ts'
import { linkFaults } from './faults.ts'
import { linkBench } from './testing.ts'

const bytes = (n: number, way: LinkWay = 'up', flow = 1): LinkInput => ({ is: 'bytes', flow, way, n })

describe('what a link does to bytes', () => {
  test('a wire passes them on at once', () => {
    const b = linkBench()
    b.connection(1)
    b.give(bytes(100_000))
    b.give(bytes(7, 'down'))
    expect([b.passed(1, 'up'), b.passed(1, 'down')]).toEqual([100_000, 7])
  })

  test('a delay is the same for all of them, each way apart, and a connection takes a round trip', () => {
    const b = linkBench({ delay: { median: '20 ms' } })
    const began = b.now
    b.connection(1)
    expect(b.log.find((a) => a.effect.do === 'stands')?.at).toBe(began + 40)
    const sent = b.now
    b.give(bytes(1000))
    b.pass(100)
    expect(b.log.find((a) => a.effect.do === 'pass')?.at).toBe(sent + 20)
  })

  test('a rate holds for all connections of one direction together, and not for the other', () => {
    const b = linkBench({ rate: { up_kbit: 80, down_kbit: 800 } })
    for (const flow of [1, 2]) b.connection(flow)
    b.give(bytes(50_000, 'up', 1))
    b.give(bytes(50_000, 'up', 2))
    b.give(bytes(50_000, 'down', 1))
    b.pass(500)
    expect(b.passed(1, 'down')).toBe(50_000)
    b.pass(4500)
    // 80 kbit/s are 10,000 bytes a second, which the two share.
    expect(b.passed(1, 'up') + b.passed(2, 'up')).toBeCloseTo(50_000, -4)
    expect(Math.abs(b.passed(1, 'up') - b.passed(2, 'up'))).toBeLessThanOrEqual(1400)
    b.pass(5000)
    expect(b.passed(1, 'up') + b.passed(2, 'up')).toBe(100_000)
  })

  test('the radio that slept is waited for, and not the one that is awake', () => {
    const b = linkBench({ idle: { after: '10 s', wait: ['150 ms', '400 ms'] } })
    b.connection(1)
    b.pass(9000)
    b.give(bytes(1))
    expect(b.passed(1, 'up')).toBe(1)
    b.pass(11_000)
    const at = b.now
    b.give(bytes(1))
    b.pass(1000)
    const late = (b.log.findLast((a) => a.effect.do === 'pass')?.at ?? 0) - at
    expect(late).toBeGreaterThanOrEqual(150)
    expect(late).toBeLessThanOrEqual(400)
  })

  test('loss makes bytes late, in their order, and loses none', () => {
    const b = linkBench({ delay: { median: '30 ms' }, loss: { good: 0.1 } })
    b.connection(1)
    for (let i = 0; i < 500; i++) {
      b.give(bytes(1000))
      b.pass(20)
    }
    b.pass(200_000)
    expect(b.passed(1, 'up')).toBe(500_000)
    const { up } = b.model.counters(b.now).peers['server'] ?? {}
    expect(up?.['resent [B]']).toBeGreaterThan(20_000)
    expect(up?.['lost [B]']).toBe(0)
  })

  test('two states of loss lose in bursts, as often as the chances say', () => {
    const b = linkBench({ loss: { good: 0, bad: 1, worsens: 0.01, mends: 0.5 } })
    b.connection(1)
    for (let i = 0; i < 20_000; i++) b.give(bytes(100))
    b.pass(1e7)
    // In the bad state for 0.01/(0.01+0.5) of all packets; each loss keeps on until the state mends.
    const resent = (b.model.counters(b.now).peers['server']?.up['resent [B]'] ?? 0) / 100
    expect(resent / 20_000).toBeGreaterThan(0.01)
    expect(resent / 20_000).toBeLessThan(0.04)
  })

  test('slices are so long, and so far apart', () => {
    const b = linkBench({ slice: { bytes: 10, gap: '5 ms' } })
    b.connection(1)
    const at = b.now
    b.give(bytes(35))
    b.pass(100)
    const passes = b.log.filter((a) => a.effect.do === 'pass')
    expect(passes.map((a) => a.at - at)).toEqual([0, 5, 10, 15])
    expect(passes.map((a) => (a.effect.do === 'pass' ? a.effect.n : 0))).toEqual([10, 10, 10, 5])
  })
})

describe('a carrier that is gone', () => {
  test('hits the bytes in flight: the part that has arrived has, the rest is sent again', () => {
    const b = linkBench({ delay: { median: '10 ms' }, rate: { up_kbit: 8 } })
    b.connection(1)
    b.give(bytes(10_000))
    b.pass(2510)
    b.order({ do: 'drop', for: '30 s' })
    const then = b.passed(1, 'up')
    // One kilobyte a second.
    expect(then).toBe(2500)
    b.pass(29_999)
    expect(b.passed(1, 'up')).toBe(then)
    b.pass(60_000)
    expect(b.passed(1, 'up')).toBe(10_000)
    expect(b.model.counters(b.now)).toMatchObject({ 'carrier drops [1]': 1, 'down [s]': 30 })
    expect(b.model.counters(b.now).peers['server']?.up['resent [B]']).toBeGreaterThan(0)
  })

  test('a sender tries again after waits that double, so that a long drop is longer for it', () => {
    const b = linkBench()
    b.connection(1)
    b.order({ do: 'drop', for: '30 s' })
    const at = b.now
    b.give(bytes(1))
    b.pass(60_000)
    // 0.2 s + 0.4 + 0.8 + ... : the first at or after 30 s is 51 s.
    expect((b.log.find((a) => a.effect.do === 'pass')?.at ?? 0) - at).toBe(51_000)
  })

  test('a connection that nobody answers is given up after 127 s, bytes after 924.6 s', () => {
    const b = linkBench()
    b.connection(1)
    b.order({ do: 'inflict', id: 'f', fault: 'drop' })
    const at = b.now
    b.give(bytes(1))
    b.give({ is: 'connect', flow: 2, peer: 'server', by: 'host' })
    b.pass(1e6)
    const ups = b.log.flatMap((a) => (a.effect.do === 'give-up' ? [[a.effect.flow, a.at - at]] : []))
    expect(ups).toEqual([
      [2, 127_000],
      [1, 924_600],
    ])
  })

  test('FIN comes behind all bytes, also across a drop', () => {
    const b = linkBench({ rate: { up_kbit: 80 } })
    b.connection(1)
    b.give(bytes(30_000))
    b.give({ is: 'end', flow: 1, way: 'up' })
    b.pass(1000)
    b.order({ do: 'drop', for: '5 s' })
    b.pass(60_000)
    const kinds = b.log.map((a) => a.effect).filter((e) => e.do === 'pass' || e.do === 'end')
    expect(kinds.at(-1)?.do).toBe('end')
    expect(b.passed(1, 'up')).toBe(30_000)
  })

  test('what a host had not sent when its power went is gone, what was on the air arrives', () => {
    const b = linkBench({ delay: { median: '100 ms' }, rate: { up_kbit: 80 } })
    b.connection(1)
    b.give(bytes(20_000))
    b.pass(1000)
    b.give({ is: 'gone', flow: 1, way: 'up' })
    b.pass(10_000)
    expect(b.passed(1, 'up')).toBeGreaterThanOrEqual(9_000)
    expect(b.passed(1, 'up')).toBeLessThanOrEqual(12_000)
  })
})

describe('what stands between', () => {
  test('an idle connection is forgotten without a word, and only the sender finds out, by time', () => {
    const b = linkBench({ nat: { tcp_idle: '150 s' } })
    b.connection(1)
    b.pass(149_000)
    b.give(bytes(1))
    b.pass(151_000)
    b.give(bytes(5))
    b.give(bytes(5, 'down'))
    b.pass(10_000)
    expect(b.passed(1, 'up')).toBe(1)
    expect(b.told('forgot')).toMatchObject([{ flow: 1, why: 'idle' }])
    expect(b.log.some((a) => ['reset', 'end', 'give-up'].includes(a.effect.do))).toBe(false)
    b.pass(1e6)
    expect(b.log.filter((a) => a.effect.do === 'give-up').length).toBe(2)
  })

  test('a long drop brings a new address, a short one does not', () => {
    const b = linkBench({ reattach: { after: '20 s' } })
    b.connection(1)
    b.order({ do: 'drop', for: '5 s' })
    b.pass(10_000)
    b.give(bytes(1))
    expect(b.passed(1, 'up')).toBe(1)
    b.order({ do: 'drop', for: '25 s' })
    b.pass(60_000)
    expect(b.told('address').length).toBe(1)
    b.give(bytes(1))
    b.pass(1000)
    expect(b.passed(1, 'up')).toBe(1)
    b.connection(2)
    b.give(bytes(3, 'up', 2))
    expect(b.passed(2, 'up')).toBe(3)
  })

  test('where the network answers with RST, the host hears of it at its next word', () => {
    const b = linkBench({ delay: { median: '10 ms' }, reattach: { after: '1 s', answers: 'rst' } })
    b.connection(1)
    b.order({ do: 'drop', for: '2 s' })
    b.pass(5000)
    b.give(bytes(1))
    b.pass(20)
    expect(b.log.at(-1)?.effect).toEqual({ do: 'reset', flow: 1, way: 'down' })
  })

  test('nobody from outside gets in on a public APN', () => {
    for (const inbound of ['blocked', 'open'] as const) {
      const b = linkBench({ inbound })
      b.give({ is: 'connect', flow: 1, peer: 'neighbour', by: 'peer' })
      b.pass(200_000)
      expect(b.log.some((a) => a.effect.do === 'stands')).toBe(inbound === 'open')
      expect(b.log.some((a) => a.effect.do === 'give-up')).toBe(inbound === 'blocked')
    }
  })

  test('a quota blocks, or leaves a slower rate, and begins anew', () => {
    const b = linkBench({ quota: { bytes: 1000, per: '10 min', full: 'blocked' } })
    b.connection(1)
    b.give(bytes(1000))
    b.give(bytes(10))
    b.pass(60_000)
    expect(b.passed(1, 'up')).toBe(1000)
    b.pass(900_000)
    expect(b.passed(1, 'up')).toBe(1010)
    const slow = linkBench({ quota: { bytes: 1000, full: { kbit: 8 } } })
    slow.connection(1)
    slow.give(bytes(1000))
    slow.give(bytes(10_000))
    slow.pass(5000)
    expect(slow.passed(1, 'up')).toBeLessThanOrEqual(6001)
    slow.pass(6000)
    expect(slow.passed(1, 'up')).toBe(11_000)
  })
})

describe('faults', () => {
  test('a drop or a reset comes between two named bytes', () => {
    for (const fault of ['drop', 'reset'])
      for (const n of [0, 1, 4999, 5000]) {
        const b = linkBench({ rate: { up_kbit: 800 } })
        b.connection(1)
        b.order({ do: 'inflict', id: 'f', fault, params: { when: { way: 'up', bytes: n } } })
        b.give(bytes(10_000))
        b.pass(1000)
        expect(b.passed(1, 'up')).toBe(n)
        expect(b.log.filter((a) => a.effect.do === 'reset').length).toBe(fault === 'reset' ? 2 : 0)
      }
  })

  test('a reset that comes again and again lets the same number of bytes pass each time', () => {
    const b = linkBench()
    b.order({
      do: 'inflict',
      id: 'f',
      fault: 'reset',
      params: { when: { way: 'up', bytes: 100, again: true } },
    })
    for (const flow of [1, 2, 3]) {
      b.connection(flow)
      b.give(bytes(250, 'up', flow))
    }
    expect([1, 2, 3].map((f) => b.passed(f, 'up'))).toEqual([100, 100, 100])
    expect(b.model.counters(b.now)['resets [1]']).toBe(3)
  })

  test('a blackhole swallows one way, and nobody is told', () => {
    const b = linkBench()
    b.connection(1)
    b.order({ do: 'inflict', id: 'f', fault: 'blackhole', params: { way: 'up', for: '10 s' } })
    b.give(bytes(5))
    b.give(bytes(5, 'down'))
    b.pass(9000)
    expect([b.passed(1, 'up'), b.passed(1, 'down')]).toEqual([0, 5])
    b.pass(60_000)
    expect(b.passed(1, 'up')).toBe(5)
    expect(b.told('carrier')).toEqual([])
  })

  test('with half-open one side never hears that the other has gone', () => {
    const b = linkBench()
    b.connection(1)
    b.order({ do: 'inflict', id: 'f', fault: 'half-open', params: { side: 'host' } })
    b.give(bytes(5))
    b.give({ is: 'end', flow: 1, way: 'up' })
    b.give({ is: 'end', flow: 1, way: 'down' })
    expect(b.passed(1, 'up')).toBe(5)
    expect(b.log.map((a) => a.effect).filter((e) => e.do === 'end')).toEqual([
      { do: 'end', flow: 1, way: 'down' },
    ])
  })

  test('new connections are refused, or led to somebody else', () => {
    const b = linkBench()
    b.order({ do: 'inflict', id: 'r', fault: 'refuse' })
    b.give({ is: 'connect', flow: 1, peer: 'server', by: 'host' })
    expect(b.log.some((a) => a.effect.do === 'refused')).toBe(true)
    b.order({ do: 'lift', id: 'r' })
    b.order({ do: 'inflict', id: 'm', fault: 'redirect', params: { peer: 'server', to: '10.0.0.9:8443' } })
    b.give({ is: 'connect', flow: 2, peer: 'server', by: 'host' })
    expect(b.log.map((a) => a.effect).find((e) => e.do === 'asked')).toMatchObject({ to: '10.0.0.9:8443' })
  })

  test('a stall leaves everything with the sender, and goes on at once when it is over', () => {
    const b = linkBench()
    b.connection(1)
    b.order({ do: 'inflict', id: 'f', fault: 'stall', params: { way: 'up' } })
    b.give(bytes(5))
    b.pass(100_000)
    expect(b.passed(1, 'up')).toBe(0)
    b.order({ do: 'lift', id: 'f' })
    expect(b.passed(1, 'up')).toBe(5)
  })

  test('a script goes through its steps at their times', () => {
    const b = linkBench()
    b.connection(1)
    b.order({
      do: 'script',
      steps: [
        { after: '10 s', do: 'drop', for: '5 s' },
        { after: '1 min', do: 'inflict', fault: 'stall', params: { way: 'up' }, for: '10 s' },
        { after: '2 min', do: 'profile', name: 'poor-site' },
      ],
    })
    const at = b.now
    b.pass(65_000)
    b.give(bytes(1))
    b.pass(60_000)
    expect((b.log.find((a) => a.effect.do === 'pass')?.at ?? 0) - at).toBe(70_000)
    expect(b.told('carrier').length).toBe(2)
    expect(b.told('profile')).toMatchObject([{ name: 'poor-site' }])
  })

  test('what does not fit is refused with its place', () => {
    const b = linkBench()
    const order = (fault: string, params: object) => () =>
      b.order({ do: 'inflict', id: 'f', fault, params: params as never })
    expect(order('nonsense', {})).toThrow(/no fault 'nonsense'; there are: drop, blackhole/)
    expect(order('slice', {})).toThrow(/'slice' \(bytes\)/)
    expect(order('drop', { for: 'soon' })).toThrow(/'soon' is not a duration/)
    expect(() => b.order({ do: 'fly' })).toThrow(/order to a link/)
    expect(() => b.order({ do: 'profile', name: 'moon' })).toThrow(/there are: flapping, good-site/)
    expect(() => b.order({ do: 'script', steps: [{ after: '1 s', do: 'profile', name: 'moon' }] })).toThrow(
      /moon/,
    )
  })
})

describe('whatever happens', () => {
  const way = fc.constantFrom('up' as const, 'down' as const)
  const flow = fc.integer({ min: 1, max: 3 })
  const fault = fc.oneof(
    fc.record({
      fault: fc.constantFrom(
        'drop',
        'blackhole',
        'stall',
        'forget',
        'new-address',
        'spike',
        'reset',
        'half-open',
      ),
      params: fc.constant({ for: '7 s' }),
    }),
    fc.record({
      fault: fc.constantFrom('drop', 'reset'),
      params: fc.record({
        for: fc.constant('20 s'),
        when: fc.record({ way, bytes: fc.integer({ min: 0, max: 5000 }) }),
      }),
    }),
    fc.constant({ fault: 'slice', params: { bytes: 100, gap: '3 ms', for: '4 s' } }),
    fc.constant({ fault: 'loss', params: { good: 0.2, for: '30 s' } }),
    fc.constant({ fault: 'quota', params: { bytes: 5000, full: { kbit: 10 }, for: '60 s' } }),
  )
  const event = fc.oneof(
    { weight: 6, arbitrary: fc.record({ give: fc.integer({ min: 1, max: 40_000 }), way, flow }) },
    { weight: 4, arbitrary: fc.record({ pass: fc.integer({ min: 0, max: 20_000 }) }) },
    { weight: 1, arbitrary: fc.record({ close: fc.constantFrom('end', 'reset', 'gone'), way, flow }) },
    { weight: 1, arbitrary: fault },
    { weight: 1, arbitrary: fc.record({ profile: fc.constantFrom('good-site', 'poor-site', 'flapping') }) },
  )

  test('every byte passes once and not early, is lost and said so, or is held; nothing passes after its end', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.integer(), (events, seed) => {
        const b = linkBench({ delay: { median: '20 ms' }, rate: { up_kbit: 1000 } }, seed)
        const given = new Map<string, { at: number; upTo: number }[]>()
        const closed = new Set<string>()
        for (const f of [1, 2, 3]) b.give({ is: 'connect', flow: f, peer: `peer${f}`, by: 'host' })
        let plain = true
        const asked = (f: number): boolean =>
          b.log.some(({ effect }) => effect.do === 'asked' && effect.flow === f)
        for (const [i, e] of events.entries()) {
          // A peer that has not been asked yet has nothing to say, and nothing to end.
          if ('way' in e && e.way === 'down' && !asked(e.flow)) continue
          if ('give' in e) {
            const key = `${e.flow} ${e.way}`
            if (closed.has(key)) continue
            const list = given.get(key) ?? []
            list.push({ at: b.now, upTo: (list.at(-1)?.upTo ?? 0) + e.give })
            given.set(key, list)
            b.give({ is: 'bytes', flow: e.flow, way: e.way, n: e.give })
          } else if ('pass' in e) b.pass(e.pass)
          else if ('close' in e) {
            b.give({ is: e.close as 'end', flow: e.flow, way: e.way })
            closed.add(`${e.flow} ${e.way}`)
          } else if ('profile' in e) {
            b.order({ do: 'profile', name: e.profile })
            plain = false
          } else b.order({ do: 'inflict', id: `f${i}`, fault: e.fault, params: e.params as never })
        }
        b.pass(1000)
        const seen = new Map<string, number>()
        const ended = new Set<string>()
        for (const { at, effect: e } of b.log) {
          if (!('way' in e) || e.do === 'dark') continue
          const key = `${e.flow} ${e.way}`
          if (e.do === 'end' || e.do === 'reset') ended.add(key)
          if (e.do !== 'pass' && e.do !== 'lose') continue
          const n = (seen.get(key) ?? 0) + e.n
          seen.set(key, n)
          if (e.do !== 'pass') continue
          expect(ended.has(key), key).toBe(false)
          const list = given.get(key) ?? []
          expect(n, key).toBeLessThanOrEqual(list.at(-1)?.upTo ?? 0)
          if (plain) {
            const last = list.find((g) => g.upTo >= n)
            expect(at).toBeGreaterThanOrEqual((last?.at ?? Infinity) + 20)
          }
        }
        const c = b.model.counters(b.now)
        for (const f of [1, 2, 3])
          for (const w of ['up', 'down'] as const) {
            const counted = c.peers[`peer${f}`]?.[w]
            const offered = given.get(`${f} ${w}`)?.at(-1)?.upTo ?? 0
            // What came after the end of its connection is not counted, and said to be lost.
            expect(counted?.['offered [B]'] ?? 0).toBeLessThanOrEqual(offered)
            expect(counted?.['passed [B]'] ?? 0).toBe(b.passed(f, w))
          }
        // Everything else goes in the end: by time, or by giving up.
        for (const [i, e] of events.entries()) if ('fault' in e) b.order({ do: 'lift', id: `f${i}` })
        b.order({ do: 'profile', name: 'wire' })
        b.pass(2_000_000)
        const rest = b.model.counters(b.now)
        for (const f of [1, 2, 3])
          for (const w of ['up', 'down'] as const) {
            const k = rest.peers[`peer${f}`]?.[w]
            expect(k?.['offered [B]']).toBe((k?.['passed [B]'] ?? 0) + (k?.['lost [B]'] ?? 0))
          }
        expect(b.model.busy).toBe(false)
      }),
      { numRuns: 150 },
    )
  })

  test('the same seed and inputs give the same effects', () => {
    const run = (seed: number): string => {
      const b = linkBench('poor-site', seed)
      b.connection(1)
      for (let i = 0; i < 300; i++) {
        b.give(bytes(500 + i))
        b.give(bytes(20, 'down'))
        b.pass(60_000)
      }
      return JSON.stringify(b.log)
    }
    expect(run(3)).toBe(run(3))
    expect(run(3)).not.toBe(run(4))
  })

  test('every fault is inflicted and lifted without any connection', () => {
    for (const name of Object.keys(linkFaults)) {
      const b = linkBench()
      const params =
        { slice: { bytes: 3 }, quota: { bytes: 3, full: 'blocked' }, redirect: { to: 'a:1' } }[name] ?? {}
      b.order({ do: 'inflict', id: 'f', fault: name, params })
      b.pass(1000)
      b.order({ do: 'lift', id: 'f' })
      b.connection(1)
      b.give(bytes(1))
      b.pass(100_000)
      expect(b.passed(1, 'up'), name).toBe(1)
    }
  })
})
