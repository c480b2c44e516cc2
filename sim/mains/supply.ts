/**
 * What a platform's power supply makes of the mains: it rides through short and shallow dips on what it has stored, and
 * else its platform loses power until the voltage has been back for a while. Pure: state and what happens in, state out.
 */
import { GridproofError } from '../../drivers/errors.ts'
import type { SupplyState } from '../faces.ts'

export interface SupplyRatings {
  /** How long it holds its output without any input, ms. */
  readonly holdUpMs: number
  /** Input below which it draws on what it has stored, per unit of nominal voltage. */
  readonly undervoltage: number
  /** From the return of the voltage to power at its output, ms. */
  readonly startMs: number
}

/**
 * A usual one: it holds for 20 ms, one cycle of 50 Hz, as supplies are tested for by IEC 61000-4-11 (its test of 0 % for one
 * cycle); at 70 % it goes on (the same, test of 70 % for 25 cycles). `startMs` is ours.
 */
export const usualSupply: SupplyRatings = { holdUpMs: 20, undervoltage: 0.7, startMs: 200 }

export const supplied: SupplyState = { voltage: 1, output: 'on' }

/** The state after the voltage has become `voltage` at `now` (ms). Throws `bad-value`. */
export function voltageBecomes(
  s: SupplyState,
  voltage: number,
  now: number,
  r: SupplyRatings = usualSupply,
): SupplyState {
  if (!(voltage >= 0 && voltage <= 2))
    throw new GridproofError('bad-value', `a voltage of ${voltage} per unit: take 0 to 2`)
  const before = passed(s, now)
  const enough = voltage >= r.undervoltage
  if (before.output === 'on')
    return enough ? { voltage, output: 'on' } : { voltage, output: 'on', due: before.due ?? now + r.holdUpMs }
  return enough ? { voltage, output: 'off', due: before.due ?? now + r.startMs } : { voltage, output: 'off' }
}

/** The state at `now`: what was due has come about. */
export function passed(s: SupplyState, now: number): SupplyState {
  if (s.due === undefined || now < s.due) return s
  return { voltage: s.voltage, output: s.output === 'on' ? 'off' : 'on' }
}
