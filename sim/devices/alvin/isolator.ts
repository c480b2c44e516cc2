/**
 * The switch in the line between platform and breakers (OpenLV M:007), which can be locked as it stands (M:008). It is no
 * part of the platform: nothing that the platform does moves it.
 */
import type { Hooks } from '../../../drivers/protocols/modbus/hooks.ts'
import type { Ask } from '../../../drivers/protocols/modbus/hooks.ts'

export interface Isolator {
  readonly engaged: boolean
  readonly locked: boolean
  /** Turns it, locks it, unlocks it. Unlocking comes before turning; locking after. False: it is locked, and stays. */
  turn(what: { readonly engaged?: boolean; readonly locked?: boolean }): boolean
  /** While it is engaged nothing passes, either way. */
  readonly hooks: Hooks
}

/** `stopped`: a request did not get through. */
export function createIsolator(stopped: (ask: Ask) => void): Isolator {
  let engaged = false
  let locked = false
  return {
    get engaged() {
      return engaged
    },
    get locked() {
      return locked
    },
    turn(what) {
      const turns = what.engaged !== undefined && what.engaged !== engaged
      if (turns && locked && what.locked !== false) return false
      engaged = what.engaged ?? engaged
      locked = what.locked ?? locked
      return true
    },
    hooks: {
      asked(ask) {
        if (!engaged) return undefined
        stopped(ask)
        return { ignore: true }
      },
      answering: () => (engaged ? { drop: true } : undefined),
    },
  }
}
