/**
 * The apps that the reference platform runs for the bench: who they are, when they are installed, and with which
 * configuration. An automation app is added in one place: `automationApps`.
 */
import type { Json, SerialSettings } from '../../drivers/faces.ts'
import type { Roles } from '../faces.ts'
import type { Suffix } from '../rigs/pair.ts'
import type { ReferenceRig } from '../rigs/schema.ts'
import { isolationApp } from './advisers.ts'
import type { Speaker } from './advisers.ts'
import { centreName, platformRtu, secondRtu, secondUploader, uploadApp, uploadWindow } from './centre.ts'
import { commsApp, commsSite, lifeSeconds, managementName, secondComms } from './management.ts'
import { readerName } from './cloud.ts'
import { dtrConfig, predictorConfig } from './forecaster.ts'
import { peerConfig, sourceApid } from './peer-parties.ts'
import type { PeerPlaces } from './peer-parties.ts'
import { recorderApp } from './recorder.ts'
import { scriptedApps, scriptedEntry, scriptedUpdate } from './scripted.ts'
import { publisherApid, publishers, storageApp, storageConfig, uploaderApid } from './storage.ts'

/** The sensor apps that stand behind the roles: certificate name (APID) and instance (IID). */
export const sensorApps = {
  gridkey: {
    apid: 'lucy_gridkeysensor_1.0',
    iid: 'lucy_gridkeysensor_01',
    entry: 'sim/reference/lvcap/apps/gridkey/main.ts',
  },
  thermocouple: {
    apid: 'eatl_modbusrtusensor_1.0',
    iid: 'eatl_modbusrtusensor_01',
    entry: 'sim/reference/lvcap/apps/temperature/main.ts',
  },
} as const

/** A second instance of the temperature app, for a module of another make; of a version of its own, as identity goes by APID. */
export const adamApp = {
  apid: 'eatl_adamsensor_1.0',
  iid: 'eatl_adamsensor_01',
  entry: sensorApps.thermocouple.entry,
} as const

/** Apps that read devices, by role. */
export const sensorReaders = { ...sensorApps, adam: adamApp } as const

/** An enrolled app that does nothing but let the intruder borrow its certificate; and whom the intruder claims to be. */
export const intruderApp = {
  apid: 'thirdparty_visitor_1.0',
  iid: 'thirdparty_visitor_01',
  claims: 'lucy_gridkeysensor_1.0',
  /** An older version of the visitor, whose certificate the operator has revoked. */
  revoked: 'thirdparty_visitor_0.9',
} as const

/** Where the devices are that the apps read. Filled as they start. */
export interface DevicePlaces {
  gridkey?: DevicePlace
  thermocouple?: DevicePlace
  adam?: DevicePlace
  /** Breakers: three units on one line. */
  alvin?: DevicePlace
  /** The data centre to which the upload app sends. */
  centre?: { readonly address: string; readonly port: number }
  /** The management server. */
  management?: { readonly address: string; readonly port: number }
  /** Where the Peer-to-Peer app finds its partner, or a relay. */
  peers?: PeerPlaces
  /** Where the bench waits for the scripted apps. */
  scripted?: { readonly address: string; readonly port: number }
}

export type DevicePlace =
  | { readonly address: string; readonly port: number }
  | { readonly path: string; readonly settings: SerialSettings }

/** What an app's configuration is made from: one platform, its devices, and what the scenario asks for. */
export interface AppContext {
  /** Nothing for the first substation, `2` for the second. */
  readonly side: Suffix
  readonly file: ReferenceRig
  /** Seconds between readings, where no scenario sets another. */
  readonly interval: number
  /** Roles that the scenario asks for at this substation, without suffix, and those of the pair as a whole. */
  readonly wanted: ReadonlySet<keyof Roles>
  /** Devices of this platform; those that are not asked for are not there. */
  readonly places: DevicePlaces
  /** Folder with certificates and keys. */
  readonly pki: string
}

