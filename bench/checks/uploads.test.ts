/** Checks over uploads that a link breaks and power, against histories written by hand. */
import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { hearsAgain } from '../evidence/sight.ts'
import type { Check, Kind, Result, Series } from '../faces.ts'
import { queuesEmpty } from './queues-empty.ts'
import { resendsLittle } from './resent.ts'
import { reachesServer, reportsWhatIsHeld } from './uploaded.ts'

type Told = readonly [second: number, src: string, kind: Kind, data: Json]

const of = (src: string, select: string): Series => ({ src, kind: 'seen', select })
const batches = of('centre', 'centre.batch')
const uploads = of('centre', 'centre.upload.*')
const reports = of('marketplace', 'upload.reported')
const queue = of('marketplace', 'upload.queue')
const sent: Series = { src: 'publisher', kind: 'sent', select: '*' }

/** Judges a history, in the order of its seconds. */
function judged(check: Check, events: readonly Told[], end: number): Result {
  const all: Told[] = [[0, 'bench', 'check', { phase: 'declared', id: check.id }], ...events]
  all
    .toSorted((a, b) => a[0] - b[0])
    .forEach(([second, src, kind, data], seq) => check.see({ seq, at: second * 1000, src, kind, data }))
  return check.result(end * 1000)
}

const drop = (s: number): Told => [s, 'link', 'link', { alias: 'link.carrier', state: 'down' }]
const cut = (s: number): Told => [s, 'mains', 'host', { alias: 'mains.cut', host: 'platform' }]
const upload = (s: number, what: string, bytes?: number): Told => [
  s,
  'centre',
  'seen',
  { alias: `centre.upload.${what}`, payload: { what, ...(bytes === undefined ? {} : { bytes }) } },
]
const text = (id: number): string => `{"n":${id}}`
const batch = (s: number, ids: readonly number[], bytes = 1000, texts = ids): Told => [
  s,
  'centre',
  'seen',
  {
    alias: 'centre.batch',
    rtu: 'site-1',
    batch: `b${s}`,
    by: 'x',
    again: false,
    bytes,
    rows: ids.map((id, i) => ({ table: 't', id, subTopic: null, text: text(texts[i] ?? 0) })),
  },
]
const published = (s: number, first: number, count: number): Told => [
  s,
  'publisher',
  'sent',
  {
    alias: 'publisher.first',
    topic: 'x',
    table: 't',
    subTopic: null,
    kept: true,
    first,
    texts: Array.from({ length: count }, (_, i) => text(first + i)),
  },
]
const acknowledged = (s: number, from: number, to: number): Told => [
  s,
  'publisher',
  'seen',
  { alias: 'publisher.acknowledged', from, to },
]

describe('resendsLittle, for breaks that were played', () => {
  const make = (): Check =>
    resendsLittle(uploads, batches, { verifies: ['M:0077/upload-resumes'], window: 400, breaks: 'played' })

  test('passes where a drop cost a window, also if its bytes come late', () => {
    const r = judged(
      make(),
      [
        upload(1, 'created'),
        upload(2, 'appended', 400),
        drop(3),
        upload(9, 'appended', 600),
        batch(9, [1]),
        upload(9.1, 'completed'),
        upload(10, 'refused', 400),
        upload(11, 'created'),
        upload(12, 'appended', 1000),
        batch(12, [2]),
      ],
      20,
    )
    expect(r).toMatchObject({
      verdict: 'pass',
      observed: {
        'bytes sent again [B]': 400,
        'permitted again [B]': 400,
        'drops of the link [1]': 1,
        'drops amid a transfer [1]': 1,
        'power cuts [1]': 0,
      },
    })
  })

  test('late bytes of one batch after the other are each of the break before', () => {
    const one = (s: number): Told[] => [
      drop(s),
      upload(s + 1, 'appended', 1000),
      batch(s + 1, [s]),
      upload(s + 2, 'refused', 400),
    ]
    const r = judged(
      make(),
      [...one(1), ...one(5), ...one(9), upload(20, 'appended', 1000), batch(20, [20])],
      30,
    )
    expect(r.verdict).toBe('pass')
  })

  test('fails where a batch was begun anew after a drop', () => {
    const r = judged(
      make(),
      [upload(1, 'created'), upload(2, 'appended', 800), drop(3), upload(9, 'appended', 1000), batch(9, [1])],
      20,
    )
    expect(r).toMatchObject({ verdict: 'fail', observed: { 'sent again': 1 } })
  })

  test('what breaks before might have cost is no allowance for all that follows', () => {
    const quiet = [1, 2, 3, 4].flatMap((k) => [
      drop(k),
      upload(k + 0.1, 'appended', 1000),
      batch(k + 0.2, [k]),
    ])
    const r = judged(
      make(),
      [...quiet, upload(7, 'appended', 1000), batch(7, [7]), upload(9, 'appended', 2000), batch(9, [9])],
      20,
    )
    expect(r.verdict).toBe('fail')
  })
})

