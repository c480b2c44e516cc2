import { describe, expect, it } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Check, Event, Result } from '../faces.ts'
import { replay } from '../evidence/replay.ts'
import type { Circumstances } from '../evidence/schema.ts'
import { pass, fail, inconclusive, steadyTime } from './check.ts'
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
import { arrivesEvery, equalsTruth, scalarFormat, stampedByPlatformClock } from './index.ts'
import { declaredEvent, judge, judgedEvent, jury, lacking } from './judge.ts'

const hour = 3_600_000

function fixed(result: Result, more: Partial<Check> = {}): Check {
  return {
    id: 'x',
    verifies: ['M:0023'],
    limit: 'any',
    needs: [],
    see: () => undefined,
    result: () => result,
    ...more,
  }
}

describe('a verdict', () => {
  const passed = pass({ 'n [1]': 3 }, [4])
  const failed = fail('it broke', {}, [9])

  it('is what the check says when nothing stands against it', () => {
    expect(judge(fixed(passed), 0, hour)).toEqual({ result: passed, at: 0, beforehand: false })
    expect(judge(fixed(failed), 0, hour)).toEqual({ result: failed, at: 0, beforehand: false })
  })

  it('stands on a busy machine where its tolerance is far wider than the longest stall', () => {
    const timed = fixed(passed, { needs: [steadyTime], bears: () => 500 })
    expect(judge(timed, 0, hour, { stolen: 0.3, stalledMs: 40 }).result.verdict).toBe('pass')
    expect(judge(timed, 0, hour, { stolen: 0.3, stalledMs: 800 }).result).toMatchObject({
      verdict: 'inconclusive',
      blame: 'rig',
      why: '30.0 % of the time was stolen from the bench (limit 1 %), for up to 800 ms at a time',
    })
    expect(judge(timed, 0, hour, { stolen: 0.3 }).result.verdict).toBe('inconclusive')
    const late = fixed(failed, { needs: [steadyTime], bears: () => 500 })
    expect(judge(late, 0, hour, { stolen: 0.3, stalledMs: 40 }).result.verdict).toBe('inconclusive')
    expect(judge(late, 0, hour, { stolen: 0.001, stalledMs: 40 }).result.verdict).toBe('fail')
  })

  it('is inconclusive beforehand when a pass comes of too short a run', () => {
    const soak = fixed(passed, { least: 24 * hour })
    expect(judge(soak, 0, hour / 12)).toMatchObject({
      beforehand: true,
      result: {
        verdict: 'inconclusive',
        blame: 'rig',
        why: 'needs 1 d, this run has 5 min',
        observed: { 'n [1]': 3 },
      },
    })
    expect(judge(soak, 0, 24 * hour - 1).result.verdict).toBe('pass')
    const open = fixed(inconclusive('rig', 'too few'), { least: 24 * hour })
    expect(judge(open, 0, hour).beforehand).toBe(true)
    expect(judge(open, 0, 24 * hour).beforehand).toBe(false)
  })

  it('stays a failure in a short run', () => {
    expect(judge(fixed(failed, { least: 24 * hour }), 0, hour).result).toEqual(failed)
  })

  it('is inconclusive whatever was seen when a need is not there', () => {
    const needy = fixed(failed, { needs: ['storage', steadyTime] })
    const lacks = lacking(needy, new Set(['marketplace']))
    expect(lacks).toEqual(['storage'])
    expect(judge(needy, 0, hour, { lacks }).result).toMatchObject({ verdict: 'inconclusive', blame: 'rig' })
  })

  it('judges no time on a machine that steals it, and everything else all the same', () => {
    const timed = fixed(failed, { needs: [steadyTime] })
    expect(judge(timed, 0, hour, { stolen: 0.02 }).result).toMatchObject({
      verdict: 'inconclusive',
      blame: 'rig',
    })
    expect(judge(timed, 0, hour, { stolen: 0.009 }).result.verdict).toBe('fail')
    expect(judge(fixed(failed), 0, hour, { stolen: 0.5 }).result.verdict).toBe('fail')
  })

  it('does not pass in a scenario that did not run to its end, and fails no product for what the rig did', () => {
    const cut = (blame: 'operator' | 'rig' | 'product'): Circumstances => ({
      cut: { blame, why: 'so it was' },
    })
    expect(judge(fixed(passed), 0, hour, cut('operator')).result).toMatchObject({
      verdict: 'inconclusive',
      blame: 'operator',
    })
    // What is not there yet when the operator stops a run would else be the product's fault.
    expect(judge(fixed(failed), 0, hour, cut('operator')).result.verdict).toBe('inconclusive')
    expect(judge(fixed(failed), 0, hour, cut('product')).result.verdict).toBe('fail')
    expect(judge(fixed(failed), 0, hour, cut('rig')).result).toMatchObject({
      verdict: 'inconclusive',
      blame: 'rig',
    })
  })

  it('blames whoever ended a scenario early for what it had not shown by then', () => {
    const open = fixed(inconclusive('bench', 'it saw nothing that it could judge'))
    const cut: Circumstances = { cut: { blame: 'operator', why: 'stopped by the operator' } }
    expect(judge(open, 0, hour, cut).result).toMatchObject({
      verdict: 'inconclusive',
      blame: 'operator',
      why: 'the scenario did not run to its end: stopped by the operator; until then it saw nothing that it could judge',
    })
    expect(judge(open, 0, hour).result.blame).toBe('bench')
  })

  it('blames the bench for a check that breaks', () => {
    const broken = fixed(passed, {
      result: () => {
        throw new Error('division by zero')
      },
    })
    expect(judge(broken, 0, hour).result).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
    const cut: Circumstances = { cut: { blame: 'operator', why: 'stopped' } }
    expect(judge(broken, 0, hour, cut).result).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
  })
})