/** An app of LV automation. */
export interface AutomationApp {
  readonly apid: string
  readonly iid: string
  readonly entry: string
  /** Whether this scenario has it installed on this platform. */
  installed(c: AppContext): boolean
  /** Its ContainerConfig. */
  config(c: AppContext): { readonly [k: string]: Json }
}

/**
 * The apps of LV automation by the name that aliases and the operator use. To add one: its `installed` and `config` here.
 * They are started in this order, after the sensor apps.
 */
export const automationApps = {
  meshing: {
    apid: 'eatl_lvmeshing_1.0',
    iid: 'eatl_lvmeshing_01',
    entry: 'sim/reference/lvcap/apps/meshing/main.ts',
    installed: ({ places }) => places.alvin !== undefined,
    config: ({ places, interval, file, side }) => ({
      ...(places.alvin === undefined ? {} : whereOf(places.alvin)),
      interval,
      fastInterval: Math.min(10, interval),
      ...file.roles[`alvin${side}`]?.app,
    }),
  },
  predictor: {
    apid: 'eatl_loadpredictor_1.0',
    iid: 'eatl_loadpredictor_01',
    entry: 'sim/reference/lvcap/apps/predictor/main.ts',
    installed: ({ wanted }) => wanted.has('forecaster') || wanted.has('automation'),
    config: () => predictorConfig,
  },
  dtr: {
    apid: 'eatl_weathersense_1.0',
    iid: 'eatl_weathersense_01',
    entry: 'sim/reference/lvcap/apps/dtr/main.ts',
    installed: ({ wanted }) => wanted.has('forecaster') || wanted.has('automation'),
    config: () => dtrConfig(),
  },
  loadsense: {
    apid: 'eatl_loadsense_1.0',
    iid: 'eatl_loadsense_01',
    entry: 'sim/reference/lvcap/apps/loadsense/main.ts',
    installed: ({ wanted }) => wanted.has('advisers') || wanted.has('automation'),
    config: ({ wanted, side }) => ({
      // Of a pair, the breakers of the second substation are the ones that are open as a rule.
      ...(wanted.has('automation') && { normallyOpen: side === '2' }),
      ...(wanted.has('advisers') && { sources: { isolation: { iid: isolationApp.iid, name: 'engaged' } } }),
    }),
  },
  peer: {
    apid: 'eatl_peer_1.0',
    iid: 'eatl_peer_01',
    entry: 'sim/reference/lvcap/apps/peer/main.ts',
    installed: ({ places }) => places.peers !== undefined,
    config: ({ places, side, pki }) =>
      places.peers === undefined ? {} : peerConfig(side, places.peers, pki),
  },
  upload: {
    ...uploadApp,
    installed: (c) => c.places.centre !== undefined,
    config: (c) => ({
      server: { ...c.places.centre, name: centreName },
      ...siteOf(c, secondUploader),
      rows: 200,
      interval: 5,
      window: c.file.roles.centre?.window ?? uploadWindow,
      timeout: 10,
      retry: { first: 1, most: 15 },
    }),
  },
  comms: {
    ...commsApp,
    installed: (c) => c.places.management !== undefined,
    config: (c) => ({
      server: { ...c.places.management, name: managementName },
      ...siteOf(c, secondComms),
      rows: 200,
      interval: 5,
      window: uploadWindow,
      timeout: 10,
      retry: { first: 1, most: 15 },
      poll: 10,
      ...(c.file.roles.management && { piece: c.file.roles.management.piece }),
      site: commsSite,
      life: lifeSeconds,
      records: [publishers.first],
    }),
  },
} as const satisfies Readonly<Record<string, AutomationApp>>

/** Which platform an app is of to its server. */
function siteOf({ side }: AppContext, second: string): { readonly [k: string]: Json } {
  return side === '' ? { rtu: platformRtu } : { rtu: secondRtu, certificate: second }
}

