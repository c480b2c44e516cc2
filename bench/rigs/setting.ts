/** What all share that make roles of one rig: its file, its world, which faults are in force, what has to be closed. */
import { GridproofError } from '../../drivers/errors.ts'
import type { Realm } from '../../drivers/faces.ts'
import type { Emit, Fault, Faulty } from '../../sim/faces.ts'
import type { Platform } from '../faces.ts'
import type { PlayedMains } from '../platforms/mains.ts'
import type { Door } from '../platforms/observer.ts'
import { addressOf } from './address.ts'
import { liftEach, rememberFaults } from './faults.ts'
import type { RigOptions } from './options.ts'
import type { ReferenceRig } from './schema.ts'

export interface Setting {
  readonly o: RigOptions
  readonly file: ReferenceRig
  /** The realm in which scenarios run. */
  readonly bench: Realm
  /** A host of its own, at a place in the rig's network. */
  realm(name: string, at: number): Realm
  address(at: number): string
  /** The same thing; it is closed with the rig, the last one first. */
  keep<T extends AsyncDisposable>(thing: T): T
  /** The same thing; its faults are lifted with the others. */
  faulty<D extends Faulty>(thing: D): D
  /**
   * The door of a platform's marketplace. Where the platform really is: a world may have had to give it another address
   * than the rig names.
   */
  door(of: Platform | undefined): Omit<Door, 'name'>
  /** `rig-lacks`: nothing in its file, or in this bench, that could be this. */
  lacks(what: string): GridproofError
  /** Lifts every fault still in force; returns how many. */
  liftAll(): number
  close(): Promise<void>
}

export function makeSetting(o: RigOptions & { readonly file: ReferenceRig }): Setting {
  const { file, world } = o
  const inForce = new Map<string, Fault>()
  const open: AsyncDisposable[] = []
  const address = (at: number): string => addressOf(o.network, at)
  const realm = (name: string, at: number): Realm => world.realm({ name, address: address(at) })
  return {
    o,
    file,
    bench: realm('bench', file.observer.at),
    realm,
    address,
    keep(thing) {
      open.push(thing)
      return thing
    },
    faulty: (thing) => rememberFaults(thing, inForce),
    door: (of) => ({
      address: of?.hosts[0]?.address ?? address(file.platform.at),
      port: file.platform.port,
      serverName: 'marketplace',
      pki: o.pki,
    }),
    lacks: (what) => new GridproofError('rig-lacks', `the rig '${file.name}' has no ${what}`),
    liftAll: () => liftEach(inForce),
    async close() {
      // The platform first: devices that vanish under it would only fill the log with its complaints.
      for (const d of open.splice(0).toReversed()) await d[Symbol.asyncDispose]()
    },
  }
}

/** Writes in the name of a source; mains may go at any such event. */
export function seenByMains(o: RigOptions, mains: PlayedMains | undefined, src: string): Emit {
  const emit = o.emitAs(src)
  if (mains === undefined) return emit
  return (kind, data, more) => {
    const seq = emit(kind, data, more)
    mains.see({ seq, at: o.world.now(), src, kind, data, ...more })
    return seq
  }
}
