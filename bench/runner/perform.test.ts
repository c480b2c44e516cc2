import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GridproofError } from '../../drivers/errors.ts'
import type { ErrorCode } from '../../drivers/errors.ts'
import type { Json, Realm, World } from '../../drivers/faces.ts'
import type { Device } from '../../sim/faces.ts'
import { logWriter } from '../evidence/log.ts'
import { readLog } from '../evidence/read.ts'
import type { ScenarioHeader } from '../evidence/schema.ts'
import type { Check, Event, Scenario, Stage } from '../faces.ts'
import { isLab, readRig } from '../rigs/schema.ts'
import type { ReferenceRig } from '../rigs/schema.ts'
import { here } from '../cli/testing.ts'
import { perform } from './perform.ts'
import type { Performance, Performed, StoppedBy } from './perform.ts'

let folder = ''
let rig: ReferenceRig
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'perform-test-'))
  const read = readRig(join(here, 'fixtures/rigs/virtual.yaml'))
  if (isLab(read)) throw new Error('the virtual rig has the reference platform')
  rig = read
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A world of nothing but a clock that stands still until somebody lets time pass. */
function paperWorld(): World & { waiting: ((late?: Error) => void)[] } {
  let now = 1_000_000
  const realm = (spec: { name: string; address: string }): Realm => ({
    ...spec,
    run: (f) => f(),
    bind: (o) => o,
  })
  const nothing = { [Symbol.asyncDispose]: async () => undefined }
  const wire = { name: 'paper', can: new Set<never>(), open: async () => nothing }
  return {
    waiting: [],
    time: 'virtual',
    now: () => now,
    async pass(ms) {
      now += ms
    },
    host: () => Promise.reject(new Error('this world has no hosts')),
    realm,
    tcp: async () => ({ wire, port: 502 }),
    serial: async () => ({ wire, path: '/dev/paper', ...nothing }),
    random: () => 0.5,
    beginWatch: () => undefined,
    report: () => ({ time: 'virtual', escapes: [] }),
    ...nothing,
  }
}

/** What became of a stub of a device. */
interface Life {
  started: number
  ended: number
  lifted: number
}

function stubDevice(role: string, life: Life, o: { startFails?: Error; endFails?: Error } = {}): Device {
  return {
    role,
    accuracy: () => 0,
    truth: { quantities: [], at: () => 0, range: () => ({ min: 0, max: 0, mean: 0 }) },
    faults: ['silent'],
    async start() {
      life.started++
      if (o.startFails !== undefined) throw o.startFails
    },
    command: () => undefined,
    inflict: (name: string, params: Json = null) => ({ id: name, params, lift: () => void life.lifted++ }),
    async [Symbol.asyncDispose]() {
      life.ended++
      if (o.endFails !== undefined) throw o.endFails
    },
  }
}

/** A check whose result is given. It counts the events that it sees. */
function check(
  id: string,
  verdict: 'pass' | 'fail' = 'pass',
  more: Partial<Check> = {},
): Check & { seen: Event[] } {
  const seen: Event[] = []
  return {
    seen,
    id,
    verifies: ['M:0024/one-hour'],
    limit: 'none',
    needs: [],
    see: (e) => void seen.push(e),
    result: () => ({
      verdict,
      observed: { 'events [1]': seen.length },
      because: [],
      ...(verdict === 'pass' ? {} : { why: 'so' }),
    }),
    ...more,
  }
}

interface Played extends Performed {
  readonly events: readonly Event[]
  readonly life: Life
}

