/** Devices by the name that a rig file gives. The one place where the bench meets sim/devices. */
import { GridproofError } from '../../drivers/errors.ts'
import { devices } from '../../sim/devices/index.ts'
import { profile } from '../../sim/devices/profile.ts'
import type { ProfileSpec } from '../../sim/faces.ts'
import type { MakeDevice } from '../rigs/cast.ts'
import type { RigFile } from '../rigs/schema.ts'
import { nearest } from '../scenario/load.ts'

/** Throws `no-such` for an unknown device, `bad-value` where its role, wire or options do not fit. */
export const makeDevice: MakeDevice = (name, role, options) => {
  const kind = Object.hasOwn(devices, name) ? devices[name as keyof typeof devices] : undefined
  if (kind === undefined) throw new GridproofError('no-such', `device ${nearest(name, Object.keys(devices))}`)
  if (kind.role !== role)
    throw new GridproofError('bad-value', `'${name}' plays the role '${kind.role}', not '${role}'`)
  return kind.make(options)
}

/** Makes every device of a rig once and lets it go, so that a bad personality or option shows before anything starts. */
export function checkDevices(rig: RigFile, file: string): void {
  for (const role of ['gridkey', 'thermocouple'] as const) {
    const entry = rig.roles[role]
    if (entry === undefined) continue
    try {
      makeDevice(entry.device, role, entry.options ?? {})
      const wire = devices[entry.device as keyof typeof devices].wire
      if ((wire === 'tcp') !== (entry.port !== undefined))
        throw new GridproofError(
          'bad-value',
          `'${entry.device}' is reached by ${wire === 'tcp' ? 'port' : 'serial'}`,
        )
    } catch (e) {
      if (e instanceof GridproofError && e.place === undefined)
        throw new GridproofError(e.code, e.message, { cause: e, place: { file, path: `roles.${role}` } })
      throw e
    }
  }
}

/** Reads a load that is to be followed. Throws `no-such` or `bad-file`, with file, line and what was expected. */
export function checkLoad(spec: ProfileSpec): void {
  profile(spec, 0)
}
