import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Check, Event, Series } from '../faces.ts'
import { atLeastEvery } from './at-least-every.ts'
import { carriesOutCommands, operatesOnlyOnCommand, tellsDiscrepancy } from './breakers.ts'
import { recordsEachCommand } from './command-records.ts'
import { recordsSignals, signalsAnyway } from './command-signals.ts'

const commands: Series = { src: 'marketplace', kind: 'seen', select: 'loadsense.control.*' }
const records: Series = { src: 'marketplace', kind: 'seen', select: 'meshing.operation.*' }
const line: Series = { src: 'line', kind: 'seen', select: 'line.write' }

/** A history, told event by event; seconds since the begin of 2017. */
function history(check: Check) {
  const begin = 1_483_228_800_000
  let seq = 0
  const see = (second: number, src: string, kind: Event['kind'], data: object): void =>
    check.see({ seq: ++seq, at: begin + second * 1000, src, kind, data: data as Json })
  const shown = (second: number, alias: string, payload: object): void =>
    see(second, 'marketplace', 'seen', { alias, payload, qos: 1, retain: false })
  see(0, 'bench', 'check', { phase: 'declared', id: check.id })
  const h = {
    command(second: number, phase: string, close: unknown, more: object = {}) {
      shown(second, `loadsense.control.${phase}`, {
        Timestamp: Math.floor(begin / 1000 + second),
        Value: close,
        Valid: true,
        ToStore: true,
        ...more,
      })
      return h
    },
    operated(second: number, phase: string, to: 'open' | 'closed', by = 'command') {
      see(second, 'alvin', 'note', { alias: 'alvin.operated', what: 'operated', phase, to, by })
      return h
    },
    record(second: number, phase: string, name: string, value: unknown, more: object = {}) {
      shown(second, `meshing.operation.${phase}.${name}`, {
        Timestamp: 1,
        Value: value,
        Valid: true,
        ToStore: true,
        ...more,
      })
      return h
    },
    /** All that is recorded of one that is carried out. */
    recorded(second: number, phase: string, close: boolean, result = 0) {
      return h
        .record(second, phase, 'command', close)
        .record(second, phase, 'before', !close)
        .record(second + 2, phase, 'after', result === 0 ? close : !close)
        .record(second + 2, phase, 'result', result)
    },
    fault(second: number, name: string, params: object = {}, phase: 'on' | 'lifted' = 'on') {
      see(second, 'alvin', 'fault', { phase, id: `alvin/${name}`, name, params })
      return h
    },
    isolate(second: number, engaged: boolean) {
      see(second, 'alvin', 'note', { alias: 'alvin.isolator', what: 'isolator', engaged, locked: engaged })
      return h
    },
    control(second: number, phase: string, value: number, more: object = {}) {
      see(second, 'alvin', 'note', {
        alias: 'alvin.control',
        what: 'control',
        phase,
        register: 'MHR_COMMAND',
        value,
        ...more,
      })
      return h
    },
    shown(second: number, alias: string, payload: object) {
      shown(second, alias, payload)
      return h
    },
    event(second: number, src: string, kind: Event['kind'], data: object) {
      see(second, src, kind, data)
      return h
    },
    verdict: (second: number) => check.result(begin + second * 1000),
  }
  return h
}

describe('operatesOnlyOnCommand', () => {
  const make = (more = {}) => history(operatesOnlyOnCommand(commands, { verifies: ['X:1'], ...more }))

  test('passes for operations that were commanded, and for those of other causes', () => {
    const h = make()
      .command(1, 'l1', true)
      .operated(1.3, 'l1', 'closed')
      .operated(5, 'l1', 'open', 'trip')
      .operated(10, 'l1', 'closed', 'reclose')
    expect(h.verdict(20)).toMatchObject({ verdict: 'pass' })
    expect(h.verdict(20).observed).toMatchObject({
      'operations by cause [1]': { command: 1, trip: 1, reclose: 1 },
    })
  })

  test('takes a command that the bench hears a little after it is carried out', () => {
    expect(make().operated(1, 'l1', 'closed').command(2, 'l1', true).verdict(20).verdict).toBe('pass')
  })

  test.each<[string, (h: ReturnType<typeof make>) => unknown]>([
    ['without command', (h) => h.operated(5, 'l1', 'open')],
    ['of another phase', (h) => h.command(1, 'l1', true).operated(1, 'l2', 'closed')],
    ['of another direction', (h) => h.command(1, 'l1', true).operated(1, 'l1', 'open')],
    ['long after', (h) => h.command(1, 'l1', true).operated(12, 'l1', 'closed')],
    [
      'twice for one',
      (h) => h.command(1, 'l1', true).operated(1, 'l1', 'closed').operated(3, 'l1', 'closed'),
    ],
    [
      'on a stale one',
      (h) => h.command(100, 'l1', true, { Timestamp: 1_483_228_800 }).operated(100, 'l1', 'closed'),
    ],
    [
      'on one from the future',
      (h) => h.command(1, 'l1', true, { Timestamp: 1_483_228_900 }).operated(1, 'l1', 'closed'),
    ],
    [
      'on one that is not valid',
      (h) => h.command(1, 'l1', true, { Valid: false }).operated(1, 'l1', 'closed'),
    ],
    ['on a number', (h) => h.command(1, 'l1', 1).operated(1, 'l1', 'closed')],
    [
      'on one that came before',
      (h) =>
        h
          .command(1, 'l1', true)
          .operated(1, 'l1', 'closed')
          .command(9, 'l1', true, { Timestamp: 1_483_228_801 })
          .operated(9, 'l1', 'closed'),
    ],
  ])('fails for one %s', (_how, spoil) => {
    const h = make()
    spoil(h)
    expect(h.verdict(200)).toMatchObject({ verdict: 'fail', blame: 'product' })
  })

  test('what was sent to be kept justifies nothing', () => {
    const text = JSON.stringify({ Timestamp: 1_483_228_801, Value: true, Valid: true, ToStore: true })
    const h = make()
      .event(1, 'commander', 'sent', { alias: 'command.l1', form: 'retained', text })
      .command(1, 'l1', true)
      .operated(5, 'l1', 'closed')
    expect(h.verdict(20).verdict).toBe('fail')
  })

  test('says nothing of breakers of which nothing was heard', () => {
    expect(make().command(1, 'l1', true).verdict(20)).toMatchObject({ verdict: 'inconclusive' })
  })
})

