import { describe, expect, test } from 'vitest'
import type { Result } from '../faces.ts'
import type { LoadedScenario } from '../scenario/load.ts'
import type { CheckRecord, ScenarioRecord } from '../verdicts/record.ts'
import type { Done } from './pool.ts'
import { judgeProof, mutationWords, untripped, whySurvived } from './proof.ts'
import type { Expectation, Proof, ProveJob } from './proof.ts'

const clausesOf = (r: string): readonly string[] => (r === 'X:1' ? ['X:1/a', 'X:1/b'] : [r])

function check(id: string, verdict: Result['verdict'], more: Partial<CheckRecord> = {}): CheckRecord {
  const why = verdict === 'pass' ? {} : { why: `${id} is ${verdict}` }
  return {
    id,
    verifies: ['X:1/a'],
    limit: 'any',
    result: { verdict, observed: {}, because: [], ...why },
    beforehand: false,
    ...more,
  }
}

const id = 'gridkey-app/drifts'

function of(
  expectation: Expectation,
  checks: readonly CheckRecord[],
  more: {
    readonly target?: string
    readonly reached?: boolean
    readonly trouble?: ScenarioRecord['trouble']
    readonly escape?: boolean
    readonly id?: string
    readonly showsNothing?: () => boolean
  } = {},
): Proof {
  const what = expectation === 'healthy' ? '' : (more.id ?? id)
  const p = {
    scenario: { id: 'a/b' } as LoadedScenario,
    expectation,
    id: what,
    ...(expectation === 'defect' ? { target: more.target ?? 'X:1' } : {}),
    job: { log: '/somewhere/a.b.jsonl' },
  } as unknown as ProveJob
  const escapes = more.escape === true ? [{ what: 'fetch', where: 'x.ts:1' }] : []
  const record = {
    scenario: 'a/b',
    verifies: [],
    checks,
    end: { outcome: 'finished', world: { escapes } },
    ...(more.trouble === undefined ? {} : { trouble: more.trouble }),
  } as unknown as ScenarioRecord
  const done: Done = {
    job: p.job,
    record,
    reached: more.reached === false ? [] : [what],
    changes: { [what]: '1 -> 2' },
  }
  return judgeProof(p, done, clausesOf, more.showsNothing)
}

describe('a defect', () => {
  test('is caught by a check that fails for the clause that is named, or one of the requirement', () => {
    const checks = [check('good', 'pass'), check('bad', 'fail')]
    expect(of('defect', checks)).toMatchObject({ word: 'as expected', tripped: ['bad'], target: 'X:1' })
    expect(of('defect', checks, { target: 'X:1/a' }).word).toBe('as expected')
  })

  test('is missed where nothing fails, or only a check of something else', () => {
    expect(of('defect', [check('good', 'pass')])).toMatchObject({
      word: 'missed',
      why: 'no check failed; expected one that verifies X:1',
    })
    expect(of('defect', [check('bad', 'fail')], { target: 'X:1/b' })).toMatchObject({
      word: 'missed',
      why: 'only bad failed; expected one that verifies X:1/b',
    })
    for (const verdict of ['marginal', 'inconclusive'] as const)
      expect(of('defect', [check('so-so', verdict)]).word).toBe('missed')
  })

  test('that never came to bear proves nothing, whatever failed', () => {
    expect(of('defect', [check('bad', 'fail')], { reached: false }).word).toBe('not reached')
  })

  test('is caught too where it brings the platform down, but only by a check that fails for it', () => {
    const trouble = { blame: 'product', why: 'the platform ended' } as const
    expect(of('defect', [check('bad', 'fail')], { trouble }).word).toBe('as expected')
    expect(of('defect', [check('good', 'pass')], { trouble }).word).toBe('missed')
  })

  test('is no proof where rig or bench broke, or something escaped from virtual time', () => {
    const checks = [check('bad', 'fail')]
    for (const blame of ['rig', 'bench', 'operator'] as const)
      expect(of('defect', checks, { trouble: { blame, why: 'no port' } })).toMatchObject({
        word: 'broke',
        why: `no port (${blame})`,
      })
    expect(of('defect', checks, { escape: true })).toMatchObject({
      word: 'broke',
      why: 'escaped from virtual time: fetch at x.ts:1',
    })
  })
})

