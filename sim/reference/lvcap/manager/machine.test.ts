import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  initial,
  shippedPolicy,
  step,
  type AppState,
  type Effect,
  type Input,
  type Policy,
  type State,
} from './machine.ts'
import { interpret } from './messages.ts'

const manager = 'eatl_containermanager_00'

/** A Container Manager with two applications, driven by hand. */
function driven(policy: Policy = shippedPolicy): {
  take(input: Input): readonly Effect[]
  app(iid?: string): AppState
  readonly all: readonly Effect[]
} {
  let state: State = initial([
    { iid: 'a_a_01', config: { interval: 60 } },
    { iid: 'b_b_01', config: null },
  ])
  const all: Effect[] = []
  const take = (input: Input): readonly Effect[] => {
    const [next, effects] = step(state, input, 1_000, policy, manager)
    state = next
    all.push(...effects)
    return effects
  }
  return {
    take,
    all,
    app: (iid = 'a_a_01') => {
      const found = state.apps.find((a) => a.iid === iid)
      if (found === undefined) throw new Error(iid)
      return found
    },
  }
}

const iid = 'a_a_01'
const said = (code: number | null): Input => ({ kind: 'status', iid, code })
const actions = (effects: readonly Effect[]): string[] =>
  effects
    .filter((e) => e.do === 'start' || e.do === 'signal')
    .map((e) => (e.do === 'signal' ? `${e.signal} ${e.iid}` : `start ${e.iid}`))
const published = (effects: readonly Effect[], topic: string): unknown[] =>
  effects.flatMap((e) => (e.do === 'publish' && e.message.topic === topic ? [e.message.payload] : []))

/** Started, configured and well. */
function running(policy?: Policy): ReturnType<typeof driven> {
  const d = driven(policy)
  d.take({ kind: 'begin' })
  d.take({ kind: 'config-request', iid })
  d.take(said(1))
  return d
}

/** `n` status requests, none of which is answered. */
function silences(d: ReturnType<typeof driven>, n: number): string[] {
  const list: string[] = []
  // An answer may come until the next request: n + 1 requests make n silences.
  for (let i = 0; i < n; i++) list.push(...actions(d.take({ kind: 'poll' })))
  return list
}

describe('starting', () => {
  test('starts the applications in the order of their installation, once', () => {
    const d = driven()
    expect(actions(d.take({ kind: 'begin' }))).toEqual(['start a_a_01', 'start b_b_01'])
    expect(actions(d.take({ kind: 'begin' }))).toEqual([])
  })

  test('answers a request with the inner configuration object, or with null', () => {
    const d = driven()
    d.take({ kind: 'begin' })
    expect(published(d.take({ kind: 'config-request', iid }), `config/response/${iid}`)).toEqual([
      { Configuration: { interval: 60 }, Timestamp: 1 },
    ])
    expect(published(d.take({ kind: 'config-request', iid: 'b_b_01' }), 'config/response/b_b_01')).toEqual([
      { Configuration: null, Timestamp: 1 },
    ])
    expect(published(d.take({ kind: 'config-request', iid: 'c_c_01' }), 'config/response/c_c_01')).toEqual([
      { Configuration: null, Timestamp: 1 },
    ])
  })

  test('sends the configuration again to who waits for it; none where none is known', () => {
    const d = driven()
    d.take({ kind: 'begin' })
    expect(published(d.take(said(5)), `config/response/${iid}`).length).toBe(1)
    expect(published(d.take({ kind: 'status', iid: 'b_b_01', code: 5 }), 'config/response/b_b_01')).toEqual(
      [],
    )
  })
})

