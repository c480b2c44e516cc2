/**
 * Somebody's platform as the system under test: the bench did not start it and cannot set it, and sees of it what the rig
 * file declares as points of observation. Everything else is not observable here, which makes a check inconclusive.
 */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { connect } from 'mqtt'
import type { IClientOptions } from 'mqtt'
import { z } from 'zod'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Json, Realm, World } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import type { Emit } from '../../sim/faces.ts'
import type { Platform, Port } from '../faces.ts'
import type { LabDoor, LabRig } from '../rigs/lab.ts'
import { aliasesFirst } from './alias-file.ts'
import { aliasTable } from './aliases.ts'
import { clockMeter } from './clock-meter.ts'
import { observe } from './observer.ts'
import type { Observer } from './observer.ts'
import { makeRecorder } from './recorder.ts'
import type { PlayedRecorder } from './recorder.ts'

export interface LabOptions {
  readonly rig: LabRig
  readonly world: World
  readonly bench: Realm
  /** Devices that the bench plays now; each is told by `asked` when the platform has first read it. */
  readonly devices: ReadonlyMap<string, { readonly where: string; readonly asked: Promise<void> }>
  emitAs(src: string): Emit
}

export type LabPlatform = Platform &
  AsyncDisposable & {
    readonly recorder: PlayedRecorder | undefined
    /** Its power is back: whoever watches it connects anew. */
    again(): void
  }

/** Silence after a burst of messages, in ms: the next one is then a whole one. Ours. */
const quiet = 500

/** Connects to what the rig file names. Nothing of the platform is started or changed. */
export async function labPlatform(o: LabOptions): Promise<LabPlatform> {
  const { points, platform } = o.rig
  const aliasOf = aliasesFirst(o.rig.topics.aliases, aliasTable(appsOf(o.rig)))
  const meter = clockMeter(o.rig.clock, o.emitAs('clock'))
  const arrivals = watchArrivals()
  const troubles = new Map<string, string>()
  const open: AsyncDisposable[] = []
  const watching: { readonly point: string; readonly door: LabDoor; readonly observer: Observer }[] = []
  for (const point of ['marketplace', 'server'] as const) {
    const door = points[point]
    if (door === undefined) continue
    const connection = connectionOf(door)
    // Whatever the broker kept for this name since the last time is no business of this run.
    await forget(connection)
    const emit = o.emitAs(point)
    const observer = observe({
      door: { connection },
      realm: o.bench,
      topics: door.subscribe,
      aliasOf,
      onTrouble: (why) => void troubles.set(point, why),
      emit(kind, data, more) {
        if (point !== 'marketplace' || kind !== 'seen') return emit(kind, data, more)
        const d = data as { readonly alias: string; readonly retain?: boolean }
        meter.before(o.world.now(), d.retain === true ? undefined : more?.stamp)
        arrivals.see(d.alias)
        return emit(kind, data, more)
      },
    })
    open.push(observer, { [Symbol.asyncDispose]: () => forget(connection) })
    watching.push({ point, door, observer })
  }
  const recorder = recorderOf(o, aliasOf)
  return {
    can: new Set([
      ...watching.map((w) => w.point),
      ...(points.marketplace?.tls === undefined ? [] : ['tls']),
      ...(points.csv === undefined ? [] : ['csv']),
      // Its power goes as in the field.
      ...(o.rig.power === undefined ? [] : ['durability']),
    ]),
    hosts: [],
    again() {
      for (const w of watching) w.observer.again()
    },
    recorder,
    async ready() {
      const limit = duration(platform.readyWithin)
      const late = Promise.withResolvers<never>()
      let waitsFor = ''
      const t = setTimeout(() => {
        const said = [...troubles].map(([point, why]) => `; at the ${point}: ${why}`).join('')
        late.reject(
          new GridproofError('rig-broke', `within ${durationText(limit)} there was no ${waitsFor}${said}`),
        )
      }, limit)
      const all = async (): Promise<void> => {
        for (const { point, door, observer } of watching) {
          waitsFor = `connection to the ${point} at ${door.host}:${door.port}`
          await observer.watching
          troubles.delete(point)
        }
        for (const [role, device] of o.devices) {
          waitsFor = `request from the platform for the ${role} at ${device.where}: is it set to look there?`
          await device.asked
          if (points.marketplace === undefined) continue
          waitsFor = `message of ${role}.* at the marketplace, although the platform has read the device: are its topics those of the rig file?`
          await arrivals.after(`${role}.`)
        }
        await arrivals.quiet(quiet)
        passOver(recorder)
      }
      try {
        await Promise.race([all(), late.promise])
      } finally {
        clearTimeout(t)
      }
    },
    watch: (port, select) => ({ src: port, kind: 'seen', select }),
    ask: async (port, request) => asked(o, port, request),
    async [Symbol.asyncDispose]() {
      // A broker that is gone by now takes nobody's leave.
      for (const d of open) await Promise.resolve(d[Symbol.asyncDispose]()).catch(() => undefined)
    },
  }
}

function appsOf(rig: LabRig): Parameters<typeof aliasTable>[0] {
  const { gridkey = '', thermocouple = '', adam = '', alvin, loadsense } = rig.topics.apps
  // What reads the breakers is the meshing app, whose other topics have names too.
  const automation = new Map(
    [[alvin, 'meshing'] as const, [loadsense, 'loadsense'] as const].flatMap(([iid, name]) =>
      iid === undefined ? [] : [[iid, name] as const],
    ),
  )
  return { gridkey, thermocouple, adam, automation }
}

