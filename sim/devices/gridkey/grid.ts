/**
 * The truth behind a feeder monitor: busbar and feeders as phasors, second by second, a pure function of time, seed
 * and settings. Second k stands for the span [k, k+1) s and is taken at its middle. What the unit shows at an instant
 * is a mean over the whole seconds before it (the averaging period), so that is the truth it is compared with.
 *
 * Signs: P is positive away from the busbar, Q is positive for an inductive load, PF is P/S.
 */
import type { Instant } from '../../../drivers/faces.ts'
import type { GridKeySource, Phasor } from '../../faces.ts'
import { channel, noise, smooth } from '../noise.ts'
import type { LoadProfile } from '../profile.ts'
import { at, feeders, phases, quantityCount } from './map.ts'
import type { GridKeyPersonality } from './personality.ts'

/** What is in force from an instant on. Absent entries follow the profile and the personality. */
export interface GridSettings {
  readonly load: LoadProfile
  /** Amps by feeder * 3 + phase: a constant instead of the profile; below zero flows back. */
  readonly amps: ReadonlyMap<number, number>
  /** Power factor by feeder. */
  readonly powerFactor: ReadonlyMap<number, number>
  /** L-N volts without load by phase: a constant instead of the model. */
  readonly volts: ReadonlyMap<number, number>
}

export interface Grid {
  /** The mean over the averaging period that ended with the whole second before or at `t`. Do not keep or change it. */
  mean(t: Instant): Float64Array
  /** New settings from an instant on. Those after it are forgotten. */
  change(from: Instant, settings: GridSettings): void
  settings(t: Instant): GridSettings
}

/** A feeder monitor in a network: nothing of the truth is its own. */
export function createFedGrid(
  p: GridKeyPersonality,
  source: GridKeySource,
): Pick<Grid, 'mean'> & {
  /** What is remembered of it counts no more. */
  forget(): void
} {
  const samples = createCache(samplesKept, (k, out) => readInto(source, k, out))
  const means = createMeans(p, samples)
  return {
    mean: (t) => means(Math.floor(t / 1000)),
    forget() {
      samples.clear()
      means.clear()
    },
  }
}

/** What the network has in second `k`, as a feeder monitor names it. */
function readInto(source: GridKeySource, k: number, out: Float64Array): void {
  const { volts, amps, frequency } = source.at(k * 1000 + 500)
  out.fill(0)
  out[at.frequency] = frequency
  for (let phase = 0; phase < phases; phase++) {
    const v = volts[phase] ?? nothing
    const next = volts[(phase + 1) % phases] ?? nothing
    out[at.voltage(phase)] = Math.hypot(v.re, v.im)
    out[at.lineVoltage(phase)] = Math.hypot(v.re - next.re, v.im - next.im)
    for (let f = 0; f < feeders; f++) {
      const i = amps[f]?.[phase] ?? nothing
      const real = v.re * i.re + v.im * i.im
      const reactive = v.im * i.re - v.re * i.im
      const apparent = Math.hypot(real, reactive)
      out[at.current(f, phase)] = Math.hypot(i.re, i.im)
      out[at.realPower(f, phase)] = real
      out[at.reactivePower(f, phase)] = reactive
      out[at.powerFactor(f, phase)] = apparent === 0 ? 0 : real / apparent
    }
  }
}

const nothing: Phasor = { re: 0, im: 0 }

const degrees = Math.PI / 180
const samplesKept = 1024
const meansKept = 256

