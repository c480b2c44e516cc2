import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keeps, placeOf, recordOf, valueOf, type Place } from './intake.ts'

const iid = 'maker_app_01'
const data = (when: 'flagged' | 'always', subTopic: string | null): Place => ({
  kind: 'data',
  when,
  table: iid,
  subTopic,
})

describe('a topic', () => {
  test.each([
    [`algorithm/data/${iid}`, data('flagged', null)],
    [`algorithm/data/${iid}/`, data('flagged', null)],
    [`algorithm/data/${iid}/T1/forecast/4h`, data('flagged', 'T1/forecast/4h')],
    [`storage/data/${iid}`, data('always', null)],
    [`storage/data/${iid}/`, data('always', null)],
    [`storage/data/${iid}/a/b`, data('always', 'a/b')],
    [`sensor/data/${iid}/x`, data('flagged', 'x')],
    [`storage/data/error/${iid}`, { kind: 'data', when: 'always', table: 'error', subTopic: iid }],
    [`storage/data/error/${iid}/`, { kind: 'data', when: 'always', table: 'error', subTopic: iid }],
    [`storage/request/newdata/${iid}`, { kind: 'query', api: 'newdata', by: iid }],
    [`storage/request/${iid}`, { kind: 'query', api: 'history', by: iid }],
    [`storage/uploaded/${iid}`, { kind: 'uploaded', by: iid }],
  ] as const)('%s has its place', (topic, place) => {
    expect(placeOf(topic)).toEqual(place)
  })

  test.each([
    'storage/data/error',
    'storage/data/Robert"); DROP TABLE x',
    `storage/data/error/${iid}/more`,
    `storage/request/newdata/${iid}/more`,
    `storage/request/${iid}/more`,
    'storage/request/newdata',
    'storage/uploaded/error',
    '',
  ])('%s has none', (topic) => {
    expect(placeOf(topic)).toBeUndefined()
  })

  test('never ends the program, whatever it is', () => {
    fc.assert(fc.property(fc.string(), (topic) => void placeOf(topic)))
  })
})

describe('a payload', () => {
  test('is JSON by its exact bytes, or nothing', () => {
    expect(valueOf(Buffer.from('{"a":1}'))).toEqual({ a: 1 })
    expect(valueOf(Buffer.from(''))).toBeUndefined()
    expect(valueOf(Buffer.from('{"a":1'))).toBeUndefined()
    expect(valueOf(Buffer.from([0x22, 0xff, 0x22]))).toBeUndefined()
    expect(valueOf(Buffer.from([0xef, 0xbb, 0xbf, 0x31]))).toBeUndefined()
  })

  test('is stored where ToStore is true, and nothing but true', () => {
    const place = placeOf(`algorithm/data/${iid}/x`)
    if (place?.kind !== 'data') throw new Error('no place')
    const kept = (value: unknown): boolean => keeps(place, value as never, { store: [] })
    expect(kept({ ToStore: true })).toBe(true)
    for (const v of [{}, { ToStore: false }, { ToStore: 'true' }, { ToStore: 1 }, [], null, true])
      expect(kept(v), JSON.stringify(v)).toBe(false)
    const store = [
      { iid, subTopic: 'x', keep: false },
      { iid, keep: true },
    ]
    expect(keeps(place, { ToStore: true }, { store })).toBe(false)
    expect(keeps({ ...place, subTopic: 'y' }, {}, { store })).toBe(true)
    expect(keeps({ ...place, table: 'error' }, {}, { store })).toBe(true)
  })

  test('is stored as it came, at the second in which it came', () => {
    const place = placeOf(`storage/data/${iid}/x`)
    if (place?.kind !== 'data') throw new Error('no place')
    const payload = Buffer.from('{"Value": 1.10}')
    expect(recordOf(place, payload, 1_515_974_400_999)).toEqual({
      table: iid,
      subTopic: 'x',
      data: payload,
      timestamp: 1_515_974_400,
    })
  })
})
