/** Devices by the name that a rig file gives. The one place where the bench meets sim/devices. */
import { GridproofError } from '../../drivers/errors.ts'
import type { FilePlace } from '../../drivers/errors.ts'
import { placeOf } from '../../drivers/yaml.ts'
import { devices } from '../../sim/devices/index.ts'
import { profile } from '../../sim/devices/profile.ts'
import { checkNetwork, makeNetwork as madeNetwork } from '../../sim/grid/index.ts'
import type { ProfileSpec } from '../../sim/faces.ts'
import type { MakeDevice } from '../rigs/options.ts'
import type { MakeNetwork } from '../rigs/pair.ts'
import { playedDevices } from '../rigs/parts.ts'
import { playerOf } from '../rigs/players.ts'
import { isLab } from '../rigs/schema.ts'
import type { RigFile } from '../rigs/schema.ts'
import { nearest } from '../scenario/load.ts'

function kindOf(name: string): (typeof devices)[keyof typeof devices] | undefined {
  return Object.hasOwn(devices, name) ? devices[name as keyof typeof devices] : undefined
}

function plays(kind: { readonly roles: readonly string[] }, role: string): boolean {
  return kind.roles.includes(role)
}

/** Throws `no-such` for an unknown device, `bad-value` where its role, wire or options do not fit. */
export const makeDevice: MakeDevice = (name, role, options) => {
  const kind = kindOf(name)
  if (kind === undefined) throw new GridproofError('no-such', `device ${nearest(name, Object.keys(devices))}`)
  if (!plays(kind, role))
    throw new GridproofError('bad-value', `'${name}' plays ${kind.roles.join(' or ')}, not '${role}'`)
  return kind.make(options, role as never)
}

/** The network of a pair. Throws `bad-value` where its options do not fit. */
export const makeNetwork: MakeNetwork = (options, env) => madeNetwork(options, env)

/** Makes every device of a rig once and lets it go, so that a bad personality or option shows before anything starts. */
export function checkDevices(rig: RigFile, file: string): void {
  for (const role of playedDevices) {
    const entry = playerOf(rig, role)
    if (entry === undefined) continue
    const at = (key: string): FilePlace => ({
      file,
      ...placeOf(file, ['roles', role, key]),
      path: `roles.${role}.${key}`,
    })
    const kind = kindOf(entry.device)
    if (kind === undefined || !plays(kind, role))
      throw new GridproofError('bad-file', `expected a device that plays ${role}: ${devicesFor(role)}`, {
        place: at('device'),
      })
    const given = entry.port === undefined ? 'serial' : 'port'
    const wires: readonly string[] = kind.wires
    if (!wires.includes(given === 'port' ? 'tcp' : 'serial'))
      throw new GridproofError(
        'bad-file',
        `expected ${wires.map((w) => (w === 'tcp' ? 'port' : 'serial')).join(' or ')}, by which '${entry.device}' is reached`,
        {
          place: at(given),
        },
      )
    try {
      kind.make(entry.options ?? {})
      // Devices read their load when they start.
      const load = entry.options?.['profile']
      if (load !== undefined) checkLoad(load as unknown as ProfileSpec)
    } catch (e) {
      if (e instanceof GridproofError && e.place === undefined)
        throw new GridproofError('bad-file', e.message, { cause: e, place: at('options') })
      throw e
    }
  }
  const network = isLab(rig) ? undefined : rig.roles.network
  if (network === undefined) return
  try {
    checkNetwork(network.options)
  } catch (e) {
    if (e instanceof GridproofError && e.place === undefined)
      throw new GridproofError('bad-file', e.message, {
        cause: e,
        place: { file, ...placeOf(file, ['roles', 'network', 'options']), path: 'roles.network.options' },
      })
    throw e
  }
}

function devicesFor(role: string): string {
  return Object.entries(devices)
    .filter(([, kind]) => plays(kind, role))
    .map(([name]) => name)
    .join(', ')
}

/** Reads a load that is to be followed. Throws `no-such` or `bad-file`, with file, line and what was expected. */
export function checkLoad(spec: ProfileSpec): void {
  profile(spec, 0)
}
