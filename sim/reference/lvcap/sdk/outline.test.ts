import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { coordinateObject, metadataObject, seriesObject } from '../objects.ts'
import { metadata, position, series } from './outline.ts'

const stamp = fc.integer({ min: 0, max: 4_000_000_000 })
const number = fc.double({ noNaN: true, noDefaultInfinity: true })

describe('what is told beside the readings', () => {
  test('is a Series of the readings in their order, those that were not valid with no confidence', () => {
    const points = [
      { stamp: 100, value: 1.5, valid: true },
      { stamp: 110, value: 0, valid: false },
      { stamp: 120, value: 1.7, valid: true },
    ]
    expect(series('t', points, 10, 120)).toEqual({
      topic: 't',
      payload: {
        Timestamp: 120,
        StartPoint: 100,
        Interval: 10,
        Value: [1.5, 0, 1.7],
        Confidence: [1, 0, 1],
        Valid: true,
        TimestampStart: 100,
        TimestampEnd: 120,
      },
      qos: 1,
      retain: false,
    })
    const none = series('t', [{ stamp: 100, value: 3, valid: false }], 10, 100)
    expect(none.payload).toMatchObject({ Valid: false, Confidence: [0] })
  })

  test('fits the objects of section 9, whatever was read', () => {
    const point = fc.record({ stamp, value: number, valid: fc.boolean() })
    fc.assert(
      fc.property(fc.array(point), fc.array(number, { minLength: 1 }), stamp, (points, coordinates, now) => {
        seriesObject.parse(series('t', points, 60, now).payload)
        coordinateObject.parse(position('t', { coordinates, system: 'WGS84' }, now).payload)
      }),
    )
    const about = metadata('sensor/data/a_b_01/x', 'feeder1.l1.current', 'A')
    metadataObject.parse(about.payload)
    expect(about).toMatchObject({ topic: 'sensor/data/a_b_01/x/metadata', retain: true, qos: 1 })
  })
})