let count = 0
async function play(
  run: (s: Stage & { gridkey: Device; thermocouple: Device }) => Promise<void>,
  o: {
    needs?: Scenario['needs']
    startFails?: Error
    endFails?: Error
    rig?: ReferenceRig
    stopped?: Promise<StoppedBy>
    world?: World
  } = {},
): Promise<Played> {
  const file = join(folder, `${++count}.jsonl`)
  const life: Life = { started: 0, ended: 0, lifted: 0 }
  const world = o.world ?? paperWorld()
  const header: ScenarioHeader = {
    format: 'gridproof-scenario/1',
    scenario: 'test/paper',
    title: 'A scenario on paper',
    verifies: ['M:0024/one-hour'],
    sha256: '',
    rig: 'paper',
    seed: 1,
    commit: '',
    node: '',
    time: 'virtual',
    started: '',
    horizonMs: 60_000,
    fullHorizonMs: 60_000,
    subject: { kind: 'reference', maker: '', product: '', version: '' },
    played: {},
    defects: [],
  }
  const log = logWriter(file)
  const p: Performance = {
    loaded: {
      id: 'test/paper',
      file: '',
      sha256: '',
      scenario: {
        title: header.title,
        verifies: header.verifies,
        needs: o.needs ?? ['gridkey'],
        catches: {},
        horizon: '1 min',
        run,
      },
    },
    header,
    world,
    log,
    rig: {
      file: o.rig ?? rig,
      network: '10.77.0',
      pki: folder,
      makeDevice: (_, role) => stubDevice(role, life, o),
      defects: [],
    },
    clausesOf: (r) => [r],
    ...(o.stopped === undefined ? {} : { stopped: o.stopped }),
    cpuMs: () => 0,
    wallMs: () => 0,
  }
  const performed = await perform(p)
  log.close()
  return { ...performed, events: [...readLog(file)], life }
}

/** The story of a log in words. */
const story = (events: readonly Event[]): string[] =>
  events.map((e) => {
    const d = e.data as { phase?: string; id?: string; what?: string; outcome?: string }
    return [e.kind, d.phase, d.id, d.what, d.outcome].filter((x) => x !== undefined).join(' ')
  })

describe('a scenario that runs to its end', () => {
  test('is told in order: header, checks declared, steps, verdicts, and the trailer last', async () => {
    const { events, record, life } = await play(async ({ check: declare, time, note }) => {
      declare(check('first'))
      declare(check('second', 'fail'))
      note('on the way')
      await time.pass('1 min')
    })
    expect(story(events)).toEqual([
      'run',
      'check declared first',
      'check declared second',
      'note on the way',
      'step 60 s pass',
      'check judged first',
      'check judged second',
      'end finished',
    ])
    expect(record.checks.map((c) => [c.id, c.result.verdict])).toEqual([
      ['first', 'pass'],
      ['second', 'fail'],
    ])
    expect(record.trouble).toBe(undefined)
    expect(life).toEqual({ started: 1, ended: 1, lifted: 0 })
  })

  test('has its checks judged at its end, before anything is taken down', async () => {
    const late = check('late')
    const { events } = await play(async ({ check: declare, time }) => {
      declare(late)
      await time.pass('30 s')
      await time.pass('30 s')
    })
    const judged = events.find((e) => (e.data as { phase?: string }).phase === 'judged')
    expect(judged?.at).toBe(1_060_000)
    // It sees every event from its own declaration on, and no more than were logged before it was judged.
    expect(late.seen[0]?.data).toMatchObject({ phase: 'declared', id: 'late' })
    expect(judged?.data).toMatchObject({ result: { observed: { 'events [1]': 3 } } })
  })

  test('without a fault in force has no liveness phase', async () => {
    const { events } = await play(async ({ gridkey }) => gridkey.inflict('silent').lift())
    expect(story(events)).not.toContain('step liveness phase')
  })

  test('with a fault in force has it lifted, and two minutes for the platform to come to itself', async () => {
    const { events, life } = await play(async ({ gridkey, check: declare, time }) => {
      declare(check('c'))
      gridkey.inflict('silent')
      await time.pass('10 s')
    })
    expect(life.lifted).toBe(1)
    expect(story(events)).toEqual([
      'run',
      'check declared c',
      'step 10 s pass',
      'step liveness phase',
      'check judged c',
      'end finished',
    ])
    expect(events.at(-1)?.at).toBe(1_000_000 + 130_000)
  })
})

