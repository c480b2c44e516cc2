import { expect, test } from 'vitest'
import type { Blame, VerdictWord } from '../faces.ts'
import type { CheckRecord, ScenarioRecord } from '../verdicts/record.ts'
import { rigCause } from './retry.ts'
import { dealtTo, readShard } from './shard.ts'

function check(verdict: VerdictWord, blame: Blame, more: Partial<CheckRecord> = {}): CheckRecord {
  const result = { verdict, blame, why: `${blame} did it`, observed: {}, because: [] }
  return { id: 'c', verifies: [], limit: '', result, beforehand: false, ...more }
}
const of = (checks: CheckRecord[], more: Partial<ScenarioRecord> = {}): string | undefined =>
  rigCause({ scenario: 's', verifies: [], checks, ...more })

test('a scenario is tried again for a reason of the rig', () => {
  expect(of([check('inconclusive', 'rig')])).toBe('c: rig did it')
  expect(of([check('pass', 'rig'), check('inconclusive', 'rig'), check('inconclusive', 'rig')])).toBe(
    'c: rig did it (and 1 more)',
  )
  expect(of([], { trouble: { blame: 'rig', why: 'no port' } })).toBe('no port')
})

test('and for no other: not for a failure, whoever else had trouble', () => {
  expect(of([check('pass', 'rig')])).toBeUndefined()
  for (const blame of ['product', 'bench', 'operator'] as const) {
    expect(of([check('inconclusive', blame), check('inconclusive', 'rig')])).toBeUndefined()
    expect(of([], { trouble: { blame, why: 'x' } })).toBeUndefined()
  }
  expect(of([check('fail', 'product'), check('inconclusive', 'rig')])).toBeUndefined()
  expect(of([check('fail', 'product')], { trouble: { blame: 'rig', why: 'x' } })).toBeUndefined()
})

test('nor where the same would come again', () => {
  expect(of([check('inconclusive', 'rig', { beforehand: true })])).toBeUndefined()
  expect(of([check('inconclusive', 'rig', { unobservable: true })])).toBeUndefined()
})

test('shards have each card once, and none too many', () => {
  const cards = Array.from({ length: 11 }, (_, i) => i)
  const hands = [1, 2, 3].map((i) => dealtTo(readShard(`${i}/3`), cards))
  expect(hands.map((h) => h.length)).toEqual([4, 4, 3])
  expect(hands.flat().toSorted((a, b) => a - b)).toEqual(cards)
  for (const text of ['', '1', '0/1', '2/1', '1/0', '-1/2', '1/2/3', '1.0/2', '1/9999'])
    expect(() => readShard(text), text).toThrow('is no shard')
})