describe('a healthy platform or a legal variant', () => {
  test.each(['healthy', 'variant'] as const)('%s: passes where every check does, marginally too', (e) => {
    expect(of(e, [check('good', 'pass'), check('near', 'marginal')]).word).toBe('as expected')
  })

  test.each(['healthy', 'variant'] as const)('%s: shows a check that is over-strict or cannot judge', (e) => {
    expect(of(e, [check('bad', 'fail'), check('open', 'inconclusive')])).toMatchObject({
      word: 'over-strict',
      why: 'bad: bad is fail; open: open is inconclusive',
    })
  })

  test.each(['healthy', 'variant'] as const)('%s: what only needs a longer run is no fault', (e) => {
    expect(of(e, [check('short', 'inconclusive', { beforehand: true })]).word).toBe('as expected')
  })

  test.each(['healthy', 'variant'] as const)(
    '%s: breaks where the scenario did not end, whoever is to blame',
    (e) => {
      const trouble = { blame: 'product', why: 'never up' } as const
      expect(of(e, [check('good', 'pass')], { trouble }).word).toBe('broke')
    },
  )

  test('proves nothing as a variant that never came to bear', () => {
    expect(of('variant', [check('good', 'pass')], { reached: false }).word).toBe('not reached')
  })
})

describe('a mutation', () => {
  const mutation = { id: 'mutation/gridkey-app/judge/alter/2' }

  test('is noticed by any check, or by a platform that it brings down', () => {
    expect(of('mutation', [check('bad', 'fail')], mutation)).toMatchObject({
      word: 'as expected',
      change: '1 -> 2',
      describes: 'Changes call 2 of judge: alter.',
    })
    const trouble = { blame: 'product', why: 'never up' } as const
    expect(of('mutation', [], { ...mutation, trouble }).word).toBe('as expected')
  })

  test('survives where no check fails, and is nothing where it never came to bear', () => {
    expect(of('mutation', [check('near', 'marginal')], mutation).word).toBe('survived')
    expect(of('mutation', [], { ...mutation, reached: false }).word).toBe('not reached')
  })

  test('that shows nothing outside is unseen, and nobody is asked where a check failed', () => {
    expect(of('mutation', [], { ...mutation, showsNothing: () => true }).word).toBe('unseen')
    expect(of('mutation', [], { ...mutation, showsNothing: () => false }).word).toBe('survived')
    const showsNothing = (): boolean => {
      throw new Error('asked')
    }
    expect(of('mutation', [check('near', 'fail')], { ...mutation, showsNothing }).word).toBe('as expected')
  })

  test('that one scenario notices is noticed; the best word counts, in any order', () => {
    const words = ['unseen', 'survived', 'as expected', 'survived', 'not reached'] as const
    const proofs = (n: number): Proof[] =>
      words.slice(0, n).map((word) => ({ ...of('mutation', [], mutation), word }))
    expect([1, 2, 3, 5].map((n) => mutationWords(proofs(n)).get(mutation.id))).toEqual([
      'unseen',
      'survived',
      'noticed',
      'noticed',
    ])
    expect(mutationWords([of('defect', []), of('healthy', [])]).size).toBe(0)
  })
})

test('a survivor is explained where each thing that it changed is known to be harmless', () => {
  const survivor = 'mutation/maintenance/record/repeat/3'
  const changing = (change: string): Proof => ({
    ...of('mutation', [], { id: survivor }),
    change: `${change}: "10.0.0.1:4" -> "10.0.0.1:5"`,
  })
  expect(whySurvived([changing('address')], survivor)).toMatch(/^The log gives the port/)
  expect(whySurvived([changing('address'), changing('address')], survivor)).toMatch(/knows\.$/)
  expect(whySurvived([changing('address'), changing('what')], survivor)).toBeUndefined()
  expect(whySurvived([], survivor)).toBeUndefined()
})

test('a check that no defect of its scenario trips is told', () => {
  const healthy = new Map([['a/b', ['bad', 'idle']]])
  expect(untripped([of('defect', [check('bad', 'fail')])], healthy)).toEqual(['a/b: idle'])
  // Neither a variant nor a mutation shows that a check can fail for what it is there for.
  expect(
    untripped([of('mutation', [check('bad', 'fail')]), of('variant', [check('bad', 'fail')])], healthy),
  ).toEqual(['a/b: bad', 'a/b: idle'])
  const elsewhere = { ...of('defect', [check('bad', 'fail')]), scenario: 'c/d' }
  expect(untripped([elsewhere], healthy)).toHaveLength(2)
})
