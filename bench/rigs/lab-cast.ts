/** Makes the roles of a lab: devices at addresses and serial ports of this machine, and somebody's platform as it is. */
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Json, Realm } from '../../drivers/faces.ts'
import type { Device, Emit, Fault } from '../../sim/faces.ts'
import { labPlatform } from '../platforms/lab.ts'
import type { LabPlatform } from '../platforms/lab.ts'
import type { Cast, Platform, Roles } from '../faces.ts'
import type { BuiltRig, RigOptions } from './options.ts'
import { liftEach, rememberFaults } from './faults.ts'
import type { LabRig } from './lab.ts'
import { playMains } from '../platforms/mains.ts'
import type { PlayedMains } from '../platforms/mains.ts'
import { labHost, powerLacks } from './lab-mains.ts'
import { deviceRoles } from './parts.ts'
import { reachUploads } from './uploads.ts'
import type { DeviceRole } from './parts.ts'
import { operationLimit, unarmed } from './switches.ts'

type LabDevice = NonNullable<LabRig['roles']['gridkey']>

/** Where a device stands, in words. */
export function placeOfDevice(d: LabDevice): string {
  return d.serial === undefined ? `${d.address ?? ''}:${d.port ?? ''}` : (d.path ?? '')
}

/** What a lab cannot play, and why, for whoever asks before a run and after it. */
export function labLacks(file: LabRig, needs: readonly string[], armed = false): readonly string[] {
  const forbidden = unarmed(file, needs, armed) ?? powerLacks(file, needs, armed)
  if (forbidden !== undefined) return [forbidden]
  const has = new Set<string>([
    'platform',
    ...Object.keys(file.roles),
    ...(file.points.csv === undefined ? [] : ['recorder']),
    ...(file.power === undefined ? [] : ['mains']),
    ...(file.uploads === undefined ? [] : ['uploads']),
  ])
  return needs
    .filter((n) => !has.has(n))
    .map((n) => `the rig '${file.name}' cannot play ${n}${Object.hasOwn(whyNot, n) ? ` (${whyNot[n]})` : ''}`)
}

/** Why a lab rig cannot play a role, as long as there is nothing in a rig file that would let it. */
const whyNot: Readonly<Record<string, string>> = {
  intruder: "it has no certificates of the platform's authority but the observer's",
  clock: "the clock of the platform is not the bench's to set",
  laptop: 'it has no password of the maintenance service',
  scripted: "no app of the bench's is installed on the platform",
  storage: "no app of the bench's is installed on the platform",
  recorder: 'it declares no folder to which the recorder exports',
  mains: 'nothing is declared that switches the power of its platform',
  uploads: 'it names no server of resumable uploads',
}

