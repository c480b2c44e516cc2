import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { packetLength, responseText } from './answer.ts'
import { readConfig } from './config.ts'
import { planQuery, queryStatus, readMarks } from './query.ts'

const a = 'maker_app_01'
const b = 'maker_app_02'
const all = 'upload_app_01'
const limited = 'upload_app_02'
const config = readConfig({ maxRecords: 15_000, maxAge: 3600, uploaders: { [all]: 'all', [limited]: [a] } })
const now = 1_500_000_000
const plan = (request: unknown, by = all, api: 'newdata' | 'history' = 'newdata') =>
  planQuery({ by, api, payload: Buffer.from(JSON.stringify(request)) }, config, [a, b, 'error'], now)

describe('a request', () => {
  test('of table 16, with nothing, means the newest hundred of everything', () => {
    expect(plan({})).toEqual({
      by: all,
      api: 'newdata',
      tables: [a, b, 'error'],
      max: 100,
      oldest: false,
      after: now - 3600,
    })
  })

  test('narrows by instance, sub-topic and time; priorities are read past', () => {
    const request = {
      InstanceID: b,
      SubTopic: 'alarm/highhigh',
      StartTime: now - 60,
      EndTime: now,
      PreferOldest: true,
      MaxLength: 10,
      MaxPriority: 1,
      MinPriority: 'any',
    }
    expect(plan(request)).toEqual({
      by: all,
      api: 'newdata',
      tables: [b],
      max: 10,
      oldest: true,
      subTopic: 'alarm/highhigh',
      after: now - 60,
      before: now,
    })
    expect(plan({ InstanceID: '', SubTopic: '' })).toMatchObject({ tables: [a, b, 'error'], subTopic: null })
  })

  test.each([
    ['', queryStatus.invalid],
    ['{', queryStatus.invalid],
    ['[]', queryStatus.invalid],
    ['{"MaxLength":0}', queryStatus.invalid],
    ['{"MaxLength":1.5}', queryStatus.invalid],
    ['{"MaxLength":"10"}', queryStatus.invalid],
    ['{"StartTime":"now"}', queryStatus.invalid],
    ['{"PreferOldest":1}', queryStatus.invalid],
    ['{"InstanceID":7}', queryStatus.invalid],
    ['{"SubTopic":null}', queryStatus.invalid],
    ['{"InstanceID":"maker_none_01"}', queryStatus.denied],
    ['{"MaxLength":15001}', queryStatus.tooLong],
    [`{"StartTime":${now - 3601}}`, queryStatus.tooOld],
  ])('%s is refused with %i', (text, status) => {
    expect(planQuery({ by: all, api: 'newdata', payload: Buffer.from(text) }, config, [a], now)).toBe(status)
  })

  test('brings what its sender is authorised for', () => {
    expect(plan({}, limited)).toMatchObject({ tables: [a] })
    expect(plan({ InstanceID: b }, limited)).toBe(queryStatus.denied)
    expect(plan({}, 'upload_app_03')).toBe(queryStatus.denied)
    expect(plan({}, 'upload_app_03', 'history')).toMatchObject({ tables: [a, b, 'error'] })
  })

  test('a hundred are always permitted, more where the operator says so', () => {
    const strict = readConfig({ uploaders: { [all]: 'all' } })
    const asked = (n: number) =>
      planQuery({ by: all, api: 'newdata', payload: Buffer.from(`{"MaxLength":${n}}`) }, strict, [a], now)
    expect(asked(100)).toMatchObject({ max: 100 })
    expect(asked(101)).toBe(queryStatus.tooLong)
    expect(() => readConfig({ maxRecords: 15_001 })).toThrow('maxRecords')
  })

  test('of any bytes ends in a query or a status', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (payload) => {
        const p = planQuery({ by: all, api: 'newdata', payload }, config, [a], now)
        expect(typeof p === 'number' ? p : p.max).toBeGreaterThan(0)
      }),
    )
    fc.assert(
      fc.property(fc.json(), (text) => {
        planQuery({ by: all, api: 'newdata', payload: Buffer.from(text) }, config, [a], now)
        readMarks(Buffer.from(text))
      }),
    )
  })
})

describe('a report', () => {
  test('names rows by table', () => {
    const text = JSON.stringify({ NewData: [{ [a]: [1, 2] }, { [b]: [3], error: [] }] })
    expect(readMarks(Buffer.from(text))).toEqual([
      { table: a, ids: [1, 2] },
      { table: b, ids: [3] },
      { table: 'error', ids: [] },
    ])
  })

  test.each(['', '{}', '{"NewData":{}}', '{"NewData":[[1]]}', '{"NewData":[{"x":["1"]}]}'])(
    '%s is none',
    (text) => {
      expect(readMarks(Buffer.from(text))).toBeUndefined()
    },
  )
})

describe('a response', () => {
  test('holds the data byte for byte, by table', () => {
    const row = (table: string, id: number, text: string, subTopic: string | null) => ({
      table,
      id,
      timestamp: now,
      subTopic,
      data: Buffer.from(text),
    })
    const text = responseText(
      8,
      [row(a, 2, '{"Value": 1.10}', null), row(b, 1, '[12345678901234567890]', 'x"y')],
      now,
    )
    expect(text).toBe(
      `{"Status":8,"Response":[{"TableName":"${a}","TableRows":[{"ID":2,"Timestamp":${now},"SubTopic":null,"Data":{"Value": 1.10}}]},` +
        `{"TableName":"${b}","TableRows":[{"ID":1,"Timestamp":${now},"SubTopic":"x\\"y","Data":[12345678901234567890]}]}],"Timestamp":${now}}`,
    )
    expect(responseText(2, [], now)).toBe(`{"Status":2,"Response":[],"Timestamp":${now}}`)
  })

  test('is as long as its packet behind the fixed header', () => {
    expect(packetLength('a/b', 'ß')).toBe(2 + 3 + 2 + 2)
  })
})
