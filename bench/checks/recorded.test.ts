import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Check, Result, Series, VerdictWord } from '../faces.ts'
import { draft, numbered, type Draft } from './history.fixture.ts'
import { declaredEvent, jury } from './judge.ts'
import { publisherIn } from '../analysis/publisher.ts'
import { formulaOf } from '../analysis/volume.ts'
import { attributable, recordsAll, recordsAtRate, recordsTimes, recordsTruly } from './recorded.ts'
import { volumeFits, volumeMeasured } from './volume.ts'

const begin = 1_700_000_000_321
const published: Series = { src: 'marketplace', kind: 'seen', select: '*' }
const lines: Series = { src: 'csv', kind: 'seen', select: '*' }
const topic = (n: number): string => `sensor/data/a_b_0${n}/x`

interface Message {
  readonly at: number
  readonly topic: string
  readonly payload: { readonly [k: string]: Json }
}

/** Two apps, one every ten seconds, one every thirty. */
function messages(): Message[] {
  const list: Message[] = []
  for (let k = 1; k <= 30; k++)
    for (const n of k % 3 === 0 ? [1, 2] : [1]) {
      const at = begin + k * 10_000 + n
      list.push({
        at,
        topic: topic(n),
        payload: { Timestamp: Math.floor(at / 1000), Value: k + n / 8, Valid: k !== 7 },
      })
    }
  return list
}

type Row = { readonly [k: string]: Json } & { readonly topic: string; readonly recordedAt: number }

function rowsOf(list: readonly Message[]): Row[] {
  return list.map((m, i) => ({
    alias: 'unknown',
    topic: m.topic,
    payload: m.payload,
    recordedAt: m.at + 3,
    publisher: publisherIn(m.topic) ?? '',
    columns: {
      timestamp: JSON.stringify(m.payload['Timestamp'] ?? null),
      value: JSON.stringify(m.payload['Value'] ?? null),
      valid: JSON.stringify(m.payload['Valid'] ?? null),
    },
    file: '1.csv',
    line: i + 1,
    bytes: 100,
  }))
}

/** What a check says of such rows beside the messages, of which the bench hears the last `late` when the rows are read. */
function judged(
  check: Check,
  rows: readonly Row[],
  torn = 0,
  read = true,
  late = 0,
  more: readonly Draft[] = [],
): Result {
  const end = begin + 400_000
  const last = messages().length - late
  const history: Draft[] = messages().map((m, i) =>
    draft(i < last ? m.at : end + 0.5 + i / 1000, 'marketplace', 'seen', {
      alias: 'unknown',
      topic: m.topic,
      payload: m.payload,
      qos: 1,
      retain: false,
    }),
  )
  for (const [i, r] of rows.entries()) history.push(draft(end + i / 1000, 'csv', 'seen', r))
  const sums = (of: readonly Row[]): Json => ({ 'lines [1]': of.length, 'volume [B]': of.length * 100 })
  const sensors = rows.filter((r) => r.topic.startsWith('sensor/'))
  if (read)
    history.push(
      draft(
        end + 1,
        'csv',
        'seen',
        {
          alias: 'csv.read',
          payload: {
            'torn lines [1]': torn,
            first: begin,
            last: begin + 300_000,
            sensors: sums(sensors),
            apps: sums([...rows].filter((r) => !sensors.includes(r))),
            publishers: Object.fromEntries(
              ['a_b_01', 'a_b_02'].map((iid) => [
                iid,
                { sensors: sums(sensors.filter((r) => publisherIn(r.topic) === iid)), apps: sums([]) },
              ]),
            ),
          },
        },
        { stamp: end },
      ),
    )
  const bar = jury([check])
  for (const e of numbered([
    draft(begin, 'bench', 'check', declaredEvent(check) as unknown as Json),
    ...more,
    ...history,
  ]))
    bar.see(e)
  return bar.judge(check.id, end + 2).result
}

const o = { verifies: ['X'] }
const all = (): Check => recordsAll(published, lines, { ...o, publishers: ['a_b_01', 'a_b_02'] })
const truly = (): Check => recordsTruly(published, lines, o)
const times = (): Check => recordsTimes(published, lines, o)
const names = (): Check => attributable(published, lines, o)
const rate = (): Check => recordsAtRate(published, lines, o)
const good = rowsOf(messages())
const change = (i: number, more: { readonly [k: string]: Json }): Row[] =>
  good.map((r, k) => (k === i ? { ...r, ...more } : r))

