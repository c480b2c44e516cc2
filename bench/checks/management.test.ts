/** Checks over a management server, against histories written by hand. */
import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Check, Kind, Result } from '../faces.ts'
import { idleManagement } from '../platforms/management.ts'
import { mainsEvents } from '../platforms/mains.ts'
import { installsWhole, refetchesLittle } from './downloaded.ts'
import { reportsOutages } from './outage.ts'
import { alertsOfSilence } from './silence.ts'

type Told = readonly [second: number, src: string, kind: Kind, data: Json]

function judged(check: Check, events: readonly Told[], end: number): Result {
  const all: Told[] = [[0, 'bench', 'check', { phase: 'declared', id: check.id }], ...events]
  all.forEach(([second, src, kind, data], seq) => check.see({ seq, at: second * 1000, src, kind, data }))
  return check.result(end * 1000)
}
const series = idleManagement()
const seen = (s: number, what: string, more: { readonly [k: string]: Json }): Told => [
  s,
  'management',
  'seen',
  { alias: `management.${what}`, ...more },
]

describe('alertsOfSilence', () => {
  const h = 3_600
  const check = (days: 1 | 3 | 5 = 1): Check =>
    alertsOfSilence(series, { verifies: ['S:005'], rtu: 'a', days })
  const contact = (s: number): Told => seen(s, 'contact', { rtu: 'a' })
  const alert = (s: number, days = 1, rtu = 'a'): Told => seen(s, 'alert', { rtu, days })
  const away = (s: number): Told => [
    s,
    'management',
    'fault',
    { phase: 'on', id: 'away-1', name: 'away', params: {} },
  ]
  const back = (s: number): Told => [
    s,
    'management',
    'fault',
    { phase: 'lifted', id: 'away-1', name: 'away' },
  ]
  const silence: readonly Told[] = [
    contact(1),
    away(2),
    alert(24 * h + 2),
    back(30 * h),
    contact(30 * h + 60),
  ]

  test('passes where each alert comes once and in time', () => {
    expect(judged(check(), silence, 30 * h + 120).verdict).toBe('pass')
  })
  test.each([
    ['missing', silence.filter((_, n) => n !== 2)],
    ['twice', [...silence.slice(0, 3), alert(25 * h), ...silence.slice(3)]],
    ['too early', [contact(1), away(2), alert(23 * h), back(30 * h), contact(30 * h + 60)]],
    ['too late', [contact(1), away(2), alert(25 * h), back(30 * h), contact(30 * h + 60)]],
    ['without cause', [...silence, alert(30 * h + 90)]],
    ['without cause', [alert(5, 1, 'retired'), ...silence]],
    ['silent', [...silence, contact(32 * h)]],
  ] as const)('fails where an alert is %s', (word, events) => {
    const r = judged(check(), events, 32 * h)
    expect(r.verdict).toBe('fail')
    expect(JSON.stringify(r)).toContain(word)
  })
  test('says nothing of alerts for which no silence was long enough', () => {
    expect(judged(check(3), silence, 30 * h + 120).verdict).toBe('inconclusive')
  })
})