describe('a jury', () => {
  it('shows a check nothing from before its declaration, and all from then on', () => {
    const seen: number[] = []
    const bench = jury([fixed(pass({}), { see: (e: Event) => void seen.push(e.seq) })])
    const declared = declaredEvent(fixed(pass({}))) as unknown as Json
    const events = numbered([
      draft(1, 'a', 'note', {}),
      draft(2, 'bench', 'check', declared),
      draft(3, 'a', 'note', {}),
    ])
    for (const e of events) bench.see(e)
    expect(seen).toEqual([2, 3])
    expect(bench.declared()).toEqual(['x'])
  })

  it('goes on with the others when one check breaks', () => {
    const broken = fixed(pass({}), {
      see: (e: Event) => {
        if (e.kind === 'note') throw new Error('oh')
      },
    })
    const sound = { ...fixed(pass({})), id: 'y' }
    const bench = jury([broken, sound])
    const declared = [broken, sound].map((c) =>
      draft(1, 'bench', 'check', declaredEvent(c) as unknown as Json),
    )
    for (const e of numbered([...declared, draft(2, 'a', 'note', {})])) bench.see(e)
    expect(bench.judge('x', 3).result).toMatchObject({
      verdict: 'inconclusive',
      blame: 'bench',
      why: 'the check itself broke at event 3: oh',
    })
    expect(bench.judge('y', 3).result.verdict).toBe('pass')
    expect(bench.judge('z', 3).result).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
  })
})

describe('a replay', () => {
  const checks = (): Check[] => [
    arrivesEvery('60 s', marketplace, {
      verifies: ['M:0023'],
      channels: quantities.map((q) => aliasOf(q)),
      least: '24 h',
    }),
    equalsTruth(marketplace, 'gridkey', { verifies: ['M:0022'] }),
    stampedByPlatformClock(marketplace, { verifies: ['M:0022'], within: '2 s' }),
    scalarFormat(marketplace, { verifies: ['M:0022'] }),
  ]
  /** A log as the runner writes it: declarations, events, judgements. */
  const written = (drafts: readonly Draft[], end: number, c: Circumstances = {}): Event[] => {
    const live = checks()
    const bench = jury(live)
    const log: Event[] = []
    const write = (d: Draft): void => {
      const e = { ...d, seq: log.length + 1 }
      log.push(JSON.parse(JSON.stringify(e)) as Event)
      bench.see(e)
    }
    for (const check of live) write(draft(begin, 'bench', 'check', declaredEvent(check) as unknown as Json))
    for (const e of numbered(drafts)) write(e)
    for (const { id } of live)
      write(draft(end, 'bench', 'check', judgedEvent(id, bench.judge(id, end, c), c) as unknown as Json))
    return log
  }

  it('comes to the same verdicts to the last figure, passed or failed', () => {
    const h = healthy({ samples: 40 })
    for (const drafts of [h.drafts, spoil(h.drafts, 'alter value', 17, 0.3), spoil(h.drafts, 'remove', 8, 0)])
      for (const r of replay(written(drafts, h.end), checks()).checks) expect(r.compared).toBe('same')
  })

  it('judges under the circumstances that the log tells', () => {
    const h = healthy()
    const log = written(h.drafts, h.end, { stolen: 0.2, cut: { blame: 'operator', why: 'stopped' } })
    for (const r of replay(log, checks()).checks) expect(r.compared).toBe('same')
  })

  it('tells where a changed event changes a verdict', () => {
    const h = healthy()
    const log = written(h.drafts, h.end)
    const i = log.findIndex((e) => e.kind === 'seen')
    const e = log[i]
    if (e !== undefined)
      log[i] = { ...e, data: { alias: 'gridkey.busbar.l1n.voltage', payload: { Timestamp: 1.5 } } }
    const compared = Object.fromEntries(replay(log, checks()).checks.map((r) => [r.id, r.compared]))
    expect(compared).toMatchObject({ format: 'verdict', stamps: 'verdict' })
  })

  const ended = (log: readonly Event[], outcome: string): Event[] => [
    ...log,
    { seq: log.length + 1, at: log.at(-1)?.at ?? 0, src: 'bench', kind: 'end', data: { outcome } },
  ]

  it('judges what a log never judged, and compares nothing where the log was cut short', () => {
    const h = healthy()
    const cut = written(h.drafts, h.end).filter((e) => (e.data as { phase?: string }).phase !== 'judged')
    const now = { verdict: 'inconclusive', blame: 'bench' }
    for (const r of replay(cut, checks()).checks)
      expect(r).toMatchObject({ compared: 'cut short', stored: undefined, now })
    for (const outcome of ['finished', 'aborted'])
      for (const r of replay(ended(cut, outcome), checks()).checks)
        expect(r).toMatchObject({ compared: 'not stored', now })
  })

  it('knows that a scenario that was stopped had not declared its later checks yet', () => {
    const h = healthy()
    const log = written(h.drafts, h.end)
    const other = { ...fixed(pass({})), id: 'later' }
    const of = (outcome: string): string | undefined =>
      replay(ended(log, outcome), [...checks(), other]).checks.find((c) => c.id === 'later')?.compared
    expect([of('aborted'), of('broke'), of('finished')]).toEqual(['cut short', 'cut short', 'not declared'])
  })

  it('tells checks that it lacks, and checks that the log lacks', () => {
    const h = healthy()
    const log = ended(written(h.drafts, h.end), 'finished')
    const other = { ...fixed(pass({})), id: 'other' }
    const r = replay(log, [...checks().slice(0, 2), other])
    expect(r.unknown).toEqual(['stamps', 'format'])
    expect(r.checks[2]).toMatchObject({ id: 'other', compared: 'not declared' })
  })
})
