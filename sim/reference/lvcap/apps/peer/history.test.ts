import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { JsonObject } from '../../env.ts'
import { answerIn, lookUp, queryFor } from './history.ts'

const response = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const rows = (data: unknown, status = 1, subTopic: unknown = 'a'): Uint8Array =>
  response({
    Status: status,
    Response: [{ TableName: 'x_y_01', TableRows: [{ ID: 1, SubTopic: subTopic, Data: data }] }],
  })

describe('the last stored value', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('is asked for by instance and sub-topic, and of no other topics', () => {
    expect(queryFor('algorithm/data/eatl_loadpredictor_01/transformer/forecast', 100)).toEqual({
      InstanceID: 'eatl_loadpredictor_01',
      SubTopic: 'transformer/forecast',
      MaxLength: 1,
      PreferOldest: false,
      StartTime: 100,
    })
    expect(queryFor('sensor/data/x_y_01', 1)).toMatchObject({ InstanceID: 'x_y_01', SubTopic: '' })
    for (const topic of ['status/request', 'algorithm/data', 'sensor/data//x', 'other/data/x/y'])
      expect(queryFor(topic, 1)).toBeUndefined()
  })

  test('is found in a response with rows of that topic, and in nothing else', () => {
    const query = queryFor('algorithm/data/x_y_01/a', 0) ?? {}
    expect(answerIn(rows({ Value: 1.5, Valid: true }), query)).toEqual({ text: '{"Value":1.5,"Valid":true}' })
    expect(answerIn(rows({ Value: 1 }, 8), query)).toEqual({ text: '{"Value":1}' })
    expect(answerIn(rows({ Value: 1 }, 1, null), queryFor('algorithm/data/x_y_01', 0) ?? {})).toEqual({
      text: '{"Value":1}',
    })
    expect(answerIn(rows({ Value: 1 }, 1, 'b'), query)).toBe('not asked for')
    for (const odd of [
      rows({ Value: 1 }, 3),
      rows('text'),
      response({ Status: 1, Response: [] }),
      response({ Status: 1, Response: [{ TableRows: 7 }] }),
      response({ Status: 1, Response: { TableRows: [] } }),
      response([1]),
      Buffer.from('no JSON'),
      Buffer.alloc(0),
    ])
      expect(answerIn(odd, query)).toBe('none')
  })

  test('is asked for one name after the other, until nobody answers', () => {
    const asked: JsonObject[] = []
    const found: string[] = []
    const entries = ['a', 'b', 'c', 'd'].map((name) => ({ name, topic: `algorithm/data/x_y_01/${name}` }))
    const odd = { name: 'odd', topic: 'status/request' }
    const l = lookUp(
      [odd, ...entries],
      5,
      1_000,
      (q) => asked.push(q),
      (e, text) => found.push(`${e.name} ${text}`),
    )
    l.answered(rows({ Value: 2 }, 1, 'b'))
    l.answered(rows({ Value: 1 }))
    l.answered(response({ Status: 2, Response: [] }))
    expect(asked.map((q) => q['SubTopic'])).toEqual(['a', 'b', 'c'])
    vi.advanceTimersByTime(1_001)
    l.answered(rows({ Value: 3 }, 1, 'c'))
    expect(asked).toHaveLength(3)
    expect(found).toEqual(['a {"Value":1}'])
  })
})
