/**
 * The truth behind a smart meter: a service line, loads and generation behind it, second by second, a pure function of
 * time, seed and settings. Networks are solved as phasors: in an IT network the loads stand between lines, and the
 * currents of the lines are what is left of those of two loads.
 *
 * Signs: P is positive into the home, Q positive for an inductive load.
 */
import type { Instant } from '../../../drivers/faces.ts'
import { channel, smooth } from '../noise.ts'
import type { LoadProfile } from '../profile.ts'
import type { MeterPersonality } from './personality.ts'

/** What is in force from an instant on. Absent entries follow the profile and the personality. */
export interface HomeSettings {
  readonly load: LoadProfile
  /** W by load: a constant instead of the profile; below zero is generation. */
  readonly watts: ReadonlyMap<number, number>
  readonly powerFactor: number | undefined
  /** V without load by phase (IT: by pair of lines): a constant instead of the model. */
  readonly volts: ReadonlyMap<number, number>
}

/** Of one second. Powers in W and var, currents in A, voltages in V. */
export interface HomeSample {
  readonly voltage: readonly [number, number, number]
  readonly current: readonly [number, number, number]
  /** Sum over phases; negative: fed into the grid. */
  readonly activePower: number
  readonly reactivePower: number
  /** Of each phase; none in an IT network, where loads stand between lines. */
  readonly phases: readonly { readonly active: number; readonly reactive: number }[]
}

interface Phasor {
  readonly re: number
  readonly im: number
}

const polar = (size: number, angle: number): Phasor => ({
  re: size * Math.cos(angle),
  im: size * Math.sin(angle),
})
const minus = (a: Phasor, b: Phasor): Phasor => ({ re: a.re - b.re, im: a.im - b.im })
const size = (a: Phasor): number => Math.hypot(a.re, a.im)
/** S = U I*: active power in `re`, reactive in `im`. */
const power = (u: Phasor, i: Phasor): Phasor => ({
  re: u.re * i.re + u.im * i.im,
  im: u.im * i.re - u.re * i.im,
})
/** The current at a voltage that takes so much active power at a power factor, inductive. */
function currentFor(u: Phasor, watts: number, powerFactor: number): Phasor {
  const volts = size(u)
  if (volts === 0 || watts === 0) return { re: 0, im: 0 }
  const reactive = (Math.abs(watts) * Math.sqrt(1 - powerFactor * powerFactor)) / powerFactor
  // I = (S / U)*
  const square = volts * volts
  return { re: (u.re * watts + u.im * reactive) / square, im: (u.im * watts - u.re * reactive) / square }
}

const third = (2 * Math.PI) / 3

/** Seconds kept: lists look at the last few. */
const kept = 128

export interface Home {
  /** The second that ended at or before `t`. */
  at(t: Instant): HomeSample
  /** New settings from an instant on. Those after it are forgotten. */
  change(from: Instant, settings: HomeSettings): void
  settings(t: Instant): HomeSettings
}