export function createGrid(p: GridKeyPersonality, seed: number, initial: GridSettings): Grid {
  const timeline: { from: Instant; settings: GridSettings }[] = [
    { from: Number.NEGATIVE_INFINITY, settings: initial },
  ]
  const seeds = Array.from({ length: 16 + feeders * phases * 2 }, (_, i) => channel(seed, i))
  const seedOf = (i: number): number => seeds[i] ?? 0
  const samples = createCache(samplesKept, sampleInto)
  const means = createMeans(p, samples)
  const loads = new Float64Array(feeders * phases)
  const angles = new Float64Array(phases)

  function settingsAt(t: Instant): GridSettings {
    for (let i = timeline.length - 1; i > 0; i--) {
      const entry = timeline[i]
      if (entry !== undefined && entry.from <= t) return entry.settings
    }
    return timeline[0]?.settings ?? initial
  }

  /** Signed amps of every feeder and phase in second `k`. */
  function fillLoads(k: number, s: GridSettings): void {
    const amps = s.load.amps(k * 1000 + 500)
    for (let f = 0; f < feeders; f++) {
      const share = p.feeders[f]?.share
      for (let phase = 0; phase < phases; phase++) {
        const i = f * phases + phase
        const wander = 1 + p.feeder_wander * smooth(seedOf(16 + i), k / 30)
        loads[i] = s.amps.get(i) ?? amps * (share?.[phase] ?? 0) * wander
      }
    }
  }

  function sampleInto(k: number, out: Float64Array): void {
    const s = settingsAt(k * 1000)
    fillLoads(k, s)
    const slow = smooth(seedOf(0), k / 600)
    for (let phase = 0; phase < phases; phase++) {
      let total = 0
      for (let f = 0; f < feeders; f++) total += loads[f * phases + phase] ?? 0
      const wander = 0.7 * slow + 0.3 * smooth(seedOf(1 + phase), k / 120)
      const source = s.volts.get(phase) ?? p.grid.voltage * (1 + p.grid.voltage_wander * wander)
      out[at.voltage(phase)] = Math.max(0, source - p.grid.drop * total)
      angles[phase] =
        (-120 * phase + p.grid.angle_wander * 0.5 * smooth(seedOf(4 + phase), k / 300)) * degrees
    }
    for (let pair = 0; pair < phases; pair++) {
      const other = (pair + 1) % phases
      const a = out[at.voltage(pair)] ?? 0
      const b = out[at.voltage(other)] ?? 0
      const between = (angles[pair] ?? 0) - (angles[other] ?? 0)
      out[at.lineVoltage(pair)] = Math.sqrt(a * a + b * b - 2 * a * b * Math.cos(between))
    }
    out[at.frequency] =
      p.grid.frequency +
      p.grid.frequency_wander * (0.6 * smooth(seedOf(8), k / 240) + 0.4 * smooth(seedOf(9), k / 15))
    for (let f = 0; f < feeders; f++) {
      const powerFactor =
        s.powerFactor.get(f) ??
        (p.feeders[f]?.power_factor ?? 1) - 0.005 * (1 + smooth(seedOf(10 + f), k / 600))
      const reactive = Math.sqrt(Math.max(0, 1 - powerFactor * powerFactor))
      for (let phase = 0; phase < phases; phase++) {
        const amps = loads[f * phases + phase] ?? 0
        const apparent = (out[at.voltage(phase)] ?? 0) * Math.abs(amps)
        out[at.current(f, phase)] = Math.abs(amps)
        out[at.realPower(f, phase)] = Math.sign(amps) * apparent * powerFactor
        out[at.reactivePower(f, phase)] = apparent * reactive
        out[at.powerFactor(f, phase)] = Math.sign(amps) * powerFactor
      }
    }
  }

  return {
    mean: (t) => means(Math.floor(t / 1000)),
    settings: settingsAt,
    change(from, settings) {
      while (timeline.length > 1 && (timeline.at(-1)?.from ?? 0) >= from) timeline.pop()
      timeline.push({ from, settings })
      samples.clear()
      means.clear()
    },
  }
}

/** Means over the averaging period before each whole second. */
function createMeans(p: GridKeyPersonality, samples: Cache): Cache {
  const period = p.averaging / 1000
  return createCache(meansKept, (second, out) => {
    out.fill(0)
    for (let k = second - period; k < second; k++) {
      const sample = samples(k)
      for (let i = 0; i < quantityCount; i++) out[i] = (out[i] ?? 0) + (sample[i] ?? 0)
    }
    for (let i = 0; i < quantityCount; i++) out[i] = (out[i] ?? 0) / period
    // power factors are not averaged: they follow from the mean powers
    for (let f = 0; f < feeders; f++)
      for (let phase = 0; phase < phases; phase++) {
        const real = out[at.realPower(f, phase)] ?? 0
        const apparent = Math.hypot(real, out[at.reactivePower(f, phase)] ?? 0)
        out[at.powerFactor(f, phase)] = apparent === 0 ? 0 : real / apparent
      }
  })
}

