/** Quantities of a feeder monitor, their order, and where they lie in its registers. */
import { GridproofError } from '../../../drivers/errors.ts'
import type { GridKeyPersonality } from './personality.ts'

export const feeders = 5
export const phases = 3

/** Place of a quantity in an array of all 67. */
export const at = {
  voltage: (phase: number): number => phase,
  /** 0: L1-L2, 1: L2-L3, 2: L3-L1. */
  lineVoltage: (pair: number): number => 3 + pair,
  frequency: 6,
  current: (feeder: number, phase: number): number => 7 + feeder * 12 + phase,
  powerFactor: (feeder: number, phase: number): number => 10 + feeder * 12 + phase,
  realPower: (feeder: number, phase: number): number => 13 + feeder * 12 + phase,
  reactivePower: (feeder: number, phase: number): number => 16 + feeder * 12 + phase,
} as const

export const quantityCount = 7 + feeders * 12

export type Measure = 'voltage' | 'frequency' | 'current' | 'power_factor' | 'real_power' | 'reactive_power'

export interface Quantity {
  /** With unit: `feeder1.l1.current [A]`. */
  readonly name: string
  readonly measure: Measure
  /** Place in an array of all quantities. */
  readonly index: number
  /** First of its two registers. */
  readonly address: number
}

/** Every quantity in the order of `at`. */
export function quantitiesOf(p: GridKeyPersonality): readonly Quantity[] {
  const list: Omit<Quantity, 'index'>[] = []
  const busbar = p.registers.busbar
  for (const k of ['l1n', 'l2n', 'l3n', 'l1l2', 'l2l3', 'l3l1'] as const)
    list.push({ name: `busbar.${k}.voltage [V]`, measure: 'voltage', address: busbar[k] })
  list.push({ name: 'busbar.frequency [Hz]', measure: 'frequency', address: busbar.frequency })
  const units = { current: 'A', power_factor: '1', real_power: 'W', reactive_power: 'var' } as const
  const block = p.registers.feeder
  for (let f = 0; f < feeders; f++)
    for (const measure of ['current', 'power_factor', 'real_power', 'reactive_power'] as const)
      for (let phase = 0; phase < phases; phase++)
        list.push({
          name: `feeder${f + 1}.l${phase + 1}.${measure} [${units[measure]}]`,
          measure,
          address: block.first + f * block.stride + block[measure] + 2 * phase,
        })
  return list.map((q, index) => ({ ...q, index }))
}

/** Which input registers exist. Throws `bad-value` where two things share a register, or one lies past 65535. */
export function registerMask(p: GridKeyPersonality, quantities: readonly Quantity[]): Uint8Array {
  const { time, sequence, validity, state, averaging } = p.registers.status
  const all: [name: string, address: number, count: number][] = [
    ...quantities.map((q): [string, number, number] => [q.name, q.address, 2]),
    ['time', time, 2],
    ['sequence', sequence, 2],
    ['validity', validity, 1],
    ['state', state, 1],
    ['averaging', averaging, 1],
  ]
  const mask = new Uint8Array(Math.max(...all.map(([, a, n]) => a + n)))
  if (mask.length > 0x10000)
    throw new GridproofError('bad-value', `${p.title}: its registers reach past address 65535`)
  for (const [name, address, count] of all) {
    for (let i = address; i < address + count; i++) {
      if (mask[i] === 1)
        throw new GridproofError(
          'bad-value',
          `${p.title}: register ${i} of ${name} belongs to something else too`,
        )
      mask[i] = 1
    }
  }
  return mask
}
