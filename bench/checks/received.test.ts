/** Checks of what much data costs over a link, against histories written by hand. */
import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Check, Kind, Result } from '../faces.ts'
import { deliversLittle, receivesLittle } from './received.ts'

type Told = readonly [src: string, kind: Kind, data: Json]

const link = { src: 'link', kind: 'link', select: 'link.*' } as const
const down = {
  link,
  served: { src: 'management', kind: 'seen', select: 'management.served' },
  installed: { src: 'management', kind: 'seen', select: 'management.reported' },
} as const
const up = {
  link,
  uploads: { src: 'centre', kind: 'seen', select: 'centre.upload.*' },
  batches: { src: 'centre', kind: 'seen', select: 'centre.batch' },
} as const
const o = { verifies: ['I:00127'], more: 0.05, drops: 1, cuts: 1 }

function judged(check: Check, events: readonly Told[]): Result {
  const all: Told[] = [['bench', 'check', { phase: 'declared', id: check.id }], ...events]
  all.forEach(([src, kind, data], seq) => check.see({ seq, at: seq * 1_000, src, kind, data }))
  return check.result(all.length * 1_000)
}

const none = { 'offered [B]': 0, 'passed [B]': 0, 'lost [B]': 0, 'resent [B]': 0 }
/** The counters of the link, the same both ways. */
const passed = (peer: string, bytes: number): Told => {
  const way = { ...none, 'passed [B]': bytes }
  return [
    'link',
    'link',
    { alias: 'link.counters', peers: { [peer]: { up: way, down: way, 'connections [1]': 1 } } },
  ]
}
const drop: Told = ['link', 'link', { alias: 'link.carrier', state: 'down' }]
const cut: Told = ['mains', 'host', { alias: 'mains.cut', host: 'platform' }]

describe('receivesLittle', () => {
  const check = (): Check => receivesLittle(down, { ...o, peer: 'management' })
  const served = (from: number, bytes: number): Told => [
    'management',
    'seen',
    { alias: 'management.served', digest: 'a', from, bytes },
  ]
  const installed: Told = ['management', 'seen', { alias: 'management.reported', download: 'large' }]
  const course = [
    passed('management', 700),
    served(0, 50_000),
    drop,
    served(50_000, 20_000),
    cut,
    served(60_000, 40_000),
  ]

  test('passes where hardly more arrives than there is of the file, from the first look at the counters on', () => {
    expect(judged(check(), [...course, installed, passed('management', 105_500)])).toMatchObject({
      verdict: 'pass',
      observed: { 'bytes that had to come [B]': 100_000, 'bytes that arrived [B]': 104_800 },
    })
  })
  test('fails where more arrives, also of a file that never comes to its end', () => {
    const much = [...course, passed('management', 106_000)]
    expect(judged(check(), much)).toMatchObject({ verdict: 'fail', blame: 'product' })
    expect(judged(check(), [...course, installed, passed('management', 106_000)])).toMatchObject({
      verdict: 'fail',
    })
  })
  test('is open where it never came to its end, or what was to break into it came before or after', () => {
    expect(judged(check(), [...course, passed('management', 101_000)])).toMatchObject({
      verdict: 'inconclusive',
      blame: 'bench',
    })
    const whole = served(0, 100_000)
    for (const other of [
      [passed('management', 0), drop, cut, whole, installed],
      [passed('management', 0), whole, installed, drop, cut],
      [passed('management', 0), whole, drop, installed, cut, installed],
    ])
      expect(judged(check(), [...other, passed('management', 101_000)])).toMatchObject({
        verdict: 'inconclusive',
        blame: 'rig',
      })
  })
  test('is open where the counters were looked at once', () => {
    expect(judged(check(), [...course, installed])).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
  })
})

describe('deliversLittle', () => {
  const check = (): Check => deliversLittle(up, { ...o, peer: 'centre' })
  const upload = (what: string, id: string, offset?: number): Told => [
    'centre',
    'seen',
    { alias: `centre.upload.${what}`, payload: { what, id, ...(offset === undefined ? {} : { offset }) } },
  ]
  const batch = (bytes: number, again = false): Told => [
    'centre',
    'seen',
    { alias: 'centre.batch', bytes, again },
  ]
  const first = [passed('centre', 0), upload('created', 'a'), upload('appended', 'a', 4_000), drop, cut]

  test('passes where hardly more arrives than the batches, and what there is of the one that is under way', () => {
    const course = [...first, batch(50_000), upload('created', 'b'), upload('appended', 'b', 20_000)]
    expect(judged(check(), [...course, passed('centre', 73_000)])).toMatchObject({
      verdict: 'pass',
      observed: { 'bytes that had to come [B]': 70_000 },
    })
  })
  test('fails where a batch comes twice, or begins anew in another upload', () => {
    const twice = [...first, batch(50_000), batch(50_000, true), passed('centre', 101_000)]
    expect(judged(check(), twice)).toMatchObject({ verdict: 'fail', blame: 'product' })
    const anew = [...first, upload('created', 'b'), batch(50_000), passed('centre', 54_300)]
    expect(judged(check(), anew)).toMatchObject({ verdict: 'fail' })
  })
  test('is open where nothing broke into it', () => {
    const calm = [
      passed('centre', 0),
      upload('created', 'a'),
      batch(50_000),
      drop,
      cut,
      passed('centre', 51_000),
    ]
    expect(judged(check(), calm)).toMatchObject({ verdict: 'inconclusive', blame: 'rig' })
  })
})