/** Common names for which the platform's authority must issue certificates. The first is whom intruders claim to be. */
export const enrolled: readonly string[] = [
  sensorApps.gridkey.apid,
  sensorApps.thermocouple.apid,
  adamApp.apid,
  intruderApp.apid,
  intruderApp.revoked,
  recorderApp.apid,
  storageApp.apid,
  publisherApid,
  uploaderApid,
  readerName,
  isolationApp.apid,
  sourceApid,
  secondUploader,
  secondComms,
  ...Object.values(scriptedApps).map((a) => a.apid),
  scriptedUpdate,
  ...Object.values(automationApps).map((a) => a.apid),
]

/** Every app that an update may be about, by its name. */
export const updatable: Readonly<Record<string, { readonly apid: string; readonly iid: string }>> = {
  ...sensorReaders,
  ...automationApps,
  ...scriptedApps,
}

/** Those of them that keep sessions beside their first one. */
export const withSessions: readonly string[] = [recorderApp.apid, storageApp.apid]

/** An app as the platform is told of it. */
export interface AppEntry {
  readonly apid: string
  readonly iid: string
  readonly entry: string
  readonly config: { readonly [k: string]: Json } | null
  /** What is built into its image beside the program. */
  readonly image?: Json
  readonly service?: 'storage'
}

/** Beside what automation apps are made from. */
export interface EntryContext extends AppContext {
  /** Whether the CSV recorder is installed. */
  readonly recorder: boolean
  /** Longest answer of Data Storage in bytes, where it is installed. */
  readonly storage: { readonly maxBytes: number } | undefined
}

/** Everything that is installed, in the order in which it is started. */
export function appEntries(c: EntryContext): readonly AppEntry[] {
  const entries: AppEntry[] = []
  if (c.storage !== undefined) {
    const config = { ...storageConfig, maxBytes: c.storage.maxBytes }
    entries.push({ ...storageApp, config, service: 'storage' })
  }
  // The first to be installed is the first to be started: what the others say at their start is recorded too.
  if (c.recorder) entries.push({ ...recorderApp, config: c.file.roles.recorder?.options ?? {} })
  for (const [role, reader] of Object.entries(sensorReaders) as [
    keyof typeof sensorReaders,
    (typeof sensorReaders)[keyof typeof sensorReaders],
  ][]) {
    const place = c.places[role]
    if (place === undefined) continue
    entries.push({
      ...reader,
      config: { ...whereOf(place), interval: c.interval, ...appOf(c, role) },
    })
  }
  for (const a of Object.values<AutomationApp>(automationApps))
    if (a.installed(c)) entries.push({ apid: a.apid, iid: a.iid, entry: a.entry, config: a.config(c) })
  if (c.places.scripted !== undefined)
    for (const app of Object.values(scriptedApps))
      entries.push({ ...app, entry: scriptedEntry, image: { control: c.places.scripted } })
  return entries
}

function appOf(c: AppContext, role: keyof typeof sensorReaders): { readonly [k: string]: Json } | undefined {
  const entry = c.side === '' ? c.file.roles[role] : role === 'adam' ? undefined : c.file.roles[`${role}2`]
  return entry?.app
}

/** A device's place, as the apps' configurations give it. */
export function whereOf(place: DevicePlace): { readonly [k: string]: Json } {
  return 'address' in place
    ? { address: place.address, port: place.port }
    : { serial: { path: place.path, ...place.settings } }
}

/** Whom LoadSense hears and the bench has to play, since they are not installed. */
export function speakersFor(
  c: AppContext,
): Readonly<Partial<Record<Speaker, { readonly apid: string; readonly iid: string }>>> {
  const { predictor, dtr, peer, meshing } = automationApps
  const automation: Readonly<Record<string, AutomationApp>> = { predictor, dtr, peer, meshing }
  const missing = Object.entries<AutomationApp>(automation).filter(([, app]) => !app.installed(c))
  return {
    ...Object.fromEntries(missing.map(([name, { apid, iid }]) => [name, { apid, iid }])),
    ...(c.places.gridkey === undefined && {
      gridkey: { apid: sensorApps.gridkey.apid, iid: sensorApps.gridkey.iid },
    }),
    isolation: isolationApp,
  }
}
