import { expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Result } from '../faces.ts'
import { killed } from '../platforms/machine.ts'
import { draft, numbered, type Draft } from './history.fixture.ts'
import { declaredEvent, jury } from './judge.ts'
import { keptThrough } from './kept-through.ts'

const begin = 1_700_000_000_000
const at = (s: number): number => begin + s * 1000
const topic = 'sensor/data/a_b_01/x'
const payload = (n: number): Json => ({ Timestamp: begin / 1000 + n, Value: n, Valid: true })

const seen = (s: number): Draft =>
  draft(at(s), 'marketplace', 'seen', { alias: 'x', topic, payload: payload(s), qos: 1, retain: false })
const line = (s: number, of: Json = payload(s)): Draft =>
  draft(at(200) + s, 'csv', 'seen', {
    alias: 'x',
    topic,
    payload: of,
    recordedAt: at(s),
    publisher: 'a_b_01',
    columns: {},
    file: '1.csv',
    line: s,
    bytes: 1,
  })
const kill: Draft = draft(at(100), 'platform', 'host', { what: killed, proc: 'platform' })
const read = (s = 201): Draft => draft(at(s), 'csv', 'seen', { alias: 'csv.read', payload: {} })

const tens = (from: number, to: number): number[] => {
  const list: number[] = []
  for (let n = from; n <= to; n += 10) list.push(n)
  return list
}

function judged(events: readonly Draft[]): Result {
  const check = keptThrough(
    { src: 'marketplace', kind: 'seen', select: '*' },
    { src: 'csv', kind: 'seen', select: '*' },
    { id: 'kept', verifies: ['M:0042/non-volatile'] },
  )
  const bench = jury([check])
  const history = [draft(begin, 'bench', 'check', declaredEvent(check) as unknown as Json), ...events]
  for (const e of numbered(history)) bench.see(e)
  return bench.judge('kept', at(300), {}).result
}

const published = [...tens(10, 90).map(seen), kill, ...tens(130, 190).map(seen)]

test('passes where all from before the end stands there afterwards', () => {
  const r = judged([...published, ...[...tens(10, 90), ...tens(130, 190)].map((n) => line(n)), read()])
  expect(r).toMatchObject({
    verdict: 'pass',
    observed: { 'messages from before the end that are there [1]': 9 },
  })
})

test('fails what is in no file any more, and what stands there otherwise', () => {
  const some = tens(20, 90).map((n) => line(n))
  expect(judged([...published, ...some, read()])).toMatchObject({ verdict: 'fail', observed: { lost: 1 } })
  const other = [line(10, { Timestamp: begin / 1000 + 10, Value: 9, Valid: true }), ...some]
  expect(judged([...published, ...other, read()])).toMatchObject({
    verdict: 'fail',
    observed: { altered: 1 },
  })
})

test('lets go what was published right before the end, and what came after it', () => {
  const late = [...tens(10, 90).map(seen), seen(99), kill, seen(130)]
  expect(judged([...late, ...tens(10, 90).map((n) => line(n)), read()]).verdict).toBe('pass')
})

test('says that it cannot judge without an end, without a reading after it, and without anything from before', () => {
  const all = tens(10, 90).map((n) => line(n))
  expect(judged([...tens(10, 90).map(seen), ...all, read()])).toMatchObject({ verdict: 'inconclusive' })
  expect(judged(published)).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
  expect(judged([kill, ...tens(130, 190).map(seen), read()])).toMatchObject({ verdict: 'inconclusive' })
})