interface Cache {
  (k: number): Float64Array
  clear(): void
}

/** Arrays by integer, made when asked for; the last `size` neighbours are kept. */
function createCache(size: number, make: (k: number, out: Float64Array) => void): Cache {
  const keys = new Float64Array(size).fill(Number.NaN)
  const values: Float64Array[] = []
  const get = (k: number): Float64Array => {
    const slot = ((k % size) + size) % size
    const value = (values[slot] ??= new Float64Array(quantityCount))
    if (keys[slot] !== k) {
      keys[slot] = k
      make(k, value)
    }
    return value
  }
  return Object.assign(get, { clear: () => void keys.fill(Number.NaN) })
}

/** The error model: gains of each channel and a little noise, within the accuracy that the personality states. */
export function createMeter(
  p: GridKeyPersonality,
  seed: number,
): (truth: Float64Array, second: number) => Float64Array {
  const own = channel(seed, 1000)
  // a fixed part of at most 60 % of the band and noise of at most 15 %: sums and products stay within it
  const gain = (band: number, n: number): number => 0.6 * band * noise(own, n)
  const wobble = (band: number, n: number, second: number): number =>
    0.15 * band * noise(channel(own, n), second)
  const voltage = Array.from({ length: phases }, (_, i) => gain(p.accuracy.voltage, i))
  const current = Array.from({ length: feeders * phases }, (_, i) => gain(p.accuracy.current, 10 + i))
  /** Error of the angle between voltage and current, radians. Ours: at most 0.05 degrees. */
  const angle = Array.from({ length: feeders * phases }, (_, i) => 0.05 * degrees * noise(own, 40 + i))

  return (truth, second) => {
    const out = Float64Array.from(truth)
    const v = voltage.map((g, i) => g + wobble(p.accuracy.voltage, i, second))
    for (let phase = 0; phase < phases; phase++)
      out[at.voltage(phase)] = (truth[at.voltage(phase)] ?? 0) * (1 + (v[phase] ?? 0))
    for (let pair = 0; pair < phases; pair++) {
      // from the same channels: the line voltage of two vectors that are each a little too long or short
      const a = truth[at.voltage(pair)] ?? 0
      const b = truth[at.voltage((pair + 1) % phases)] ?? 0
      const [ga, gb] = [1 + (v[pair] ?? 0), 1 + (v[(pair + 1) % phases] ?? 0)]
      const line = truth[at.lineVoltage(pair)] ?? 0
      const twoABcos = a * a + b * b - line * line
      out[at.lineVoltage(pair)] = Math.sqrt(Math.max(0, (a * ga) ** 2 + (b * gb) ** 2 - ga * gb * twoABcos))
    }
    out[at.frequency] = (truth[at.frequency] ?? 0) + wobble(p.accuracy.frequency, 5, second)
    for (let f = 0; f < feeders; f++)
      for (let phase = 0; phase < phases; phase++) {
        const i = f * phases + phase
        const gi = 1 + (current[i] ?? 0) + wobble(p.accuracy.current, 10 + i, second)
        const gs = gi * (1 + (v[phase] ?? 0))
        const turn = angle[i] ?? 0
        const [re, im] = [truth[at.realPower(f, phase)] ?? 0, truth[at.reactivePower(f, phase)] ?? 0]
        const real = gs * (re * Math.cos(turn) - im * Math.sin(turn))
        const reactive = gs * (re * Math.sin(turn) + im * Math.cos(turn))
        const apparent = Math.hypot(real, reactive)
        out[at.current(f, phase)] = gi * (truth[at.current(f, phase)] ?? 0)
        out[at.realPower(f, phase)] = real
        out[at.reactivePower(f, phase)] = reactive
        out[at.powerFactor(f, phase)] = apparent === 0 ? 0 : real / apparent
      }
    return out
  }
}
