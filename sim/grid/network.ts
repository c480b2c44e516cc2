/**
 * Two substations and the feeder between them, as phasors of the steady state:
 *
 *   source A - transformer A - busbar A - breaker A - cable - load - cable - ... - breaker B - busbar B - transformer B - source B
 *
 * Each phase is solved alone (a breaker is three single-phase units), with its neutral at zero: coupling between phases
 * and the neutral's impedance are left out. A load is an admittance that follows its voltage by an exponent: 2 for a
 * constant impedance, 1 for a constant current, 0 for constant power; at the nominal voltage it takes the amps given.
 *
 * It is a ladder, and solved as one: everything on the left is folded into one Norton source, node by node, and then
 * currents and voltages follow from the right by Kirchhoff's two laws themselves. So a closed breaker can have no
 * impedance at all, and a part without any source is at zero volts.
 *
 * Impedances and the layout are the rig's to give; the laws are nobody's.
 */
import { GridproofError } from '../../drivers/errors.ts'
import {
  add,
  complex,
  conjugate,
  over,
  polar,
  scaled,
  sizeOf,
  subtract,
  times,
  zero,
  type Complex,
} from './complex.ts'

/** Amps at the nominal voltage, by phase; below zero it feeds in. The power factor is lagging where positive. */
export interface Load {
  readonly amps: readonly [number, number, number]
  /** P/S, 0 to 1 in size; negative: leading. */
  readonly powerFactor: number
  /** How its power follows the voltage: 2 impedance, 1 current, 0 power. */
  readonly exponent: number
}

/** One substation. */
export interface Substation {
  /** Volts without load between line and neutral, on the low-voltage side; null where the high voltage is gone. */
  readonly source: number | null
  /** Degrees by which its source leads. */
  readonly angle: number
  /** Ohms per phase on the low-voltage side. */
  readonly transformer: Complex
  /** All its feeders but the shared one. */
  readonly load: Load
}

/** The shared feeder from A to B: cable before each point of load, and after the last. */
export interface Feeder {
  /** Ohms per phase of each length of cable: one more than `loads`. */
  readonly cable: readonly Complex[]
  readonly loads: readonly Load[]
}

export type Side = 'a' | 'b'
export const sides: readonly Side[] = ['a', 'b']

export interface Network {
  /** Volts between line and neutral for which loads are given. */
  readonly nominal: number
  readonly a: Substation
  readonly b: Substation
  readonly feeder: Feeder
  /** Whether each phase's breaker is closed, at each end. */
  readonly closed: { readonly [side in Side]: readonly [boolean, boolean, boolean] }
  /** A fault from a phase to neutral at a point of load of the feeder (from 0, from A). */
  readonly fault?: { readonly phase: number; readonly at: number; readonly ohms: number }
}

/** One substation's end in one phase. Currents flow out of the busbar where positive in P. */
export interface End {
  readonly busVoltage: Complex
  /** On the cable's side of the breaker. */
  readonly cableVoltage: Complex
  /** Through the breaker, from the busbar into the cable. */
  readonly link: Complex
  /** Through the transformer, into the busbar. */
  readonly transformer: Complex
  /** Of all other feeders. */
  readonly load: Complex
}

export interface PhaseSolution {
  readonly a: End
  readonly b: End
  /** At each point of load of the feeder. */
  readonly voltages: readonly Complex[]
  /** Out of the feeder at each point: load, and fault. */
  readonly loads: readonly Complex[]
  readonly faults: readonly Complex[]
  /** Through each length of cable, from A to B. */
  readonly cable: readonly Complex[]
}

export type Solution = readonly [PhaseSolution, PhaseSolution, PhaseSolution]

/** How closely a load's size must be what its exponent asks, and in how many rounds. Ours. */
const closeEnough = 1e-10
const rounds = 200

/**
 * Solves the network. Throws `bad-value` for lengths of cable that do not fit the loads, impedances and numbers that
 * cannot be, and loads that no voltage satisfies (constant power beyond what the network can carry).
 */
export function solve(n: Network): Solution {
  check(n)
  return [solvePhase(n, 0), solvePhase(n, 1), solvePhase(n, 2)]
}

