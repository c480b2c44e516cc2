import { describe, expect, test } from 'vitest'
import { diskBytes, formulaOf, isSensorTopic, projectVolume, systemBytes } from './volume.ts'

/** 66 channels a minute for a day at 181 B a line: figures of the public evidence on LV-CAP recorders. */
const day = { sensorBytes: 66 * 1440 * 181, appBytes: 0, spanMs: 86_400_000, intervalMs: 60_000 }

describe('the volume of 18 months', () => {
  test('is about 9.4 GB at a minute, 57 GB at ten seconds, 566 GB at a second', () => {
    expect(projectVolume(day, 60_000).sensors / 1e9).toBeCloseTo(9.43, 1)
    expect(projectVolume(day, 10_000).sensors / 1e9).toBeCloseTo(56.6, 0)
    expect(projectVolume(day, 1_000).sensors / 1e9).toBeCloseTo(565.6, 0)
    expect(projectVolume(day, 1_000).total).toBeGreaterThan(diskBytes - systemBytes)
  })

  test('grows with the sensors’ rate, and not with it for all else', () => {
    const v = projectVolume({ ...day, appBytes: 1e6 }, 30_000)
    expect(v.apps).toBe(548e6)
    expect(v.total).toBe(2 * v.sensors + v.apps)
  })

  test('takes what neighbours send as it was measured, at the rate asked for, instead of an assumption', () => {
    const v = projectVolume({ ...day, peers: { bytes: 1e6, intervalMs: 60_000 } }, 30_000)
    expect(v.peers).toBe(2 * 548e6)
    expect(v.total).toBe(v.sensors + v.peers)
    expect(projectVolume({ ...day, peers: { bytes: 0, intervalMs: 1 } }, 30_000).total).toBe(v.sensors)
    expect(formulaOf({ peers: { bytes: 0, intervalMs: 1 } })).not.toBe(formulaOf({}))
  })

  test('is no number where nothing was measured', () => {
    expect(projectVolume({ ...day, spanMs: 0 }, 60_000).total).toBeNaN()
  })

  test('tells sensors from all else by the topic', () => {
    expect(['sensor/data/x/y', 'sensor/database', 'algorithm/data/x'].map(isSensorTopic)).toEqual([
      true,
      false,
      false,
    ])
  })
})
