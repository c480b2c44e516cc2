/** The rig file: what stands in for the roles that scenarios ask for, and where. YAML, in fixtures/rigs or anywhere. */
import { readFileSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import { placeOf, readYaml } from '../../drivers/yaml.ts'
import { kindIn, readLab } from './lab.ts'
import type { LabRig } from './lab.ts'
import { csvColumns, serial } from './parts.ts'

/** Last number of an IPv4 address inside the rig's network. */
const at = z.int().min(2).max(250)
const port = z.int().min(0).max(65_535)

const device = z
  .strictObject({
    /** A device of sim/devices. */
    device: z.string(),
    at,
    /** Options of that device: its personality and so on. Checked by the device's own schema. */
    options: z.record(z.string(), z.json()).optional(),
    /** TCP port; 0 takes a free one and tells the platform. */
    port: port.optional(),
    serial: serial.optional(),
    /** Added to the configuration of the platform's app that reads it: its register map, its unit. */
    app: z.record(z.string(), z.json()).optional(),
  })
  .refine((d) => (d.port === undefined) !== (d.serial === undefined), {
    message: 'expected either port (a TCP device) or serial (a device on a serial line)',
  })

const storage = z.strictObject({
  at,
  /** Longest answer that the operator lets it give, in bytes; at most what MQTT can carry (3.1.1, section 2.2.3). */
  maxBytes: z.int().min(100_000).max(268_435_455).default(268_435_455),
})

const link = z.strictObject({
  at,
  /** Of fixtures/links. */
  profile: z.string().default('good-site'),
  /** Its router's place, and the port of that one's page. */
  router: z.strictObject({ at, port: port.default(0) }),
})

/** The first three numbers of an IPv4 address that a host can have: not this-network, not multicast, not reserved. */
function isNetwork(text: string): boolean {
  const parts = /^\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(text) ? text.split('.').map(Number) : []
  const [first = 0] = parts
  return text === 'own' || (first > 0 && first < 224 && parts.every((n) => n < 256))
}

const rig = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/, 'expected lower-case letters, digits and -'),
  describes: z.string().min(10),
  /** A YAML file, from this file's folder: by name the texts that must not stand in the evidence. */
  secrets: z.string().min(1).optional(),
  time: z.enum(['virtual', 'real']),
  /** First three numbers of the rig's IPv4 network; `own` takes one of 127.64-127.127 that no other bench uses. */
  network: z.string().refine(isNetwork, "expected 'own' or three numbers such as 10.77.0"),
  platform: z.strictObject({
    kind: z.literal('reference'),
    at,
    port: z.int().min(1).max(65_535),
    /** Broker of its marketplace: inside its own program, or a mosquitto that it runs. */
    broker: z.enum(['aedes', 'mosquitto']).default('aedes'),
    /** Names of the topics that the sensor apps publish on (facts on both in docs/platform.md). */
    topics: z.enum(['spec', 'openlv-2018']),
    /** Size of its disk in MiB, where that is one that can lose power; it lies in memory, and takes what was written. */
    diskMiB: z.int().min(64).max(65_536).default(256),
    /** Interval of the sensor apps when no scenario sets another, in seconds. */
    intervalSeconds: z.int().min(1).max(3600).default(60),
    /** Interval of the Container Manager's status requests, in seconds (LV-CAP API 6: 120 by default). */
    statusSeconds: z.int().min(1).max(3600).default(120),
  }),
  observer: z.strictObject({
    at,
    /** Topic filters that it subscribes; everything unless given. */
    topics: z.array(z.string().min(1)).min(1).optional(),
  }),
  roles: z.strictObject({
    gridkey: device.optional(),
    thermocouple: device.optional(),
    /** The second substation of a pair: its platform, else like the first, and its devices. */
    platform2: z.strictObject({ at }).optional(),
    gridkey2: device.optional(),
    thermocouple2: device.optional(),
    /** Circuit breakers on one line, with the isolator in it; and those of the second substation. */
    alvin: device.optional(),
    alvin2: device.optional(),
    /** Every app of LV automation on both platforms. */
    automation: z.strictObject({}).optional(),
    /** The network between both substations; its options are checked by its own schema. */
    network: z.strictObject({ at, options: z.record(z.string(), z.json()).optional() }).optional(),
    /** A thermocouple module of another make, and an instance of its own of the app that reads it. */
    adam: device.optional(),
    /** Smart meters at their HAN ports; `app` is added to what the reader is told of the line. */
    meter: device.optional(),
    meter2: device.optional(),
    /** The meter reader: a host of its own, in place of the platform in scenarios that ask for it. */
    reader: z.strictObject({ at }).optional(),
    /** The cloud to which the reader sends. In real time it is at 127.0.0.1. */
    cloud: z.strictObject({ at }).optional(),
    /** Somebody at the reader's configuration page; the port of that page. */
    installer: z.strictObject({ at, port: z.int().min(1).max(65_535) }).optional(),
    /** A serial modem between reader and cloud, where a scenario asks for it. */
    modem: z.strictObject({ at, serial }).optional(),
    intruder: z.strictObject({ at }).optional(),
    /** The platform's time source, played by setting the clock of its host. */
    clock: z.strictObject({}).optional(),
    /** The mains of the platform's host, played by cutting it. */
    mains: z.strictObject({}).optional(),
    /**
     * The watchdogs beside the platform: where they are, and on which port the computer feeds them; the relay in its supply;
     * somebody beyond the link who always answers.
     */
    watchdog: z
      .strictObject({
        at,
        port: z.int().min(1).max(65_535),
        relay: z.strictObject({ at }),
        beyond: z.strictObject({ at }),
      })
      .optional(),
    /** The write cache of that host's disk. */
    cache: z.strictObject({}).optional(),
    /** Whoever advises LoadSense: all apps that it hears and that are not installed. */
    advisers: z.strictObject({ at }).optional(),
    /** LoadSense as the bench plays it, and whoever pretends to be it. */
    commander: z.strictObject({ at }).optional(),
    /** What lies between two platforms, and whose Peer-to-Peer app is called: the port on which it listens. */
    peers: z.strictObject({ at, port: z.int().min(1).max(65_535) }).optional(),
    /** Apps under the bench's control; where the bench waits for them. */
    scripted: z.strictObject({ at, port: port.default(0) }).optional(),
    /** The platform's Data Storage, and where the apps stand that the bench plays at it. */
    storage: storage.optional(),
    storage2: storage.optional(),
    /** The data centre to which the platform uploads. */
    centre: z
      .strictObject({
        at,
        port: port.default(0),
        /** Bytes that the platform sends at a time. */
        window: z.int().min(256).max(16_777_216).default(4_096),
        /** Bytes of what scenarios call a long backlog. */
        backlog: z.int().min(500_000).max(1_000_000_000).default(1_500_000),
      })
      .optional(),
    /** The management server. */
    management: z
      .strictObject({
        at,
        port: port.default(0),
        /** Bytes of a download that the platform asks for at a time. */
        piece: z.int().min(1_024).max(16_777_216).default(16_384),
        /** Bytes of what scenarios call a large file. */
        large: z.int().min(1_000_000).max(4_000_000_000).default(5_000_000),
      })
      .optional(),
    /** The 4G link between the platform and the servers; and that of the second substation. */
    link: link.optional(),
    link2: link.optional(),
    /** An MQTT broker behind the link, for demonstrations; its client stands in the platform's place. */
    /** For demonstrations: a server of resumable uploads as released. */
    tus: z.strictObject({ at, port: z.int().min(1).max(65_535) }).optional(),
    mqtt: z.strictObject({ at, port: z.int().min(1).max(65_535) }).optional(),
    /** A server of resumable uploads: the data centre's own, or a library as released. */
    uploads: z
      .strictObject({
        at,
        port: z.int().min(1).max(65_535),
        server: z.enum(['own', '@tus/server']).default('own'),
      })
      .optional(),
    /** The predictor and the thermal rating app, where a scenario asks for them. */
    forecaster: z.strictObject({}).optional(),
    /** A laptop at the platform's Ethernet port; `port` is the maintenance service's. */
    laptop: z.strictObject({ at, port: z.int().min(1).max(65_535) }).optional(),
    /** The platform's CSV recorder, and where and how its files stand on the host's disk. */
    recorder: z
      .strictObject({
        /** ContainerConfig of the app. */
        options: z.record(z.string(), z.json()).default({}),
        folder: z.string().default('csv'),
        /** Header names of its columns. */
        columns: csvColumns,
      })
      .optional(),
  }),
})

