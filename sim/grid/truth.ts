/**
 * The network of a pair of substations as truth in time: what flows and how warm it is at any instant, a pure function of
 * time, seed and what was changed since. Loads are those at the middle of each five seconds; breakers, sources and faults are as
 * they are at the instant itself. Temperatures go by steps of the personality's length, and of a new one at each change.
 */
import { GridproofError } from '../../drivers/errors.ts'
import type { Instant } from '../../drivers/faces.ts'
import { channel, noise, smooth } from '../devices/noise.ts'
import { profile } from '../devices/profile.ts'
import type { LoadProfile } from '../devices/profile.ts'
import { createCourses } from '../devices/thermocouple/course.ts'
import { readTransformer } from '../devices/transformer/personality.ts'
import type { TransformerParameters } from '../devices/transformer/personality.ts'
import { createThermalTruth, loadFactor } from '../devices/transformer/thermal.ts'
import type { ThermalTruth } from '../devices/transformer/thermal.ts'
import type { ProfileSpec, TemperatureCourse } from '../faces.ts'
import { complex, scaled, sizeOf } from './complex.ts'
import type { Complex } from './complex.ts'
import { sides, solve } from './network.ts'
import type { Load, Network, Side, Solution } from './network.ts'
import type { NetworkPersonality } from './personality.ts'

/** Where a load is: all other feeders of a substation, or along the feeder that both share. */
export type Where = Side | 'shared'

type ByPhase<T> = readonly [T, T, T]

export interface SourceSettings {
  /** Volts without load in place of the personality's and their wander. */
  readonly volts?: number
  /** Degrees in place of the personality's. */
  readonly angle?: number
  /** The high voltage is gone. */
  readonly gone?: boolean
}

export interface GridState {
  readonly loads: { readonly [w in Where]: LoadProfile }
  readonly sources: { readonly [s in Side]: SourceSettings }
  readonly closed: { readonly [s in Side]: ByPhase<boolean> }
  readonly fault: Network['fault'] | undefined
}

export interface GridTruth {
  readonly personality: NetworkPersonality
  /** The phasors: volts against the neutral, amps; L1 of source A without angle lies along the real axis. */
  at(t: Instant): Solution
  state(t: Instant): GridState
  /** °C. */
  thermal(side: Side, t: Instant): { readonly topOil: number; readonly hotSpot: number }
  /** °C of the air outside. */
  ambient(t: Instant): number
  /** Hz, of both. */
  frequency(t: Instant): number
  /** Another state from an instant on; what was set for later is forgotten. */
  change(from: Instant, f: (s: GridState) => Partial<GridState>): void
  follow(from: Instant, where: Where, spec: ProfileSpec): void
  weather(from: Instant, course: TemperatureCourse): void
  /** As if it had always been so: what was before the start too, and the transformers have settled under it. */
  always(o: AlwaysSo): void
  operate(from: Instant, side: Side, phase: number, closed: boolean): void
  /** Called after each change, with its instant and the side whose breaker moved, if that was it. */
  watch(changed: (from: Instant, moved?: Side) => void): void
}

export interface AlwaysSo {
  readonly loads?: { readonly [w in Where]?: ProfileSpec | undefined }
  readonly ambient?: TemperatureCourse
  /** Time of day for which the start stands, hours UTC, for the loads: another part of their day falls into the run. */
  readonly hour?: number
}

export interface GridTruthOptions {
  /** Any integer. */
  readonly seed: number
  readonly began: Instant
  /** Length of a thermal step, ms; the personality's unless given. */
  readonly thermalStep?: number
}

/** So long before the start the transformers are taken to have followed their loads, ms: eight of their time constants. */
const before = 24 * 3_600_000
const day = 24 * 3_600_000
/** Loads stand still for so long, s: little beside the half-minute in which they wander. Ours. */
const tick = 5
/** Solutions kept: of many averaging periods of a feeder monitor. */
const kept = 1024
const states = 3000

