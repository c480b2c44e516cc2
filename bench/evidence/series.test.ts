import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Event } from '../faces.ts'
import { matcher, wildcard } from './series.ts'

const seen = (alias: string | undefined, src = 'marketplace'): Event => ({
  seq: 1,
  at: 0,
  src,
  kind: 'seen',
  data: alias === undefined ? {} : { alias },
})

describe('a series', () => {
  it('takes events of its source and kind whose alias fits', () => {
    const fits = matcher({ src: 'marketplace', kind: 'seen', select: 'gridkey.*' })
    expect(fits(seen('gridkey.feeder1.l1.current'))).toBe(true)
    expect(fits(seen('thermocouple.ambient.temperature'))).toBe(false)
    expect(fits(seen('gridkey.x', 'storage'))).toBe(false)
    expect(fits({ ...seen('gridkey.x'), kind: 'sent' })).toBe(false)
    expect(fits(seen(undefined))).toBe(false)
    expect(fits({ ...seen('gridkey.x'), data: null })).toBe(false)
  })

  it('takes events without alias only by *', () => {
    expect(matcher({ src: 'log', kind: 'seen', select: '*' })(seen(undefined, 'log'))).toBe(true)
  })
})

describe('a pattern', () => {
  it('takes * for any run of characters and everything else for itself', () => {
    expect(wildcard('gridkey.*.l1.current')('gridkey.feeder1.l1.current')).toBe(true)
    expect(wildcard('gridkey.*.l1.current')('gridkey.feeder1.l2.current')).toBe(false)
    expect(wildcard('*.current')('gridkey.feeder1.l1.current')).toBe(true)
    expect(wildcard('a.c')('abc')).toBe(false)
    expect(wildcard('a*')('a')).toBe(true)
    expect(wildcard('')('')).toBe(true)
  })

  it('agrees with a regular expression of the same meaning', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*') })
    fc.assert(
      fc.property(letters, fc.string({ unit: fc.constantFrom('a', 'b', '.') }), (pattern, text) => {
        const same = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll(/\*+/g, '.*')}$`).test(text)
        expect(wildcard(pattern)(text)).toBe(same)
      }),
      { numRuns: 500 },
    )
  })

  it('is not held up by many stars', () => {
    expect(wildcard(`${'a*'.repeat(40)}b`)('a'.repeat(2000))).toBe(false)
  })
})
