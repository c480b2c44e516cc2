/**
 * The rig file of a lab: a platform that the bench did not start. It names addresses, serial ports, one certificate of an
 * observer, and the points at which the platform may be observed. What it does not name is not observable.
 */
import { dirname, isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import { parseYaml, placeOf, readYaml } from '../../drivers/yaml.ts'
import { aliasFile, aliasMap } from '../platforms/alias-file.ts'
import { labUploads, uploadsFrom } from './lab-uploads.ts'
import { csvColumns, serial } from './parts.ts'

const port = z.int().min(1).max(65_535)
const text = z.string().min(1)
const digest = z
  .string()
  .regex(/^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/, 'expected sha256: and 64 hexadecimal digits')

/** An MQTT broker of the platform, at which the bench may listen. */
const door = z.strictObject({
  /** Name or address. */
  host: text,
  port,
  /** PEM files, from the rig file's folder. Without: plain TCP. */
  tls: z
    .strictObject({
      ca: text,
      cert: text.optional(),
      key: text.optional(),
      /** Name in the broker's certificate, where it is not `host`. */
      serverName: text.optional(),
    })
    .refine((t) => (t.cert === undefined) === (t.key === undefined), {
      message: 'expected cert and key together, or neither',
    })
    .optional(),
  /** MQTT client ID; an LV-CAP marketplace wants the certificate's common name (API 8.1). */
  clientId: text,
  username: text.optional(),
  /** A file with the password on its first line. */
  passwordFile: text.optional(),
  /** What is subscribed to; everything unless given. */
  subscribe: z.array(text).min(1).default(['#']),
})

const device = z
  .strictObject({
    /** A device of sim/devices. */
    device: z.string(),
    /** Options of that device: its personality and so on. */
    options: z.record(z.string(), z.json()).optional(),
    /** Address of the bench's own interface at which the platform looks for the device. */
    address: z.union([z.ipv4(), z.ipv6()]).optional(),
    port: port.optional(),
    /** The bench's own serial port: a stable name below /dev/serial/by-id, where there is one. */
    path: text.optional(),
    serial: serial.optional(),
  })
  .refine((d) => (d.port === undefined) !== (d.serial === undefined), {
    message: 'expected either port (a TCP device) or serial (a device on a serial line)',
  })
  .refine((d) => (d.port === undefined) === (d.address === undefined), {
    message: 'expected address beside port: the interface of the bench at which the platform looks for it',
  })
  .refine((d) => (d.serial === undefined) === (d.path === undefined), {
    message: 'expected path beside serial: the serial port of the bench that is wired to the platform',
  })

/** How an app of the platform has been set by hand, since the bench cannot set it. */
const configured = z.strictObject({ intervalSeconds: z.number().positive() })

/** What switches the power of the platform's computer. Fields as in drivers/power/board.ts. */
const power = z.strictObject({
  board: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('serial-relay'),
      /** Its port: a stable name below /dev/serial/by-id, where there is one. */
      path: text,
      baudRate: z.int().min(300).max(921_600).optional(),
      /** False: a plain one, which never answers. */
      answers: z.boolean().optional(),
    }),
    z.strictObject({
      kind: z.literal('coils'),
      host: text,
      port: port.optional(),
      unit: z.int().min(0).max(255).optional(),
      /** Coil of its first relay, from 0. */
      first: z.int().min(0).max(65_535).optional(),
    }),
    z.strictObject({
      kind: z.literal('http'),
      url: z.url({ protocol: /^https?$/, error: 'expected an address such as http://192.0.2.7' }),
      paths: z
        .strictObject({
          on: text,
          off: text,
          state: text,
          isOn: text,
          isOff: text,
          first: z.int().min(0).max(255),
        })
        .optional(),
      user: text.optional(),
      /** A file with the password on its first line. */
      passwordFile: text.optional(),
    }),
  ]),
  /** From 1. */
  outlet: z.int().min(1).max(255),
  /** Whether the platform has power while the outlet is on, or (a relay's normally closed contact) off. */
  powerWhen: z.enum(['on', 'off']).default('on'),
  /** How the platform is left: at the end, and however the bench comes to its own. */
  safe: z.enum(['powered', 'unpowered']).default('powered'),
  /** How often its power may be cut within an hour. */
  operationsAnHour: z.int().min(1).max(120).default(12),
})

