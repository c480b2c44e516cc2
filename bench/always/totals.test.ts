import { expect, test } from 'vitest'
import { createTotals } from './totals.ts'

const check = (id: string, observed: { readonly [k: string]: number | string }, verdict = 'pass') => ({
  id,
  verdict,
  observed,
})

test('amounts of all seeds are added up, of times the longest is told', () => {
  const totals = createTotals()
  totals.take([check('a', { 'rows [1]': 1200, 'bytes [B]': 10, 'gap [s]': 3.5, name: 'x' })])
  totals.take([
    check('a', { 'rows [1]': 800, 'bytes [B]': 5, 'gap [s]': 2, lost: 2 }, 'fail'),
    check('b', {}),
  ])
  expect(totals.lines()).toEqual([
    'a: passed at 1 of 2 seeds',
    '    rows: 2,000',
    '    bytes: 15 B',
    '    gap: 3.5 s at most',
    '    lost: 2',
    'b: passed at 1 of 1 seeds',
  ])
})

test('what the seeds took is added up', () => {
  const totals = createTotals()
  totals.passed({ benchMs: 1000, cpuMs: 10 })
  totals.passed({ benchMs: 500, cpuMs: 20 })
  expect(totals.spent).toEqual({ benchMs: 1500, cpuMs: 30 })
})
