/** Defects by ID. The one place where the bench meets sim/defects. */
import { defects } from '../../sim/defects/index.ts'

/** IDs that a scenario's `catches` may name: defects, and legal variants where it asks for more than the requirements do. */
export function knownDefects(): ReadonlySet<string> {
  return new Set(defects.filter((d) => d.kind !== 'mutation').map((d) => d.id))
}
