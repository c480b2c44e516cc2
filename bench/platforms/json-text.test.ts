import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { compact, kept, membersOf } from './json-text.ts'
import { answerOf } from './storage-answer.ts'

const whole = (text: string) => ({ from: 0, to: text.length })

test('the members of any object stand where they are found, as they were written', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(4), (object, indent) => {
      const text = JSON.stringify(object, null, indent)
      const parsed = JSON.parse(text) as Record<string, unknown>
      const members = membersOf(text, whole(text))
      expect([...members.keys()].sort()).toEqual(Object.keys(parsed).sort())
      for (const [k, at] of members)
        expect(JSON.parse(text.slice(at.from, at.to))).toEqual(
          Object.getOwnPropertyDescriptor(parsed, k)?.value,
        )
    }),
  )
})

test('the members of any array are found by their position', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.nat(2), (list, indent) => {
      const text = JSON.stringify(list, null, indent)
      const parsed = JSON.parse(text) as unknown[]
      const members = [...membersOf(text, whole(text)).values()]
      expect(members.map((at) => JSON.parse(text.slice(at.from, at.to)) as unknown)).toEqual(parsed)
    }),
  )
  expect(membersOf('17', whole('17')).size).toBe(0)
})

test('blanks are taken out, but not those within strings', () => {
  expect(compact('{ "a b" : [ 1.10 ,\n 2 ],"c":"\\" x" }')).toBe('{"a b":[1.10,2],"c":"\\" x"}')
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(compact(JSON.stringify(value, null, 2))).toBe(compact(JSON.stringify(value)))
    }),
  )
})

test('an answer of any bytes is read, or said to be unreadable', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const a = answerOf('all', 't', { bytes: Buffer.from(bytes), qos: 2, retain: false }, 30_000)
      expect(a.status === null).toBe(a.problem !== undefined)
    }),
  )
  fc.assert(
    fc.property(fc.jsonValue(), (response) => {
      const bytes = Buffer.from(JSON.stringify({ Status: 1, Response: response }))
      expect(answerOf('all', 't', { bytes, qos: 2, retain: false }, 30_000).by).toBe('all')
    }),
  )
  const text =
    '{"Response":[{"TableRows":[{"Data":{"Value": 1.10},"ID":7,"SubTopic":null,"Timestamp":5}],"TableName":"a"}],"Status":1}'
  expect(answerOf('all', 'ab', { bytes: Buffer.from(text), qos: 2, retain: false }, 30_000)).toEqual({
    by: 'all',
    status: 1,
    tables: [{ name: 'a', rows: [{ id: 7, timestamp: 5, subTopic: null, text: '{"Value": 1.10}' }] }],
    'length [B]': 6 + text.length,
    qos: 2,
    retain: false,
  })
})

test('a string ends at the first quote that is not escaped, however many backslashes stand before it', () => {
  const text = JSON.stringify({ a: 'x\\', b: '\\"', c: ['"', '\\\\"'] })
  const found = membersOf(text, whole(text))
  expect([...found.values()].map((at) => JSON.parse(text.slice(at.from, at.to)) as unknown)).toEqual(
    Object.values(JSON.parse(text) as object),
  )
})

test('a long text stands in the evidence by its beginning, its length and its sum, blanks or no blanks', () => {
  const long = { n: 7, text: 'x'.repeat(20_000) }
  const one = kept(JSON.stringify(long))
  expect(one.length).toBeLessThan(400)
  expect(one.startsWith('{"n":7,"text":"xxx')).toBe(true)
  expect(one).toContain('... 20017 B, SHA-256 ')
  expect(kept(JSON.stringify(long, null, 2))).toBe(one)
  expect(kept(JSON.stringify({ ...long, text: `${'x'.repeat(19_999)}y` }))).not.toBe(one)
  expect(kept('{"n": 7}')).toBe('{"n": 7}')
})