export type ReferenceRig = z.infer<typeof rig>
export type RigFile = ReferenceRig | LabRig
export type DeviceEntry = z.infer<typeof device>

/** Whether the platform of a rig is somebody's own, which the bench does not start. */
export function isLab(r: RigFile): r is LabRig {
  return r.platform.kind === 'lab'
}

/** Reads a rig file. Throws `bad-file` with file, line, path and what was expected. */
export function readRig(file: string): RigFile {
  const kind = kindIn(textOf(file))
  if (kind !== undefined && kind !== 'reference' && kind !== 'lab')
    throw new GridproofError('bad-file', `expected reference or lab, and not '${kind}'`, {
      place: { file, ...placeOf(file, ['platform', 'kind']), path: 'platform.kind' },
    })
  const r = kind === 'lab' ? readLab(file) : readYaml(file, rig)
  const refuse = (path: readonly string[], message: string): never => {
    throw new GridproofError('bad-file', message, {
      place: { file, ...placeOf(file, path), path: path.join('.') },
    })
  }
  const own = basename(file, extname(file))
  if (r.name !== own) refuse(['name'], `expected '${own}', the file's own name`)
  if (isLab(r)) return r
  if (r.platform.broker === 'mosquitto' && r.time === 'virtual')
    refuse(['platform', 'broker'], 'expected aedes: mosquitto knows no virtual time')
  const taken = new Map<number, string>()
  for (const [path, at] of placesIn(r)) {
    const by = taken.get(at)
    if (by !== undefined) refuse(path, `expected an address of its own: ${by} has ${at} too`)
    taken.set(at, path.at(-2) ?? '')
  }
  return r
}

/** Every `at` of a rig, and where it stands in the file: of roles, and of what stands beside them in their entries. */
function placesIn(r: ReferenceRig): readonly (readonly [readonly string[], number])[] {
  const found: [readonly string[], number][] = []
  const look = (part: unknown, path: readonly string[]): void => {
    if (typeof part !== 'object' || part === null) return
    if ('at' in part && typeof part.at === 'number') found.push([[...path, 'at'], part.at])
    // What a device or an app is told by the rig is its own.
    for (const [key, inner] of Object.entries(part))
      if (key !== 'options' && key !== 'app') look(inner, [...path, key])
  }
  const { platform, observer, roles } = r
  look({ platform, observer, roles }, [])
  return found
}

/** Nothing where it cannot be read: whoever reads it next says why. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
