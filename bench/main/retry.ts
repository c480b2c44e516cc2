/** Whether a scenario may be tried again: for a reason of the rig and no other, since another try could hide a defect. */
import type { ScenarioRecord } from '../verdicts/record.ts'

/**
 * The reason of the rig for which a scenario may be tried again, or nothing. Never where anything failed, where bench or
 * operator had a part in it, or where the same would come again: what this rig cannot observe, what a short run cannot judge.
 */
export function rigCause(r: ScenarioRecord): string | undefined {
  if (r.checks.some((c) => c.result.verdict === 'fail')) return undefined
  if (r.trouble !== undefined) return r.trouble.blame === 'rig' ? r.trouble.why : undefined
  if ((r.end?.world.escapes.length ?? 0) > 0) return undefined
  const open = r.checks.filter((c) => c.result.verdict === 'inconclusive' && !c.beforehand)
  if (open.some((c) => c.result.blame !== 'rig')) return undefined
  const [first, ...more] = open.filter((c) => !c.unobservable)
  if (first === undefined) return undefined
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`
  return `${first.id}: ${first.result.why ?? 'it could not be judged'}${others}`
}
