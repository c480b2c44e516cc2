/** How a run ends for whoever started it. */
import type { ScenarioRecord } from './record.ts'

/** Codes of the command line. 2 (usage) is given before any run. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  inconclusive: 3,
  rigFault: 4,
  benchFault: 5,
  aborted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/**
 * The exit code of a run. What the operator did comes first; then what puts every verdict in doubt (a fault of the
 * bench, an escape from virtual time); then failures of the product, trouble with the rig, and what could not be
 * judged, for instance since the rig declares not to have what a scenario asks for. Inconclusive only because the run is a short one raises nothing: that was known beforehand.
 */
export function exitCodeFor(
  scenarios: readonly ScenarioRecord[],
  run: { readonly aborted: boolean },
): ExitCode {
  const operator = scenarios.some((s) => s.trouble?.blame === 'operator')
  if (run.aborted || operator) return exitCodes.aborted
  const escaped = scenarios.some((s) => (s.end?.world.escapes.length ?? 0) > 0)
  if (escaped || scenarios.some((s) => s.trouble?.blame === 'bench')) return exitCodes.benchFault
  const verdicts = scenarios.flatMap((s) => s.checks)
  if (
    verdicts.some((c) => c.result.verdict === 'fail') ||
    scenarios.some((s) => s.trouble?.blame === 'product')
  )
    return exitCodes.failed
  if (scenarios.some((s) => s.trouble?.blame === 'rig' && s.trouble.lacking !== true))
    return exitCodes.rigFault
  if (scenarios.some((s) => s.trouble?.lacking === true)) return exitCodes.inconclusive
  if (verdicts.some((c) => c.result.verdict === 'inconclusive' && !c.beforehand))
    return exitCodes.inconclusive
  return exitCodes.ok
}
