import { describe, expect, it } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { gapEvent, steadinessEvent } from '../evidence/gap.ts'
import { replay } from '../evidence/replay.ts'
import type { Circumstances } from '../evidence/schema.ts'
import type { Check, Event, Result } from '../faces.ts'
import {
  type Draft,
  aliasOf,
  begin,
  draft,
  healthy,
  marketplace,
  numbered,
  quantities,
  spoil,
} from './history.fixture.ts'
import { arrivesEvery, equalsTruth, spaced, stampedByPlatformClock } from './index.ts'
import { declaredEvent, judgedEvent, jury } from './judge.ts'

const hour = 3_600_000
const h = healthy({ samples: 40 })
/** The bench dies between two samples, and is back long after; what came in between nobody saw. */
const from = begin + 10 * 60_000 + 30_000
const to = begin + 20 * 60_000 + 30_000

const makers: Readonly<Record<string, (o: { least?: string }) => Check>> = {
  every: (o) =>
    arrivesEvery('60 s', marketplace, {
      id: 'every',
      verifies: ['M:0023'],
      channels: quantities.map((q) => aliasOf(q)),
      start: '75 s',
      ...o,
    }),
  true: (o) => equalsTruth(marketplace, 'gridkey', { id: 'true', verifies: ['M:0022'], ...o }),
  stamps: (o) =>
    stampedByPlatformClock(marketplace, { id: 'stamps', verifies: ['M:0022'], within: '2 s', ...o }),
}
const all = (o: { least?: string } = {}): Check[] => Object.values(makers).map((f) => f(o))

interface Told {
  readonly log: readonly Event[]
  readonly result: (id: string) => Result
  readonly beforehand: (id: string) => boolean
}

/** A log as a bench writes it that is killed at `from` and resumed at `to`. */
function resumed(
  drafts: readonly Draft[],
  o: {
    least?: string
    horizonMs?: number
    steady?: object | null
    cut?: Circumstances
    again?: boolean
  } = {},
): Told {
  const more = o.least === undefined ? {} : { least: o.least }
  const bench = jury(all(more))
  const log: Event[] = []
  const write = (d: Draft): void => {
    const e = { ...d, seq: log.length + 1 }
    log.push(JSON.parse(JSON.stringify(e)) as Event)
    bench.see(e)
  }
  const declare = (at: number, checks: readonly Check[]): void => {
    for (const c of checks) write(draft(at, 'bench', 'check', declaredEvent(c) as unknown as Json))
  }
  write(draft(begin, 'bench', 'run', { format: 'gridproof-scenario/1', horizonMs: o.horizonMs ?? hour }))
  declare(begin, bench.checks)
  const events = numbered(drafts)
  for (const e of events.filter((x) => x.at <= from)) write(e)
  if (o.steady !== null)
    write(draft(from, 'bench', 'note', steadinessEvent(o.steady ?? { stolen: 0, stalledMs: 3 })))
  write(draft(to, 'bench', 'step', gapEvent({ from, to, horizonMs: hour })))
  if (o.again !== false) {
    const later = all(more)
    for (const c of later) bench.seat(c)
    declare(to, later)
    for (const e of events.filter((x) => x.at > to)) write(e)
  }
  const judged = new Map(bench.declared().map((id) => [id, bench.judge(id, h.end, o.cut)]))
  for (const [id, j] of judged)
    write(draft(h.end, 'bench', 'check', judgedEvent(id, j, o.cut) as unknown as Json))
  for (const r of replay(log, all(more), [all(more)]).checks)
    expect([r.id, r.compared]).toEqual([r.id, 'same'])
  return {
    log,
    result: (id) => judged.get(id)?.result as Result,
    beforehand: (id) => judged.get(id)?.beforehand ?? false,
  }
}

describe('over a gap in what was observed', () => {
  it('a platform that does well passes, with the gap among its figures, and a replay says the same', () => {
    const t = resumed(h.drafts)
    for (const id of Object.keys(makers)) {
      expect(t.result(id), id).toMatchObject({ verdict: 'pass' })
      expect(t.result(id).observed, id).toMatchObject({ 'gaps [1]': 1, 'not observed [s]': 600 })
      expect(t.result(id).observed, id).toHaveProperty(['stretch 1: watched [s]'], 630)
    }
  })

  it('the same history would fail a bench that did not know of its gap', () => {
    const bench = jury([
      spaced(
        '60 s',
        { ...marketplace, select: aliasOf(quantities[0]) },
        { verifies: ['M:0023'], gap: '6 s', start: '75 s' },
      ),
    ])
    const [check] = bench.checks
    bench.see({ ...draft(begin, 'bench', 'check', declaredEvent(check as Check) as unknown as Json), seq: 1 })
    for (const e of numbered(h.drafts.filter((d) => d.at <= from || d.at > to))) bench.see(e)
    expect(bench.judge('spaced', h.end).result.verdict).toBe('fail')
  })

  it('what failed before it stays a failure, and so does what failed after it', () => {
    for (const n of [3, 35 * quantities.length]) {
      const t = resumed(spoil(h.drafts, 'alter value', n, 0.3))
      expect(t.result('true')).toMatchObject({ verdict: 'fail', blame: 'product' })
      expect(t.result('true').why).toContain(n === 3 ? '(stretch 1 of 2)' : '(stretch 2 of 2)')
    }
  })

  it('a length of time counts only at a stretch', () => {
    const t = resumed(h.drafts, { least: '30 min' })
    expect(t.result('true')).toMatchObject({ verdict: 'inconclusive', blame: 'rig' })
    expect(t.result('true').why).toMatch(
      /^needs 30 min at a stretch; .* the longest stretch without a gap was /,
    )
    expect(t.beforehand('true')).toBe(false)
    // In a run that is too short as it is, that was known beforehand.
    const short = resumed(h.drafts, { least: '24 h' })
    expect([short.result('true').why, short.beforehand('true')]).toEqual([
      'needs 1 d, this run has 1 h',
      true,
    ])
    expect(resumed(h.drafts, { least: '10 min' }).result('true').verdict).toBe('pass')
  })

  it('time that was not steady before it, or of which nothing is known, is not judged', () => {
    const stolen = resumed(h.drafts, { steady: { stolen: 0.4, stalledMs: 5000 } })
    expect(stolen.result('every')).toMatchObject({ verdict: 'inconclusive', blame: 'rig' })
    expect(stolen.result('true').verdict).toBe('pass')
    // Killed before it could tell: what judges time is judged by the rest alone.
    const unknown = resumed(spoil(h.drafts, 'remove', 3, 0), { steady: null })
    expect(unknown.result('every').verdict).toBe('pass')
    expect(unknown.result('every').observed).not.toHaveProperty(['stretch 1: lost'])
  })

  it('a bench that never came to declare its checks again passes nothing', () => {
    const cut: Circumstances = { cut: { blame: 'rig', why: 'the port is gone' } }
    const t = resumed(h.drafts, { again: false, cut })
    for (const id of Object.keys(makers))
      expect(t.result(id), id).toMatchObject({ verdict: 'inconclusive', blame: 'rig' })
  })
})
