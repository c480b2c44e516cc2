/** What a rig is built from, and what comes of it: what the parts of bench/rigs share. */
import type { Json, Outlet, Realm, World } from '../../drivers/faces.ts'
import type {
  BreakServer,
  Device,
  Emit,
  MainsModel,
  MakeLink,
  MakeRelay,
  SetHost,
  StartCentre,
  StartManagement,
} from '../../sim/faces.ts'
import type { Platform, Rig } from '../faces.ts'
import type { LabPower } from './lab.ts'
import type { MakeNetwork } from './pair.ts'
import type { RigFile } from './schema.ts'

/** Makes a device of sim/devices by name. Throws `bad-file` or `bad-value` for options that do not fit. */
export type MakeDevice = (name: string, role: string, options: Json) => Device

/** Where a setting comes from: the rest of the program, wired together at the top. */
export interface RigOptions {
  readonly file: RigFile
  readonly world: World
  /** First three numbers of the rig's network. */
  readonly network: string
  /** Folder with certificates and keys. */
  readonly pki: string
  readonly makeDevice: MakeDevice
  /** Absent: there is no network to be had. */
  readonly makeNetwork?: MakeNetwork
  readonly mains?: MainsModel
  /** Absent: a host is as it comes. */
  readonly setHost?: SetHost
  /** Takes hold of what switches the power of a lab's platform. */
  openOutlet?(spec: LabPower): Promise<Outlet>
  /** Absent: there is no data centre to be had. */
  readonly startCentre?: StartCentre
  /** Absent: there is no management server to be had. */
  readonly startManagement?: StartManagement
  /** Puts those of these defects into a server's options that are of servers that the bench plays. */
  readonly breakServer?: BreakServer
  /** Absent: there is no link to be had. */
  readonly makeLink?: MakeLink
  /** Absent: two platforms cannot meet. */
  readonly makeRelay?: MakeRelay
  readonly defects: readonly string[]
  /** The operator allows what is played to lead to operations of real breakers; where those of this run are counted. */
  readonly armed?: { readonly operations: string }
  /** Writes to the evidence log in the name of a source. */
  emitAs(src: string): Emit
}

/** A rig with what the runner needs of it beyond the face. */
export interface BuiltRig extends Rig {
  readonly platform: (Platform & AsyncDisposable) | undefined
  /** Whether its file declares what it has: what it then lacks is known beforehand, and no trouble of the rig. */
  readonly declared: boolean
  /** The realm in which scenarios run. */
  readonly bench: Realm
  /** Why the run has to stop, as soon as it has. */
  readonly halted?: Promise<string>
  /** Lifts every fault still in force; returns how many. */
  liftAll(): number
}
