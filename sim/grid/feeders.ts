/**
 * The network as a role: scenarios change it, and it tells what is true of it. Each minute it writes one event for each
 * side, `network.a` and `network.b`: temperatures and loads; and one whenever a contact has moved, `network.breaker.a.l1`.
 */
import { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import type { Instant, Json } from '../../drivers/faces.ts'
import { createFaults, faultKind } from '../devices/faults.ts'
import { profile } from '../devices/profile.ts'
import { courseSchema } from '../devices/thermocouple/personality.ts'
import { readTransformer } from '../devices/transformer/personality.ts'
import { loadFactor } from '../devices/transformer/thermal.ts'
import type { DeviceEnv, Feeders, ProfileSpec, TemperatureCourse } from '../faces.ts'
import { sizeOf } from './complex.ts'
import type { Complex } from './complex.ts'
import { sides } from './network.ts'
import type { PhaseSolution, Side } from './network.ts'
import type { NetworkPersonality } from './personality.ts'
import { createGridTruth } from './truth.ts'
import type { GridState, GridTruth, SourceSettings, Where } from './truth.ts'

/** How often it tells, ms. Ours. */
const tellEvery = 60_000
/** Of a half-hour: its middle is near enough to its mean, for a past to learn from. Ours. */
const samples = 1
const halfHour = 1_800_000

export interface FeedersOptions {
  /** Loads from the start, in place of the personality's. */
  readonly loads?: { readonly [w in Where]?: ProfileSpec | undefined }
  readonly ambient?: TemperatureCourse
}

/** The role, with the truth that devices are fed from. */
export type PlayedFeeders = Feeders & { readonly grid: GridTruth }

const phases = [0, 1, 2] as const
const side = z.enum(['a', 'b'])

/** Begins now. Throws `no-such`, `bad-file` for profiles and transformers that cannot be read. */
export function playFeeders(p: NetworkPersonality, env: DeviceEnv, o: FeedersOptions = {}): PlayedFeeders {
  const began = env.now()
  const seed = Math.floor(env.random('model') * 2 ** 32) | 0
  const grid = createGridTruth(p, { seed, began })
  /** The same network with breakers that never move: what would have been without meshing. */
  const apart = createGridTruth(p, { seed, began })
  const both = (f: (g: GridTruth) => void): void => {
    f(grid)
    f(apart)
  }
  const rated = { a: ratedOf(p, 'a'), b: ratedOf(p, 'b') }
  if (o.ambient !== undefined) {
    const course = o.ambient
    both((g) => g.weather(began, course))
  }
  for (const [where, spec] of Object.entries(o.loads ?? {}) as [Where, ProfileSpec | undefined][])
    if (spec !== undefined) both((g) => g.follow(began, where, spec))

  /** Contacts whose first position is known: it is that of the network that stays apart. */
  const placed = new Set<string>()
  const played: GridTruth = {
    ...grid,
    operate(from, of, phase, closed) {
      const name = `network.breaker.${of}.l${phase + 1}`
      const was = grid.state(from).closed[of][phase]
      grid.operate(from, of, phase, closed)
      if (!placed.has(name)) {
        placed.add(name)
        apart.operate(from, of, phase, closed)
        env.emit('seen', { alias: name, payload: { closed } })
      } else if (was !== closed) env.emit('seen', { alias: name, payload: { closed } })
    },
  }

  const currents = (g: GridTruth, of: Side, t: Instant): number[] =>
    g.at(t).map((phase) => sizeOf(phase[of].transformer))
  const readers = new Map<string, (t: Instant) => number>([
    ['ambient [°C]', (t) => grid.ambient(t)],
    ['frequency [Hz]', (t) => grid.frequency(t)],
  ])
  for (const s of sides) {
    readers.set(`${s}.hot_spot [°C]`, (t) => grid.thermal(s, t).hotSpot)
    readers.set(`${s}.top_oil [°C]`, (t) => grid.thermal(s, t).topOil)
    readers.set(`${s}.hot_spot_apart [°C]`, (t) => apart.thermal(s, t).hotSpot)
    readers.set(`${s}.top_oil_apart [°C]`, (t) => apart.thermal(s, t).topOil)
    readers.set(`${s}.load [1]`, (t) => loadFactor(rated[s], currents(grid, s, t)))
    for (const i of phases) {
      const end = (t: Instant) => grid.at(t)[i][s]
      const l = `${s}.l${i + 1}`
      readers.set(`${l}.current [A]`, (t) => sizeOf(end(t).transformer))
      readers.set(`${l}.link_current [A]`, (t) => sizeOf(end(t).link))
      readers.set(`${l}.voltage [V]`, (t) => sizeOf(end(t).busVoltage))
      readers.set(`${l}.cable_voltage [V]`, (t) => sizeOf(end(t).cableVoltage))
      readers.set(`${l}.closed [1]`, (t) => (grid.state(t).closed[s][i] ? 1 : 0))
    }
  }
  const reader = (q: string): ((t: Instant) => number) => {
    const f = readers.get(q)
    if (f === undefined) throw new GridproofError('no-such', `the network has no quantity '${q}'`)
    return f
  }

  const tell = (): void => {
    const t = env.now()
    for (const s of sides) {
      const { hotSpot, topOil } = grid.thermal(s, t)
      const payload: Json = {
        hot_spot: tenth(hotSpot),
        top_oil: tenth(topOil),
        hot_spot_apart: tenth(apart.thermal(s, t).hotSpot),
        load: Math.round(loadFactor(rated[s], currents(grid, s, t)) * 1000) / 1000,
        amps: currents(grid, s, t).map(tenth),
        link: grid.at(t).map((phase) => tenth(sizeOf(phase[s].link))),
        closed: [...grid.state(t).closed[s]],
        ambient: tenth(grid.ambient(t)),
      }
      env.emit('seen', { alias: `network.${s}`, payload })
    }
  }
  const timer = setInterval(tell, tellEvery)

  const change = (f: (s: GridState) => Partial<GridState>): void => both((g) => g.change(env.now(), f))
  const sourceChange = (of: readonly Side[], to: SourceSettings): (() => void) => {
    const now = grid.state(env.now()).sources
    change((s) => {
      const sources = { ...s.sources }
      for (const x of of) sources[x] = { ...sources[x], ...to }
      return { sources }
    })
    return () =>
      change((s) => {
        const sources = { ...s.sources }
        for (const x of of) {
          const back = { ...sources[x] } as Record<string, unknown>
          for (const key of Object.keys(to)) {
            const was = now[x][key as keyof SourceSettings]
            if (was === undefined) delete back[key]
            else back[key] = was
          }
          sources[x] = back
        }
        return { sources }
      })
  }
  const faults = createFaults<never>(
    'network',
    {
      outage: faultKind(z.strictObject({ side: z.enum(['a', 'b', 'both']).default('both') }), (f) => ({
        lifted: sourceChange(f.side === 'both' ? sides : [f.side], { gone: true }),
      })),
      source: faultKind(
        z.strictObject({
          side,
          volts: z.number().min(0).max(1000).optional(),
          angle: z.number().min(-30).max(30).optional(),
        }),
        (f) => ({
          lifted: sourceChange([f.side], {
            ...(f.volts === undefined ? {} : { volts: f.volts }),
            ...(f.angle === undefined ? {} : { angle: f.angle }),
          }),
        }),
      ),
      'short-circuit': faultKind(
        z.strictObject({
          phase: z.int().min(1).max(3),
          point: z.int().min(1).max(p.feeder.points.length).default(1),
          ohms: z.number().positive().max(1000).default(0.02),
        }),
        (f) => {
          change(() => ({ fault: { phase: f.phase - 1, at: f.point - 1, ohms: f.ohms } }))
          return { lifted: () => change(() => ({ fault: undefined })) }
        },
      ),
    },
    (kind, data, more) => env.emit(kind, data, more),
    () => undefined,
  )

  return {
    role: 'network',
    grid: played,
    faults: faults.names,
    truth: {
      quantities: [...readers.keys()],
      at: (q, t) => reader(q)(t),
      range: (q, from, to) => envelope(reader(q), from, to),
    },
    follow(where, spec) {
      // one that cannot be read is refused before anything is told
      profile(spec, 0)
      env.emit('step', { what: `network: follow`, detail: { where, profile: { ...spec } } })
      both((g) => g.follow(env.now(), where, spec))
    },
    weather(course) {
      const fit = courseSchema.safeParse(course)
      if (!fit.success)
        throw new GridproofError('bad-value', `a course of the air: ${z.prettifyError(fit.error)}`)
      env.emit('step', { what: 'network: weather', detail: { course: { ...course } } })
      both((g) => g.weather(env.now(), course))
    },
    always(so) {
      for (const spec of Object.values(so.loads ?? {})) if (spec !== undefined) profile(spec, 0)
      env.emit('step', { what: 'network: always', detail: JSON.parse(JSON.stringify(so)) as Json })
      both((g) => g.always(so))
    },
    halfHours(of, from, count) {
      const mean = (i: number, end: (s: PhaseSolution) => Complex): number => {
        let sum = 0
        for (let k = 0; k < samples; k++) {
          const t = from + (i + (k + 0.5) / samples) * halfHour
          const squares = apart.at(t).reduce((all, phase) => all + sizeOf(end(phase)) ** 2, 0)
          sum += Math.sqrt(squares / phases.length)
        }
        return sum / samples
      }
      const all = Array.from({ length: count }, (_, i) => i)
      return {
        transformer: all.map((i) => mean(i, (s) => s[of].transformer)),
        feeder: all.map((i) => mean(i, (s) => s[of].link)),
      }
    },
    inflict: (name, params) => faults.inflict(name, params),
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
    },
  }
}

function ratedOf(p: NetworkPersonality, s: Side): ReturnType<typeof readTransformer> {
  return readTransformer(p.substations[s].transformer)
}

const tenth = (n: number): number => Math.round(n * 10) / 10

/** Extremes and mean by the minute, and at most by a thousandth of the span: temperatures and loads are slow. */
function envelope(
  f: (t: Instant) => number,
  from: Instant,
  to: Instant,
): { min: number; max: number; mean: number } {
  const steps = to > from ? Math.min(1000, Math.ceil((to - from) / 60_000)) : 0
  let [min, max, sum] = [Infinity, -Infinity, 0]
  for (let i = 0; i <= steps; i++) {
    const v = f(steps === 0 ? from : from + ((to - from) * i) / steps)
    min = Math.min(min, v)
    max = Math.max(max, v)
    sum += v
  }
  return { min, max, mean: sum / (steps + 1) }
}
