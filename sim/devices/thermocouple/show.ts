/** How a make of module shows what it measures: its tables. The wire and the truth are the device's (device.ts). */
import type { Ask } from '../../../drivers/protocols/modbus/hooks.ts'
import type { Table } from '../../../drivers/protocols/modbus/model.ts'
import type { ModuleErrors, Disturbed } from './measure.ts'

/** True temperatures, °C: at the tips, by channel, and at the terminals. */
export interface Truth {
  readonly tips: readonly number[]
  readonly junction: number
}

/** Keeps what it showed last, for channels that freeze. */
export interface Show {
  has(table: Table, address: number, quantity: number): boolean
  /** Works everything out for this moment. `mode`: what an open input shows, an index of `faultModes`. */
  scan(errors: ModuleErrors, truth: Truth, d: Readonly<Disturbed>, mode: number): void
  /** Of the last scan. */
  read(table: Table, address: number, quantity: number, into: Uint16Array): void
  /** Whether it tells of a broken junction sensor. */
  readonly tellsJunction: boolean
  /** Register of the fault mode, where it can be written. */
  readonly modeAt?: number
  /** What an answer (`data`: what follows its byte count) says of a channel, °C; undefined where it is not about it. */
  told(ask: Ask, data: DataView, channel: number): number | undefined
  /** Temperatures that a channel can show, °C. */
  range(channel: number): { readonly from: number; readonly to: number }
}
