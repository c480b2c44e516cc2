import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LvcapError } from '../../errors.ts'
import { carryOut, type Breaker, type Outcome, type Tell } from './breaker.ts'
import { phases, quantities, readConfig, type MeshingConfig } from './config.ts'
import { blocksFor, decode, disagree, standingOf, trust, wordKey, type Memory, type State } from './decode.ts'
import { judge, readObeyed, stillOfUse, type Heard } from './obey.ts'
import { commandFilters, topicOf } from './topics.ts'

const app = {
  apid: 'eatl_lvmeshing_1.0',
  iid: 'eatl_lvmeshing_01',
  pki: '/pki',
  marketplace: { address: '10.0.0.10', port: 8883 },
  topics: 'spec' as const,
}
const config = (more = {}): MeshingConfig => readConfig({ serial: { path: '/dev/ttyS1' }, ...more }, app)
const c = config()
const now = 1_511_000_000

describe('which commands are obeyed', () => {
  const heard = (body: unknown, more: Partial<Heard> = {}): Heard => ({
    topic: 'algorithm/data/eatl_loadsense_01/control/l2',
    payload: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    how: { qos: 1, retain: false, dup: false },
    ...more,
  })
  const good = { Timestamp: now, Value: true, Valid: true, ToStore: true }

  test('a fresh and valid one of LoadSense', () => {
    expect(judge(heard(good), now, [], c)).toEqual({
      phase: 'l2',
      close: true,
      stamp: now,
      against: undefined,
    })
    expect(judge(heard({ ...good, Timestamp: now - 60 }), now, [], c).against).toBeUndefined()
    expect(commandFilters(c)).toEqual(phases.map((p) => `algorithm/data/eatl_loadsense_01/control/${p}`))
  })

  test.each<[string, unknown, Partial<Heard>?]>([
    ['of another app', good, { topic: 'algorithm/data/openlv_meshctl_00/control/l2' }],
    ['on another of its topics', good, { topic: 'algorithm/data/eatl_loadsense_01/decision' }],
    ['for a phase that there is not', good, { topic: 'algorithm/data/eatl_loadsense_01/control/l4' }],
    ['that is old', { ...good, Timestamp: now - 61 }],
    ['from the future', { ...good, Timestamp: now + 3 }],
    ['that was kept', good, { how: { qos: 1, retain: true, dup: false } }],
    ['not valid', { ...good, Valid: false }],
    ['without Valid', { Timestamp: now, Value: true }],
    ['that says valid in a text', { ...good, Valid: 'true' }],
    ['that says 1', { ...good, Value: 1 }],
    ['that says true in a text', { ...good, Value: 'true' }],
    ['without time stamp', { Value: true, Valid: true }],
    ['stamped in fractions', { ...good, Timestamp: now + 0.5 }],
    ['stamped in milliseconds', { ...good, Timestamp: now * 1000 }],
    ['empty', ''],
    ['that is no JSON', '{"Value":true'],
    ['a bare true', 'true'],
    ['a list', '[true]'],
  ])('none %s', (_how, body, more = {}) => {
    expect(judge(heard(body, more), now, [], c).against).toEqual(expect.any(String))
  })

  test('none twice, even in the opposite order; a new one of the same second is', () => {
    const before = [{ phase: 'l2', stamp: now, close: true }] as const
    expect(judge(heard(good), now, before, c).against).toContain('before')
    expect(judge(heard({ ...good, Value: false }), now, before, c).against).toBeUndefined()
    expect(
      judge(heard(good, { topic: 'algorithm/data/eatl_loadsense_01/control/l3' }), now, before, c).against,
    ).toBeUndefined()
    expect(stillOfUse(before, now + 60, c)).toEqual(before)
    expect(stillOfUse(before, now + 63, c)).toEqual([])
  })

  test('whatever comes, and whatever stood in the journal, is answered', () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array(), fc.json(), (topic, bytes, journal) => {
        const how = { qos: 1, retain: false, dup: false } as const
        const v = judge({ topic, payload: bytes, how }, now, readObeyed(JSON.parse(journal)), c)
        expect(v.against).toEqual(expect.any(String))
      }),
    )
  })
})