function check(n: Network): void {
  const refuse = (what: string): never => {
    throw new GridproofError('bad-value', `the network cannot be solved: ${what}`)
  }
  const { cable, loads } = n.feeder
  if (cable.length !== loads.length + 1)
    refuse(`${loads.length} points of load need ${loads.length + 1} lengths of cable, not ${cable.length}`)
  const passive = (z: Complex): boolean => z.re >= 0 && Number.isFinite(z.re) && Number.isFinite(z.im)
  if (!cable.every(passive)) refuse('a length of cable has no resistance from 0 up')
  for (const s of [n.a, n.b]) {
    if (!passive(s.transformer) || sizeOf(s.transformer) === 0) refuse('a transformer has no impedance')
    if (!Number.isFinite(s.source ?? 0) || !Number.isFinite(s.angle)) refuse('a source is no number')
  }
  for (const l of [n.a.load, n.b.load, ...loads])
    if (
      !l.amps.every(Number.isFinite) ||
      !(Math.abs(l.powerFactor) <= 1) ||
      !(l.exponent >= 0 && l.exponent <= 3)
    )
      refuse('a load has amps that are no number, a power factor beyond 1, or an exponent outside 0 to 3')
  if (!(n.nominal > 0)) refuse('the nominal voltage is not above 0')
  if (n.fault !== undefined && (!(n.fault.ohms > 0) || loads[n.fault.at] === undefined))
    refuse('a fault needs ohms above 0 and a point of load')
}

/** The admittance that a load has at its nominal voltage. */
function nominalAdmittance(n: Network, l: Load, phase: number): Complex {
  const size = (l.amps[phase] ?? 0) / n.nominal
  const pf = Math.abs(l.powerFactor)
  const reactive = Math.sqrt(1 - pf * pf) * Math.sign(l.powerFactor === 0 ? 1 : l.powerFactor)
  return { re: size * pf, im: -size * reactive }
}

function solvePhase(n: Network, phase: number): PhaseSolution {
  const all = [n.a.load, ...n.feeder.loads, n.b.load]
  const nominal = all.map((l) => nominalAdmittance(n, l, phase))
  // nodes: busbar A, the points of load, busbar B
  const fault = all.map((_, i) =>
    n.fault?.phase === phase && n.fault.at === i - 1 ? complex(1 / n.fault.ohms) : zero,
  )
  // what each load is of its admittance at the nominal voltage
  let share = all.map(() => 1)
  for (let round = 0; round < rounds; round++) {
    const loads = nominal.map((y, i) => scaled(y, share[i] ?? 1))
    const v = ladder(n, phase, loads, fault)
    const asked = all.map((l, i) => shareAt(l, sizeOf(v.nodes[i] ?? zero) / n.nominal))
    const off = asked.reduce((most, s, i) => Math.max(most, Math.abs(s / (share[i] ?? 1) - 1)), 0)
    if (off <= closeEnough) return named(n, phase, loads, fault, v)
    share = asked
  }
  throw new GridproofError(
    'bad-value',
    'the network cannot be solved: its loads ask for more than it can carry; give them a larger exponent or fewer amps',
  )
}

/** Below this share of the nominal voltage a load is an impedance, as appliances let go. Ours. */
const letsGo = 0.5

function shareAt(l: Load, voltage: number): number {
  return l.exponent === 2 ? 1 : Math.max(voltage, letsGo) ** (l.exponent - 2)
}

interface Ladder {
  /** Busbar A, points of load, busbar B. */
  readonly nodes: readonly Complex[]
  /** From A to B: through breaker A, each length of cable, through breaker B. The first and last lengths carry the breakers'. */
  readonly cable: readonly Complex[]
}