describe('asking for the status', () => {
  test('asks everybody with one message that is not acknowledged', () => {
    const asked = running().take({ kind: 'poll' })
    expect(asked.find((e) => e.do === 'publish')).toMatchObject({
      message: { topic: 'status/request', qos: 0, retain: false },
    })
  })

  test('restarts on the third silence, never on the first or second', () => {
    const d = running()
    expect(silences(d, 3)).toEqual([])
    expect(actions(d.take({ kind: 'poll' }))).toEqual([`TERM ${iid}`, 'TERM b_b_01'])
    expect(actions(d.take({ kind: 'exited', iid, how: 0 }))).toEqual([`start ${iid}`])
  })

  test('as a legal variant restarts on the second', () => {
    const d = running({ ...shippedPolicy, restartAfter: 2 })
    expect(silences(d, 2)).toEqual([])
    expect(actions(d.take({ kind: 'poll' }))).toContain(`TERM ${iid}`)
  })

  test('keeps the count over a restart, and stops for good on the fifth', () => {
    const d = running()
    silences(d, 4)
    d.take({ kind: 'exited', iid, how: 0 })
    expect(d.app().misses).toBe(3)
    d.take({ kind: 'poll' })
    expect(actions(d.take({ kind: 'poll' }))).not.toContain(`TERM ${iid}`)
    const fifth = d.take({ kind: 'poll' })
    expect(actions(fifth)).toContain(`TERM ${iid}`)
    expect(JSON.stringify(published(fifth, `storage/data/error/${manager}`))).toContain('stays stopped')
    expect(actions(d.take({ kind: 'exited', iid, how: 0 }))).toEqual([])
    expect(d.app().phase).toBe('down')
  })

  test('forgets the silences at a status 1 or 5', () => {
    for (const code of [1, 5]) {
      const d = running()
      silences(d, 3)
      d.take(said(code))
      expect(d.app().misses).toBe(0)
      expect(silences(d, 3).filter((a) => a.endsWith(iid))).toEqual([])
    }
  })

  test('counts an unknown status as a silence', () => {
    const d = running()
    for (let i = 0; i < 2; i++) {
      d.take({ kind: 'poll' })
      expect(actions(d.take(said(7)))).toEqual([])
    }
    d.take({ kind: 'poll' })
    expect(actions(d.take(said(null)))).toEqual([`TERM ${iid}`])
  })

  test('blames nobody for answers that were lost while the marketplace was away', () => {
    const d = running()
    d.take({ kind: 'poll' })
    d.take({ kind: 'begin' })
    d.take({ kind: 'poll' })
    expect(d.app().misses).toBe(0)
  })
})

describe('acting on a status', () => {
  for (const code of [2, 3, 6]) {
    test(`restarts at once on status ${code}`, () => {
      const d = running()
      expect(actions(d.take(said(code)))).toEqual([`TERM ${iid}`])
      expect(actions(d.take({ kind: 'exited', iid, how: 0 }))).toEqual([`start ${iid}`])
    })
  }

  test('stores the message that comes with a failure', () => {
    const effects = running().take({ kind: 'status', iid, code: 3, text: 'Bad config file' })
    expect(JSON.stringify(published(effects, `storage/data/error/${manager}`))).toContain('Bad config file')
  })

  test('does not start again who shut itself down, until asked to', () => {
    const d = running()
    expect(actions(d.take(said(4)))).toEqual([`TERM ${iid}`])
    expect(actions(d.take({ kind: 'exited', iid, how: 0 }))).toEqual([])
    expect(actions(d.take({ kind: 'operator', request: { id: '1', do: 'start', iid } }))).toEqual([
      `start ${iid}`,
    ])
  })

  test('does not take the last will of the process before for one of the new process', () => {
    const d = running()
    d.take({ kind: 'exited', iid, how: 'KILL' })
    expect(d.app().phase).toBe('starting')
    expect(actions(d.take(said(2)))).toEqual([])
    d.take({ kind: 'config-request', iid })
    expect(actions(d.take(said(2)))).toEqual([`TERM ${iid}`])
  })

  test('does not restart twice for the last will and the exit of one death', () => {
    const d = running()
    d.take(said(2))
    expect(actions(d.take({ kind: 'exited', iid, how: 'KILL' }))).toEqual([`start ${iid}`])
    expect(actions(d.take(said(2)))).toEqual([])
  })

  test('stops for good who dies five times without ever being well', () => {
    const d = running()
    const seen: string[][] = []
    for (let i = 0; i < 5; i++) seen.push(actions(d.take({ kind: 'exited', iid, how: 1 })))
    expect(seen).toEqual([[`start ${iid}`], [`start ${iid}`], [`start ${iid}`], [`start ${iid}`], []])
    expect(d.app().phase).toBe('down')
  })

  test('lets who is well in between die as often as it likes', () => {
    const d = running()
    for (let i = 0; i < 20; i++) {
      expect(actions(d.take({ kind: 'exited', iid, how: 1 }))).toEqual([`start ${iid}`])
      d.take({ kind: 'config-request', iid })
      d.take(said(1))
    }
  })
})

