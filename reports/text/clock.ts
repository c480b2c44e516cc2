/** The platform's clock against the bench's, as it was measured or stated, in words. */
import type { ClockNote } from '../../bench/evidence/schema.ts'
import type { RunView } from '../model/run.ts'

/** `1.24 s ± 0.63 s ahead of the bench`. */
export function clockText(c: ClockNote): string {
  return `${seconds(Math.abs(c.offsetMs))} ± ${seconds(c.uncertaintyMs)} ${side(c.offsetMs)}`
}

/** Of all scenarios of a run, as each knew it at its end; nothing where none did. */
export function runClockText(run: RunView): string | undefined {
  const all = run.scenarios
    .flatMap((s) => s.contents?.clock ?? [])
    .toSorted((a, b) => a.offsetMs - b.offsetMs)
  const [first, last] = [all[0], all.at(-1)]
  if (first === undefined || last === undefined) return undefined
  if (Math.abs(last.offsetMs - first.offsetMs) < 10) return clockText(last)
  return `from ${clockText(first)} to ${clockText(last)}`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}

function side(offsetMs: number): string {
  return offsetMs < 0 ? 'behind the bench' : 'ahead of the bench'
}
