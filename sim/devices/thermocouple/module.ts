/**
 * What a thermocouple module measures and shows: true temperatures to EMF at the terminals, through its offsets and
 * its junction sensor, by ITS-90 back to degrees, and into registers with their flags. Pure; the device gives it the
 * truth and the faults.
 */
import { putInt16 } from '../../../drivers/protocols/modbus/registers.ts'
import { compensated, emf, rangeOf } from './its90.ts'
import { faultModes } from './personality.ts'
import type { Tc8Personality } from './personality.ts'

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

export const typeCodes = { K: 1, T: 2 } as const

/** What was shown last, for channels that freeze. */
export interface Shown {
  /** Tenths of a degree by channel. */
  readonly tenths: Int16Array
  readonly microvolts: Int16Array
}

export function nothingShown(): Shown {
  return { tenths: new Int16Array(channels), microvolts: new Int16Array(channels) }
}

export interface Picture {
  readonly words: Uint16Array
  readonly shown: Shown
}

/**
 * The registers at a moment. `truth` gives °C by channel and of the junction; `modeSet` is the fault mode register's
 * value (0 substitute, 1 freeze, 2 full scale); `last` what was shown before.
 */
export function picture(
  p: Tc8Personality,
  errors: ModuleErrors,
  truth: { readonly tips: readonly number[]; readonly junction: number },
  d: Readonly<Disturbed>,
  modeSet: number,
  last: Shown,
): Picture {
  const r = p.registers
  const mode = d.mode ?? modeSet
  const words = new Uint16Array(registerCount(p))
  const shown = nothingShown()
  const measuredJunction = d.cjFault ? p.cj_fault_value : truth.junction + errors.junction
  let [open, over, under] = [0, 0, 0]

  for (let i = 0; i < channels; i++) {
    const channel = p.channels[i]
    const bit = 1 << i
    const frozen = channel !== null && (d.frozen & bit) !== 0
    const isOpen = channel === null || channel === undefined || (d.open & bit) !== 0
    let tenths = last.tenths[i] ?? 0
    let microvolts = last.microvolts[i] ?? 0
    if (frozen) {
      // stands still, and no flag tells
    } else if (isOpen) {
      open |= bit
      const full = channel === null || channel === undefined ? 0x7fff : 10 * rangeOf(channel.type).to
      if (mode !== faultModes.indexOf('freeze')) {
        tenths = mode === faultModes.indexOf('full_scale') ? full : 0x7fff
        microvolts = 0x7fff
      }
    } else {
      const range = rangeOf(channel.type)
      const across = emf(channel.type, truth.tips[i] ?? 0) - emf(channel.type, truth.junction)
      const turned = (d.reversed & bit) === 0 ? across : -across
      const uv = Math.round(turned * 1000 + (errors.offset[i] ?? 0))
      const measured = compensated(channel.type, uv / 1000, measuredJunction)
      // a short to a stray voltage drives the input beyond either end
      const t = (d.over & bit) !== 0 ? range.to + 1 : (d.under & bit) !== 0 ? range.from - 1 : measured
      if (t > range.to) over |= bit
      if (t < range.from) under |= bit
      tenths = Math.round(10 * Math.min(range.to, Math.max(range.from, t)))
      microvolts = Math.max(-0x8000, Math.min(0x7fff, uv))
    }
    shown.tenths[i] = tenths
    shown.microvolts[i] = microvolts
    putInt16(words, r.temperature + i, tenths)
    putInt16(words, r.microvolts + i, microvolts)
    words[r.type + i] = channel === null || channel === undefined ? 0 : typeCodes[channel.type]
  }
  putInt16(words, r.junction, measuredJunction * 10)
  words[r.open] = open
  words[r.over] = over
  words[r.under] = under
  words[r.cj_fault] = d.cjFault ? 1 : 0
  words[r.fault_mode] = mode
  return { words, shown }
}

/** One more than the highest address. */
export function registerCount(p: Tc8Personality): number {
  const r = p.registers
  const lasts = [r.temperature + 7, r.microvolts + 7, r.type + 7]
  return 1 + Math.max(...lasts, r.junction, r.open, r.over, r.under, r.cj_fault, r.fault_mode)
}