describe('shutting down', () => {
  const restart: Input = { kind: 'operator', request: { id: '1', do: 'restart', iid } }

  test('commands, waits a minute for status 4, then stops, at two minutes by force', () => {
    const d = running()
    const effects = d.take(restart)
    expect(published(effects, `command/${iid}`)).toEqual([{ Command: 1, Timestamp: 1 }])
    expect(effects.filter((e) => e.do === 'timer')).toEqual([
      { do: 'timer', what: 'polite', iid, ms: 60_000 },
      { do: 'timer', what: 'kill', iid, ms: 120_000 },
    ])
    expect(actions(effects)).toEqual([])
    expect(actions(d.take({ kind: 'timer', what: 'polite', iid }))).toEqual([`TERM ${iid}`])
    expect(actions(d.take({ kind: 'timer', what: 'kill', iid }))).toEqual([`KILL ${iid}`])
    expect(actions(d.take({ kind: 'exited', iid, how: 'KILL' }))).toEqual([`start ${iid}`])
  })

  test('after status 4 stops the process and starts it again, because it was asked for', () => {
    const d = running()
    d.take(restart)
    expect(actions(d.take(said(4)))).toEqual([`TERM ${iid}`])
    expect(actions(d.take({ kind: 'exited', iid, how: 0 }))).toEqual([`start ${iid}`])
  })

  test('leaves stopped what was shut down', () => {
    const d = running()
    d.take({ kind: 'operator', request: { id: '1', do: 'shutdown', iid } })
    d.take(said(4))
    expect(actions(d.take({ kind: 'exited', iid, how: 0 }))).toEqual([])
  })

  test('does not count silence of who is leaving', () => {
    const d = running()
    d.take(restart)
    silences(d, 6)
    expect(d.app().misses).toBe(0)
  })

  test('closes everything, starts nothing, and finishes when all are gone', () => {
    const d = running()
    d.take({ kind: 'status', iid: 'b_b_01', code: 1 })
    const effects = d.take({ kind: 'close' })
    expect(published(effects, `command/${iid}`).length + published(effects, 'command/b_b_01').length).toBe(2)
    d.take(said(4))
    expect(d.take({ kind: 'exited', iid, how: 0 }).some((e) => e.do === 'finish')).toBe(false)
    expect(actions(d.take({ kind: 'timer', what: 'polite', iid: 'b_b_01' }))).toEqual(['TERM b_b_01'])
    const last = d.take({ kind: 'exited', iid: 'b_b_01', how: 0 })
    expect(last.some((e) => e.do === 'finish')).toBe(true)
    expect(actions(last)).toEqual([])
  })
})

