import { describe, expect, test } from 'vitest'
import { streams } from '../../drivers/random.ts'
import { linkProfiles, linkSettings, readLinkProfile } from './profile.ts'
import { dropLength } from './radio.ts'

/** Paths of all numbers and times of a profile. */
function leaves(o: unknown, path = ''): string[] {
  if (typeof o !== 'object' || o === null || Array.isArray(o)) return [path]
  return Object.entries(o).flatMap(([k, v]) => leaves(v, path === '' ? k : `${path}.${k}`))
}

describe('profiles of links', () => {
  test('each number says whose it is', () => {
    for (const name of linkProfiles()) {
      const { settings, origin } = readLinkProfile(name)
      // `inbound` and `answers` are choices; what a profile leaves out is not there.
      const numbers = leaves(settings).filter(
        (p) => !/^(inbound|reattach\.answers|loss\.\w+|delay\.(holds|jitter))$/.test(p),
      )
      for (const p of numbers) if (p !== 'rate') expect(Object.keys(origin), `${name}: ${p}`).toContain(p)
      for (const p of Object.keys(origin)) expect(leaves(settings), `${name}: ${p}`).toContain(p)
    }
  })

  test('drops have the lengths that the mixture gives: 13 min a day of a poor site, beside the long ones', () => {
    const { drops } = readLinkProfile('poor-site').settings
    const random = streams(7)
    const lengths = Array.from({ length: 40_000 }, () => dropLength(() => random('x'), drops?.lengths ?? []))
    const short = lengths.filter((l) => l < 1_200_000)
    const aDay = ((short.reduce((a, b) => a + b, 0) / lengths.length) * (drops?.per_day ?? 0)) / 60_000
    expect(aDay).toBeGreaterThan(12)
    expect(aDay).toBeLessThan(18)
    const median = lengths.toSorted((a, b) => a - b)[20_000] ?? 0
    expect(median).toBeGreaterThan(5_000)
    expect(median).toBeLessThan(10_000)
    expect(Math.max(...lengths)).toBeLessThanOrEqual(6 * 86_400_000)
  })

  test('what does not fit is refused', () => {
    expect(() => readLinkProfile('moon')).toThrow(/there are: flapping, good-site, poor-site/)
    expect(() => linkSettings({ delay: { median: '20' } })).toThrow(/not a duration/)
    expect(() => linkSettings({ delay: { median: '20 ms', p95: '10 ms' } })).toThrow(/at least the median/)
    expect(() =>
      linkSettings({ drops: { per_day: 1, lengths: [{ share: 0.5, exponential: { mean: '1 s' } }] } }),
    ).toThrow(/add up to 1/)
  })
})