describe('checks of a recorder', () => {
  test('pass where everything stands in the files once, true, in time and by name', () => {
    for (const c of [all(), truly(), times(), names(), rate()])
      expect(judged(c, good), c.id).toMatchObject({ verdict: 'pass' })
  })

  test("judge a time of recording by the platform's clock, as far as it is known", () => {
    const ahead = good.map((r) => ({ ...r, recordedAt: r.recordedAt + 7000 }))
    const note = (offsetMs: number, uncertaintyMs: number): readonly Draft[] => [
      draft(begin + 1, 'clock', 'note', { offsetMs, uncertaintyMs }),
    ]
    expect(judged(times(), ahead).verdict).toBe('fail')
    expect(judged(times(), ahead, 0, true, 0, note(7000, 600)).verdict).toBe('pass')
    expect(judged(times(), ahead, 0, true, 0, note(-7000, 600)).verdict).toBe('fail')
    expect(judged(times(), ahead, 0, true, 0, note(7000, 9000))).toMatchObject({
      verdict: 'inconclusive',
      blame: 'rig',
    })
  })

  test('do not mind how two apps are interleaved, nor lines from before the watch', () => {
    const other = [...good].sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0))
    const early = { ...good[0], recordedAt: begin - 60_000, payload: { Value: 99 }, columns: {} } as Row
    for (const c of [all(), truly(), times(), names(), rate()])
      expect(judged(c, [early, ...other]), c.id).toMatchObject({ verdict: 'pass' })
  })

  test("know lines from before the watch, and a changed one without a stamp, by the platform's clock", () => {
    const ahead = good.map((r) => ({ ...r, recordedAt: r.recordedAt + 7000 }))
    const note: readonly Draft[] = [draft(begin + 1, 'clock', 'note', { offsetMs: 7000, uncertaintyMs: 600 })]
    const early = { ...ahead[0], recordedAt: begin + 6500, payload: { Value: 99 }, columns: {} } as Row
    expect(judged(all(), [early, ...ahead]).observed).toMatchObject({ unexpected: 1 })
    expect(judged(all(), [early, ...ahead], 0, true, 0, note).verdict).toBe('pass')
    const later = { ...early, recordedAt: begin + 12_000 }
    expect(judged(all(), [...ahead, later], 0, true, 0, note).observed).toMatchObject({ unexpected: 1 })
  })

  test('wait for messages that the bench hears only after the files were read, and judge them as strictly', () => {
    for (const c of [all(), truly(), names()])
      expect(judged(c, good, 0, true, 5), c.id).toMatchObject({
        verdict: 'pass',
        observed: { 'lines judged [1]': good.length },
      })
    const n = good.length
    const swapped = [...good.slice(0, n - 3), ...good.slice(n - 3, n - 1).toReversed(), ...good.slice(n - 1)]
    expect(swapped[n - 3]?.topic).toBe(swapped[n - 2]?.topic)
    expect(judged(all(), swapped, 0, true, 5).observed).toMatchObject({ 'out of order': 1 })
    expect(judged(all(), [...good, good[n - 1] as Row], 0, true, 5).observed).toMatchObject({ duplicated: 1 })
    expect(judged(truly(), change(n - 2, { payload: { Value: 1 } }), 0, true, 5).verdict).toBe('fail')
  })

  test('of when leave it to the rig where the bench itself was kept waiting', () => {
    expect(times().needs).toContain('steady-time')
    expect(rate().bears?.(60_000)).toBe(500)
    expect(all().needs).not.toContain('steady-time')
  })

  const spoilt: readonly (readonly [what: string, check: () => Check, rows: readonly Row[], word: string])[] =
    [
      ['a lost message', all, good.filter((_, i) => i !== 11), 'lost'],
      ['two lines for one message', all, [...good.slice(0, 5), ...good.slice(4)], 'duplicated'],
      [
        'a line of what was never published',
        all,
        [...good, { ...good[9], topic: 'sensor/data/a_b_01/y' } as Row],
        'unexpected',
      ],
      [
        'two of one topic the wrong way round',
        all,
        [...good.slice(0, 4), ...good.slice(4, 6).toReversed(), ...good.slice(6)],
        'out of order',
      ],
      ['an app that is missing', all, good.filter((r) => r.topic !== topic(2)), 'missing'],
      [
        'a value changed in its last digit',
        truly,
        change(5, { payload: { ...(good[5]?.['payload'] as object), Value: 5.126 } }),
        'altered',
      ],
      [
        'a column that says otherwise than the payload',
        truly,
        change(5, { columns: { value: '1', valid: 'true', timestamp: null } }),
        'other Value',
      ],
      [
        'Valid lost',
        truly,
        change(8, { columns: { value: null, valid: '', timestamp: null } }),
        'other Valid',
      ],
      [
        'another time stamp',
        times,
        change(5, { columns: { value: null, valid: null, timestamp: '1' } }),
        'other stamp',
      ],
      ['no time of recording', times, change(5, { recordedAt: null }), 'without time'],
      ['a time of recording that is out', times, change(5, { recordedAt: begin + 55_000 }), 'late'],
      ['another publisher', names, change(5, { publisher: 'a_b_02' }), 'wrong name'],
      ['no publisher', names, change(5, { publisher: '' }), 'nameless'],
      ['every other message', rate, good.filter((_, i) => i % 2 === 0), 'too few'],
      ['another spacing', rate, change(5, { recordedAt: begin + 55_000 }), 'other spacing'],
    ]
  test.each(spoilt)('notice %s', (_what, check, rows, word) => {
    const r = judged(check(), rows)
    expect(r.verdict).toBe('fail')
    expect(r.observed).toHaveProperty([word])
  })

  test('notice a torn file, and pass nothing that was never read', () => {
    expect(judged(all(), good, 1)).toMatchObject({ verdict: 'fail' })
    for (const c of [all(), truly(), times(), names(), rate()])
      expect(judged(c, [], 0, false).verdict, c.id).toBe<VerdictWord>('inconclusive')
  })
})

