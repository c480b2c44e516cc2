/** What a meter's quantities are, of a second of the home behind it and of its registers. */
import { type QuantityName, unitOf } from '../../../drivers/protocols/han/quantities.ts'
import { channel, noise } from '../noise.ts'
import { stepOf } from './frames.ts'
import type { HomeSample } from './home.ts'
import type { MeterPersonality } from './personality.ts'
import type { Energies } from './registers.ts'

export type Values = Partial<Record<QuantityName, number>>

/** Import (`way` 0) or export (1) of a signed flow. */
const part = (v: number, way: 0 | 1): number => Math.max(0, way === 0 ? v : -v)

/** The value of a quantity; `energies` is asked for registers only, for counting takes time. */
export function valueOf(q: QuantityName, s: HomeSample, energies: () => Energies): number {
  if (q === 'powerFactor') {
    const apparent = Math.hypot(s.activePower, s.reactivePower)
    return apparent === 0 ? 1 : Math.abs(s.activePower) / apparent
  }
  const n = Number(q.at(-1)) - 1
  if (q.startsWith('current')) return s.current[n] ?? 0
  if (q.startsWith('voltage')) return s.voltage[n] ?? 0
  const active = q.startsWith('active')
  const way = q.includes('Import') ? 0 : 1
  if (q.includes('Energy')) return energies()[(active ? 0 : 2) + way] ?? 0
  if (Number.isNaN(n)) return part(active ? s.activePower : s.reactivePower, way)
  const phase = s.phases[n]
  return phase === undefined ? 0 : part(active ? phase.active : phase.reactive, way)
}

/** Half-width of the maker's band about a true value, as a share of it. */
export function accuracyShare(p: MeterPersonality, q: QuantityName): number {
  const unit = unitOf[q]
  if (unit === 'V') return p.accuracy.voltage
  if (unit === 'A') return p.accuracy.current
  return unit === 'Wh' || unit === 'varh' ? p.accuracy.energy : p.accuracy.power
}

/** Registers of 32 bits begin anew after their last count. */
const registerSpan = 2 ** 32

/** The fixed error of a meter's own: half of its band at the most; `n` is the quantity's place among its quantities. */
export function errorOf(p: MeterPersonality, q: QuantityName, seed: number, n: number): number {
  return 0.5 * accuracyShare(p, q) * noise(channel(seed, 500), n)
}

/** What a meter with that error shows of a truth, in the steps of its registers. */
export function shown(p: MeterPersonality, q: QuantityName, value: number, error: number): number {
  if (p.not_measured.some((n) => n === q)) return 0
  const unit = unitOf[q]
  const step = stepOf(p, unit)
  const counts = Math.round((value * (1 + error)) / step)
  const wrapped =
    unit === 'Wh' || unit === 'varh' ? ((counts % registerSpan) + registerSpan) % registerSpan : counts
  return step < 1 ? wrapped / Math.round(1 / step) : wrapped * step
}

/** Energies of so many Wh before; none below zero. */
export function back(values: Values, wh: number): Values {
  const out = { ...values }
  for (const q of Object.keys(out) as QuantityName[])
    if (unitOf[q] === 'Wh' || unitOf[q] === 'varh') out[q] = Math.max(0, (out[q] ?? 0) - wh)
  return out
}

/** Those of these names; 0 where there is none. */
export function only(values: Values, names: readonly QuantityName[]): Values {
  return Object.fromEntries(names.map((q) => [q, values[q] ?? 0]))
}
