/** How soon a disk is there again after its power went, and how many crash states are tried in a second. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lacksCached, memoryFolder, openDurable, probeDurable } from '../../drivers/real/disk.ts'
import { subjects } from '../../sim/explore/index.ts'
import { explore } from '../main/explore/explore.ts'
import { percentile, waitedForCore } from './calm.ts'

/** From the cut to a disk that is mounted again, p99, ms; states of the explorer a second. Both ours. */
export const remountBarMs = 100
export const statesBar = 20

/** Of one cut, what it may have waited for a core, ms, to be judged. Ours. */
const calmCutMs = 1

export interface CutFigures {
  /** Those in which it had a core whenever it wanted one, and all. */
  readonly calm: CutTimes
  readonly all: CutTimes
}

export interface CutTimes {
  readonly count: number
  readonly p50: number
  readonly p99: number
}

type Lacking = { readonly lacks: string }

/** Cuts of a disk on which something was flushed and something was not, and its mounting again. */
export function measureCuts(cached: boolean, cuts: number): CutFigures | Lacking {
  const probe = probeDurable()
  const lacks = 'lacks' in probe ? probe.lacks : cached ? lacksCached() : undefined
  if (lacks !== undefined) return { lacks }
  const folder = mkdtempSync(join(memoryFolder(), 'gridproof-perf-'))
  const disk = openDurable({ folder, at: join(folder, 'm'), ...(cached ? { cacheSeed: 1 } : {}) })
  const took: { readonly ms: number; readonly waited: number }[] = []
  try {
    for (let n = 0; n < cuts; n++) {
      writeFileSync(join(disk.path, `flushed-${n % 20}`), 'x'.repeat(2_000), { flush: true })
      writeFileSync(join(disk.path, `unflushed-${n % 20}`), 'x'.repeat(2_000))
      const before = waitedForCore() ?? Number.NaN
      const began = performance.now()
      disk.cut()
      disk.remount()
      took.push({ ms: performance.now() - began, waited: (waitedForCore() ?? Number.NaN) - before })
    }
  } finally {
    disk.close()
    rmSync(folder, { recursive: true })
  }
  const times = (of: typeof took): CutTimes => {
    const ms = of.map((t) => t.ms)
    return { count: ms.length, p50: percentile(ms, 0.5), p99: percentile(ms, 0.99) }
  }
  return { calm: times(took.filter((t) => t.waited <= calmCutMs)), all: times(took) }
}

export interface ExploreFigures {
  readonly subject: string
  readonly states: number
  readonly perSecond: number
  readonly alarms: number
  /** Of the time that it took, what it waited for a core; undefined where the system does not tell. */
  readonly waited: number | undefined
}

/** The slowest subject that ships: Data Storage's records. */
export async function measureExplore(states: number): Promise<ExploreFigures | Lacking> {
  const lacks = lacksCached()
  if (lacks !== undefined) return { lacks }
  const subject = subjects.find((s) => s.id === 'records')
  if (subject === undefined) return { lacks: 'there is no such subject' }
  const scratch = mkdtempSync(join(memoryFolder(), 'gridproof-perf-'))
  try {
    let before: number | undefined
    const e = await explore({
      subject,
      states,
      seed: 1,
      items: 40,
      scratch,
      // Asked before the first state too: what went before is not measured.
      stopped() {
        before ??= waitedForCore()
        return false
      },
    })
    const after = waitedForCore()
    return {
      subject: subject.id,
      states: e.states,
      perSecond: (1_000 * e.states) / e.ms,
      alarms: e.bad,
      waited: before === undefined || after === undefined ? undefined : (after - before) / e.ms,
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
