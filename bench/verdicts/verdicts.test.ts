import { describe, expect, it } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Blame, Event, Kind, VerdictWord } from '../faces.ts'
import type { ScenarioEnd, ScenarioHeader, Subject } from '../evidence/schema.ts'
import { exitCodeFor } from './exit-code.ts'
import { verdictOrder, worse } from './order.ts'
import { type CheckRecord, type ScenarioRecord, recordOf, runRecordOf, withNotRun } from './record.ts'
import { type CatalogueLike, type RequirementVerdict, rollUp } from './rollup.ts'

const subject: Subject = { kind: 'reference', maker: 'ours', product: 'reference', version: '1' }

function header(
  scenario: string,
  verifies: readonly string[],
  played: Record<string, string> = {},
): ScenarioHeader {
  return {
    format: 'gridproof-scenario/1',
    scenario,
    title: scenario,
    verifies,
    sha256: '',
    rig: 'virtual',
    seed: 1,
    commit: '',
    node: '',
    time: 'virtual',
    started: '',
    horizonMs: 1,
    fullHorizonMs: 1,
    subject,
    played,
    defects: [],
  }
}

function end(outcome: ScenarioEnd['outcome'], more: Partial<ScenarioEnd> = {}): ScenarioEnd {
  return { outcome, world: { time: 'virtual', escapes: [] }, wallMs: 1, cpuMs: 1, ...more }
}

function check(
  id: string,
  verifies: readonly string[],
  verdict: VerdictWord,
  more: Partial<CheckRecord> = {},
): CheckRecord {
  const blame: Record<VerdictWord, Blame | undefined> = {
    pass: undefined,
    marginal: 'product',
    inconclusive: 'rig',
    fail: 'product',
  }
  const b = blame[verdict]
  const why = verdict === 'pass' ? {} : { why: `${id} says so` }
  const result = { verdict, ...(b === undefined ? {} : { blame: b }), ...why, observed: {}, because: [] }
  return { id, verifies, limit: '', result, beforehand: false, ...more }
}

function ran(
  scenario: string,
  verifies: readonly string[],
  checks: readonly CheckRecord[],
  more: Partial<ScenarioRecord> = {},
  played: Record<string, string> = {},
): ScenarioRecord {
  return {
    scenario,
    verifies,
    header: header(scenario, verifies, played),
    checks,
    end: end('finished'),
    ...more,
  }
}

function notRun(scenario: string, verifies: readonly string[], blame: Blame = 'rig'): ScenarioRecord {
  return { scenario, verifies, checks: [], trouble: { blame, why: 'a port is missing' } }
}

const clause = (id: string, more: object = {}): CatalogueLike['requirements'][number]['clauses'][number] => ({
  id,
  asks: 'something',
  ...more,
})

function requirement(
  id: string,
  clauses: readonly object[],
  more: object = {},
): CatalogueLike['requirements'][number] {
  return {
    id,
    document: 'openlv',
    section: '3',
    priority: 'must',
    statement: 'something',
    subject: 'platform',
    method: 'test',
    clauses: clauses as CatalogueLike['requirements'][number]['clauses'],
    ...more,
  }
}

const two: CatalogueLike = { requirements: [requirement('M:1', [clause('a'), clause('b')])] }

function only(c: CatalogueLike, scenarios: readonly ScenarioRecord[]): RequirementVerdict {
  const r = rollUp(c, scenarios)[0]
  if (r === undefined) throw new Error('no requirement')
  return r
}

describe('verdicts', () => {
  it('only ever get worse', () => {
    for (const a of verdictOrder)
      for (const b of verdictOrder) {
        const w = worse(a, b)
        expect(verdictOrder.indexOf(w)).toBe(Math.max(verdictOrder.indexOf(a), verdictOrder.indexOf(b)))
        expect(worse(b, a)).toBe(w)
      }
  })
})

