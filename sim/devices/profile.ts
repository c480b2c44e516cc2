/**
 * Load profiles: the current of one feeder, in amps per phase, as a pure function of time. Two kinds: a model with
 * parameters (fixtures/profiles), and a series of half-hour means from a CSV file (profile-csv.ts).
 *
 * The model: a day's curve is a base and a few bell-shaped bumps, scaled so that the day's energy is the one given;
 * generation is taken off; then each variation multiplies by 1 + share * noise, where the noise is seeded and smooth
 * over its time. Every day is alike but for the variation. Times of day are UTC.
 */
import { z } from 'zod'
import type { Instant } from '../../drivers/faces.ts'
import { GridproofError } from '../../drivers/errors.ts'
import type { ProfileSpec } from '../faces.ts'
import { readFixture } from './fixtures.ts'
import { channel, smooth } from './noise.ts'
import { durationText, timeOfDay } from './personality.ts'
import { readSeries, seriesLoad } from './profile-csv.ts'

export interface LoadProfile {
  readonly name: string
  /** Amps per phase of one feeder; below zero where power flows back. Cheap, and in any order of time. */
  amps(t: Instant): number
}

export const profileSchema = z.strictObject({
  format: z.literal('gridproof-profile/1'),
  origin: z.enum(['ours', 'published']),
  title: z.string().min(1),
  homes: z.number().positive(),
  energy_kwh_per_home: z.number().positive(),
  phases: z.union([z.literal(1), z.literal(3)]),
  volts: z.number().positive(),
  power_factor: z.number().min(0.5).max(1),
  shape: z.strictObject({
    base: z.number().nonnegative(),
    bumps: z.array(
      z.strictObject({ at: timeOfDay, hours: z.number().positive(), height: z.number().nonnegative() }),
    ),
  }),
  generation: z
    .strictObject({ peak_kw: z.number().positive(), rise: timeOfDay, set: timeOfDay })
    .refine((g) => g.rise < g.set, { message: 'rise comes before set', path: ['rise'] })
    .optional(),
  variation: z.array(z.strictObject({ every: durationText, share: z.number().min(0).max(0.3) })).default([]),
})

export type ProfileModel = z.infer<typeof profileSchema>

/** What rigs and commands give as a profile. */
export const profileSpec = z
  .union([
    z.strictObject({ profile: z.string().min(1), scale: z.number().optional() }),
    z.strictObject({
      csv: z.string().min(1),
      column: z.string().min(1),
      scale: z.number(),
      from: z
        .string()
        .regex(/^\d{4}-\d{2}-\d{2}$/, "expected a date such as '2018-01-15'")
        .optional(),
    }),
  ])
  .transform((s): ProfileSpec => {
    if ('profile' in s) return { profile: s.profile, ...(s.scale === undefined ? {} : { scale: s.scale }) }
    const { from, ...rest } = s
    return from === undefined ? rest : { ...rest, from }
  })

const dayMs = 86_400_000
const minutes = 1440

/** Net load of the feeder in kW at each minute of the day, before variation. */
export function dayCurve(m: ProfileModel): Float64Array {
  const shape = Float64Array.from({ length: minutes }, (_, i) => {
    const h = i / 60
    let v = m.shape.base
    for (const b of m.shape.bumps) {
      const apart = Math.abs(h - b.at)
      v += b.height * Math.exp(-0.5 * (Math.min(apart, 24 - apart) / b.hours) ** 2)
    }
    return v
  })
  const sum = shape.reduce((a, b) => a + b, 0)
  if (!(sum > 0))
    throw new GridproofError('bad-value', `profile '${m.title}' has no shape: base or bumps above 0`)
  const kw = (m.homes * m.energy_kwh_per_home * 60) / sum
  const g = m.generation
  return shape.map((v, i) => {
    const through = g === undefined ? -1 : (i / 60 - g.rise) / (g.set - g.rise)
    const sun = through > 0 && through < 1 ? Math.sin(Math.PI * through) ** 2 * (g?.peak_kw ?? 0) : 0
    return v * kw - sun
  })
}

/** A model as a profile. `seed` is of its variation. */
export function modelLoad(name: string, m: ProfileModel, seed: number): LoadProfile {
  const curve = dayCurve(m)
  const ampsPerKw = 1000 / (m.phases * m.volts * m.power_factor)
  const wobbles = m.variation.map((v, i) => ({ ...v, seed: channel(seed, i) }))
  return {
    name,
    amps(t) {
      const x = ((((t % dayMs) + dayMs) % dayMs) / dayMs) * minutes
      const i = Math.floor(x) % minutes
      const a = curve[i] ?? 0
      let kw = a + ((curve[(i + 1) % minutes] ?? 0) - a) * (x - Math.floor(x))
      for (const w of wobbles) kw *= 1 + w.share * smooth(w.seed, t / w.every)
      return kw * ampsPerKw
    },
  }
}

/**
 * A profile by name of fixtures/profiles, by the path of a YAML file, or from a column of a CSV file. `started` is
 * when it begins to be followed: with `from`, that day of UTC plays as the series' day `from`.
 * Throws `no-such` for an unknown name or column, `bad-file` with file, line, path and what was expected.
 */
export function profile(spec: ProfileSpec, seed: number, started: Instant = 0): LoadProfile {
  if ('profile' in spec) {
    const load = modelLoad(spec.profile, readFixture('profiles', spec.profile, profileSchema), seed)
    const scale = spec.scale ?? 1
    return scale === 1 ? load : { name: load.name, amps: (t) => scale * load.amps(t) }
  }
  return seriesLoad(readSeries(spec.csv, spec.column), spec, seed, started)
}
