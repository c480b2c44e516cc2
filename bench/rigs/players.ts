/** Who plays which role in a rig. */
import type { LabRig } from './lab.ts'
import type { playedDevices } from './parts.ts'
import { isLab } from './schema.ts'
import type { DeviceEntry, RigFile } from './schema.ts'

/** What plays a role of a device in a rig; nothing where nothing does. A lab has no meters yet. */
export function playerOf(
  r: RigFile,
  role: (typeof playedDevices)[number],
): DeviceEntry | LabRig['roles']['gridkey'] {
  if (!isLab(r)) return r.roles[role]
  return role in r.roles ? r.roles[role as keyof LabRig['roles']] : undefined
}