/** Voltages and currents under loads that are admittances. */
function ladder(n: Network, phase: number, loads: readonly Complex[], fault: readonly Complex[]): Ladder {
  const count = loads.length
  const shunt = (i: number): Complex => add(loads[i] ?? zero, fault[i] ?? zero)
  // From the left: all up to node i as a current source `j` with an admittance `y` beside it; the node's own shunt not yet.
  const left: { j: Complex; y: Complex }[] = [norton(n.a, phase)]
  for (let i = 1; i < count; i++) {
    const before = left[i - 1] ?? { j: zero, y: zero }
    if (broken(n, phase, i, count)) {
      left.push({ j: zero, y: zero })
      continue
    }
    const y = add(before.y, shunt(i - 1))
    const through = add(complex(1), times(n.feeder.cable[i - 1] ?? zero, y))
    left.push({ j: over(before.j, through), y: over(y, through) })
  }
  // From the right: Kirchhoff's laws, node by node. `out` leaves node i to the right.
  const nodes: Complex[] = Array.from({ length: count }, () => zero)
  const cable: Complex[] = Array.from({ length: count - 1 }, () => zero)
  const right = norton(n.b, phase)
  let out = zero
  for (let i = count - 1; i >= 0; i--) {
    const from = left[i] ?? { j: zero, y: zero }
    const ends = i === count - 1
    if (ends || broken(n, phase, i + 1, count)) {
      const y = add(add(from.y, shunt(i)), ends ? right.y : zero)
      const j = add(from.j, ends ? right.j : zero)
      nodes[i] = sizeOf(j) === 0 ? zero : over(j, y)
      out = ends ? subtract(times(right.y, nodes[i] ?? zero), right.j) : zero
    } else {
      nodes[i] = add(nodes[i + 1] ?? zero, times(n.feeder.cable[i] ?? zero, out))
    }
    const into = add(out, times(shunt(i), nodes[i] ?? zero))
    out = i > 0 && !broken(n, phase, i, count) ? into : zero
    if (i > 0) cable[i - 1] = out
  }
  return { nodes, cable }
}

/** Whether a breaker is open between node `i - 1` and node `i`: both stand at the busbars. */
function broken(n: Network, phase: number, i: number, count: number): boolean {
  return (i === 1 && !(n.closed.a[phase] ?? false)) || (i === count - 1 && !(n.closed.b[phase] ?? false))
}

/** A substation's source behind its transformer. */
function norton(s: Substation, phase: number): { j: Complex; y: Complex } {
  if (s.source === null) return { j: zero, y: zero }
  const y = over(complex(1), s.transformer)
  return { j: times(polar(s.source, s.angle - 120 * phase), y), y }
}

function named(
  n: Network,
  phase: number,
  loads: readonly Complex[],
  fault: readonly Complex[],
  { nodes, cable }: Ladder,
): PhaseSolution {
  const last = nodes.length - 1
  const drawn = (y: readonly Complex[]): Complex[] => nodes.map((v, i) => times(y[i] ?? zero, v))
  const taken = drawn(loads)
  const end = (side: Side): End => {
    const bus = side === 'a' ? 0 : last
    const link = side === 'a' ? (cable[0] ?? zero) : subtract(zero, cable[last - 1] ?? zero)
    const load = taken[bus] ?? zero
    const closed = n.closed[side][phase] ?? false
    const busVoltage = nodes[bus] ?? zero
    return {
      busVoltage,
      cableVoltage: closed ? busVoltage : openEnd(n, phase, nodes, side),
      link,
      transformer: n[side].source === null ? zero : add(link, load),
      load,
    }
  }
  return {
    a: end('a'),
    b: end('b'),
    voltages: nodes.slice(1, -1),
    loads: taken.slice(1, -1),
    faults: drawn(fault).slice(1, -1),
    cable,
  }
}

/** An open end carries no current: it has the voltage of the nearest point of load, or of the other end where there is none. */
function openEnd(n: Network, phase: number, nodes: readonly Complex[], side: Side): Complex {
  if (n.feeder.loads.length > 0) return nodes[side === 'a' ? 1 : nodes.length - 2] ?? zero
  const other = side === 'a' ? 'b' : 'a'
  return (n.closed[other][phase] ?? false) ? (nodes[other === 'a' ? 0 : 1] ?? zero) : zero
}

/** Complex power in W and var of a current at a voltage: P positive along the current, Q positive inductive. */
export function power(voltage: Complex, current: Complex): { readonly p: number; readonly q: number } {
  const s = times(voltage, conjugate(current))
  return { p: s.re, q: s.im }
}