describe('carriesOutCommands', () => {
  const make = (more = {}) => history(carriesOutCommands(commands, { verifies: ['X:1'], ...more }))

  test('passes where each breaker stands as commanded, and fails where one does not', () => {
    expect(make().command(1, 'l1', true).operated(2, 'l1', 'closed').verdict(20).verdict).toBe('pass')
    expect(make().command(1, 'l1', true).verdict(20).verdict).toBe('fail')
    expect(make({ initially: 'closed' }).command(1, 'l1', true).verdict(20).verdict).toBe('pass')
  })

  test('does not judge what was overtaken, too young, or disturbed', () => {
    expect(make().command(1, 'l1', true).command(5, 'l1', false).verdict(20).verdict).toBe('pass')
    expect(make().isolate(0.5, true).command(1, 'l1', true).verdict(20).verdict).toBe('inconclusive')
    expect(make().fault(0.5, 'stuck', { phase: 'l2' }).command(1, 'l1', true).verdict(20).verdict).toBe(
      'fail',
    )
    expect(make().command(1, 'l1', true).verdict(5).verdict).toBe('inconclusive')
  })
})

describe('recordsEachCommand', () => {
  const make = (more = {}) => history(recordsEachCommand(commands, records, { verifies: ['X:1'], ...more }))
  const done = (h: ReturnType<typeof make>): typeof h =>
    h.command(1, 'l1', true).operated(1.5, 'l1', 'closed').recorded(1.1, 'l1', true)

  test('passes where all of it is on record and true', () => {
    expect(done(make()).verdict(40)).toMatchObject({ verdict: 'pass' })
  })

  test('fails for a wrong state, a wrong result, and what is not to be stored', () => {
    const wrong = (name: string, value: unknown, more = {}): string => {
      const h = make().command(1, 'l1', true).operated(1.5, 'l1', 'closed')
      for (const [n, v] of [
        ['command', true],
        ['before', false],
        ['after', true],
        ['result', 0],
      ] as const)
        h.record(
          n === 'after' || n === 'result' ? 6 : 1.2,
          'l1',
          n,
          n === name ? value : v,
          n === name ? more : {},
        )
      return h.verdict(40).verdict
    }
    expect(wrong('none', 0)).toBe('pass')
    expect(wrong('command', false)).toBe('fail')
    expect(wrong('before', true)).toBe('fail')
    expect(wrong('after', false)).toBe('fail')
    expect(wrong('result', 2)).toBe('fail')
    expect(wrong('result', 0, { ToStore: false })).toBe('fail')
    expect(wrong('after', true, { Valid: false, Errno: 4 })).toBe('fail')
  })

  test('fails where a record is missing', () => {
    const h = make().command(1, 'l1', true).operated(1.5, 'l1', 'closed').record(1.1, 'l1', 'command', true)
    expect(h.verdict(40)).toMatchObject({ verdict: 'fail' })
    expect(make().command(1, 'l2', false).verdict(40).verdict).toBe('fail')
  })

  test('where nobody can answer an error code is asked for, by number or by name', () => {
    const with_ = (more: object): string =>
      make({ fitted: false })
        .command(1, 'l1', true)
        .record(1, 'l1', 'command', true)
        .record(3, 'l1', 'before', false, more)
        .record(3, 'l1', 'after', false, more)
        .record(3, 'l1', 'result', 3)
        .verdict(40).verdict
    expect(with_({ Valid: false, Errno: 4 })).toBe('pass')
    expect(with_({ Valid: false, Errno: 'ERRNO_NO_DEVICE' })).toBe('pass')
    expect(with_({ Valid: false, Errno: 8 })).toBe('fail')
    expect(with_({ Valid: false })).toBe('fail')
    expect(with_({})).toBe('fail')
  })

  test('what is not obeyed is recorded as that, and so is what a newer one overtook', () => {
    const h = done(make())
      .command(30, 'l1', true, { Valid: false })
      .record(30, 'l1', 'command', true)
      .record(30, 'l1', 'result', 4)
      .command(50, 'l1', false)
      .record(50, 'l1', 'command', false)
      .record(50, 'l1', 'before', true)
      .command(51, 'l1', true)
      .record(51, 'l1', 'command', true)
      .command(51.5, 'l1', false)
      .record(51.5, 'l1', 'command', false)
      .record(51.5, 'l1', 'result', 4)
      .operated(52, 'l1', 'open')
      .record(53, 'l1', 'after', false)
      .record(53, 'l1', 'result', 0)
      .record(53, 'l1', 'before', false)
      .record(53, 'l1', 'after', false)
      .record(53, 'l1', 'result', 0)
    expect(h.verdict(90)).toMatchObject({ verdict: 'pass' })
  })

  test('what a crash cut short need not be finished', () => {
    const h = done(make())
      .command(40, 'l1', false)
      .event(40.5, 'host', 'host', { what: 'the process of the meshing app is killed' })
      .command(50, 'l1', false)
      .operated(50.5, 'l1', 'open')
      .recorded(50.1, 'l1', false)
    expect(h.verdict(90)).toMatchObject({ verdict: 'pass' })
  })
})