describe('checks of the volume', () => {
  const v = { ...o, interval: '10 s' }

  test('need files that hold everything', () => {
    expect(judged(volumeMeasured(published, lines, 'sensors', v), good)).toMatchObject({ verdict: 'pass' })
    expect(judged(volumeMeasured(published, lines, 'sensors', v), good.slice(0, 20))).toMatchObject({
      verdict: 'fail',
    })
    expect(judged(volumeMeasured(published, lines, 'apps', v), good)).toMatchObject({ verdict: 'fail' })
  })

  test('tell what neighbours send from all else, and want all of it in the files', () => {
    const n = { ...v, neighbours: { instances: ['a_b_02'], interval: '30 s' } }
    const theirs = good.filter((r) => publisherIn(r.topic) === 'a_b_02').length
    expect(judged(volumeMeasured(published, lines, 'neighbours', n), good)).toMatchObject({
      verdict: 'pass',
      observed: {
        'messages published [1]': theirs,
        'lines [1]': theirs,
        'measured [B]': theirs * 100,
        formula: formulaOf({ peers: { bytes: 1, intervalMs: 1 } }),
      },
    })
    expect(judged(volumeMeasured(published, lines, 'sensors', n), good)).toMatchObject({
      verdict: 'pass',
      observed: { 'lines [1]': good.length - theirs, 'measured [B]': (good.length - theirs) * 100 },
    })
    const without = good.filter((r) => publisherIn(r.topic) !== 'a_b_02')
    expect(judged(volumeMeasured(published, lines, 'neighbours', n), without).verdict).toBe('fail')
    expect(judged(volumeMeasured(published, lines, 'sensors', n), without).verdict).toBe('pass')
    expect(
      judged(
        volumeMeasured(published, lines, 'neighbours', {
          ...v,
          neighbours: { instances: ['toString'], interval: '30 s' },
        }),
        good,
      ).verdict,
    ).toBe('fail')
    const assumed = judged(volumeFits(published, lines, { ...v, at: ['10 s'] }), good)
    expect(assumed).toMatchObject({ verdict: 'pass', observed: { formula: formulaOf({}) } })
  })

  test('tell what fits and what does not, with the formula', () => {
    const fits = judged(volumeFits(published, lines, { ...v, at: ['10 s'], tell: ['1 s'] }), good)
    expect(fits).toMatchObject({ verdict: 'pass', observed: { 'too much at': [] } })
    expect(judged(volumeFits(published, lines, { ...v, at: ['1 ms'] }), good)).toMatchObject({
      verdict: 'fail',
    })
    const told = judged(volumeFits(published, lines, { ...v, at: ['10 s'], tell: ['1 ms'] }), good)
    expect(told).toMatchObject({ verdict: 'pass', observed: { 'too much at': ['1 ms'] } })
  })
})