const lab = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/, 'expected lower-case letters, digits and -'),
  describes: z.string().min(10),
  /** A YAML file, from this file's folder: by name the texts that must not stand in the evidence. */
  secrets: text.optional(),
  time: z.literal('real', 'expected real: a platform that the bench did not start has its own time'),
  platform: z.strictObject({
    kind: z.literal('lab'),
    maker: text,
    product: text,
    model: text.optional(),
    /** Of its software. */
    version: text,
    serial: text.optional(),
    /** Of its software as a whole. */
    digest: digest.optional(),
    /** Of parts of it: the images of its apps, by name. */
    images: z.record(text, digest).default({}),
    configured: z
      .strictObject({
        gridkey: configured.optional(),
        thermocouple: configured.optional(),
        adam: configured.optional(),
      })
      .default({}),
    /** How long it may take to find the bench's devices and to show its first reading of them. */
    readyWithin: z
      .string()
      .regex(/^\d+(\.\d+)? ?(s|min|h)$/, 'expected a duration such as 3 min')
      .default('3 min'),
  }),
  /** The breakers that the platform can reach are real: nothing is played to it without `--arm`. */
  switches: z.literal('real').optional(),
  /** With `--arm`: how often one breaker may operate within an hour until the run is stopped. */
  operationsAnHour: z.int().min(1).max(60).default(4),
  /** What switches the platform's power: it lets the bench play `mains`, with `--arm` alone. */
  power: power.optional(),
  /** A server of resumable uploads, which is judged by itself: role `uploads`. */
  uploads: labUploads.optional(),
  site: text.optional(),
  operator: text.optional(),
  /** What of the bench's own equipment bears on the evidence: adapters, the clock, meters. */
  instruments: z
    .array(
      z.strictObject({
        name: text,
        serial: text.optional(),
        /** When its calibration ends, or what stands in for it. */
        calibration: text.optional(),
      }),
    )
    .default([]),
  points: z
    .strictObject({
      marketplace: door.optional(),
      /** A broker on the server side, at which what was uploaded comes out. */
      server: door.optional(),
      /** The folder to which the platform's CSV recorder exports; from the rig file's folder. */
      csv: z.strictObject({ folder: text, columns: csvColumns }).optional(),
    })
    .default({}),
  topics: z
    .strictObject({
      /** Instances behind the roles, where topics follow the LV-CAP API. */
      apps: z
        .strictObject({
          gridkey: text.optional(),
          thermocouple: text.optional(),
          adam: text.optional(),
          alvin: text.optional(),
          loadsense: text.optional(),
        })
        .default({}),
      /** Alias to topic, or a file that holds such a list; these go before `apps`. */
      aliases: z.union([text, aliasMap]).default({}),
    })
    .prefault({}),
  /** The platform's clock against the bench's, where it is known by other means than its time stamps. */
  clock: z
    .strictObject({ offsetMs: z.number(), uncertaintyMs: z.number().min(0), method: z.string().min(5) })
    .optional(),
  roles: z
    .strictObject({
      gridkey: device.optional(),
      thermocouple: device.optional(),
      adam: device.optional(),
      alvin: device.optional(),
    })
    .default({}),
})

type LabFile = z.infer<typeof lab>
export type LabDoor = z.infer<typeof door>
export type LabPower = z.infer<typeof power>

/** A lab's rig file as read: all paths are absolute, all aliases at hand. */
export type LabRig = Omit<LabFile, 'topics'> & {
  readonly topics: {
    readonly apps: LabFile['topics']['apps']
    readonly aliases: Readonly<Record<string, string>>
  }
}

/** Reads it. Throws `bad-file` with file, line, path and what was expected, also of the aliases beside it. */
export function readLab(file: string): LabRig {
  const r = readYaml(file, lab)
  if (r.switches === 'real' && r.roles.alvin !== undefined)
    throw new GridproofError(
      'bad-file',
      'expected no alvin where the breakers are real: they are not played',
      {
        place: { file, ...placeOf(file, ['roles', 'alvin']), path: 'roles.alvin' },
      },
    )
  const folder = dirname(file)
  const from = (path: string): string => (isAbsolute(path) ? path : join(folder, path))
  const doorFrom = (d: LabDoor): LabDoor => ({
    ...d,
    ...(d.passwordFile === undefined ? {} : { passwordFile: from(d.passwordFile) }),
    ...(d.tls === undefined
      ? {}
      : {
          tls: {
            ...d.tls,
            ca: from(d.tls.ca),
            ...(d.tls.cert === undefined ? {} : { cert: from(d.tls.cert) }),
            ...(d.tls.key === undefined ? {} : { key: from(d.tls.key) }),
          },
        }),
  })
  const { marketplace, server, csv } = r.points
  const board = r.power?.board
  const { aliases } = r.topics
  return {
    ...r,
    ...(r.power === undefined || board?.kind !== 'http' || board.passwordFile === undefined
      ? {}
      : { power: { ...r.power, board: { ...board, passwordFile: from(board.passwordFile) } } }),
    ...(r.uploads === undefined ? {} : { uploads: uploadsFrom(r.uploads, folder) }),
    points: {
      ...(marketplace === undefined ? {} : { marketplace: doorFrom(marketplace) }),
      ...(server === undefined ? {} : { server: doorFrom(server) }),
      ...(csv === undefined ? {} : { csv: { ...csv, folder: from(csv.folder) } }),
    },
    topics: {
      apps: r.topics.apps,
      aliases: typeof aliases === 'string' ? readYaml(from(aliases), aliasFile).aliases : aliases,
    },
  }
}

/** The kind of platform that a rig file's text names; nothing where it names none, or is no YAML at all. */
export function kindIn(source: string): string | undefined {
  const kind = z.looseObject({ platform: z.looseObject({ kind: z.string() }) })
  try {
    return parseYaml(source, '', kind).platform.kind
  } catch {
    return undefined
  }
}