describe('reading a breaker', () => {
  const words = (input: Readonly<Record<number, number>> = {}, status = 1): Map<string, number> => {
    const all = new Map([[wordKey('holding', 0), status]])
    const given = {
      0: 2401,
      1: 2389,
      2: 713,
      3: 0x10000 - 170,
      4: 0x10000 - 12,
      5: 65_535,
      6: 0,
      7: 3,
      8: 0x10000 - 41,
      9: 523,
      10: 1,
      11: 2,
      ...input,
    }
    for (const [at, w] of Object.entries(given)) all.set(wordKey('input', Number(at)), w)
    return all
  }

  test('asks for what belongs together in one request', () => {
    expect(blocksFor(quantities, c)).toEqual([
      { table: 'input', start: 0, count: 12 },
      { table: 'holding', start: 0, count: 1 },
    ])
    expect(blocksFor(['uptime'], c)).toEqual([{ table: 'input', start: 10, count: 2 }])
  })

  test('finds each value in its unit', () => {
    expect(decode(words(), c)).toEqual({
      bus_voltage: 240.1,
      cable_voltage: 238.9,
      link_current: 71.3,
      active_power: -1700,
      reactive_power: -120,
      open_operations: 65_535,
      close_operations: 0,
      watchdog_faults: 3,
      chip_temperature: -4.1,
      switch_temperature: 52.3,
      uptime: 65_538,
      fault_status: 1,
    })
  })

  test('what was not read, or cannot be, is not valid', () => {
    const valid = (w: Map<string, number>): string[] =>
      trust(decode(w, c), undefined, 0, c).samples.flatMap((s) => (s.valid ? [s.quantity] : []))
    expect(valid(words())).toHaveLength(12)
    expect(valid(new Map())).toEqual([])
    const some = words({ 0: 3001, 8: 1251 })
    some.delete(wordKey('input', 11))
    expect(quantities.filter((q) => !valid(some).includes(q))).toEqual([
      'bus_voltage',
      'chip_temperature',
      'uptime',
    ])
  })

  test('an uptime goes on or begins anew; a torn one is not shown, and one of an exchanged unit is believed in the end', () => {
    let memory: Memory | undefined
    const at = (uptime: number, when: number): boolean => {
      const r = { ...decode(words(), c), uptime }
      const judged = trust(r, memory, when, c)
      memory = judged.memory
      return judged.samples.find((s) => s.quantity === 'uptime')?.valid ?? false
    }
    expect(at(65_530, 0)).toBe(true)
    expect(at(65_590, 60)).toBe(true)
    expect(at(65_590 + 60 + 65_536, 120)).toBe(false)
    // As if it had begun anew just when the lower half did.
    expect(at(174, 180)).toBe(false)
    expect(at(65_536 + 234, 240)).toBe(true)
    expect(at(12, 300)).toBe(true)
    expect(at(65, 353)).toBe(true)
    expect([1, 2, 3, 4].map((k) => at(500_000 + 60 * k, 360 + 60 * k))).toEqual([false, false, false, true])
    expect(at(500_300, 660)).toBe(true)
  })

  test('its contacts tell how it stands, unless they contradict or the copy is old', () => {
    expect(standingOf(1, c)).toEqual({ state: 'closed', reclosing: false })
    expect(standingOf(0b1010, c)).toEqual({ state: 'open', reclosing: true })
    for (const w of [0, 3, 0x8001]) expect(standingOf(w, c).state).toBe('between')
  })

  test('three of which one is not like the others disagree, also while one of them is not known', () => {
    expect(disagree(['open', 'open', 'open'])).toBe(false)
    expect(disagree(['open', 'closed', undefined])).toBe(true)
    expect(disagree(['between', undefined, undefined])).toBe(true)
    expect(disagree(['open', 'open', undefined])).toBeUndefined()
  })

  test('topics are those of M:0029, or the fielded ones', () => {
    expect(topicOf('l2', 'uptime', c)).toBe('L2/MIR_UPTIME_HIGH')
    expect(topicOf('l1', 'fault_status', config({ topics: 'openlv-2018' }))).toBe('feeder1/l1/fault_flags')
  })

  test('a configuration that does not fit is refused', () => {
    for (const more of [
      { units: { l1: 1, l2: 1 } },
      { fastInterval: 90 },
      { obeys: 'LoadSense' },
      { map: { uptime: 10 } },
    ])
      expect(() => config(more)).toThrow(/meshing/i)
  })
})