describe('a requirement', () => {
  it('passes only when each of its clauses passed', () => {
    const a = check('x', ['M:1/a'], 'pass')
    expect(only(two, [ran('s', ['M:1/a'], [a])])).toMatchObject({ state: 'uncovered', passed: [1, 2] })
    const b = check('y', ['M:1/b'], 'pass')
    expect(only(two, [ran('s', ['M:1'], [a, b])])).toMatchObject({ state: 'pass', passed: [2, 2] })
    expect(only(two, [ran('s', ['M:1'], [check('x', ['M:1'], 'pass')])])).toMatchObject({ state: 'pass' })
  })

  it('is as bad as the worst check of the worst clause, and says which one decided', () => {
    const verdictOf = (...words: VerdictWord[]): RequirementVerdict =>
      only(two, [
        ran(
          's',
          ['M:1'],
          words.map((w, i) => check(`c${i}`, [i === 0 ? 'M:1/a' : 'M:1'], w)),
        ),
      ])
    expect(verdictOf('pass', 'marginal')).toMatchObject({ state: 'marginal' })
    expect(verdictOf('marginal', 'inconclusive')).toMatchObject({ state: 'inconclusive', blame: 'rig' })
    expect(verdictOf('fail', 'inconclusive', 'pass')).toMatchObject({
      state: 'fail',
      blame: 'product',
      why: 'M:1/a: c0 says so',
      decidedBy: [{ scenario: 's', check: 'c0' }],
      judged: [subject],
    })
  })

  it('takes the worst of several scenarios', () => {
    const s1 = ran('one', ['M:1'], [check('x', ['M:1'], 'pass')])
    const s2 = ran('two', ['M:1/b'], [check('x', ['M:1/b'], 'fail')])
    expect(only(two, [s1, s2])).toMatchObject({ state: 'fail', decidedBy: [{ scenario: 'two', check: 'x' }] })
  })

  it('is not run when its scenario did not run, and inconclusive when only a part did not', () => {
    expect(only(two, [notRun('s', ['M:1'])])).toMatchObject({ state: 'not run', blame: 'rig' })
    const one = ran('one', ['M:1/a'], [check('x', ['M:1/a'], 'pass')])
    expect(only(two, [one, notRun('s', ['M:1/b'])])).toMatchObject({ state: 'inconclusive', blame: 'rig' })
    const both = ran('one', ['M:1'], [check('x', ['M:1'], 'pass')])
    expect(only(two, [both, notRun('s', ['M:1/a'])])).toMatchObject({ state: 'inconclusive', blame: 'rig' })
    const failed = ran('one', ['M:1'], [check('x', ['M:1'], 'fail')])
    expect(only(two, [failed, notRun('s', ['M:1'])])).toMatchObject({ state: 'fail' })
  })

  it('is inconclusive by the bench when a scenario names it and judges nothing of it', () => {
    expect(only(two, [ran('s', ['M:1'], [])])).toMatchObject({ state: 'inconclusive', blame: 'bench' })
    expect(only(two, [ran('s', ['M:1/a', 'M:1/b'], [check('x', ['M:1/a'], 'pass')])])).toMatchObject({
      state: 'inconclusive',
      blame: 'bench',
    })
  })

  it('carries the blame for a scenario that broke', () => {
    const broke = ran('s', ['M:1'], [], { trouble: { blame: 'rig', why: 'the port went away' } })
    expect(only(two, [broke])).toMatchObject({ state: 'inconclusive', blame: 'rig' })
  })

  it('is uncovered where nothing looks at it, and by person where a person must', () => {
    expect(only(two, [])).toMatchObject({ state: 'uncovered', decidedBy: [] })
    const look = {
      requirements: [requirement('M:1', [clause('a')], { method: 'inspection', why: 'a padlock' })],
    }
    expect(only(look, [])).toMatchObject({ state: 'by person' })
    expect(only(look, [ran('s', ['M:1'], [check('x', ['M:1'], 'pass')])])).toMatchObject({ state: 'pass' })
    const mixed = { requirements: [requirement('M:1', [clause('a'), clause('b', { method: 'inspection' })])] }
    expect(only(mixed, [ran('s', ['M:1/a'], [check('x', ['M:1/a'], 'pass')])])).toMatchObject({
      state: 'by person',
      passed: [1, 2],
    })
  })

  it('is information where it asks nothing', () => {
    const i = { requirements: [requirement('I:1', [], { method: 'information', why: 'text' })] }
    expect(only(i, [])).toMatchObject({ state: 'information' })
  })

  it('never passes where the bench plays its subject', () => {
    const device = { requirements: [requirement('M:1', [clause('a'), clause('b', { subject: 'gridkey' })])] }
    const played = { gridkey: 'personality gridkey-standin' }
    const with_ = (w: VerdictWord): RequirementVerdict =>
      only(device, [ran('s', ['M:1'], [check('x', ['M:1'], w)], {}, played)])
    expect(with_('pass')).toMatchObject({ state: 'played by the bench', passed: [1, 2] })
    expect(with_('pass').clauses.map((c) => c.state)).toEqual(['pass', 'played by the bench'])
    expect(with_('fail').clauses.map((c) => [c.state, c.blame])).toEqual([
      ['fail', 'product'],
      ['inconclusive', 'bench'],
    ])
    const alone = only(device, [ran('s', ['M:1/a'], [check('x', ['M:1/a'], 'pass')], {}, played)])
    expect(alone).toMatchObject({ state: 'played by the bench' })
  })

  it('knows what was inconclusive beforehand', () => {
    const short = check('x', ['M:1'], 'inconclusive', { beforehand: true })
    expect(only(two, [ran('s', ['M:1'], [short])])).toMatchObject({ state: 'inconclusive', beforehand: true })
    const open = check('y', ['M:1/b'], 'inconclusive')
    expect(only(two, [ran('s', ['M:1'], [short, open])])).toMatchObject({ beforehand: false })
  })

  it('stands in the order of the catalogue, once each', () => {
    const c = { requirements: ['M:2', 'M:10', 'M:1'].map((id) => requirement(id, [clause('a')])) }
    expect(rollUp(c, []).map((r) => r.id)).toEqual(['M:2', 'M:10', 'M:1'])
  })
})

