/** Faces of the bench: the roles of scenarios, scenarios, rigs; and by theme in faces/ all else. Types only. */
import type { Instant, Json } from '../drivers/faces.ts'
import type { Alvin, Feeders, GridKey, Meter, ProfileSpec, Thermocouple } from '../sim/faces.ts'
import type { Recorder, Scripted, Storage } from './faces/apps.ts'
import type { Check, Platform } from './faces/log.ts'
import type { Advisers, Commander, Forecaster, Automation, Peers } from './faces/meshing.ts'
import type { Reader, Installer, Modem, Cloud } from './faces/reader.ts'
import type { Centre, Management, TusLibrary, MqttPair } from './faces/servers.ts'
import type { DiskCache, Link, Mains, Watchdog } from './faces/site.ts'
import type { Uploads } from './faces/uploads.ts'
import type { Intruder, Clock, Laptop } from './faces/visitors.ts'

export type { AppAction, AppBehaviour, Kind } from '../sim/faces.ts'
export type * from './faces/log.ts'
export type * from './faces/visitors.ts'
export type * from './faces/apps.ts'
export type * from './faces/reader.ts'
export type * from './faces/servers.ts'
export type * from './faces/site.ts'
export type * from './faces/uploads.ts'
export type * from './faces/meshing.ts'

/** The parts of the world that scenarios may ask for. */
export interface Roles {
  /** Peer-to-Peer apps on both platforms, and the link between them. */
  peers: Peers
  platform: Platform
  gridkey: GridKey
  thermocouple: Thermocouple
  /** The second substation of a pair: its platform (sources and aliases end with 2 too) and its devices. */
  platform2: Platform
  gridkey2: GridKey
  thermocouple2: Thermocouple
  /** Three circuit breakers on one line, with the isolator in it (OpenLV M:007); and those of the second substation. */
  alvin: Alvin
  alvin2: Alvin
  automation: Automation
  /** Both substations' transformers and the feeder that they share; feeds every device that is asked for beside it. */
  network: Feeders
  /** A thermocouple module of another make (ADAM-4018 kind), read by an instance of its own of the app. */
  adam: Thermocouple
  intruder: Intruder
  clock: Clock
  recorder: Recorder
  commander: Commander
  laptop: Laptop
  scripted: Scripted
  storage: Storage
  /** Data Storage of the second substation, which then uploads to the same servers. */
  storage2: Storage
  /** A smart meter at its HAN port, read by `reader`; `meter2` is another beside it. */
  meter: Meter
  meter2: Meter
  /** A meter reader: the subject, in place of `platform`. */
  reader: Reader
  cloud: Cloud
  modem: Modem
  centre: Centre
  /** The management server; Management Comms is installed. */
  management: Management
  /** At the reader's configuration page. */
  installer: Installer
  /** Between the platform and the servers; and that of the second substation, where the relay of `peers` lies behind both. */
  link: Link
  link2: Link
  /** Libraries as released, in place of a platform: for demonstrations. */
  mqtt: MqttPair
  tus: TusLibrary
  /** A server of resumable uploads: the subject, in place of a platform. */
  uploads: Uploads
  /** At which the platform's hosts hang. */
  mains: Mains
  /** Beside the platform's computer and the router; ask for `mains` and `link` too. */
  watchdog: Watchdog
  /** Of the disk of the platform's host; ask for `mains` too. */
  cache: DiskCache
  /** Whoever advises LoadSense, which is installed. */
  advisers: Advisers
  /** The predictor and the thermal rating app, which are installed, with a past put in place. */
  forecaster: Forecaster
}

export interface Stage {
  readonly time: {
    now(): Instant
    pass(d: string | number): Promise<void>
    /** The length of this run in ms: the scenario's horizon, or its short form. */
    readonly horizon: number
  }
  /** Declares a check. Must come before the time that it judges passes. */
  readonly check: (c: Check) => void
  /** A load to follow, by its name in fixtures/profiles; the operator may put another in its place (`--load`). */
  readonly load: (name: string) => ProfileSpec
  /** A number in [0, 1) from a stream of that name, drawn by the run's seed: for scenarios in which anything may happen. */
  readonly random: (stream: string) => number
  /** Keeps a remark of the scenario in the evidence. */
  readonly note: (text: string, data?: Json) => void
}

export type Cast<K extends keyof Roles> = Pick<Roles, K>

/**
 * Lengths by defect, where some take longer to come to bear than all else: `others` is for that. The healthy platform
 * takes the longest, so that each check is judged.
 */
export type ProveLengths = { readonly others: string } & Readonly<Record<string, string>>

export interface Scenario<K extends keyof Roles = keyof Roles> {
  readonly title: string
  /** Requirement IDs, or clauses `M:0022/voltage`. */
  readonly verifies: readonly string[]
  readonly needs: readonly K[]
  /** Defect id to the requirement or clause that must fail because of it; unknown ones are refused at load. */
  readonly catches: Readonly<Record<string, string>>
  /** Simulated length of the full run: `24 h`. */
  readonly horizon: string
  /** Length of a short run; without it the full length is used. */
  readonly short?: string
  /** Length that `prove` uses; without it the short one. */
  readonly prove?: string | ProveLengths
  /**
   * After its set-up, which may be repeated, all that it does is to let `time.horizon` pass, once: a run in real time that
   * was interrupted goes on with it (`gridproof run --resume`).
   */
  readonly resumable?: true
  /**
   * It shows a defect of somebody's library as released, and is run by name, or by `gridproof demo`, and not among the
   * others: `package` of npm, and the check that fails when the defect shows.
   */
  readonly demonstrates?: { readonly package: string; readonly check: string }
  run(cast: Cast<K> & Stage): Promise<void>
}

/** A bench set up from a rig file: makes the roles, all or none. */
export interface Rig extends AsyncDisposable {
  readonly name: string
  /** Reasons why it cannot play these roles, before anything starts. Empty: it can. */
  lacks(needs: readonly string[]): readonly string[]
  cast<K extends keyof Roles>(needs: readonly K[]): Promise<Cast<K>>
}
