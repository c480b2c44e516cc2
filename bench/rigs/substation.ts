/** Makes what stands in a substation of a rig: devices on their lines, and the network that feeds them. */
import type { Device } from '../../sim/faces.ts'
import type { Scripted } from '../faces.ts'
import type { DevicePlaces } from '../platforms/apps.ts'
import { listenAtEmptyLine } from '../platforms/commander.ts'
import { playScripted } from '../platforms/scripted.ts'
import type { MakeNetwork } from './pair.ts'
import { placeOfRole } from './parts.ts'
import type { DeviceRole, MeterRole } from './parts.ts'
import type { DeviceEntry } from './schema.ts'
import type { Setting } from './setting.ts'

/** The line of breakers that are not fitted, where the rig has none that could be. The default of Modbus. */
const breakersLine = { baudRate: 19_200, dataBits: 8, parity: 'even', stopBits: 1 } as const

/** Throws `rig-lacks`. */
export function deviceEntry(s: Setting, role: DeviceRole | MeterRole): DeviceEntry {
  const e = s.file.roles[role]
  if (e === undefined) throw s.lacks(role)
  return e
}

export async function startDevice(
  s: Setting,
  role: DeviceRole,
  at: { readonly first: DevicePlaces; readonly second: DevicePlaces },
  network: ReturnType<MakeNetwork> | undefined,
): Promise<Device> {
  const { world } = s.o
  const place = placeOfRole(role)
  const places = place.second ? at.second : at.first
  const entry = deviceEntry(s, role)
  const realm = s.realm(role, entry.at)
  const made = realm.run(() => s.o.makeDevice(entry.device, role, entry.options ?? {}))
  network?.feed(made, (f) => realm.run(f))
  const device = realm.bind(made)
  const emit = s.o.emitAs(role)
  const env = { now: () => world.now(), random: (name: string) => world.random(`${role}/${name}`), emit }
  if (entry.serial === undefined) {
    const { wire, port } = await world.tcp({ name: `${role}/tcp`, realm, port: entry.port ?? 0 })
    places[place.role] = { address: realm.address, port }
    await device.start(wire, env)
  } else {
    const line = s.keep(await world.serial({ name: `${role}/serial`, realm, settings: entry.serial }))
    places[place.role] = { path: line.path, settings: entry.serial }
    await device.start(line.wire, env)
  }
  s.keep(device)
  return s.faulty(device)
}

/** The network between two substations: before the devices that stand in it. */
export function startNetwork(s: Setting): ReturnType<MakeNetwork> {
  const entry = s.file.roles.network
  const { makeNetwork, world } = s.o
  if (entry === undefined || makeNetwork === undefined) throw s.lacks('network')
  const network = s.realm('network', entry.at).run(() =>
    makeNetwork(entry.options ?? {}, {
      now: () => world.now(),
      random: (name) => world.random(`network/${name}`),
      emit: s.o.emitAs('network'),
    }),
  )
  s.keep(network.role)
  return network
}

/** A line at which no breaker is fitted: what is sent there is told. */
export async function startEmptyLine(s: Setting, places: DevicePlaces): Promise<void> {
  const settings = s.file.roles.alvin?.serial ?? breakersLine
  const realm = s.realm('line', s.file.roles.alvin?.at ?? 0)
  const line = s.keep(await s.o.world.serial({ name: 'alvin/serial', realm, settings }))
  s.keep(await realm.run(() => listenAtEmptyLine(line, s.o.emitAs('line'))))
  places.alvin = { path: line.path, settings }
}

/** Apps under the bench's control. */
export async function startScripted(s: Setting, places: DevicePlaces): Promise<Scripted> {
  const { at = 0, port: wanted = 0 } = s.file.roles.scripted ?? {}
  const realm = s.realm('scripted', at)
  const { wire, port } = await s.o.world.tcp({ name: 'scripted/tcp', realm, port: wanted })
  const played = await realm.run(() =>
    playScripted({
      wire,
      now: () => s.o.world.now(),
      emit: s.o.emitAs('scripted'),
      run: (f) => realm.run(f),
    }),
  )
  places.scripted = { address: realm.address, port }
  s.keep(played)
  return played.role
}