describe('the log', () => {
  const log = (...list: [kind: Kind, data: unknown][]): Event[] =>
    list.map(([kind, data], i) => ({ seq: i + 1, at: i, src: 'bench', kind, data: data as Json }))
  const declared = { phase: 'declared', id: 'x', verifies: ['M:1'], limit: 'any' }
  const judged = { phase: 'judged', id: 'x', result: check('x', [], 'pass').result }

  it('gives checks with their verdicts', () => {
    const r = recordOf(
      log(['run', header('s', ['M:1'])], ['check', declared], ['check', judged], ['end', end('finished')]),
    )
    expect(r).toMatchObject({ scenario: 's', checks: [{ id: 'x', seq: 3, result: { verdict: 'pass' } }] })
    expect(r.trouble).toBeUndefined()
  })

  it('makes a check that was never judged inconclusive, the bench to blame', () => {
    const r = recordOf(log(['run', header('s', ['M:1'])], ['check', declared]))
    expect(r.checks[0]?.result).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
    expect(r.trouble).toEqual({ blame: 'bench', why: 'the log was cut short' })
    const broke = recordOf(
      log(
        ['run', header('s', [])],
        ['check', declared],
        ['end', end('broke', { blame: 'rig', why: 'no port' })],
      ),
    )
    expect(broke.checks[0]?.result).toMatchObject({ verdict: 'inconclusive', blame: 'rig' })
  })

  it('is not fooled by what others say', () => {
    const e = log(['run', header('s', ['M:1'])], ['check', declared], ['check', judged])
    const forged = e.map((x, i) => (i === 2 ? { ...x, src: 'marketplace' } : x))
    expect(recordOf(forged).checks[0]?.result.verdict).toBe('inconclusive')
  })

  it('counts scenarios that never began as not run', () => {
    const run = runRecordOf(
      log(
        [
          'run',
          {
            format: 'gridproof-run/1',
            scenarios: ['s', 't', 'u'],
            verifies: { s: ['M:1'], t: ['M:1/a'], u: ['M:1/b'] },
          },
        ],
        ['step', { what: 'scenario begins', detail: { scenario: 's', file: 's' } }],
        [
          'step',
          {
            what: 'scenario ended',
            detail: { scenario: 't', file: 't', outcome: 'not run', blame: 'rig', why: 'no port' },
          },
        ],
      ),
    )
    const all = withNotRun(run, [ran('s', ['M:1'], [])])
    expect(all.map((s) => [s.scenario, s.trouble?.blame])).toEqual([
      ['s', undefined],
      ['t', 'rig'],
      ['u', 'bench'],
    ])
    expect(all[1]?.verifies).toEqual(['M:1/a'])
  })
})

describe('the exit code', () => {
  const code = (scenarios: readonly ScenarioRecord[], aborted = false): number =>
    exitCodeFor(scenarios, { aborted })
  const s = (...c: CheckRecord[]): ScenarioRecord => ran('s', ['M:1'], c)

  it('is 0 for passed and marginal, 1 for failed, 3 for inconclusive', () => {
    expect(code([s(check('a', ['M:1'], 'pass'), check('b', ['M:1'], 'marginal'))])).toBe(0)
    expect(code([s(check('a', ['M:1'], 'fail'), check('b', ['M:1'], 'inconclusive'))])).toBe(1)
    expect(code([s(check('a', ['M:1'], 'inconclusive'))])).toBe(3)
  })

  it('is not raised by what a short run could not judge, as was known beforehand', () => {
    expect(code([s(check('a', ['M:1'], 'inconclusive', { beforehand: true }))])).toBe(0)
  })

  it('is 4 for the rig, 5 for the bench, 130 for the operator', () => {
    expect(code([notRun('s', ['M:1'])])).toBe(4)
    expect(code([s(check('a', ['M:1'], 'fail')), notRun('t', ['M:1'])])).toBe(1)
    expect(code([ran('s', [], [], { trouble: { blame: 'bench', why: 'cut short' } })])).toBe(5)
    expect(code([ran('s', [], [], { trouble: { blame: 'operator', why: 'Ctrl-C' } })])).toBe(130)
    expect(code([s(check('a', ['M:1'], 'fail'))], true)).toBe(130)
  })

  it('is 3 where a rig declares not to have what a scenario asks for, and nothing of it broke', () => {
    const trouble = { blame: 'rig', why: 'it cannot play intruder', lacking: true } as const
    expect(code([s(check('a', ['M:1'], 'pass')), ran('t', [], [], { trouble })])).toBe(3)
    expect(code([ran('t', [], [], { trouble }), notRun('u', ['M:1'])])).toBe(4)
    expect(code([s(check('a', ['M:1'], 'fail')), ran('t', [], [], { trouble })])).toBe(1)
  })

  it('is 1 where the platform was up and went down', () => {
    expect(code([ran('s', [], [], { trouble: { blame: 'product', why: 'it never came back' } })])).toBe(1)
  })

  it('is 5 where code escaped from virtual time: no verdict of that run holds', () => {
    const world = { time: 'virtual' as const, escapes: [{ what: 'setTimeout', where: 'x.ts:1' }] }
    expect(code([ran('s', [], [check('a', ['M:1'], 'pass')], { end: end('finished', { world }) })])).toBe(5)
  })
})