/** A unit of the map, as simple as can be. */
function unit(how: {
  state?: State
  silent?: boolean
  stuck?: boolean
  says?: number
  /** Writes of commands that are taken although the answer is lost; or not even taken. */
  losesAnswers?: number
  losesCommands?: number
}): Breaker & { readonly operations: boolean[]; readonly selected: number[] } {
  let state = how.state ?? 'open'
  let token = 0
  let sequence = 7
  let said = 0
  let answers = how.losesAnswers ?? 0
  let commands = how.losesCommands ?? 0
  const operations: boolean[] = []
  const selected: number[] = []
  const link = (): void => {
    if (how.silent === true) throw new LvcapError('link', 'did not answer in time')
  }
  return {
    operations,
    selected,
    async standing() {
      link()
      return { state, reclosing: false }
    },
    async select(code) {
      selected.push(code)
      link()
      token = code
    },
    async operate(code) {
      link()
      if (commands-- > 0) throw new LvcapError('link', 'did not answer in time')
      if (token !== code) throw new LvcapError('refused', 'exception 3')
      token = 0
      sequence++
      said = how.says ?? 2
      if (said === 2 && how.stuck !== true) {
        state = code === c.control.close ? 'closed' : 'open'
        operations.push(code === c.control.close)
      }
      if (answers-- > 0) throw new LvcapError('link', 'did not answer in time')
    },
    async report() {
      link()
      return { result: said, sequence }
    },
  }
}

describe('carrying a command out', () => {
  const short = { ...c, readBack: 0.05 }
  const told = (): Tell & { readonly all: unknown[] } => {
    const all: unknown[] = []
    return {
      all,
      before: (s) => all.push(['before', s]),
      after: (s) => all.push(['after', s]),
      signal: () => all.push('signal'),
    }
  }
  const run = async (b: Breaker, close: boolean, sure = true): Promise<[Outcome, unknown[]]> => {
    const tell = told()
    return [await carryOut(b, close, sure, short, tell), tell.all]
  }

  test('selects, operates once, and reads back', async () => {
    const b = unit({})
    const [outcome, all] = await run(b, true)
    expect(outcome).toEqual({ result: 0, state: 'closed' })
    expect(all).toEqual([
      ['before', 'open'],
      ['after', 'closed'],
    ])
    expect(b.operations).toEqual([true])
    expect(b.selected).toEqual([c.control.close])
  })

  test('leaves one alone that stands so already, unless what it shows may be old', async () => {
    const b = unit({})
    expect((await run(b, false))[0].result).toBe(0)
    expect(b.operations).toEqual([])
    await run(b, false, false)
    expect(b.operations).toEqual([false])
  })

  test('a lost answer is no second command, and a lost command is given again', async () => {
    const b = unit({ losesAnswers: 1 })
    expect((await run(b, true))[0].result).toBe(0)
    expect(b.operations).toEqual([true])
    const d = unit({ losesCommands: 2 })
    expect((await run(d, true))[0].result).toBe(0)
    expect(d.operations).toEqual([true])
    const e = unit({ losesCommands: 9 })
    expect((await run(e, true))[0].result).toBe(3)
    expect(e.operations).toEqual([])
    expect(e.selected).toHaveLength(3)
  })

  test('where nobody answers the signal goes out once, and says so', async () => {
    const b = unit({ silent: true })
    const [outcome, all] = await run(b, true)
    expect(outcome).toMatchObject({ result: 3, state: undefined })
    expect(all).toEqual([
      ['before', undefined],
      ['after', undefined],
    ])
    expect(b.selected).toHaveLength(1)
  })

  test('a stuck contact, a refusal and a failure are told apart', async () => {
    expect((await run(unit({ stuck: true }), true))[0]).toMatchObject({ result: 2, state: 'open' })
    expect((await run(unit({ says: 3 }), true))[0]).toMatchObject({ result: 1, state: 'open' })
    expect((await run(unit({ says: 4 }), true))[0]).toMatchObject({ result: 2, state: 'open' })
    expect((await run(unit({ says: 1 }), true))[0]).toMatchObject({ result: 2, state: 'open' })
  })
})
