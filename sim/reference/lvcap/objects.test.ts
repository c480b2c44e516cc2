import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  configurationObject,
  coordinateObject,
  metadataObject,
  priorityOf,
  scalarObject,
  seriesObject,
} from './objects.ts'

const scalar = { Timestamp: 1_501_770_898, Value: 2.5, Valid: true }
/** The load forecast of figure 10, with the start point that its text gives. */
const forecast = {
  Timestamp: 1_488_983_405,
  StartPoint: 1_488_983_400,
  Interval: 1800,
  Value: [120, 122.5, 125.7, 130.9, 124.8, 121.4, 118.6, 115.3],
  Confidence: [1, 1, 1, 1, 0.85, 0.75, 1, 1],
  Valid: true,
  TimestampStart: 1_486_564_200,
  TimestampEnd: 1_488_380_400,
}
/** The spectrum of figure 11. */
const spectrum = {
  Timestamp: 1_488_711_600,
  StartPoint: 50,
  Interval: 50,
  Value: [76_423, 122.5, 86.7, 57.9, 12.4],
  Valid: true,
  TimestampStart: 1_488_711_000,
  TimestampEnd: 1_488_711_599,
  ToStore: true,
  Priority: 5,
}
const place = { Timestamp: 1_500_000_000, Coordinates: [51.45, -2.59], System: 'WGS84', Valid: true }
const metadata = { Name: 'Line1 to Neutral', Units: 'Vrms', DisplayUnits: 'Vrms', SigFigs: 3 }

describe('the objects of section 9', () => {
  test('fit as the tables have them', () => {
    for (const value of [2.5, 7, true, false])
      expect(scalarObject.safeParse({ ...scalar, Value: value }).success).toBe(true)
    expect(
      scalarObject.safeParse({ ...scalar, Valid: false, Value: null, Signature: {}, ToStore: false }).success,
    ).toBe(true)
    expect(seriesObject.safeParse(forecast).success).toBe(true)
    expect(seriesObject.safeParse(spectrum).success).toBe(true)
    expect(coordinateObject.safeParse(place).success).toBe(true)
    expect(metadataObject.safeParse(metadata).success).toBe(true)
    expect(metadataObject.safeParse({ Name: 'x' }).success).toBe(true)
    expect(
      configurationObject.safeParse({ ContainerName: 'a_b_01', ContainerConfig: { x: 1 } }).success,
    ).toBe(true)
  })

  test.each([
    [scalarObject, scalar, ['Timestamp', 'Value', 'Valid']],
    [seriesObject, forecast, ['Timestamp', 'StartPoint', 'Interval', 'Value', 'Valid']],
    [coordinateObject, place, ['Timestamp', 'Coordinates', 'Valid']],
    [metadataObject, metadata, ['Name']],
    [configurationObject, { ContainerName: 'a', ContainerConfig: {} }, ['ContainerName', 'ContainerConfig']],
  ] as const)('need each required key, of its type', (schema, good, keys) => {
    for (const key of keys) {
      const { [key as never]: _gone, ...rest } = good as Record<string, unknown>
      expect(schema.safeParse(rest).success, `without ${key}`).toBe(false)
      expect(schema.safeParse({ ...good, [key]: { x: 1 } }).success, `${key} of another type`).toBe(
        key === 'ContainerConfig',
      )
    }
  })

  test.each([
    [scalarObject, { ...scalar, Timestamp: 1.5 }],
    [scalarObject, { ...scalar, Value: '2.5' }],
    [scalarObject, { ...scalar, ToStore: 'true' }],
    [scalarObject, { ...scalar, Signature: 'x' }],
    [seriesObject, { ...forecast, Confidence: [1] }],
    [seriesObject, { ...forecast, Confidence: forecast.Confidence.map(() => 1.5) }],
    [seriesObject, { ...forecast, Interval: 0 }],
    [coordinateObject, { ...place, Coordinates: [] }],
    [coordinateObject, { ...place, Coordinates: ['N'] }],
    [metadataObject, { ...metadata, SigFigs: 2.5 }],
  ])('do not fit otherwise', (schema, bad) => {
    expect(schema.safeParse(bad).success).toBe(false)
  })

  test('are told from any JSON without a crash', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const s of [scalarObject, seriesObject, coordinateObject, metadataObject, configurationObject])
          s.safeParse(value)
      }),
    )
  })

  test('have a priority from 1 to 5, or none', () => {
    expect([1, 5, 0, 6, 2.5, '1', null, undefined].map(priorityOf)).toEqual([1, 5, 6, 6, 6, 6, 6, 6])
  })
})