describe('recordsSignals', () => {
  const make = (of: 'acknowledged' | 'unacknowledged') =>
    history(recordsSignals(records, { verifies: ['X:1'], of }))

  test('each that a breaker took is on record as acknowledged', () => {
    const good = make('acknowledged').control(1, 'l1', 7).record(1.1, 'l1', 'signal', 7)
    expect(good.verdict(20).verdict).toBe('pass')
    expect(make('acknowledged').control(1, 'l1', 7).record(1.1, 'l2', 'signal', 7).verdict(20).verdict).toBe(
      'fail',
    )
    expect(
      make('acknowledged').control(1, 'l1', 7).record(1.1, 'l1', 'signal', 7, { Valid: false }).verdict(20)
        .verdict,
    ).toBe('fail')
    expect(make('acknowledged').verdict(20).verdict).toBe('inconclusive')
  })

  test('each that the isolator stopped is on record as not acknowledged', () => {
    const stopped = { alias: 'alvin.isolator', what: 'stopped by the isolator', unit: 2, value: 9 }
    const h = make('unacknowledged').event(1, 'alvin', 'note', stopped)
    expect(h.verdict(20).verdict).toBe('fail')
    expect(h.record(2, 'l2', 'signal', 9, { Valid: false }).verdict(20).verdict).toBe('pass')
  })
})

test('signalsAnyway asks for a control message on the empty line for each command', () => {
  const make = () => history(signalsAnyway(commands, line, { verifies: ['X:1'] })).command(1, 'l2', true)
  const write = (unit: number) => ({
    alias: 'line.write',
    payload: { unit, function: 6, address: 17, value: 1 },
  })
  expect(make().verdict(30).verdict).toBe('fail')
  expect(make().event(2, 'line', 'seen', write(1)).verdict(30).verdict).toBe('fail')
  expect(make().event(2, 'line', 'seen', write(2)).verdict(30).verdict).toBe('pass')
})

test('tellsDiscrepancy asks for the word in time, and for its end', () => {
  const make = () =>
    history(
      tellsDiscrepancy(
        { src: 'marketplace', kind: 'seen', select: 'meshing.discrepancy' },
        { verifies: ['X:1'] },
      ),
    )
  const apart = () => make().operated(10, 'l1', 'closed')
  const say = (h: ReturnType<typeof make>, second: number, value: boolean): typeof h =>
    h.shown(second, 'meshing.discrepancy', { Value: value, Valid: true, Timestamp: 1 })
  expect(make().verdict(60).verdict).toBe('inconclusive')
  expect(apart().verdict(60).verdict).toBe('fail')
  expect(say(apart(), 15, true).verdict(60).verdict).toBe('pass')
  expect(say(apart(), 45, true).verdict(60).verdict).toBe('fail')
  expect(say(say(apart(), 15, true).operated(60, 'l1', 'open'), 65, false).verdict(120).verdict).toBe('pass')
  expect(say(apart(), 15, true).operated(60, 'l1', 'open').verdict(120).verdict).toBe('fail')
})

test('atLeastEvery counts silence from the beginning to the end', () => {
  const make = () =>
    history(
      atLeastEvery(
        '60 s',
        { src: 'marketplace', kind: 'seen', select: 'alvin.*' },
        { verifies: ['X:1'], channels: ['alvin.l1.uptime'] },
      ),
    )
  const at = (...seconds: number[]): ReturnType<typeof make> =>
    seconds.reduce((h, s) => h.shown(s, 'alvin.l1.uptime', { Value: 1, Valid: true, Timestamp: 1 }), make())
  expect(at(50, 70, 129).verdict(180).verdict).toBe('pass')
  expect(at(50, 120).verdict(170).verdict).toBe('fail')
  expect(at(70, 120).verdict(170).verdict).toBe('fail')
  expect(at(50, 100).verdict(170).verdict).toBe('fail')
})
