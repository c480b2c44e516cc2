/** What a scenario file exports. */
import type { Roles, Scenario } from '../faces.ts'

/** Declares a scenario. Only gives types: the cast has just the roles that `needs` names. */
export function scenario<const K extends keyof Roles>(s: Scenario<K>): Scenario<K> {
  return s
}
