import { expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Result } from '../faces.ts'
import { draft, numbered, type Draft } from './history.fixture.ts'
import { declaredEvent, jury } from './judge.ts'
import { readBack } from './read-back.ts'

const begin = 1_700_000_000_000
const at = (s: number): number => begin + s * 1000
const payload = (s: number): { readonly [k: string]: Json } => ({
  Timestamp: begin / 1000 + s,
  Value: s / 8,
  Valid: true,
})
const seen = (s: number): Draft =>
  draft(at(s), 'marketplace', 'seen', { alias: 'x', topic: 'sensor/data/a_b_01/t/x', payload: payload(s) })
const row = (s: number, of: Json = payload(s), subTopic: Json = 't/x'): Json => ({
  id: s,
  timestamp: begin / 1000 + s,
  subTopic,
  text: JSON.stringify(of),
})
const answer = (rows: readonly Json[], status: Json = 1): Draft =>
  draft(at(100), 'storage', 'seen', {
    alias: 'storage.all',
    whole: false,
    payload: {
      by: 'all',
      status,
      tables: [{ name: 'a_b_01', rows }],
      'length [B]': 1,
      qos: 1,
      retain: false,
    },
  })

function judged(events: readonly Draft[]): Result {
  const check = readBack(
    { src: 'marketplace', kind: 'seen', select: '*' },
    { src: 'storage', kind: 'seen', select: 'storage.*' },
    { id: 'read', verifies: ['M:0025/readable'], instance: 'a_b_01', query: 'all' },
  )
  const bench = jury([check])
  const history = [draft(begin, 'bench', 'check', declaredEvent(check) as unknown as Json), ...events]
  for (const e of numbered(history)) bench.see(e)
  return bench.judge('read', at(120), {}).result
}

const published = [10, 20, 30].map(seen)

test('passes where the history gives what was published, also beside rows from before the watch', () => {
  expect(judged([...published, answer([row(-10), row(10), row(20), row(30)])]).verdict).toBe('pass')
  // Published right before the answer: it may still be missing.
  expect(judged([...published, seen(97), answer([10, 20, 30].map((s) => row(s)))]).verdict).toBe('pass')
})

test('fails what is missing, altered, elsewhere, there twice, or refused', () => {
  const some = [row(10), row(20)]
  const fails = (rows: readonly Json[], observed: object, status: Json = 1): void =>
    expect(judged([...published, answer(rows, status)])).toMatchObject({ verdict: 'fail', observed })
  fails(some, { lost: 1 })
  fails([...some, row(30, { ...payload(30), Value: 4 })], { lost: 1, unexpected: 1 })
  fails([...some, row(30, payload(30), null)], { lost: 1, unexpected: 1 })
  fails([...some, row(30), row(30)], { twice: 1 })
  fails([], { refused: 1, lost: 3 }, 3)
  fails([...some, { id: 3, timestamp: 1, subTopic: 't/x', text: '{' }], { lost: 1 })
})

test('says that it cannot judge where nobody asked, or nothing was published', () => {
  expect(judged(published)).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
  expect(judged([answer([])])).toMatchObject({ verdict: 'inconclusive' })
})
