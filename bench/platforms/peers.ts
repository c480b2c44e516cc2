/**
 * The link between two platforms (M:0018, M:0087), played by the bench: what lies between their modems, a relay, whoever
 * stands there with a wrong certificate; and the apps whose results the platforms carry to each other. Certificates are
 * those of the bench's authority.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { connectAsync, type MqttClient } from 'mqtt'
import { z } from 'zod'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Json, Realm } from '../../drivers/faces.ts'
import type { Emit, Fault, MakeRelay } from '../../sim/faces.ts'
import type { DataEntry, PeerEnd, Peers } from '../faces.ts'
import type { TopicProfile } from './aliases.ts'
import { createCrossing } from './crossing.ts'
import { connectionAt, type Door } from './observer.ts'
import { carriedByDefault, platformNames, roadOf, sourceApid, type PeerPlaces } from './peer-parties.ts'
import { knock, pose, type ImpostorOptions } from './peer-impostors.ts'

export interface PeersOptions {
  readonly realm: Realm
  /** Where the apps stand whose results are carried, as the bench plays them. */
  readonly sources: Realm
  readonly pki: string
  readonly emit: Emit
  readonly topics: TopicProfile
  /** Where the second platform listens. */
  readonly called: { readonly address: string; readonly port: number }
  random(): number
  readonly makeRelay: MakeRelay
}

/** The platforms, once they have been started. */
export interface PeerPlatforms {
  readonly doors: Readonly<Record<PeerEnd, Omit<Door, 'name'>>>
  /** Asks the operator of one. */
  operate(at: PeerEnd, request: Json): Promise<Json>
}

export interface PlayedPeers extends Peers, AsyncDisposable {
  readonly places: PeerPlaces
  /** Where one end finds all that: a modem of its own may lie between. */
  found(end: PeerEnd, places: PeerPlaces): void
  meet(platforms: PeerPlatforms): void
}

/** How long an acknowledgement may take, in ms: ours. */
const patience = 30_000

const shown = z.enum([
  'no-tls',
  'no-certificate',
  'expired',
  'foreign-ca',
  'self-signed',
  'wrong-name',
  'revoked',
  'partner',
])
const sends = z.enum(['nothing', 'noise', 'endless', 'deep', 'odd-json']).default('nothing')
const nothing = z.strictObject({})
const kinds = {
  carrier: nothing,
  reset: nothing,
  'half-open': z.strictObject({ untold: z.enum(['a', 'b']).default('a') }),
  slow: z.strictObject({ ms: z.int().min(1).max(60_000).default(2_000) }),
  relay: nothing,
  impostor: z.strictObject({ shows: shown.exclude(['no-certificate']).default('foreign-ca'), sends }),
} as const
type Kind = keyof typeof kinds
type Params = { readonly [k: string]: Json }

