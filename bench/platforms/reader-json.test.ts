import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { doubleKeys, readerList, sourceText } from './reader-json.ts'

describe('keys that stand twice', () => {
  test('are found in the object that has them, and nowhere else', () => {
    expect(doubleKeys('{"a":1,"b":{"a":2},"c":[{"a":1},{"a":2}],"a":3}')).toEqual(['a'])
    expect(doubleKeys('{"a":"a\\":1,\\"a","b":":","c":"{\\"a\\":1"}')).toEqual([])
  })

  test('are in no text that JSON.stringify has written', () => {
    fc.assert(fc.property(fc.json(), (text) => doubleKeys(JSON.stringify(JSON.parse(text))).length === 0))
  })

  test('any text is looked through without complaint', () => {
    fc.assert(fc.property(fc.string(), (text) => Array.isArray(doubleKeys(text))))
  })
})

describe('a message of the reader', () => {
  test('is kept with what is wrong with it', () => {
    expect(sourceText('{"data":{}}')).toEqual({ payload: { data: {} } })
    expect(sourceText('{"data":{},}')).toMatchObject({ problems: ['it is no JSON object'] })
    expect(sourceText('[]')).toMatchObject({ problems: ['it is no JSON object'] })
    expect(sourceText('{"data":{"P":1,"P":2}}')).toMatchObject({ problems: ["the key 'P' stands twice"] })
  })

  test('is a list of quantities with units, a number, and a time', () => {
    const list = readerList({
      DataID: 7,
      Timestamp: '2018-05-24T17:34:51.000Z',
      data: { MeterID: 'x', ActiveImportPower: 604, VoltageL1: 240.2, CurrentL1: '1.091', Colour: 3 },
    })
    expect([...(list?.values ?? [])]).toEqual([
      ['active_power_import [W]', 604],
      ['voltage1 [V]', 240.2],
    ])
    expect(list).toMatchObject({ sequence: 7, stamp: Date.UTC(2018, 4, 24, 17, 34, 51), unknown: ['Colour'] })
  })

  test('that is anything else is no list, and breaks nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (j) => {
        const list = readerList(j as Json)
        return list === undefined || list.values instanceof Map
      }),
    )
  })
})
