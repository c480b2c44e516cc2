/** The checker's own mutation test: whatever is done to one message of a healthy history must be caught. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Check } from '../faces.ts'
import {
  type Style,
  aliasOf,
  healthy,
  marketplace,
  mutations,
  quantities,
  scalar,
  spoil,
  verdicts,
} from './history.fixture.ts'
import { arrivesEvery, equalsTruth, scalarFormat, stampedByPlatformClock } from './index.ts'

const channels = quantities.map((q) => aliasOf(q))

function checks(period = '60 s', resolution = 0): Check[] {
  const verifies = ['M:0022']
  return [
    arrivesEvery(period, marketplace, { verifies, channels }),
    equalsTruth(marketplace, 'gridkey', {
      verifies,
      channels,
      resolution: { V: resolution, A: resolution, W: resolution },
    }),
    stampedByPlatformClock(marketplace, { verifies, within: '2 s' }),
    scalarFormat(marketplace, { verifies, value: 'number', qos: 1, retain: false }),
  ]
}

const legal: Readonly<Record<string, Style>> = {
  'reads once a minute': {},
  'samples up to a second before it publishes': { sampledBeforeMs: 1000 },
  'publishes means of readings': { reading: 'means' },
  'publishes means, and the last readings count for the next one': {
    reading: 'means',
    pollMs: 400,
    sampledBeforeMs: 1000,
  },
  'uses its tolerance in full': { jitterMs: 2990 },
  'publishes means and uses its tolerance in full': {
    reading: 'means',
    jitterMs: 2990,
    sampledBeforeMs: 1000,
  },
  'rounds to a tenth': { step: 0.1 },
  'publishes means of rounded readings': { reading: 'means', step: 0.1 },
  'stamps when it publishes': { stamp: 'publish', sampledBeforeMs: 1000 },
  'rounds its stamps': { stamp: 'rounded' },
  'sees a constant load': { load: 'constant', reading: 'means' },
  'sees no load': { load: 'zero' },
  'publishes every 10 s': { periodMs: 10_000, jitterMs: 450, samples: 60 },
}

describe('a healthy platform', () => {
  for (const [name, style] of Object.entries(legal))
    it(`never fails when it ${name}`, () => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
          const h = healthy({ ...style, seed })
          const period = `${(style.periodMs ?? 60_000) / 1000} s`
          for (const [id, r] of Object.entries(verdicts(h.drafts, checks(period, style.step), h.end)))
            expect(`${id} ${r.verdict} ${r.verdict === 'fail' ? r.why : ''}`).not.toContain('fail')
        }),
        { numRuns: 60 },
      )
    })

  it('passes every check when it is in no way special', () => {
    const h = healthy({ samples: 120 })
    for (const r of Object.values(verdicts(h.drafts, checks(), h.end)))
      expect(r).toMatchObject({ verdict: 'pass' })
  })
})

describe('one spoilt message', () => {
  const caught = (
    style: Style,
    mutation: (typeof mutations)[number],
    position: number,
    by: number,
  ): boolean => {
    const h = healthy(style)
    const period = style.periodMs ?? 60_000
    const spoilt = spoil(h.drafts, mutation, position, by, period)
    const results = Object.values(verdicts(spoilt, checks(`${period / 1000} s`, style.step), h.end))
    return results.some((r) => r.verdict === 'fail')
  }

  for (const mutation of mutations)
    it(`is caught at every position: ${mutation}`, () => {
      const missed: number[] = []
      const samples = 20
      for (let position = 0; position < samples * quantities.length; position++)
        if (!caught({ samples }, mutation, position, ((position * 7) % 20) / 20)) missed.push(position)
      expect(missed).toEqual([])
    })

  it('is caught even if a value is off by a hundredth of a percent', () => {
    const h = healthy({ samples: 20 })
    const at = h.drafts.flatMap((e, i) => (e.kind === 'seen' ? [i] : []))
    for (const i of at) {
      const list = [...h.drafts]
      const e = list[i]
      if (e === undefined) continue
      const d = e.data as { alias: string; payload: { Timestamp: number; Value: number } }
      list[i] = scalar(e.at, d.alias, d.payload.Timestamp, d.payload.Value * 1.0001)
      expect(verdicts(list, checks(), h.end)['values']).toMatchObject({ verdict: 'fail', blame: 'product' })
    }
  })

  for (const mutation of mutations)
    it(`is caught whatever the legal style around it: ${mutation}`, () => {
      const styles = fc.constantFrom(...Object.values(legal).filter((s) => s.load === undefined))
      fc.assert(
        fc.property(
          styles,
          fc.nat({ max: 2 ** 31 }),
          fc.nat({ max: 89 }),
          fc.double({ min: 0, max: 0.999, noNaN: true }),
          (style, seed, position, by) => caught({ ...style, seed, samples: 30 }, mutation, position, by),
        ),
        { numRuns: 200 },
      )
    })
})