function recorderOf(o: LabOptions, aliasOf: (topic: string) => string): PlayedRecorder | undefined {
  const { csv } = o.rig.points
  if (csv === undefined) return undefined
  const no = (): never => {
    throw new GridproofError('not-capable', "no process of the lab's platform is the bench's to end")
  }
  return makeRecorder({
    host: { disk: csv.folder, kill: no },
    realm: o.bench,
    export: { folder: '', columns: csv.columns },
    emit: o.emitAs('csv'),
    aliasOf,
    now: () => o.world.now(),
  })
}

/** What the recorder has kept before this scenario is not its business. */
function passOver(recorder: PlayedRecorder | undefined): void {
  try {
    recorder?.passOver()
  } catch (e) {
    throw new GridproofError('rig-broke', `the folder of CSV files that the rig names: ${messageOf(e)}`, {
      cause: e,
    })
  }
}

/** How to connect at a door that a rig file declares. Throws `rig-lacks` for a file that cannot be read. */
function connectionOf(door: LabDoor): IClientOptions {
  const read = (file: string): Buffer => {
    try {
      return readFileSync(file)
    } catch (e) {
      throw new GridproofError('rig-lacks', `the rig names a file that cannot be read: ${messageOf(e)}`, {
        cause: e,
      })
    }
  }
  const { tls, passwordFile } = door
  const name = tls?.serverName ?? (isIP(door.host) === 0 ? door.host : undefined)
  return {
    protocol: tls === undefined ? 'mqtt' : 'mqtts',
    host: door.host,
    port: door.port,
    clientId: door.clientId,
    ...(door.username === undefined ? {} : { username: door.username }),
    ...(passwordFile === undefined
      ? {}
      : { password: read(passwordFile).toString('utf8').split(/\r?\n/)[0] ?? '' }),
    ...(tls === undefined
      ? {}
      : {
          ca: read(tls.ca),
          ...(tls.cert === undefined ? {} : { cert: read(tls.cert) }),
          ...(tls.key === undefined ? {} : { key: read(tls.key) }),
          ...(name === undefined ? {} : { servername: name }),
        }),
  }
}

/** How long the broker may take to forget, in ms; where it does not, `ready` will tell why it cannot be reached. Ours. */
const forgetsWithin = 3000

/** Ends the session that the broker keeps for this name, if it keeps one. */
async function forget(connection: IClientOptions): Promise<void> {
  const client = connect({ ...connection, clean: true, reconnectPeriod: 0, connectTimeout: forgetsWithin })
  const over = Promise.withResolvers<void>()
  const t = setTimeout(() => over.resolve(), forgetsWithin)
  client.once('connect', () => over.resolve())
  client.once('close', () => over.resolve())
  client.on('error', () => over.resolve())
  await over.promise
  clearTimeout(t)
  await client.endAsync(!client.connected).catch(() => undefined)
}

/** Which aliases have been seen since somebody began to wait, and when the last message came. */
function watchArrivals(): {
  see(alias: string): void
  /** Resolves at the next message of an alias that begins so. */
  after(begin: string): Promise<void>
  quiet(ms: number): Promise<void>
} {
  const waiting = new Set<{ begin: string; done: () => void }>()
  let last = Number.NEGATIVE_INFINITY
  return {
    see(alias) {
      last = performance.now()
      for (const w of waiting)
        if (alias.startsWith(w.begin)) {
          waiting.delete(w)
          w.done()
        }
    },
    after: (begin) =>
      new Promise((done) => {
        waiting.add({ begin, done })
      }),
    async quiet(ms) {
      // A platform that never pauses is taken as it is.
      const until = performance.now() + 6 * ms
      for (let rest = ms; rest > 0 && performance.now() < until; rest = last + ms - performance.now())
        await new Promise((done) => {
          setTimeout(done, rest)
        })
    },
  }
}

const configRequest = z.looseObject({
  app: z.enum(['gridkey', 'thermocouple', 'adam']),
  intervalSeconds: z.number().optional(),
})

/** A setting that somebody has made by hand, and the rig file declares, counts as made. Everything else is refused. */
function asked(o: LabOptions, port: Port, request: Json): Json {
  const r = port === 'config' ? configRequest.safeParse(request) : undefined
  if (r?.success !== true)
    throw new GridproofError(
      'not-capable',
      `the rig '${o.rig.name}' has no way to ask the platform at '${port}'`,
    )
  const { app, intervalSeconds, ...others } = r.data
  const by = o.rig.platform.configured[app]?.intervalSeconds
  const wanted = JSON.stringify(request)
  if (Object.keys(others).length > 0 || intervalSeconds === undefined)
    throw new GridproofError(
      'not-capable',
      `the scenario sets ${wanted}, and the rig '${o.rig.name}' has no way to set the platform`,
    )
  if (by !== intervalSeconds)
    throw new GridproofError(
      'not-capable',
      `the scenario sets ${wanted}; set it on the platform by hand, and say so in the rig file: platform.configured.${app}.intervalSeconds: ${intervalSeconds}${by === undefined ? '' : ` (now ${by})`}`,
    )
  o.emitAs('platform')('note', { what: 'set by hand, as the rig file says', request })
  return { Ok: true }
}