describe('the operator', () => {
  const ask = (request: Extract<Input, { kind: 'operator' }>['request']): Input => ({
    kind: 'operator',
    request,
  })

  test('changes a configuration: stored, sent and answered', () => {
    const d = running()
    const effects = d.take(ask({ id: '7', do: 'change', iid, config: { interval: 10 } }))
    expect(effects.find((e) => e.do === 'save')).toEqual({ do: 'save', iid, config: { interval: 10 } })
    expect(published(effects, `config/response/${iid}`)).toEqual([
      { Configuration: { interval: 10 }, Timestamp: 1 },
    ])
    expect(published(effects, 'manager/response')).toEqual([{ Id: '7', Ok: true }])
  })

  test('is told what cannot be done', () => {
    const d = running()
    expect(
      published(d.take(ask({ id: '8', do: 'restart', iid: 'no_such_01' })), 'manager/response'),
    ).toMatchObject([{ Id: '8', Ok: false }])
    expect(published(d.take(ask({ id: '9', do: 'configure', iid })), 'manager/response')).toMatchObject([
      { Id: '9', Ok: false },
    ])
  })

  test('has an app sent a command of a number that table 9 does not know, and never that of the shutdown', () => {
    const d = running()
    const sent = d.take(ask({ id: '1', do: 'command', iid, config: { Command: 7 } }))
    expect(published(sent, `command/${iid}`)).toEqual([{ Command: 7, Timestamp: 1 }])
    for (const config of [{ Command: 1 }, { Command: 1.5 }, { Command: '2' }, {}]) {
      const refused = d.take(ask({ id: '2', do: 'command', iid, config }))
      expect(published(refused, `command/${iid}`)).toEqual([])
      expect(published(refused, 'manager/response')).toMatchObject([{ Ok: false }])
    }
  })

  test('sees the state of every application', () => {
    const [answer] = published(running().take(ask({ id: '1', do: 'state' })), 'manager/response')
    expect(answer).toMatchObject({ Ok: true, Apps: [{ IID: iid, Phase: 'running' }, { IID: 'b_b_01' }] })
  })
})

describe('an update', () => {
  const hold: Input = { kind: 'hold', iid }
  const operator = (what: 'restart' | 'start'): Input => ({
    kind: 'operator',
    request: { id: '1', do: what, iid },
  })

  test('has an application shut down politely, and nobody else starts it meanwhile', () => {
    const d = running()
    expect(published(d.take(hold), `command/${iid}`)).toHaveLength(1)
    expect(published(d.take(operator('restart')), 'manager/response')).toEqual([
      { Id: '1', Ok: false, Message: `${iid} is being updated.` },
    ])
    expect(actions(d.take(said(4)))).toEqual([`TERM ${iid}`])
    expect(actions(d.take({ kind: 'exited', iid, how: 0 }))).toEqual([])
    expect(d.app().phase).toBe('held')
    expect(actions([...d.take({ kind: 'begin' }), ...d.take({ kind: 'poll' })])).toEqual([])
    expect(published(d.take(operator('start')), 'manager/response')).toMatchObject([{ Ok: false }])
  })

  test('starts it anew with another configuration, and forgets the failures of the one before', () => {
    const d = running()
    d.take(said(3))
    d.take({ kind: 'exited', iid, how: 0 })
    d.take(hold)
    d.take({ kind: 'exited', iid, how: 0 })
    const install: Input = { kind: 'install', iid, config: { interval: 10 } }
    expect(actions(d.take(install))).toEqual([`start ${iid}`])
    expect(d.app()).toMatchObject({ restarts: 0, misses: 0, config: { interval: 10 } })
    // It runs: it is not started twice.
    expect(actions(d.take(install))).toEqual([])
  })

  test('brings an application that was not there, and takes one away', () => {
    const d = running()
    expect(actions(d.take({ kind: 'install', iid: 'c_c_01', config: {} }))).toEqual(['start c_c_01'])
    d.take({ kind: 'remove', iid })
    expect(d.app().phase).toBe('running')
    d.take(hold)
    d.take({ kind: 'exited', iid, how: 0 })
    d.take({ kind: 'remove', iid })
    expect(() => d.app()).toThrow()
    expect(published(d.take({ kind: 'config-request', iid }), `config/response/${iid}`)).toMatchObject([
      { Configuration: null },
    ])
  })

  test('under way does not keep the platform from shutting down', () => {
    const d = running()
    d.take(hold)
    d.take({ kind: 'close' })
    d.take({ kind: 'exited', iid, how: 0 })
    expect(d.take({ kind: 'exited', iid: 'b_b_01', how: 0 })).toContainEqual({ do: 'finish' })
  })
})

