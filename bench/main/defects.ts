/** Defects by ID. The one place where the bench meets sim/defects. */
import { defects } from '../../sim/defects/index.ts'

/** IDs that a scenario's `catches` may name. */
export function knownDefects(): ReadonlySet<string> {
  return new Set(defects.filter((d) => d.kind === 'defect').map((d) => d.id))
}
