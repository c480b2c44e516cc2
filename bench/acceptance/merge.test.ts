import { describe, expect, test } from 'vitest'
import type { Result } from '../faces.ts'
import { loadCatalogue, shippedCatalogue } from '../requirements/load.ts'
import { revisionOf } from '../requirements/revision.ts'
import type { ScenarioHeader, Subject } from '../evidence/schema.ts'
import type { CheckRecord } from '../verdicts/record.ts'
import type { Acceptance, AcceptedClause, RecordInput, RunInput, ScenarioInput } from './faces.ts'
import { merge } from './merge.ts'
import type { PersonRecord, RecordVerdict } from './record.ts'

const catalogue = loadCatalogue(shippedCatalogue)
const subject: Subject = { kind: 'real', maker: 'Acme', product: 'Box', version: '1', digest: 'sha256:aa' }
const minute = (n: number): string => new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString()
const revisions = Object.fromEntries(catalogue.requirements.map((r) => [r.id, revisionOf(r)]))

type Told = Result['verdict'] | Partial<Result> | 'short'

interface Shape {
  readonly rig?: string
  readonly seed?: number
  readonly subject?: Subject
  readonly sha256?: string
  readonly defects?: readonly string[]
  readonly revisions?: Readonly<Record<string, string>>
  readonly exitCode?: number
  readonly problems?: readonly string[]
  readonly escapes?: number
  /** False: it did not run. */
  readonly ran?: boolean
}

/** A run at a minute, of one scenario `capture/x`: a verdict for each clause, whose check has its name. */
function run(at: number, told: Readonly<Record<string, Told>>, s: Shape = {}): RunInput {
  const checks = Object.entries(told).map(([ref, t]): CheckRecord => {
    const given: Partial<Result> = typeof t === 'string' ? {} : t
    const verdict = given.verdict ?? (typeof t !== 'string' || t === 'short' ? 'inconclusive' : t)
    const blame = given.blame ?? (verdict === 'pass' ? undefined : t === 'short' ? 'rig' : 'product')
    const result: Result = {
      verdict,
      ...(blame === undefined ? {} : { blame }),
      ...(verdict === 'pass' ? {} : { why: `why ${at}` }),
      observed: {},
      because: [],
    }
    return { id: ref, verifies: [ref], limit: 'none', result, beforehand: t === 'short', seq: 7 }
  })
  const header: ScenarioHeader = {
    format: 'gridproof-scenario/1',
    scenario: 'capture/x',
    title: 'x',
    verifies: Object.keys(told),
    sha256: s.sha256 ?? 'a'.repeat(64),
    rig: s.rig ?? 'virtual',
    seed: s.seed ?? 1,
    commit: 'c',
    node: 'v24',
    time: 'virtual',
    started: minute(at),
    horizonMs: 1,
    fullHorizonMs: 1,
    subject: s.subject ?? subject,
    played: {},
    defects: s.defects ?? [],
  }
  const escape = { what: 'a', where: 'b' }
  const scenario: ScenarioInput = {
    id: 'capture/x',
    record: {
      scenario: 'capture/x',
      verifies: Object.keys(told),
      checks: s.ran === false ? [] : checks,
      ...(s.ran === false
        ? { trouble: { blame: 'rig', why: 'no port' } }
        : {
            header,
            end: {
              outcome: 'finished',
              world: { time: 'virtual', escapes: Array.from({ length: s.escapes ?? 0 }, () => escape) },
              wallMs: 1,
              cpuMs: 1,
            },
          }),
    },
    log: 'data/capture.x.jsonl',
    problems: s.problems ?? [],
  }
  return {
    id: `run-${at}`,
    folder: `runs/run-${at}`,
    header: {
      format: 'gridproof-run/1',
      id: `run-${at}`,
      rig: s.rig ?? 'virtual',
      seed: s.seed ?? 1,
      short: false,
      commit: 'c',
      node: 'v24',
      bench: '0',
      started: minute(at),
      scenarios: ['capture/x'],
      verifies: {},
      subject: s.subject ?? subject,
      revisions: s.revisions ?? revisions,
    },
    end: { outcome: 'finished', wallMs: 1, exitCode: s.exitCode ?? 0 },
    problems: [],
    scenarios: [scenario],
  }
}

function record(
  at: number,
  requirement: string,
  verdict: RecordVerdict,
  more: Partial<PersonRecord> & { readonly problems?: readonly string[] } = {},
): RecordInput {
  const { problems = [], ...rest } = more
  return {
    id: `record-${at}`,
    folder: `records/record-${at}`,
    problems,
    record: {
      format: 'gridproof-record/1',
      requirement,
      clauses: catalogue.clausesOf(requirement),
      verdict,
      by: `person ${at}`,
      note: `note ${at}`,
      at: minute(at),
      revision: revisions[requirement] ?? '',
      subject,
      attachments: [],
      bench: '0',
      ...rest,
    },
  }
}