describe('installsWhole and refetchesLittle', () => {
  const offer = (s: number, sha256 = 'x'): Told => [
    s,
    'management',
    'sent',
    { alias: 'management.offered', id: 'i', kind: 'software', name: 'f', size: 100, sha256 },
  ]
  const said = (s: number, sha256 = 'x'): Told =>
    seen(s, 'reported', { rtu: 'a', download: 'i', body: { sha256 } })
  const files = (s: number, ...digests: readonly string[]): Told =>
    seen(s, 'files', {
      payload: digests.map((sha256) => ({ name: 'f', kind: 'software', size: 100, sha256 })),
    })
  const check = (): Check => installsWhole(series, { verifies: ['S:008'], within: '50 s' })
  const served = (s: number, from: number, bytes: number, more = {}): Told =>
    seen(s, 'served', {
      download: 'i',
      digest: 'x',
      from,
      bytes,
      of: 100,
      whole: true,
      spoilt: false,
      ...more,
    })

  test('pass where what was offered is there, whole, and was fetched once', () => {
    expect(judged(check(), [offer(1), files(5), said(10), files(100, 'x')], 100).verdict).toBe('pass')
    const little = refetchesLittle(series, { verifies: ['M:0077'], piece: 10 })
    expect(
      judged(little, [served(1, 0, 50), served(2, 50, 4, { whole: false }), served(3, 54, 46)], 9).verdict,
    ).toBe('pass')
  })
  test.each([
    ['spoilt', [offer(1), files(5, 'half'), said(10), files(100, 'x')]],
    ['not there', [offer(1), files(2, 'x'), said(10), files(100)]],
    ['said too early', [offer(1), said(3), files(5), files(100, 'x')]],
    ['said otherwise', [offer(1), said(3, 'y'), files(5, 'x'), files(100, 'x')]],
    ['not said', [offer(1), files(100, 'x')]],
    ['spoilt', [offer(1), files(2, 'x'), said(3), offer(4, 'z'), said(9, 'z'), files(100, 'mixed')]],
  ] as const)('fail where something is %s', (word, events) => {
    const r = judged(check(), events, 100)
    expect(r.verdict).toBe('fail')
    expect(JSON.stringify(r)).toContain(word)
  })
  test('fail where a file is fetched twice', () => {
    const little = refetchesLittle(series, { verifies: ['M:0077'], piece: 10 })
    expect(judged(little, [served(1, 0, 50), served(3, 0, 100)], 9).verdict).toBe('fail')
  })
})

describe('reportsOutages', () => {
  const published = { src: 'publisher', kind: 'sent', select: 'publisher.*' } as const
  const reports = { src: 'log', kind: 'seen', select: 'log.outage' } as const
  const good = {
    id: 'one',
    serial: 's',
    location: 'l',
    lastRecord: 40,
    restored: 63,
    offline: 20,
    uncertain: 5,
    lost: [{ instance: 'a', missing: 5, interval: 4 }],
  }
  const history = (said: Json, noticed = true): readonly Told[] => [
    [40, 'publisher', 'seen', { alias: 'publisher.acknowledged', from: 1, to: 1 }],
    [45, 'mains', 'host', { alias: 'mains.cut' }],
    [62, 'mains', 'host', { alias: 'mains.restored' }],
    [64, 'log', 'seen', { alias: 'log.outage', payload: said }],
    ...(noticed ? [seen(66, 'notice', { body: { id: 'one' } })] : []),
  ]
  const check = (judges: 'span' | 'names' | 'records' | 'notice'): Check =>
    reportsOutages(
      { reports, notices: series.notices, mains: mainsEvents, published },
      { verifies: ['S:006'], judges, life: 5, serial: 's', location: 'l', interval: '4 s' },
    )

  test.each(['span', 'names', 'records', 'notice'] as const)('passes a true report: %s', (judges) => {
    expect(judged(check(judges), history(good), 120)).toMatchObject({ verdict: 'pass' })
  })
  test.each([
    ['span', { ...good, offline: 10 }],
    ['span', { ...good, offline: 40 }],
    ['span', { ...good, offline: 40, uncertain: 30 }],
    ['span', { ...good, restored: 50 }],
    ['span', {}],
    ['names', { ...good, serial: '' }],
    ['names', { ...good, location: 'elsewhere' }],
    ['records', { ...good, lastRecord: 63 }],
    ['records', { ...good, lastRecord: null }],
    ['records', { ...good, lost: [] }],
    ['records', { ...good, lost: 'all' }],
  ] as const)('fails a false one: %s %j', (judges, said) => {
    expect(judged(check(judges), history(said as Json), 120).verdict).toBe('fail')
  })
  test('fails where there is none, one without an outage, and where no word comes of one', () => {
    const none = history(good).filter((_, n) => n < 3)
    expect(judged(check('span'), [...none, seen(66, 'x', {})], 120).verdict).toBe('fail')
    const extra: Told = [90, 'log', 'seen', { alias: 'log.outage', payload: { ...good, id: 'two' } }]
    expect(judged(check('span'), [...history(good), extra], 120).verdict).toBe('fail')
    expect(judged(check('notice'), history(good, false), 120).verdict).toBe('fail')
  })
})
