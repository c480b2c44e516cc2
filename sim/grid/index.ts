/** The network that a rig file can name. */
import { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import { profile, profileSpec } from '../devices/profile.ts'
import { courseSchema } from '../devices/thermocouple/personality.ts'
import { readTransformer } from '../devices/transformer/personality.ts'
import type { Device, DeviceEnv, Feeders } from '../faces.ts'
import { playFeeders } from './feeders.ts'
import { feedDevice } from './feeds.ts'
import type { RunAs } from './feeds.ts'
import { readNetwork } from './personality.ts'

/** What stands under `network` in a rig file beside its place. */
export const networkOptions = z.strictObject({
  personality: z.string().default('lv-pair'),
  /** Loads from the start: of all other feeders of each substation, and along the shared one. */
  loads: z
    .strictObject({ a: profileSpec.optional(), b: profileSpec.optional(), shared: profileSpec.optional() })
    .default({}),
  ambient: courseSchema.optional(),
})

/** The role, and how devices are put into it. */
export interface MadeNetwork {
  readonly role: Feeders
  /** Before the device is started. `run` runs what it is to do in its own realm. */
  feed(device: Device, run: RunAs): void
}

function fit(options: unknown): z.infer<typeof networkOptions> {
  const r = networkOptions.safeParse(options ?? {})
  if (r.success) return r.data
  throw new GridproofError('bad-value', `options of network: ${z.prettifyError(r.error)}`)
}

/** Makes it, and begins. Throws `bad-value` for options that do not fit, `no-such` and `bad-file` for what they name. */
export function makeNetwork(options: unknown, env: DeviceEnv): MadeNetwork {
  const { personality, loads, ambient } = fit(options)
  const played = playFeeders(readNetwork(personality), env, {
    loads,
    ...(ambient === undefined ? {} : { ambient }),
  })
  return { role: played, feed: (device, run) => feedDevice(played.grid, device, run) }
}

/** Reads all that it names, without beginning. Throws as `makeNetwork` does. */
export function checkNetwork(options: unknown): void {
  const { personality, loads } = fit(options)
  const p = readNetwork(personality)
  for (const s of [p.substations.a, p.substations.b]) {
    readTransformer(s.transformer)
    profile({ profile: s.load.profile }, 0)
  }
  profile({ profile: p.feeder.load.profile }, 0)
  for (const spec of Object.values(loads)) if (spec !== undefined) profile(spec, 0)
}
