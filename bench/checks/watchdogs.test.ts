/** Checks of watchdogs, against histories written by hand. */
import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Check, Kind, Result } from '../faces.ts'
import { backAfterReset, noticesHangs, resetsSparingly } from './watchdogs.ts'

type Told = readonly [second: number, src: string, kind: Kind, data: Json]

/** Judges a history, in the order of its seconds. */
function judged(check: Check, events: readonly Told[], end: number): Result {
  const all: Told[] = [[0, 'bench', 'check', { phase: 'declared', id: check.id }], ...events]
  all
    .toSorted((a, b) => a[0] - b[0])
    .forEach(([second, src, kind, data], seq) => check.see({ seq, at: second * 1000, src, kind, data }))
  return check.result(end * 1000)
}

const hang = (s: number, phase = 'on'): Told => [s, 'watchdog', 'fault', { phase, id: 'h', name: 'hang' }]
const reset = (s: number): Told => [
  s,
  'watchdog',
  'host',
  { alias: 'watchdog.reset', what: '', resets: 'computer' },
]
const freeze = (s: number, name = 'freeze'): Told => [s, 'router', 'fault', { phase: 'on', id: 'r', name }]
const cycled = (s: number): Told => [s, 'router', 'link', { alias: 'link.router', resets: 'router' }]
const reading = (s: number): Told => [s, 'marketplace', 'seen', { alias: 'x.a', payload: 1 }]
const verifies = ['S:001/detects']
const shows = [{ src: 'marketplace', kind: 'seen', select: 'x.*' }] as const

describe('noticesHangs', () => {
  const make = (hangs = 1): Check => noticesHangs({ of: 'computer', verifies, within: '30 s', hangs })

  test('passes where each hang is followed by a reset in time', () => {
    expect(judged(make(2), [hang(10), reset(25), hang(60), reset(89)], 200)).toMatchObject({
      verdict: 'pass',
      observed: { 'hangs [1]': 2, 'slowest reset [s]': 29 },
    })
  })
  test('fails where one is not, or too late, or only what else hung was reset', () => {
    for (const events of [[hang(10)], [hang(10), reset(41)], [hang(10), cycled(12)]])
      expect(judged(make(), events, 100)).toMatchObject({ verdict: 'fail', observed: { 'not noticed': 1 } })
  })
  test('cannot tell where it hung too seldom, or the run ended too early', () => {
    expect(judged(make(2), [hang(10), reset(20)], 100)).toMatchObject({ verdict: 'inconclusive' })
    expect(judged(make(), [hang(10)], 20)).toMatchObject({ verdict: 'inconclusive' })
    expect(judged(make(), [], 20)).toMatchObject({ verdict: 'inconclusive' })
  })
  test('looks at one fault alone where it is told to', () => {
    const check = noticesHangs({ of: 'router', fault: 'freeze', verifies, within: '30 s' })
    expect(judged(check, [freeze(10), cycled(20), freeze(50, 'modem')], 200).verdict).toBe('pass')
  })
})

describe('backAfterReset', () => {
  const make = (): Check => backAfterReset(shows, { of: 'computer', verifies, reset: '30 s', within: '20 s' })

  test('takes what came before the reset for nothing', () => {
    expect(judged(make(), [reading(5), hang(10), reading(11), reset(25)], 100)).toMatchObject({
      verdict: 'fail',
      observed: { 'not back': 1 },
    })
    expect(judged(make(), [hang(10), reset(25), reading(46)], 100).verdict).toBe('fail')
    expect(judged(make(), [hang(10), reset(25), reading(44)], 100)).toMatchObject({
      verdict: 'pass',
      observed: { 'slowest return after a reset [s]': 19 },
    })
  })
  test('fails where nobody resets it, though power came back by other means', () => {
    expect(judged(make(), [hang(10), hang(50, 'lifted'), reading(55)], 100).verdict).toBe('fail')
  })
  test('cannot tell where the run ended too early', () => {
    expect(judged(make(), [hang(10), reset(25)], 30)).toMatchObject({ verdict: 'inconclusive' })
  })
})

describe('resetsSparingly', () => {
  const make = (more = {}): Check => resetsSparingly({ of: 'computer', verifies, ...more })

  test('grants one reset for each hang, and no more', () => {
    expect(judged(make(), [hang(10), reset(25), hang(60), reset(80)], 100).verdict).toBe('pass')
    expect(judged(make(), [hang(10), reset(25), reset(40)], 100)).toMatchObject({
      verdict: 'fail',
      observed: { needless: 1 },
    })
    expect(judged(make(), [reset(25)], 100).verdict).toBe('fail')
    expect(judged(make(), [hang(10), hang(20, 'lifted'), reset(25)], 100).verdict).toBe('fail')
  })
  test('passes where nothing was reset and nothing hung', () => {
    expect(judged(make(), [reading(5)], 100).verdict).toBe('pass')
    expect(judged(make(), [cycled(5)], 100).verdict).toBe('pass')
    expect(judged(make({ hangs: 1 }), [reading(5)], 100).verdict).toBe('inconclusive')
  })
  test('has spare resets come ever more seldom', () => {
    const router = (): Check => resetsSparingly({ of: 'router', verifies, spare: 4, slower: 1.5 })
    expect(judged(router(), [300, 900, 2_100, 4_500].map(cycled), 5_000).verdict).toBe('pass')
    expect(judged(router(), [300, 600, 900].map(cycled), 5_000).verdict).toBe('fail')
    expect(judged(router(), [1, 2, 4, 8, 16].map(cycled), 5_000).verdict).toBe('fail')
  })
})