describe('whatever happens in whatever order', () => {
  const iids = fc.constantFrom('a_a_01', 'b_b_01', 'c_c_01')
  const input: fc.Arbitrary<Input> = fc.oneof(
    fc.constant<Input>({ kind: 'begin' }),
    fc.constant<Input>({ kind: 'poll' }),
    fc.record({ kind: fc.constant('config-request' as const), iid: iids }),
    fc.record({
      kind: fc.constant('status' as const),
      iid: iids,
      code: fc.oneof(fc.integer({ min: 0, max: 8 }), fc.constant('x')),
    }),
    fc.record({ kind: fc.constant('exited' as const), iid: iids, how: fc.constantFrom(0, 1, 'KILL') }),
    fc.record({
      kind: fc.constant('timer' as const),
      what: fc.constantFrom('polite' as const, 'kill' as const),
      iid: iids,
    }),
    fc.record({ kind: fc.constantFrom('hold' as const, 'remove' as const), iid: iids }),
    fc.record({ kind: fc.constant('install' as const), iid: iids, config: fc.constant({ interval: 2 }) }),
    fc.record({
      kind: fc.constant('operator' as const),
      request: fc.record({
        id: fc.constant('1'),
        do: fc.constantFrom(
          'configure' as const,
          'change' as const,
          'restart' as const,
          'shutdown' as const,
          'start' as const,
          'state' as const,
          'command' as const,
        ),
        iid: iids,
        config: fc.constant({ interval: 1 }),
      }),
    }),
  )

  test('no application is started while it runs, and none twice at once', () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), (inputs) => {
        const d = driven()
        const alive = new Map<string, number>()
        for (const i of inputs) {
          // An exit can only be of something that runs.
          if (i.kind === 'exited') {
            if ((alive.get(i.iid) ?? 0) === 0) continue
            alive.set(i.iid, (alive.get(i.iid) ?? 0) - 1)
          }
          for (const e of d.take(i)) if (e.do === 'start') alive.set(e.iid, (alive.get(e.iid) ?? 0) + 1)
          for (const n of alive.values()) expect(n).toBeLessThanOrEqual(1)
        }
      }),
    )
  })

  test('who is being stopped has a deadline', () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), (inputs) => {
        const d = driven()
        for (const i of inputs) {
          if (i.kind === 'remove') continue
          const before = d.app().phase
          const effects = d.take(i)
          const after = d.app().phase
          if (after !== before && (after === 'leaving' || after === 'ending')) {
            expect(effects.some((e) => e.do === 'timer' && e.what === 'kill' && e.iid === iid)).toBe(true)
          }
        }
      }),
    )
  })
})

describe('reading messages', () => {
  test('takes any bytes on any topic', () => {
    const topic = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'config/request/a_a_01',
        'status/response/a_a_01',
        'manager/request',
        'status/response/',
        'config/request/a/b',
      ),
    )
    fc.assert(
      fc.property(topic, fc.uint8Array({ maxLength: 60 }), (t, bytes) => {
        interpret(t, bytes)
      }),
    )
    fc.assert(
      fc.property(topic, fc.json(), (t, json) => {
        const read = interpret(t, Buffer.from(json))
        if (read !== undefined) driven().take(read)
      }),
    )
  })

  test('a request needs no payload', () => {
    expect(interpret(`config/request/${iid}`, new Uint8Array())).toEqual({ kind: 'config-request', iid })
  })

  test('a status without code is one that nobody knows', () => {
    expect(interpret(`status/response/${iid}`, Buffer.from('{}'))).toEqual({
      kind: 'status',
      iid,
      code: null,
    })
    expect(interpret(`status/response/${iid}`, Buffer.from('True'))).toMatchObject({ kind: 'bad-message' })
  })
})
