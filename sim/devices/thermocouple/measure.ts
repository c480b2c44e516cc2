/**
 * What a thermocouple module measures, whatever its make: true temperatures to EMF at the terminals, through its offsets
 * and its junction sensor, and by ITS-90 back to degrees. Pure.
 */
import { compensated, emf } from './its90.ts'
import type { ThermocoupleType } from './its90.ts'

export const channels = 8

/** What is wrong with the wiring of a channel or with the module. Faults set these. */
export interface Disturbed {
  /** Bits of channels. */
  open: number
  reversed: number
  frozen: number
  over: number
  under: number
  /** Fault mode in place of the register's, where a fault sets one. */
  mode?: number
  cjFault: boolean
}

/** Errors of one module, drawn once. */
export interface ModuleErrors {
  /** Microvolts by channel. */
  readonly offset: readonly number[]
  /** °C */
  readonly junction: number
}

export interface Measured {
  /** At the terminals, with the channel's offset, in whole microvolts. */
  readonly microvolts: number
  readonly celsius: number
}

/**
 * One channel. `junction` is the true temperature of the terminals, `reckoned` the one that the module reckons with. A
 * short to a stray voltage drives the input beyond an end of `range`, °C.
 */
export function measure(
  type: ThermocoupleType,
  channel: number,
  tip: number,
  junction: { readonly true: number; readonly reckoned: number },
  offset: number,
  d: Readonly<Disturbed>,
  range: { readonly from: number; readonly to: number },
): Measured {
  const bit = 1 << channel
  const across = emf(type, tip) - emf(type, junction.true)
  const turned = (d.reversed & bit) === 0 ? across : -across
  const microvolts = Math.round(turned * 1000 + offset)
  const measured = compensated(type, microvolts / 1000, junction.reckoned)
  const celsius = (d.over & bit) !== 0 ? range.to + 1 : (d.under & bit) !== 0 ? range.from - 1 : measured
  return { microvolts, celsius }
}