/** Starts it. Throws `rig-broke` where it cannot listen. */
export async function playPeers(o: PeersOptions): Promise<PlayedPeers> {
  const { realm, emit } = o
  const inForce = new Map<string, { readonly kind: Kind; readonly params: Params }>()
  const of = (kind: Kind): Params | undefined => [...inForce.values()].find((f) => f.kind === kind)?.params
  const sockets = new Set<Socket>()
  const carried = carriedByDefault(o.topics)
  const topics = new Map(carried.map((e) => [e.name, e.topic]))
  const clients = new Map<PeerEnd, Promise<MqttClient>>()
  const posing: ImpostorOptions = { pki: o.pki, emit, random: () => o.random() }
  let platforms: PeerPlatforms | undefined
  let impostures = 0
  let faults = 0

  const crossing = realm.run(() =>
    createCrossing(emit, () => ({
      held: of('carrier') !== undefined,
      delay: Number(of('slow')?.['ms'] ?? 0),
    })),
  )
  const known = (s: Socket): Socket => {
    sockets.add(s)
    s.on('error', () => undefined)
    s.once('close', () => sockets.delete(s))
    return s
  }
  /** Somebody else answers in the place of `b`, or of the relay's other end. */
  const impose = (p: Params, towards: PeerEnd, s: Socket): void => {
    const what = {
      name: `impostor-${++impostures}`,
      towards,
      shows: shown.parse(p['shows']),
      sends: sends.parse(p['sends']),
    }
    void pose(posing, what, s, towards === 'a' ? 'server' : 'client')
  }
  const called = (s: Socket): void => {
    known(s)
    const p = of('impostor')
    if (p !== undefined) return impose(p, 'a', s)
    const up = known(connect({ host: o.called.address, port: o.called.port }))
    // Who is called and is not there refuses.
    up.once('error', () => s.resetAndDestroy())
    up.once('connect', () => crossing.join(s, up, 'direct'))
    return undefined
  }
  const relay = o.makeRelay((first, second) => crossing.join(first, second, 'relay'))
  const greeted = (s: Socket): void => {
    known(s)
    const p = of('impostor')
    if (p === undefined) return relay.take(s)
    let got = ''
    const hear = (b: Buffer): void => {
      got += b.toString('latin1')
      if (!got.includes('\n')) return
      s.off('data', hear)
      s.pause()
      s.write('READY\n')
      impose(p, got.trimEnd().endsWith(platformNames.a) ? 'a' : 'b', s)
    }
    s.on('data', hear)
    return undefined
  }

  const listen = (take: (s: Socket) => void, wanted: number): Promise<Server> =>
    new Promise((resolve, reject) => {
      const server = createServer(take)
      server.once('error', reject)
      server.listen(wanted, realm.address, () => {
        server.off('error', reject)
        server.on('error', (e) => emit('note', { what: 'trouble on the way', text: messageOf(e) }))
        resolve(server)
      })
    })
  const portOf = (s: Server): number => (s.address() as AddressInfo).port
  const way = await realm.run(() => listen(called, 0))
  let house: Server | undefined = await realm.run(() => listen(greeted, 0))
  const places: PeerPlaces = {
    crossing: { address: realm.address, port: portOf(way) },
    relay: { address: realm.address, port: portOf(house) },
    port: o.called.port,
  }
  const placesOf = new Map<PeerEnd, PeerPlaces>()
  let turn: Promise<void> = Promise.resolve()
  /** The relay opens or shuts its house, one after the other. */
  const rearrange = (): void => {
    turn = turn
      .then(() =>
        realm.run(async () => {
          const away = of('relay') !== undefined
          if (away && house !== undefined) {
            house.close()
            house = undefined
            relay.drop()
          } else if (!away && house === undefined) house = await listen(greeted, places.relay.port)
        }),
      )
      .catch(
        (e: unknown) => void emit('note', { what: 'the relay does not stand again', text: messageOf(e) }),
      )
  }
  /** Comes to bear when a fault begins or is lifted. */
  const turnTo = (kind: Kind, params: Params, phase: 'on' | 'lifted'): void => {
    crossing.turn()
    if (kind === 'reset' && phase === 'on') crossing.reset()
    if (kind === 'half-open' && phase === 'on')
      crossing.silence(params['untold'] === 'a' ? 'first' : 'second')
    if (kind === 'relay') rearrange()
    // Everything is made anew, so that it meets whoever is there now.
    if (kind === 'impostor') for (const s of sockets) s.destroy()
  }

  const clientAt = (at: PeerEnd): Promise<MqttClient> => {
    let client = clients.get(at)
    if (client === undefined) {
      const door = platforms?.doors[at]
      if (door === undefined) throw new GridproofError('internal', 'the platforms are not known yet')
      client = connectAsync({ ...connectionAt({ ...door, name: sourceApid }), reconnectPeriod: 1_000 })
      clients.set(at, client)
    }
    return client
  }
  const asked = async (at: PeerEnd, what: Params, config: Params): Promise<void> => {
    emit('sent', { alias: 'peers.asks', payload: { at, phase: 'asked', ...what } })
    const answer = await platforms?.operate(at, { do: 'change', app: 'peer', config })
    emit('sent', { alias: 'peers.asks', payload: { at, phase: 'answered', ...what, answer: answer ?? null } })
  }

  return {
    places,
    carried,
    crossings: { src: 'peers', kind: 'seen', select: 'peers.crossing' },
    impostors: { src: 'peers', kind: 'seen', select: 'peers.impostor' },
    faults: Object.keys(kinds),
    found: (end, at) => void placesOf.set(end, at),
    meet: (p) => void (platforms = p),
    async publish(at, name, payload) {
      const topic = topics.get(name)
      if (topic === undefined) throw new GridproofError('no-such', `nothing is carried as '${name}'`)
      emit('sent', { alias: 'peers.publishes', payload: { at, name } })
      const late = Promise.withResolvers<never>()
      const t = setTimeout(
        () => late.reject(new GridproofError('timeout', `platform ${at} did not acknowledge ${topic}`)),
        patience,
      )
      try {
        await Promise.race([
          o.sources.run(async () =>
            (await clientAt(at)).publishAsync(topic, JSON.stringify(payload), { qos: 1 }),
          ),
          late.promise,
        ])
      } finally {
        clearTimeout(t)
      }
    },
    async carry(at, set) {
      for (const e of set) topics.set(e.name, e.topic)
      const dataSet = set.map((e: DataEntry) => ({ name: e.name, topic: e.topic }))
      await asked(at, { set: dataSet }, { dataSet })
    },
    async via(road) {
      for (const at of ['b', 'a'] as const)
        await asked(
          at,
          { road },
          {
            road: roadOf(at, road, placesOf.get(at) ?? places),
          },
        )
    },
    async knock({ name, shows, sends: bytes = 'nothing' }) {
      await realm.run(() => knock(posing, { name, towards: 'b', shows, sends: bytes }, o.called))
    },
    inflict(name, given = {}): Fault {
      if (!Object.hasOwn(kinds, name))
        throw new GridproofError('no-such', `the link between platforms has no fault '${name}'`)
      const kind = name as Kind
      const r = kinds[kind].safeParse(given)
      if (!r.success)
        throw new GridproofError(
          'bad-value',
          `a fault of the link between platforms: ${z.prettifyError(r.error)}`,
        )
      const params: Params = r.data
      const id = `peers-${++faults}`
      inForce.set(id, { kind, params })
      emit('fault', { phase: 'on', id, name, params })
      realm.run(() => turnTo(kind, params, 'on'))
      return {
        id,
        params,
        lift() {
          if (!inForce.delete(id)) return
          emit('fault', { phase: 'lifted', id, name, params })
          realm.run(() => turnTo(kind, params, 'lifted'))
        },
      }
    },
    async [Symbol.asyncDispose]() {
      await turn
      await o.sources.run(async () => {
        for (const c of clients.values()) await c.then((x) => x.endAsync(true)).catch(() => undefined)
      })
      await realm.run(async () => {
        crossing.close()
        relay.drop()
        for (const s of sockets) s.destroy()
        for (const s of [way, house]) s?.close()
      })
    },
  }
}

/** Peers that do nothing, for a scenario that is tried on paper. */
export function idlePeers(step: () => Promise<unknown>): Peers {
  const act = async (): Promise<void> => void (await step())
  return {
    carried: carriedByDefault('spec'),
    crossings: { src: 'peers', kind: 'seen', select: 'peers.crossing' },
    impostors: { src: 'peers', kind: 'seen', select: 'peers.impostor' },
    faults: Object.keys(kinds),
    publish: act,
    carry: act,
    via: act,
    knock: act,
    inflict: (_, params = null) => ({ id: 'rehearsal', params, lift: () => undefined }),
  }
}