function accept(
  runs: readonly RunInput[],
  records: readonly RecordInput[] = [],
  scenarios: ReadonlyMap<string, string> = new Map(),
): Acceptance {
  return merge(runs, records, { catalogue, subject, scenarios, now: 0, bench: '0', commit: 'c' })
}

function clause(a: Acceptance, ref: string): AcceptedClause {
  const found = a.requirements.flatMap((r) => r.clauses).find((c) => c.ref === ref)
  if (found === undefined) throw new Error(`no clause ${ref}`)
  return found
}
const state = (a: Acceptance, id: string): string | undefined =>
  a.requirements.find((r) => r.id === id)?.state

const [voltage, current, stamp] = ['M:0022/voltage', 'M:0022/current', 'M:0022/timestamp'] as const
const good = { [voltage]: 'pass', [current]: 'pass', [stamp]: 'pass' } as const

describe('several runs', () => {
  test('the newest verdict of a check counts, in whatever order the runs are given', () => {
    for (const order of [0, 1]) {
      const runs = [run(1, { ...good, [voltage]: 'fail' }), run(2, good)]
      const a = accept(order === 0 ? runs : runs.toReversed())
      expect(state(a, 'M:0022')).toBe('pass')
      expect(clause(a, voltage).decidedBy).toMatchObject([{ run: 'run-2', verdict: 'pass' }])
    }
    expect(state(accept([run(1, good), run(2, { ...good, [voltage]: 'fail' })]), 'M:0022')).toBe('fail')
  })

  test('what came out both ways on the same revisions is told as contradictory', () => {
    const a = accept([run(1, { ...good, [voltage]: 'fail' }), run(2, good)])
    expect(clause(a, voltage).against).toMatchObject([{ run: 'run-1', verdict: 'fail' }])
    expect(clause(a, current).against).toEqual([])
    expect(a.sentence).toMatch(/contradictory/)
  })

  test('a verdict that says nothing of the product replaces none; one that the product is to blame for does', () => {
    for (const silent of [
      'short',
      { verdict: 'inconclusive', blame: 'rig' },
      { verdict: 'inconclusive', blame: 'bench' },
    ] as const)
      expect(state(accept([run(1, good), run(2, { ...good, [voltage]: silent })]), 'M:0022')).toBe('pass')
    const down = { verdict: 'inconclusive', blame: 'product' } as const
    expect(state(accept([run(1, good), run(2, { ...good, [voltage]: down })]), 'M:0022')).toBe('inconclusive')
    expect(state(accept([run(2, { ...good, [voltage]: 'short' })]), 'M:0022')).toBe('inconclusive')
  })

  test('a failure with one seed or on one rig is not undone by a pass with another', () => {
    for (const other of [{ seed: 2 }, { rig: 'local' }]) {
      const a = accept([run(1, { ...good, [voltage]: 'fail' }), run(2, good, other)])
      expect(state(a, 'M:0022')).toBe('fail')
      expect(clause(a, voltage).against).toMatchObject([{ run: 'run-2' }])
    }
  })

  test('clauses seen by different runs make one requirement', () => {
    const a = accept([run(1, { [voltage]: 'pass' }), run(2, { [current]: 'pass', [stamp]: 'marginal' })])
    expect(state(a, 'M:0022')).toBe('marginal')
  })

  test('a scenario that did not run does not undo one that did, and alone reads not run', () => {
    expect(state(accept([run(1, good), run(2, good, { ran: false })]), 'M:0022')).toBe('pass')
    expect(state(accept([run(2, good, { ran: false })]), 'M:0022')).toBe('not run')
  })

  test('nothing handed in accepts nothing', () => {
    const a = accept([])
    expect(a.state).toBe('not run')
    expect(state(a, 'M:0022')).toBe('uncovered')
  })
})

describe('older revisions read outdated', () => {
  test.each([
    ['of the subject', { subject: { ...subject, digest: 'sha256:bb' } }, /another subject: Box 1/],
    ['of the subject by its serial', { subject: { ...subject, serial: '2' } }, /serial 2/],
    ['of the requirement', { revisions: { 'M:0022': 'b'.repeat(64) } }, /requirement has changed/],
    ['of the requirement, not said', { revisions: {} }, /does not say/],
    ['of the scenario', { sha256: 'b'.repeat(64) }, /scenario has changed/],
  ] as const)('%s', (_, shape, why) => {
    const today = new Map([['capture/x', 'a'.repeat(64)]])
    const a = accept([run(1, { ...good, [voltage]: 'fail' }, shape)], [], today)
    expect(state(a, 'M:0022')).toBe('outdated')
    expect(clause(a, voltage).outdated[0]?.why).toMatch(why)
    expect(clause(a, voltage).decidedBy).toEqual([])
    expect(a.state).toBe('outdated')
    const fresh = accept([run(1, { ...good, [voltage]: 'fail' }, shape), run(2, good)], [], today)
    expect(state(fresh, 'M:0022')).toBe('pass')
    expect(clause(fresh, voltage).against).toEqual([])
  })
})