export function createHome(p: MeterPersonality, seed: number, initial: HomeSettings): Home {
  const timeline: { from: Instant; settings: HomeSettings }[] = [
    { from: Number.NEGATIVE_INFINITY, settings: initial },
  ]
  const seeds = Array.from({ length: 16 }, (_, i) => channel(seed, i))
  const cache = new Map<number, HomeSample>()
  const loads = p.network === 'single' ? 1 : 3

  function settingsAt(t: Instant): HomeSettings {
    for (let i = timeline.length - 1; i > 0; i--) {
      const entry = timeline[i]
      if (entry !== undefined && entry.from <= t) return entry.settings
    }
    return timeline[0]?.settings ?? initial
  }

  /** Amps of the profile to watts of one load. */
  function watts(k: number, s: HomeSettings): number[] {
    const amps = s.load.amps(k * 1000 + 500) * p.home.scale
    const list: number[] = []
    for (let i = 0; i < loads; i++) {
      const wander = 1 + p.home.wander * smooth(seeds[i] ?? 0, k / 20)
      list.push(s.watts.get(i) ?? amps * (p.home.share[i] ?? 0) * p.home.voltage * wander)
    }
    return list
  }

  /** Voltages without load: phase to neutral, or potentials of the lines whose differences have the stated sizes. */
  function source(k: number, s: HomeSettings): number[] {
    const slow = smooth(seeds[8] ?? 0, k / 600)
    return Array.from({ length: loads }, (_, i) => {
      const wander = 0.7 * slow + 0.3 * smooth(seeds[9 + i] ?? 0, k / 120)
      return s.volts.get(i) ?? p.home.voltage * (1 + p.home.voltage_wander * wander)
    })
  }

  function sample(k: number): HomeSample {
    const s = settingsAt(k * 1000)
    const powerFactor = s.powerFactor ?? p.home.power_factor
    const w = watts(k, s)
    const u = source(k, s)
    return p.network === 'IT' ? delta(u, w, powerFactor) : star(u, w, powerFactor)
  }

  function star(u: readonly number[], w: readonly number[], powerFactor: number): HomeSample {
    const voltage: [number, number, number] = [0, 0, 0]
    const current: [number, number, number] = [0, 0, 0]
    let [active, reactive] = [0, 0]
    const phases: { active: number; reactive: number }[] = []
    for (let i = 0; i < loads; i++) {
      // The drop along the line follows from the current at the open voltage: small, and one step is enough of it.
      const open = polar(u[i] ?? 0, -third * i)
      const first = currentFor(open, w[i] ?? 0, powerFactor)
      const behind = minus(open, { re: p.home.drop * first.re, im: p.home.drop * first.im })
      const amps = currentFor(behind, w[i] ?? 0, powerFactor)
      const s = power(behind, amps)
      voltage[i] = size(behind)
      current[i] = size(amps)
      phases.push({ active: s.re, reactive: s.im })
      active += s.re
      reactive += s.im
    }
    return { voltage, current, activePower: active, reactivePower: reactive, phases }
  }

  function delta(u: readonly number[], w: readonly number[], powerFactor: number): HomeSample {
    const lines = triangle(u)
    const open = lines.map((a, i) => minus(a, lines[(i + 1) % 3] ?? a))
    const first = open.map((v, i) => currentFor(v, w[i] ?? 0, powerFactor))
    const at = lines.map((a, i) => {
      const amps = minus(first[i] ?? a, first[(i + 2) % 3] ?? a)
      return minus(a, { re: p.home.drop * amps.re, im: p.home.drop * amps.im })
    })
    const between = at.map((a, i) => minus(a, at[(i + 1) % 3] ?? a))
    const inLoads = between.map((v, i) => currentFor(v, w[i] ?? 0, powerFactor))
    let [active, reactive] = [0, 0]
    for (const [i, v] of between.entries()) {
      const s = power(v, inLoads[i] ?? v)
      active += s.re
      reactive += s.im
    }
    const current = inLoads.map((j, i) => size(minus(j, inLoads[(i + 2) % 3] ?? j)))
    const [a = 0, b = 0, c = 0] = between.map(size)
    const [i1 = 0, i2 = 0, i3 = 0] = current
    // KFM_001 numbers them U1 = L1-L2, U2 = L1-L3, U3 = L2-L3.
    return {
      voltage: [a, c, b],
      current: [i1, i2, i3],
      activePower: active,
      reactivePower: reactive,
      phases: [],
    }
  }

  return {
    settings: settingsAt,
    at(t) {
      const k = Math.floor(t / 1000) - 1
      const had = cache.get(k)
      if (had !== undefined) return had
      const made = sample(k)
      if (cache.size >= kept) cache.clear()
      cache.set(k, made)
      return made
    },
    change(from, settings) {
      while (timeline.length > 1 && (timeline.at(-1)?.from ?? 0) >= from) timeline.pop()
      timeline.push({ from, settings })
      cache.clear()
    },
  }
}

/** Potentials of three lines whose differences (1-2, 2-3, 3-1) have these sizes; about their centre. */
function triangle(sides: readonly number[]): Phasor[] {
  const [a = 0, b = 0, c = 0] = sides
  // Corner 1 at 0, corner 2 on the axis, corner 3 by the law of cosines; sides that meet in no triangle lie flat.
  const x = a === 0 ? 0 : (a * a + c * c - b * b) / (2 * a)
  const y = Math.sqrt(Math.max(0, c * c - x * x))
  const corners = [polar(0, 0), { re: -a, im: 0 }, { re: -x, im: y }]
  const centre = { re: (-a - x) / 3, im: y / 3 }
  return corners.map((v) => minus(v, centre))
}
