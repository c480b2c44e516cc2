/** The devices that a rig file can name, each with a schema of its options. */
import { z } from 'zod'
import type { SerialSettings } from '../../drivers/faces.ts'
import { GridproofError } from '../../drivers/errors.ts'
import type { Device, GridKey, Thermocouple } from '../faces.ts'
import { createGridKey } from './gridkey/device.ts'
import { gridkeySchema } from './gridkey/personality.ts'
import { readPersonality } from './personality.ts'
import { profileSpec } from './profile.ts'
import { createThermocouple, lineOf } from './thermocouple/device.ts'
import { courseSchema, tc8Schema } from './thermocouple/personality.ts'

/** What stands for a device in a rig file. */
export interface DeviceKind<D extends Device> {
  readonly role: D['role']
  /** What it is reached by: a TCP port or a serial line. */
  readonly wire: 'tcp' | 'serial'
  /** Schema of `options` in the rig file. */
  readonly options: z.ZodType
  /** Throws `bad-value` for options that do not fit, `bad-file` or `no-such` for a personality or profile. */
  make(options?: unknown): D
}

/** A device on a serial line. */
export interface SerialDeviceKind<D extends Device> extends DeviceKind<D> {
  readonly wire: 'serial'
  /** Settings of its line, from its personality. */
  line(options?: unknown): SerialSettings
}

const gridkeyOptions = z.strictObject({
  personality: z.string().default('gridkey-standin'),
  profile: profileSpec.optional(),
})

const tc8Options = z.strictObject({
  personality: z.string().default('tc8'),
  courses: z.record(z.string(), courseSchema).optional(),
  turnaround_ms: z.number().min(0).max(10_000).optional(),
  silence_ms: z.number().min(0).max(1000).optional(),
})

function fit<T>(kind: string, schema: z.ZodType<T>, options: unknown): T {
  const r = schema.safeParse(options ?? {})
  if (r.success) return r.data
  throw new GridproofError('bad-value', `options of ${kind}: ${z.prettifyError(r.error)}`)
}

const gridkey: DeviceKind<GridKey> = {
  role: 'gridkey',
  wire: 'tcp',
  options: gridkeyOptions,
  make(options) {
    const o = fit('gridkey-mcu520', gridkeyOptions, options)
    const personality = readPersonality(o.personality, gridkeySchema)
    return createGridKey(personality, o.profile === undefined ? {} : { profile: o.profile })
  },
}

const tc8: SerialDeviceKind<Thermocouple> = {
  role: 'thermocouple',
  wire: 'serial',
  options: tc8Options,
  make(options) {
    const o = fit('thermocouple-tc8', tc8Options, options)
    return createThermocouple(readPersonality(o.personality, tc8Schema), {
      ...(o.courses === undefined ? {} : { courses: o.courses }),
      ...(o.turnaround_ms === undefined ? {} : { turnaroundMs: o.turnaround_ms }),
      ...(o.silence_ms === undefined ? {} : { silenceMs: o.silence_ms }),
    })
  },
  line(options) {
    return lineOf(readPersonality(fit('thermocouple-tc8', tc8Options, options).personality, tc8Schema))
  },
}

/** By the name that a rig file uses. */
export const devices = {
  'gridkey-mcu520': gridkey,
  'thermocouple-tc8': tc8,
} as const satisfies Readonly<Record<string, DeviceKind<Device>>>

export type DeviceName = keyof typeof devices