describe('what does not count', () => {
  test.each([
    ['a run with a fault of the bench', { exitCode: 5 }, /exit code 5/],
    ['a platform broken on purpose', { defects: ['a/b'] }, /on purpose/],
    ['code that escaped from virtual time', { escapes: 1 }, /escaped/],
    ['a log that is not the one of the run', { problems: ['the log was altered'] }, /altered/],
  ] as const)('%s', (_, shape, why) => {
    const a = accept([run(1, good, shape)])
    expect(a.notCounted[0]?.why).toMatch(why)
    expect(state(a, 'M:0022')).toBe('uncovered')
  })

  test('a requirement that the catalogue does not have is told, the others count', () => {
    const a = accept([run(1, { ...good, 'Q:1/x': 'pass' })])
    expect(a.notCounted[0]?.why).toMatch(/what it saw of Q:1: .*--requirements/)
    expect(state(a, 'M:0022')).toBe('pass')
  })

  test('a record whose attachment is not the one recorded', () => {
    const a = accept([], [record(1, 'M:005', 'pass', { problems: ['the attachment x is missing'] })])
    expect(state(a, 'M:005')).toBe('by person')
    expect(a.notCounted).toEqual([{ what: 'record-1', why: 'the attachment x is missing' }])
  })
})

describe('records by persons', () => {
  test('the newest counts, and the other way is told', () => {
    const a = accept([], [record(2, 'M:005', 'pass'), record(1, 'M:005', 'fail')])
    expect(state(a, 'M:005')).toBe('pass')
    expect(clause(a, 'M:005/secured').against).toMatchObject([{ verdict: 'fail', name: 'person 1' }])
    const b = accept([], [record(1, 'M:005', 'pass'), record(2, 'M:005', 'fail')])
    expect(state(b, 'M:005')).toBe('fail')
    expect(clause(b, 'M:005/secured')).toMatchObject({ blame: 'product', why: 'person 2: note 2' })
  })

  test('one of a part leaves the rest open', () => {
    expect(state(accept([], [record(1, 'M:005', 'pass', { clauses: ['M:005/secured'] })]), 'M:005')).toBe(
      'by person',
    )
  })

  test('of another subject or wording is outdated, of a subject not stated counts', () => {
    const other = record(1, 'M:005', 'pass', { subject: { ...subject, version: '0' } })
    expect(state(accept([], [other]), 'M:005')).toBe('outdated')
    expect(state(accept([], [record(1, 'M:005', 'pass', { revision: 'b'.repeat(64) })]), 'M:005')).toBe(
      'outdated',
    )
    expect(state(accept([], [record(1, 'M:005', 'pass', { subject: null })]), 'M:005')).toBe('pass')
  })

  test('a pass by a person never makes a tested clause pass', () => {
    const a = accept([run(1, { ...good, [voltage]: 'fail' })], [record(2, 'M:0022', 'pass')])
    expect(state(a, 'M:0022')).toBe('fail')
    expect(state(accept([], [record(2, 'M:0022', 'pass')]), 'M:0022')).toBe('uncovered')
  })
})

describe('waivers', () => {
  test('stand apart with name and reason, and never read pass', () => {
    const a = accept([run(1, { ...good, [voltage]: 'fail' })], [record(2, 'M:0022', 'waived')])
    expect(state(a, 'M:0022')).toBe('waived')
    expect(clause(a, voltage)).toMatchObject({
      state: 'waived',
      without: 'fail',
      why: 'waived by person 2: note 2',
      waiver: { name: 'person 2', note: 'note 2' },
    })
    expect(clause(a, current).state).toBe('pass')
    expect(a.state).toBe('waived')
  })

  test('of one clause leaves the failure of another', () => {
    const waiver = record(2, 'M:0022', 'waived', { clauses: [voltage] })
    const a = accept([run(1, { ...good, [voltage]: 'fail', [current]: 'fail' })], [waiver])
    expect(state(a, 'M:0022')).toBe('fail')
  })

  test('are replaced by a newer record, and do not hold for another version', () => {
    expect(state(accept([], [record(1, 'M:005', 'waived'), record(2, 'M:005', 'fail')]), 'M:005')).toBe(
      'fail',
    )
    const old = record(2, 'M:0022', 'waived', { subject: { ...subject, version: '0' } })
    expect(state(accept([run(1, { ...good, [voltage]: 'fail' })], [old]), 'M:0022')).toBe('fail')
  })
})