/** Builds the rig. Nothing is opened before `cast`, and nothing of the platform is started or changed. */
export function buildLab(o: RigOptions & { readonly file: LabRig }): BuiltRig {
  const { file, world } = o
  const bench: Realm = world.realm({ name: 'bench', address: '0.0.0.0' })
  const inForce = new Map<string, Fault>()
  const open: AsyncDisposable[] = []
  const devices = new Map<string, { where: string; asked: Promise<void> }>()
  let platform: LabPlatform | undefined
  let mains: PlayedMains | undefined

  const halted = Promise.withResolvers<string>()
  const limit =
    file.switches === 'real' && o.armed !== undefined
      ? operationLimit(file.operationsAnHour, o.armed.operations, () => world.now())
      : undefined
  /** In the name of a source. What is seen at the marketplace may end the run. */
  const emitAs = (src: string): Emit => {
    const emit = o.emitAs(src)
    if ((limit === undefined && mains === undefined) || src !== 'marketplace') return emit
    return (kind, data, more) => {
      const seq = emit(kind, data, more)
      mains?.see({ seq, at: world.now(), src, kind, data, ...more })
      if (limit === undefined) return seq
      const { alias, payload } = data as { readonly alias?: string; readonly payload?: Json }
      const why = kind === 'seen' && alias !== undefined ? limit.see(alias, payload) : undefined
      if (why !== undefined) halted.resolve(why)
      return seq
    }
  }

  async function startDevice(role: DeviceRole): Promise<Device> {
    const entry: LabDevice | undefined =
      role in file.roles ? file.roles[role as keyof LabRig['roles']] : undefined
    if (entry === undefined) throw new GridproofError('rig-lacks', `the rig '${file.name}' has no ${role}`)
    const device = o.makeDevice(entry.device, role, entry.options ?? {})
    const asked = Promise.withResolvers<void>()
    const own = o.emitAs(role)
    const emit: Emit = (kind, ...rest) => {
      if (kind === 'said') asked.resolve()
      return own(kind, ...rest)
    }
    const env = { now: () => world.now(), random: (s: string) => world.random(`${role}/${s}`), emit }
    const realm = world.realm({ name: role, address: entry.address ?? '' })
    if (entry.serial === undefined) {
      const { wire } = await world.tcp({ name: `${role}/tcp`, realm, port: entry.port ?? 0 })
      await device.start(wire, env)
    } else {
      const { serial: settings, path = '' } = entry
      const line = await world.serial({ name: `${role}/serial`, realm, settings, path })
      open.push(line)
      await device.start(line.wire, env)
    }
    open.push(device)
    devices.set(role, { where: placeOfDevice(entry), asked: asked.promise })
    return rememberFaults(device, inForce)
  }

  /** Before anybody waits for the platform: it gets power now, if it had none. */
  async function takeMains(made: Partial<Record<keyof Roles, unknown>>): Promise<void> {
    const spec = file.power
    if (spec === undefined || o.openOutlet === undefined || o.mains === undefined || o.armed === undefined)
      throw new GridproofError('rig-lacks', `the power of the platform of '${file.name}' is not ours`)
    const outlet = await o.openOutlet(spec)
    open.push({ [Symbol.asyncDispose]: () => Promise.resolve(outlet[Symbol.asyncDispose]()) })
    const emit = o.emitAs('mains')
    mains = playMains({
      model: o.mains,
      now: () => world.now(),
      random: () => world.random('mains'),
      emit,
    })
    open.push(mains)
    const told = { coming: () => platform?.again(), restored: () => undefined }
    mains.feed(labHost('platform', outlet, emit), told, 'its own')
    made.mains = rememberFaults(mains, inForce)
  }

  return {
    name: file.name,
    declared: true,
    bench,
    get platform() {
      return platform
    },
    halted: halted.promise,
    lacks(needs) {
      const over = limit?.over()
      return [...labLacks(file, needs, o.armed !== undefined), ...(over === undefined ? [] : [over])]
    },
    async cast<K extends keyof Roles>(needs: readonly K[]): Promise<Cast<K>> {
      const wanted = new Set<keyof Roles>(needs)
      const made: Partial<Record<keyof Roles, unknown>> = {}
      try {
        for (const role of deviceRoles) if (wanted.has(role)) made[role] = await startDevice(role)
        if (wanted.has('mains')) await takeMains(made)
        if (wanted.has('uploads') && file.uploads !== undefined) {
          const armed = o.armed !== undefined
          const uploads = await reachUploads(file.uploads, { world, realm: bench, armed, emitAs })
          open.push(uploads)
          made.uploads = uploads
        }
        platform = await labPlatform({ rig: file, world, bench, devices, emitAs })
        open.push(platform)
        made.platform = platform satisfies Platform
        if (wanted.has('recorder')) made.recorder = platform.recorder
      } catch (e) {
        await this[Symbol.asyncDispose]()
        if (e instanceof GridproofError) throw e
        throw new GridproofError('rig-broke', `the rig could not be set up: ${messageOf(e)}`, { cause: e })
      }
      return made as Cast<K>
    },
    liftAll: () => liftEach(inForce),
    async [Symbol.asyncDispose]() {
      // The observer first: what the platform says of devices that vanish is not evidence.
      for (const d of open.splice(0).toReversed()) await d[Symbol.asyncDispose]()
    },
  }
}
