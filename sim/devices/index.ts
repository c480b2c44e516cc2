/** The devices that a rig file can name, each with a schema of its options. */
import { z } from 'zod'
import type { SerialSettings } from '../../drivers/faces.ts'
import { GridproofError } from '../../drivers/errors.ts'
import type { Alvin, Device, GridKey, Meter, Thermocouple } from '../faces.ts'
import { alvinLine, createAlvin } from './alvin/device.ts'
import { alvinSchema } from './alvin/personality.ts'
import { createGridKey } from './gridkey/device.ts'
import { gridkeySchema } from './gridkey/personality.ts'
import { createMeter, meterLine } from './meter/device.ts'
import { meterSchema } from './meter/personality.ts'
import type { MeterPersonality } from './meter/personality.ts'
import { readPersonality } from './personality.ts'
import { profileSpec } from './profile.ts'
import { createThermocouple, lineOf } from './thermocouple/device.ts'
import { adamSchema, courseSchema, tc8Schema } from './thermocouple/personality.ts'
import type { ThermocouplePersonality } from './thermocouple/personality.ts'

/** What stands for a device in a rig file. */
export interface DeviceKind<D extends Device> {
  /** Roles that it can play; the first unless told. */
  readonly roles: readonly [D['role'], ...D['role'][]]
  /** What it can be reached by: a TCP port, a serial line; the usual one first. */
  readonly wires: readonly ['tcp' | 'serial', ...('tcp' | 'serial')[]]
  /** Schema of `options` in the rig file. */
  readonly options: z.ZodType
  /** Throws `bad-value` for options that do not fit, `bad-file` or `no-such` for a personality or profile. */
  make(options?: unknown, role?: D['role']): D
}

/** A device on a serial line. */
export interface SerialDeviceKind<D extends Device> extends DeviceKind<D> {
  /** Settings of its line, from its personality. */
  line(options?: unknown): SerialSettings
}

const gridkeyOptions = z.strictObject({
  personality: z.string().default('gridkey-standin'),
  profile: profileSpec.optional(),
})

/** Options of a thermocouple module, with the personality that it has unless another is given. */
function moduleOptions(personality: string) {
  return z.strictObject({
    personality: z.string().default(personality),
    courses: z.record(z.string(), courseSchema).optional(),
    turnaround_ms: z.number().min(0).max(10_000).optional(),
    silence_ms: z.number().min(0).max(1000).optional(),
  })
}

function fit<T>(kind: string, schema: z.ZodType<T>, options: unknown): T {
  const r = schema.safeParse(options ?? {})
  if (r.success) return r.data
  throw new GridproofError('bad-value', `options of ${kind}: ${z.prettifyError(r.error)}`)
}

const gridkey: DeviceKind<GridKey> = {
  roles: ['gridkey', 'gridkey2'],
  wires: ['tcp'],
  options: gridkeyOptions,
  make(options, role = 'gridkey') {
    const o = fit('gridkey-mcu520', gridkeyOptions, options)
    const personality = readPersonality(o.personality, gridkeySchema)
    return createGridKey(personality, {
      role,
      ...(o.profile === undefined ? {} : { profile: o.profile }),
    })
  },
}

/** A make of thermocouple module: the roles that it plays, its personality unless another is given, and their schema. */
function moduleKind(
  kind: string,
  roles: DeviceKind<Thermocouple>['roles'],
  usual: string,
  schema: z.ZodType<ThermocouplePersonality>,
): SerialDeviceKind<Thermocouple> {
  const options = moduleOptions(usual)
  return {
    roles,
    wires: ['serial'],
    options,
    make(given, role = roles[0]) {
      const o = fit(kind, options, given)
      return createThermocouple(readPersonality(o.personality, schema), {
        role,
        ...(o.courses === undefined ? {} : { courses: o.courses }),
        ...(o.turnaround_ms === undefined ? {} : { turnaroundMs: o.turnaround_ms }),
        ...(o.silence_ms === undefined ? {} : { silenceMs: o.silence_ms }),
      })
    },
    line: (given) => lineOf(readPersonality(fit(kind, options, given).personality, schema)),
  }
}

const meterOptions = z.strictObject({
  personality: z.string().default('kaifa-ma304h3e'),
  profile: profileSpec.optional(),
  /** In place of the personality's: settings of its line, times of its lists. */
  line: meterSchema.shape.line.partial().optional(),
  cadence: meterSchema.shape.cadence.optional(),
})

/** The personality that the options name, with what they put in its place. */
function meterPersonality(o: z.infer<typeof meterOptions>): MeterPersonality {
  const p = readPersonality(o.personality, meterSchema)
  const line = Object.fromEntries(Object.entries(o.line ?? {}).filter(([, v]) => v !== undefined))
  return { ...p, line: { ...p.line, ...line }, cadence: o.cadence ?? p.cadence }
}

const meter: SerialDeviceKind<Meter> = {
  roles: ['meter', 'meter2'],
  // By TCP a list comes whole at its instant, as behind a bridge from a serial line that gathers it.
  wires: ['serial', 'tcp'],
  options: meterOptions,
  make(given, role = 'meter') {
    const o = fit('han-meter', meterOptions, given)
    return createMeter(meterPersonality(o), {
      role,
      ...(o.profile === undefined ? {} : { profile: o.profile }),
    })
  },
  line: (given) => meterLine(meterPersonality(fit('han-meter', meterOptions, given))),
}

const alvinOptions = z.strictObject({
  personality: z.string().default('alvin-reclose'),
  /** How the breakers stand at the start. */
  closed: z.boolean().optional(),
  turnaround_ms: z.number().min(0).max(10_000).optional(),
  silence_ms: z.number().min(0).max(1000).optional(),
})

const alvin: SerialDeviceKind<Alvin> = {
  roles: ['alvin', 'alvin2'],
  wires: ['serial'],
  options: alvinOptions,
  make(given, role = 'alvin') {
    const o = fit('alvin-reclose', alvinOptions, given)
    return createAlvin(readPersonality(o.personality, alvinSchema), {
      role,
      ...(o.closed === undefined ? {} : { closed: o.closed }),
      ...(o.turnaround_ms === undefined ? {} : { turnaroundMs: o.turnaround_ms }),
      ...(o.silence_ms === undefined ? {} : { silenceMs: o.silence_ms }),
    })
  },
  line: (given) =>
    alvinLine(readPersonality(fit('alvin-reclose', alvinOptions, given).personality, alvinSchema)),
}

/** By the name that a rig file uses. */
export const devices = {
  'gridkey-mcu520': gridkey,
  'thermocouple-tc8': moduleKind(
    'thermocouple-tc8',
    ['thermocouple', 'adam', 'thermocouple2'],
    'tc8',
    tc8Schema,
  ),
  'thermocouple-adam4018': moduleKind(
    'thermocouple-adam4018',
    ['adam', 'thermocouple', 'thermocouple2'],
    'adam4018',
    adamSchema,
  ),
  'han-meter': meter,
  'alvin-reclose': alvin,
} as const satisfies Readonly<Record<string, DeviceKind<Device>>>

export type DeviceName = keyof typeof devices
