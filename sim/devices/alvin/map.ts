/** What the registers and bits of a unit mean. The map is ours (personality); the names are of the OpenLV requirements, M:0029. */
import type { Phase } from '../../faces.ts'
import type { AlvinPersonality, InputName } from './personality.ts'
import type { Breaker, Conditions } from './state.ts'

export const phases = ['l1', 'l2', 'l3'] as const satisfies readonly Phase[]

/** Bits of MHR_SHADOW_FAULT_STATUS. */
export const bits = {
  closed: 1 << 0,
  open: 1 << 1,
  lockout: 1 << 2,
  cycle: 1 << 3,
  overcurrent: 1 << 4,
  cableFault: 1 << 5,
  hot: 1 << 6,
  lowEnergy: 1 << 7,
  local: 1 << 8,
  busDead: 1 << 9,
  cableDead: 1 << 10,
  failed: 1 << 11,
  selfTest: 1 << 12,
  blocked: 1 << 13,
  stale: 1 << 15,
} as const

/** What the trip processor knows, as bits; the copy that a master reads lags behind (shadow.ts). */
export function statusOf(s: Breaker, c: Conditions, now: number): number {
  const still = s.moving === undefined
  const flags: readonly (readonly [boolean, number])[] = [
    [still && s.shown === 'closed', bits.closed],
    [still && s.shown === 'open', bits.open],
    [s.lockout, bits.lockout],
    [s.cycle !== undefined || s.moving?.by === 'reclose', bits.cycle],
    [s.tripped, bits.overcurrent],
    [s.faultSeen, bits.cableFault],
    [s.hot, bits.hot],
    [now < s.chargedAt || c.noEnergy === true, bits.lowEnergy],
    [s.local, bits.local],
    [s.busDead, bits.busDead],
    [s.cableDead, bits.cableDead],
    [s.failed, bits.failed],
    [c.selfTest === true, bits.selfTest],
    [s.blocked !== undefined, bits.blocked],
  ]
  return flags.reduce((word, [on, bit]) => (on ? word | bit : word), 0)
}

/** AR_STATE. */
export const arStates = { ready: 0, dead: 1, reclaim: 2, lockout: 3, off: 4 } as const

export function arStateOf(s: Breaker): number {
  if (s.lockout) return arStates.lockout
  if (!s.reclosing.enable) return arStates.off
  if (s.cycle !== undefined || s.moving?.by === 'reclose') return arStates.dead
  return s.reclaim === undefined ? arStates.ready : arStates.reclaim
}

/** A measured thing of a unit: its register, its step there, and its name as truth: `bus_voltage [V]`. */
export interface Quantity {
  readonly name: string
  readonly register: InputName | 'MHR_SHADOW_FAULT_STATUS'
  /** What one count is worth. */
  readonly step: number
  readonly least: number
  readonly most: number
  readonly measure: 'voltage' | 'current' | 'power' | 'temperature' | 'uptime' | 'count' | 'bits'
}

const voltage = { step: 0.1, least: 0, most: 3000, measure: 'voltage' } as const
const power = { step: 10, least: -0x8000, most: 0x7fff, measure: 'power' } as const
const count = { step: 1, least: 0, most: 0xffff, measure: 'count' } as const
const temperature = { step: 0.1, least: -400, most: 1250, measure: 'temperature' } as const

/** In the order of their registers. `least` and `most` in counts, from the ranges of the map. */
export const quantities = [
  { name: 'bus_voltage [V]', register: 'MIR_BUS_VOLTAGE_RMS', ...voltage },
  { name: 'cable_voltage [V]', register: 'MIR_CABLE_VOLTAGE_RMS', ...voltage },
  {
    name: 'link_current [A]',
    register: 'MIR_LINK_CURRENT_RMS',
    step: 0.1,
    least: 0,
    most: 20_000,
    measure: 'current',
  },
  { name: 'active_power [W]', register: 'MIR_ACTIVE_POWER', ...power },
  { name: 'reactive_power [var]', register: 'MIR_REACTIVE_POWER', ...power },
  { name: 'open_operations [1]', register: 'MIR_OPEN_OPERATIONS', ...count },
  { name: 'close_operations [1]', register: 'MIR_CLOSE_OPERATIONS', ...count },
  { name: 'watchdog_faults [1]', register: 'MIR_WATCHDOG_FAULTS_DETECTED', ...count },
  { name: 'chip_temperature [°C]', register: 'MIR_CHIP_TEMPERATURE', ...temperature },
  { name: 'switch_temperature [°C]', register: 'MIR_SWITCH_TEMPERATURE', ...temperature },
  {
    name: 'uptime [s]',
    register: 'MIR_UPTIME_HIGH',
    step: 1,
    least: 0,
    most: 0xffff_ffff,
    measure: 'uptime',
  },
  { name: 'fault_status [1]', register: 'MHR_SHADOW_FAULT_STATUS', ...count, measure: 'bits' },
] as const satisfies readonly Quantity[]

export type QuantityName = (typeof quantities)[number]['name']

/** A value as counts of its register, held at the ends of its range. */
export function countsOf(q: Quantity, value: number): number {
  return Math.max(q.least, Math.min(q.most, Math.round(value / q.step)))
}

/** What counts are worth, without the rounding noise of a tenth. */
export function valueOf(q: Quantity, counts: number): number {
  return q.step < 1 ? counts / Math.round(1 / q.step) : counts * q.step
}

/** Half-width of the legal band about a true value: what the maker is taken to state, and half a step of the register. */
export function accuracyOf(p: AlvinPersonality, q: Quantity, value: number): number {
  const a = p.accuracy
  const size = Math.abs(value)
  const half = q.step / 2
  const least = 0.1 * p.protection.rated
  const beyond = Math.max(0, q.least * q.step - value, value - q.most * q.step)
  switch (q.measure) {
    case 'voltage':
      return a.voltage * size + half + beyond
    case 'current':
      return a.current * Math.max(size, least) + half + beyond
    case 'power':
      // Of the apparent power: that of the largest current it can be, at 230 V, is unknown here; its own share counts.
      return a.power * Math.max(size, least * 230) + half + beyond
    case 'temperature':
      return a.temperature + half + beyond
    case 'uptime':
      return a.uptime
    case 'count':
      return 0
    case 'bits':
      // The copy may lag behind: nothing is stated.
      return 0xffff
  }
  return 0
}
