import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matches } from '../marketplace/acl.ts'
import { currentFilters, joinPhases, type CircuitReading } from './circuit.ts'

const iid = 'lucy_gridkeysensor_01'
const spec = (feeder: number, phase: number): string =>
  `sensor/data/${iid}/Feeder${feeder}/current/60s/L${phase}_RMS`
const fielded = (feeder: number, phase: number): string =>
  `sensor/data/${iid}/gridkey-mcu520/60/feeder/${feeder}/l${phase}/current-mean`
const said = (at: number, value: unknown, valid: unknown = true): Buffer =>
  Buffer.from(JSON.stringify({ Timestamp: at, Value: value, Valid: valid }))

function heard(): { readonly got: [number, CircuitReading][]; readonly take: ReturnType<typeof joinPhases> } {
  const got: [number, CircuitReading][] = []
  return { got, take: joinPhases((feeder, r) => void got.push([feeder, r])) }
}

describe('the load of a circuit', () => {
  test.each([
    ['as Appendix C names it', spec],
    ['as fielded', fielded],
  ])('is the root mean square of three phases of one stamp, %s', (_, topic) => {
    const { got, take } = heard()
    take(topic(1, 1), said(100, 3))
    take(topic(2, 1), said(100, 9))
    take(topic(1, 3), said(100, 0))
    expect(got).toEqual([])
    take(topic(1, 2), said(100, 4))
    expect(got).toEqual([[1, { at: 100, amps: Math.sqrt(25 / 3), valid: true, every: 60 }]])
    expect(currentFilters(iid, 1).some((f) => matches(f, topic(1, 2)))).toBe(true)
    expect(currentFilters(iid, 1).some((f) => matches(f, topic(2, 2)))).toBe(false)
  })

  test.each<[string, unknown, unknown]>([
    ['is not valid', 5, false],
    ['says nothing of validity', 5, null],
    ['has no number', null, true],
    ['has a text', '5', true],
  ])('is not valid where a phase %s', (_, value, valid) => {
    const { got, take } = heard()
    take(spec(1, 1), said(100, 3))
    take(spec(1, 2), said(100, value, valid))
    take(spec(1, 3), said(100, 3))
    expect(got.map(([, r]) => r.valid)).toEqual([false])
  })

  test('waits for the phases of a few stamps, and for no more', () => {
    const { got, take } = heard()
    for (let at = 0; at < 1000; at++) take(spec(1, 1), said(at, 1))
    for (const phase of [2, 3]) take(spec(1, phase), said(2, 1))
    expect(got).toEqual([])
    for (const phase of [2, 3]) take(spec(1, phase), said(998, 1))
    expect(got).toHaveLength(1)
  })

  test('is nothing that any other message could tell', () => {
    const { got, take } = heard()
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constant(spec(1, 1))), fc.uint8Array(), (topic, bytes) => {
        take(topic, bytes)
      }),
      { numRuns: 200 },
    )
    take(`${spec(1, 1)}/metadata`, said(1, 1))
    take(spec(1, 1).replace('current', 'voltage'), said(1, 1))
    expect(got).toEqual([])
  })
})