describe('a scenario that breaks', () => {
  const codes: readonly [ErrorCode, string][] = [
    ['rig-lacks', 'rig'],
    ['rig-broke', 'rig'],
    ['not-capable', 'rig'],
    ['timeout', 'product'],
    ['bad-value', 'bench'],
    ['internal', 'bench'],
    ['power-gone', 'bench'],
  ]
  test.each(codes)('by %s is the fault of: %s', async (code, blame) => {
    const { record, events } = await play(async ({ check: declare }) => {
      declare(check('cut'))
      throw new GridproofError(code, 'woe')
    })
    expect(record.trouble).toMatchObject({ blame })
    expect(record.trouble?.why).toContain('woe')
    expect(record.end?.outcome).toBe('broke')
    // Nothing passes that was not watched to its end.
    expect(record.checks.map((c) => [c.result.verdict, c.result.blame])).toEqual([['inconclusive', blame]])
    expect(story(events).at(-1)).toBe('end broke')
  })

  test('by anything else is the fault of the bench, with its place', async () => {
    const { record } = await play(async () => {
      throw new TypeError('undefined is not a scenario')
    })
    expect(record.trouble?.blame).toBe('bench')
    expect(record.trouble?.why).toMatch(/^undefined is not a scenario \(at .*perform\.test\.ts/)
  })

  test('by something that is no error is told as it stands', async () => {
    const { record } = await play(() => Promise.reject('just so'))
    expect(record.trouble).toEqual({ blame: 'bench', why: 'just so' })
  })

  test('keeps a failure that was seen, where the product is to blame', async () => {
    const { record } = await play(async ({ check: declare }) => {
      declare(check('seen', 'fail'))
      throw new GridproofError('timeout', 'the platform ended')
    })
    expect(record.checks[0]?.result.verdict).toBe('fail')
  })

  test('does not hold the product to a failure that the rig may have caused', async () => {
    const { record } = await play(async ({ check: declare }) => {
      declare(check('seen', 'fail'))
      throw new GridproofError('rig-broke', 'the cable fell out')
    })
    expect(record.checks[0]?.result).toMatchObject({ verdict: 'inconclusive', blame: 'rig' })
  })

  test('takes its parts down all the same', async () => {
    const { life } = await play(() => Promise.reject(new Error('woe')))
    expect(life).toEqual({ started: 1, ended: 1, lifted: 0 })
  })
})

describe('a check', () => {
  test('with an id that is taken is refused, and the bench is to blame', async () => {
    const { record } = await play(async ({ check: declare }) => {
      declare(check('same'))
      declare(check('same', 'fail'))
    })
    expect(record.trouble?.blame).toBe('bench')
    expect(record.trouble?.why).toContain("two checks of this scenario are called 'same'")
    expect(record.checks).toHaveLength(1)
  })

  test('that throws is inconclusive, the bench is to blame, and the others are judged', async () => {
    const thrower = check('thrower', 'pass', {
      see() {
        throw new Error('no such thing')
      },
    })
    const { record } = await play(async ({ check: declare, time }) => {
      declare(thrower)
      declare(check('sound'))
      await time.pass('1 s')
    })
    expect(record.checks.map((c) => [c.id, c.result.verdict, c.result.blame])).toEqual([
      ['thrower', 'inconclusive', 'bench'],
      ['sound', 'pass', undefined],
    ])
  })

  test('that needs what the platform has not is inconclusive, and the rig is to blame', async () => {
    const { record } = await play(async ({ check: declare }) =>
      declare(check('c', 'pass', { needs: ['upload'] })),
    )
    expect(record.checks[0]?.result).toMatchObject({ verdict: 'inconclusive', blame: 'rig' })
  })
})

describe('a rig', () => {
  test('that lacks a role starts nothing, and says what it lacks', async () => {
    const { thermocouple: _, ...roles } = rig.roles
    const { record, life } = await play(() => Promise.reject(new Error('not reached')), {
      needs: ['gridkey', 'thermocouple'],
      rig: { ...rig, roles },
    })
    expect(record.trouble).toEqual({ blame: 'rig', why: "the rig 'virtual' has no thermocouple" })
    expect(life.started).toBe(0)
    expect(record.checks).toEqual([])
  })

  test('is set up whole or not at all', async () => {
    let n = 0
    const failing = new Error('the second does not start')
    const { record, life } = await play(() => Promise.reject(new Error('not reached')), {
      needs: ['gridkey', 'thermocouple'],
      get startFails() {
        // The first device starts, the second does not.
        return ++n > 1 ? failing : undefined
      },
    } as { needs: Scenario['needs']; startFails?: Error })
    expect(record.trouble).toEqual({
      blame: 'rig',
      why: 'the rig could not be set up: the second does not start',
    })
    expect(life).toMatchObject({ started: 2, ended: 1 })
  })

  test('that cannot be taken down cleanly is a note, and changes no verdict', async () => {
    const { events, record } = await play(async ({ check: declare }) => declare(check('c')), {
      endFails: new Error('stuck'),
    })
    expect(record.checks[0]?.result.verdict).toBe('pass')
    expect(events.at(-2)?.data).toEqual({ what: 'the rig could not be taken down cleanly', why: 'stuck' })
    expect(story(events).at(-1)).toBe('end finished')
  })
})

describe('a run that the operator stops', () => {
  const byOperator: StoppedBy = { outcome: 'aborted', blame: 'operator', why: 'stopped by the operator' }
  const never = new Promise<void>(() => undefined)

  test('ends at once, judged as cut, whatever the scenario waits for', async () => {
    const stop = Promise.withResolvers<StoppedBy>()
    const { record, events, life } = await play(
      async ({ check: declare }) => {
        declare(check('c'))
        stop.resolve(byOperator)
        await never
      },
      { stopped: stop.promise },
    )
    expect(record.trouble).toMatchObject({ blame: 'operator' })
    expect(record.checks[0]?.result).toMatchObject({ verdict: 'inconclusive', blame: 'operator' })
    expect(story(events).at(-1)).toBe('end aborted')
    expect(life.ended).toBe(1)
  })

  test('over its time limit breaks by the fault of the rig, and what failed until then is not held against the product', async () => {
    const late: StoppedBy = { outcome: 'broke', blame: 'rig', why: 'over its limit' }
    const { record } = await play(
      async ({ check: declare }) => {
        declare(check('c', 'fail'))
        await never
      },
      { stopped: Promise.resolve(late) },
    )
    expect(record.trouble).toEqual({ blame: 'rig', why: 'over its limit' })
    expect(record.checks.every((c) => c.result.verdict === 'inconclusive')).toBe(true)
  })

  test('ends at once in the liveness phase too', async () => {
    const stop = Promise.withResolvers<StoppedBy>()
    const world = paperWorld()
    world.pass = () => {
      stop.resolve(byOperator)
      return never
    }
    const { record } = await play(async ({ gridkey }) => void gridkey.inflict('silent'), {
      stopped: stop.promise,
      world,
    })
    expect(record.end?.outcome).toBe('aborted')
  })

  test('before it began has run nothing to its end', async () => {
    const { record } = await play(() => never, { stopped: Promise.resolve(byOperator) })
    expect(record.end?.outcome).toBe('aborted')
  })

  test('does not hear what the scenario still complains about', async () => {
    const stop = Promise.withResolvers<StoppedBy>()
    const woe = Promise.withResolvers<never>()
    const { record } = await play(
      async () => {
        stop.resolve(byOperator)
        await woe.promise
      },
      { stopped: stop.promise },
    )
    expect(record.end?.outcome).toBe('aborted')
    // An unhandled rejection would fail this file.
    woe.reject(new Error('too late'))
  })
})