/** Throws `no-such` or `bad-file` for transformers and profiles that cannot be read. */
export function createGridTruth(p: NetworkPersonality, o: GridTruthOptions): GridTruth {
  const { seed, began } = o
  const drawn = channel(seed, states)
  const off = (spread: number, n: number): number => 1 + spread * noise(drawn, n)
  const impedance = {
    a: scaled(ohms(p.substations.a.impedance), off(p.spread.impedance, 0)),
    b: scaled(ohms(p.substations.b.impedance), off(p.spread.impedance, 1)),
  }
  const cable = p.feeder.kilometres.map((km, i) =>
    scaled(ohms(p.feeder.ohms_per_km), km * off(p.spread.impedance, 10 + i)),
  )
  const transformers = {
    a: spreadOf(readTransformer(p.substations.a.transformer), p, channel(drawn, 1)),
    b: spreadOf(readTransformer(p.substations.b.transformer), p, channel(drawn, 2)),
  }
  const wanders = Array.from({ length: 3 * (2 + p.feeder.points.length) }, (_, i) => channel(seed, 100 + i))
  const swings = Array.from({ length: 4 }, (_, i) => channel(seed, 50 + i))
  const wanderOf = (i: number, x: number): number => smooth(wanders[i] ?? 0, x)
  const swing = (i: number, x: number): number => smooth(swings[i] ?? 0, x)

  let profiles = 0
  /** ms by which the loads' day is ahead of the run's. */
  let shift = 0
  const loadOf = (spec: ProfileSpec, from: Instant): LoadProfile => {
    const load = profile(spec, channel(seed, 1000 + profiles++), from)
    return { name: load.name, amps: (t) => load.amps(t + shift) }
  }
  const usual = ({ profile: name, scale }: { profile: string; scale: number }): ProfileSpec => ({
    profile: name,
    scale,
  })
  const timeline: { readonly from: Instant; readonly state: GridState }[] = [
    {
      from: Number.NEGATIVE_INFINITY,
      state: {
        loads: {
          a: loadOf(usual(p.substations.a.load), began),
          b: loadOf(usual(p.substations.b.load), began),
          shared: loadOf(usual(p.feeder.load), began),
        },
        sources: { a: {}, b: {} },
        closed: { a: all(p.substations.a.closed), b: all(p.substations.b.closed) },
        fault: undefined,
      },
    },
  ]
  let air = createCourses(p.ambient)
  air.begin(began)
  const watchers: ((from: Instant, moved?: Side) => void)[] = []

  function entryAt(t: Instant): (typeof timeline)[number] {
    let low = 0
    let high = timeline.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((timeline[middle]?.from ?? 0) <= t) low = middle
      else high = middle - 1
    }
    const entry = timeline[low]
    if (entry === undefined) throw new GridproofError('bad-value', 'the network has no state')
    return entry
  }

  /** Amps of a load about second `k`: `i` counts loads, for their own wander. */
  const amps = (base: number, share: ByPhase<number>, i: number, k: number): Load['amps'] => {
    const x = k / 30
    const of = (phase: 0 | 1 | 2): number => base * share[phase] * (1 + p.wander * wanderOf(3 * i + phase, x))
    return [of(0), of(1), of(2)]
  }

  function networkIn(k: number, s: GridState): Network {
    const t = k * 1000
    const high = 1 + p.voltage_wander * (0.7 * swing(0, k / 600) + 0.3 * swing(1, k / 120))
    const station = (side: Side, i: number): Network['a'] => {
      const own = p.substations[side]
      const source = s.sources[side]
      const { share, power_factor: powerFactor, exponent } = own.load
      return {
        source: source.gone === true ? null : (source.volts ?? own.volts * high),
        angle: source.angle ?? own.angle,
        transformer: impedance[side],
        load: { amps: amps(s.loads[side].amps(t), share, i, k), powerFactor, exponent },
      }
    }
    const along = s.loads.shared.amps(t)
    const { power_factor: powerFactor, exponent } = p.feeder.load
    return {
      nominal: p.nominal,
      a: station('a', 0),
      b: station('b', 1),
      feeder: {
        cable,
        loads: p.feeder.points.map(({ share }, i) => ({
          amps: amps(along, share, 2 + i, k),
          powerFactor,
          exponent,
        })),
      },
      closed: s.closed,
      ...(s.fault === undefined ? {} : { fault: s.fault }),
    }
  }

  const solved: (
    | { readonly k: number; readonly state: GridState; readonly solution: Solution }
    | undefined
  )[] = []
  /** In the k-th tick since 1970. */
  function solutionOf(k: number, state: GridState): Solution {
    const slot = ((k % kept) + kept) % kept
    const known = solved[slot]
    if (known !== undefined && known.k === k && known.state === state) return known.solution
    const solution = solve(networkIn((k + 0.5) * tick, state))
    solved[slot] = { k, state, solution }
    return solution
  }

  const step = o.thermalStep ?? p.thermal_step
  let warm: { readonly [s in Side]: ThermalTruth } = { a: begin('a'), b: begin('b') }
  /** Up to here the temperatures' steps are laid. */
  let laid = began - before

  function inputAt(side: Side, t: Instant, state: GridState): { load: number; ambient: number } {
    const middle = Math.floor(t / step) * step + step / 2
    const solution = solutionOf(tickOf(middle), state)
    const currents = solution.map((phase) => sizeOf(phase[side].transformer))
    return { load: loadFactor(transformers[side], currents), ambient: air.at(middle) }
  }
  function begin(side: Side): ThermalTruth {
    const from = began - before
    return createThermalTruth(transformers[side], from, inputAt(side, from, entryAt(from).state))
  }
  /** Lays steps until `t`: each begins at a multiple of the step's length, or at a change. */
  function lay(t: Instant): void {
    while (laid <= t) {
      const { state } = entryAt(laid)
      for (const side of sides) warm[side].change(laid, inputAt(side, laid, state))
      // Before the start nobody looks: ten minutes at a time are as good.
      const length = laid < began ? Math.max(step, 600_000) : step
      let next = (Math.floor(laid / length) + 1) * length
      if (laid < began && next > began) next = began
      const changed = timeline.find((e) => e.from > laid)
      laid = changed === undefined ? next : Math.min(next, changed.from)
    }
  }

  function changed(from: Instant, moved?: Side): void {
    // The step that the change falls into goes on until then as it began.
    if (laid > from) laid = from
    for (const w of watchers) w(from, moved)
  }
  function put(from: Instant, f: (s: GridState) => Partial<GridState>): void {
    const state = { ...entryAt(from).state, ...f(entryAt(from).state) }
    while (timeline.length > 1 && (timeline.at(-1)?.from ?? 0) >= from) timeline.pop()
    timeline.push({ from, state })
  }

  const truth: GridTruth = {
    personality: p,
    at: (t) => solutionOf(tickOf(t), entryAt(t).state),
    state: (t) => entryAt(t).state,
    thermal(side, t) {
      lay(t)
      return warm[side].at(t)
    },
    ambient: (t) => air.at(t),
    frequency(t) {
      const k = Math.floor(t / 1000)
      return p.frequency + p.frequency_wander * (0.6 * swing(2, k / 240) + 0.4 * swing(3, k / 15))
    },
    change(from, f) {
      put(from, f)
      changed(from)
    },
    follow(from, where, spec) {
      const load = loadOf(spec, from)
      truth.change(from, (s) => ({ loads: { ...s.loads, [where]: load } }))
    },
    always({ loads, ambient, hour }) {
      if (hour !== undefined) shift = hour * 3_600_000 - (((began % day) + day) % day)
      const set = Object.entries(loads ?? {}) as [Where, ProfileSpec | undefined][]
      for (const [where, spec] of set) {
        if (spec === undefined) continue
        const load = loadOf(spec, began)
        for (const [i, e] of timeline.entries())
          timeline[i] = { ...e, state: { ...e.state, loads: { ...e.state.loads, [where]: load } } }
      }
      if (ambient !== undefined) {
        air = createCourses(ambient)
        air.begin(began)
      }
      solved.length = 0
      warm = { a: begin('a'), b: begin('b') }
      laid = began - before
      for (const w of watchers) w(began)
    },
    weather(from, course) {
      air.change(from, course)
      changed(from)
    },
    operate(from, side, phase, closed) {
      const own = entryAt(from).state.closed[side]
      if (own[phase] === closed) return
      const to = own.map((c, i) => (i === phase ? closed : c)) as unknown as ByPhase<boolean>
      put(from, (s) => ({ closed: { ...s.closed, [side]: to } }))
      changed(from, side)
    },
    watch: (f) => void watchers.push(f),
  }
  return truth
}

const tickOf = (t: Instant): number => Math.floor(t / (1000 * tick))
const ohms = ([re, im]: readonly [number, number]): Complex => complex(re, im)
const all = (closed: boolean): ByPhase<boolean> => [closed, closed, closed]

/** A transformer as it really is: the figures of its personality, each a little off. */
function spreadOf(t: TransformerParameters, p: NetworkPersonality, seed: number): TransformerParameters {
  const off = (n: number, spread: number): number => 1 + spread * noise(seed, n)
  return {
    ...t,
    top_oil_rise: t.top_oil_rise * off(0, p.spread.top_oil_rise),
    hot_spot_rise: t.hot_spot_rise * off(1, p.spread.hot_spot_rise),
    oil_time_constant: t.oil_time_constant * off(2, p.spread.oil_time_constant),
    winding_time_constant: t.winding_time_constant * off(3, p.spread.winding_time_constant),
  }
}
