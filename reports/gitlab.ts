/**
 * requirements_v2.json: GitLab's `artifacts:reports:requirements_v2`. It sets the state of a project's requirements, which are
 * work items known by their number there (iid); only a file of that project can say which is which.
 * https://gitlab.com/gitlab-org/gitlab/-/merge_requests/106746
 */
import type { RequirementView, RunView } from './model/run.ts'

/** Requirement ID to iid. */
export type GitlabNumbers = Readonly<Record<string, number>>

/**
 * iid to `passed` or `failed`. What this run looked at and did not see satisfied is `failed`: GitLab would else leave an
 * old `passed` standing. Left out is what this run says nothing about: uncovered, played by the bench, by a person, and what
 * is open only because the run is a short one.
 */
export function gitlabRequirements(
  run: RunView,
  numbers: GitlabNumbers,
): Record<string, 'passed' | 'failed'> {
  const out: Record<string, 'passed' | 'failed'> = {}
  for (const r of run.requirements) {
    const iid = numbers[r.id]
    const word = wordOf(r)
    if (iid !== undefined && word !== undefined) out[String(iid)] = word
  }
  return out
}

function wordOf(r: RequirementView): 'passed' | 'failed' | undefined {
  switch (r.state) {
    case 'pass':
    case 'marginal':
      return 'passed'
    case 'fail':
    case 'not run':
      return 'failed'
    case 'inconclusive':
      return r.beforehand ? undefined : 'failed'
    case 'information':
    case 'played by the bench':
    case 'by person':
    case 'uncovered':
      return undefined
    default:
      // States of later versions say nothing to GitLab.
      return r.state satisfies never
  }
}