describe('queuesEmpty', () => {
  const health = of('log', 'log.health')
  const make = (): Check => queuesEmpty(queue, sent, { verifies: ['M:0081/marked'], within: '60 s', health })
  const answer = (s: number, status: number): Told => [
    s,
    'marketplace',
    'seen',
    { alias: 'upload.queue', payload: { Status: status } },
  ]
  const says = (s: number, gauges: { readonly [k: string]: number }): Told => [
    s,
    'log',
    'seen',
    { alias: 'log.health', proc: 'upload', payload: { event: 'health', ...gauges } },
  ]

  test('passes where the queue is empty in time and stays so', () => {
    const r = judged(
      make(),
      [published(1, 1, 2), drop(5), answer(10, 1), answer(15, 2), says(50, { held: 0 }), answer(90, 2)],
      100,
    )
    expect(r).toMatchObject({ verdict: 'pass', observed: { 'empty after [s]': 10 } })
  })

  test.each<[string, Told[]]>([
    ['still gives rows', [answer(15, 2), answer(90, 1)]],
    ['became empty too late', [answer(15, 1), answer(80, 2)]],
    ['is asked by nobody', []],
    ['is empty, and a batch waits in the app', [answer(15, 2), says(70, { held: 1 })]],
  ])('fails where Data Storage %s', (_, more) => {
    expect(judged(make(), [published(1, 1, 2), drop(5), ...more], 100).verdict).toBe('fail')
  })

  test('judges nothing before the trouble has been over for long enough', () => {
    expect(judged(make(), [published(1, 1, 2), drop(80), answer(90, 2)], 100)).toMatchObject({
      verdict: 'inconclusive',
      blame: 'bench',
    })
  })
})

describe('reachesServer, where power is cut', () => {
  const make = (): Check =>
    reachesServer(sent, batches, {
      verifies: ['M:0077/upload-loss'],
      rtu: 'site-1',
      within: '10 s',
      settle: '1 s',
    })

  test('nothing is known of what was acknowledged right before, and it may come twice', () => {
    const r = judged(
      make(),
      [published(1, 1, 3), acknowledged(2, 1, 3), cut(2.5), batch(5, [1, 2], 10, [1, 1])],
      60,
    )
    expect(r).toMatchObject({
      verdict: 'pass',
      observed: { 'unknown [1]': 2, 'lost [1]': 0, 'twice [1]': 0 },
    })
  })

  test('what was acknowledged before that is lost where it is not there, and twice where it is so', () => {
    const early = [published(1, 1, 2), acknowledged(1, 1, 2), cut(2.5)]
    expect(judged(make(), [...early, batch(5, [1])], 60)).toMatchObject({
      verdict: 'fail',
      observed: { 'lost [1]': 1 },
    })
    expect(judged(make(), [...early, batch(5, [1, 2, 3], 10, [1, 1, 2])], 60)).toMatchObject({
      verdict: 'fail',
      observed: { 'twice [1]': 1 },
    })
  })
})

describe('reportsWhatIsHeld, where nobody could hear the marketplace', () => {
  const make = (): Check =>
    reportsWhatIsHeld(reports, batches, { verifies: ['M:0081/only-after-success'], within: '10 s' })
  const report = (s: number, ids: readonly number[]): Told => [
    s,
    'marketplace',
    'seen',
    { alias: 'upload.reported', payload: { NewData: [{ t: [...ids] }] } },
  ]
  const again = (s: number): Told => [s, 'marketplace', 'note', { what: hearsAgain }]

  test('the batch of that moment is not missed', () => {
    expect(
      judged(make(), [batch(1, [1]), report(2, [1]), batch(5, [2]), cut(5), again(9)], 60),
    ).toMatchObject({
      verdict: 'pass',
      observed: { 'perhaps unheard [1]': 1 },
    })
  })

  test('one before it is', () => {
    const r = judged(make(), [batch(1, [1]), batch(5, [2]), cut(5), again(9), report(10, [2])], 60)
    expect(r).toMatchObject({ verdict: 'fail', observed: { 'never reported': 1 } })
  })
})
