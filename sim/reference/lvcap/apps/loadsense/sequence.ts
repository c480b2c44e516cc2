/** A command to three breakers, one a phase, and what they make of it. */
import type { LoadSenseConfig } from './config.ts'
import type { Breaker } from './situation.ts'

export const phases = ['l1', 'l2', 'l3'] as const
export type Phase = (typeof phases)[number]

export interface Command {
  readonly phase: Phase
  /** True closes. */
  readonly close: boolean
  /** Unix seconds at which it is to be given. */
  readonly at: number
}

/** Three commands, `between` apart. */
export function commandsFor(close: boolean, now: number, c: LoadSenseConfig): readonly Command[] {
  return phases.map((phase, i) => ({ phase, close, at: now + i * c.sequence.between }))
}

export type Progress =
  | { readonly is: 'waiting' }
  | { readonly is: 'done' }
  /** Not all three did it in time: all are to be opened, the automation locked out, and an alarm given. */
  | { readonly is: 'discrepancy'; readonly phases: readonly Phase[] }

/**
 * How far it has got. A reading from before its command says nothing. While a time of answering is left, a breaker
 * that has not moved yet is waited for.
 */
export function progressOf(
  commands: readonly Command[],
  breakers: readonly [Breaker, Breaker, Breaker],
  now: number,
  c: LoadSenseConfig,
): Progress {
  const last = Math.max(...commands.map((k) => k.at))
  const undone = commands.filter((k) => {
    const b = breakers[phases.indexOf(k.phase)]
    // Readings are stamped in whole seconds: the second of the command counts.
    return b === undefined || b.at < Math.floor(k.at) || b.state !== (k.close ? 'closed' : 'open')
  })
  if (undone.length === 0) return { is: 'done' }
  if (now <= last + c.sequence.readBack) return { is: 'waiting' }
  return { is: 'discrepancy', phases: undone.map((k) => k.phase) }
}
