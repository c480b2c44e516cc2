/**
 * Whoever tells LoadSense what it decides by, played by the bench: the load predictor, the thermal ratings app, the peer,
 * the feeder monitor, an isolation switch, and where no breakers stand on the rig, the meshing app with three of them. Each
 * has its own certificate. What is not changed is published again and again; a change at once.
 */
import { connect } from 'mqtt'
import type { MqttClient } from 'mqtt'
import { GridproofError } from '../../drivers/errors.ts'
import type { Instant, Json, Realm } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'
import type { Advice, Advisers, StationAdvice, Telling } from '../faces.ts'
import type { TopicProfile } from './aliases.ts'
import { playBreakers } from './played-breakers.ts'
import type { PlayedBreakers } from './played-breakers.ts'
import { connectionAt } from './observer.ts'
import type { Door } from './observer.ts'

/** An app with a contact of the isolation switch. It runs nowhere else. */
export const isolationApp = { apid: 'eatl_isolation_1.0', iid: 'eatl_isolation_01' } as const

export type Speaker = 'predictor' | 'dtr' | 'peer' | 'gridkey' | 'meshing' | 'isolation'
export type Speakers = Readonly<Partial<Record<Speaker, { readonly apid: string; readonly iid: string }>>>

export interface AdvisersOptions {
  readonly door: Omit<Door, 'name'>
  readonly realm: Realm
  readonly emit: Emit
  readonly now: () => Instant
  readonly topics: TopicProfile
  /** Those that the bench plays; the others are installed. */
  readonly speakers: Speakers
  /** IID of LoadSense: whose commands the played breakers obey. */
  readonly obeys: string
}

const phases = ['l1', 'l2', 'l3'] as const
/** Everything is told again so often, in ms: ours. */
const every = 10_000
/** How long an acknowledgement may take, in ms: ours. */
const patience = 20_000

/**
 * A healthy winter evening at two transformers of 500 kVA (722 A), whose winter ratings lie above that: the local one has
 * more to carry than its rating from the next half-hour on, the peer has room. All figures are ours.
 */
export const winterEvening: Required<Pick<Advice, 'local' | 'peer' | 'isolation'>> = {
  local: {
    forecast: [720, 880, 900, 890, 860, 700, 600, 500],
    feeder: 150,
    rating: 830,
    hotSpot: 92,
    current: [721, 719, 720],
  },
  peer: {
    forecast: [400, 430, 450, 440, 400, 360, 300, 260],
    feeder: 150,
    rating: 830,
    hotSpot: 61,
    current: [401, 399, 400],
    alive: true,
    breakers: [1, 1, 1],
  },
  isolation: false,
}

interface Item {
  readonly by: Speaker
  readonly topic: string
  value(): Json
  readonly as: 'scalar' | 'half-hours' | 'hours'
}

export function playAdvisers(o: AdvisersOptions): Advisers & AsyncDisposable {
  let local: StationAdvice = { ...winterEvening.local }
  let peer: StationAdvice & NonNullable<Advice['peer']> = { ...winterEvening.peer }
  let isolation = winterEvening.isolation
  const told = new Map<string, Telling>()
  const last = new Map<string, string>()
  const clients = new Map<Speaker, MqttClient>()
  const breakers: PlayedBreakers | undefined =
    o.speakers.meshing === undefined
      ? undefined
      : playBreakers({
          topics: o.topics,
          now: o.now,
          publish: (alias, topic, payload) => send('meshing', alias, topic, payload),
        })

  const table = (): ReadonlyMap<string, Item> => {
    const result = (by: Speaker, name: string, more: Pick<Item, 'value'> & Partial<Item>): Item => ({
      by,
      topic: `algorithm/data/${o.speakers[by]?.iid ?? ''}/${name}`,
      as: 'scalar',
      ...more,
    })
    const spec = o.topics === 'spec'
    const items: [string, Item][] = [
      [
        'predictor.transformer.forecast',
        result('predictor', 'transformer/forecast', { value: () => amps(local.forecast), as: 'half-hours' }),
      ],
      [
        'predictor.feeder.forecast',
        result('predictor', 'feeder/forecast', { value: () => amps(local.feeder), as: 'half-hours' }),
      ],
      [
        'dtr.transformer.rating.forecast',
        result('dtr', 'transformer/rating/forecast', { value: () => amps(local.rating), as: 'hours' }),
      ],
      [
        'dtr.transformer.hot_spot',
        result('dtr', 'transformer/hot_spot', { value: () => local.hotSpot ?? null }),
      ],
      ['peer.alive', result('peer', 'alive', { value: () => peer.alive ?? null })],
      [
        'peer.partner.transformer.forecast',
        result('peer', 'partner/transformer/forecast', {
          value: () => amps(peer.forecast),
          as: 'half-hours',
        }),
      ],
      [
        'peer.partner.feeder.forecast',
        result('peer', 'partner/feeder/forecast', { value: () => amps(peer.feeder), as: 'half-hours' }),
      ],
      [
        'peer.partner.rating.forecast',
        result('peer', 'partner/rating/forecast', { value: () => amps(peer.rating), as: 'hours' }),
      ],
      ['peer.partner.hot_spot', result('peer', 'partner/hot_spot', { value: () => peer.hotSpot ?? null })],
      ['isolation.engaged', result('isolation', 'engaged', { value: () => isolation })],
      ...phases.flatMap((p, i): [string, Item][] => [
        [
          `gridkey.feeder1.${p}.current`,
          {
            by: 'gridkey',
            topic: `sensor/data/${o.speakers.gridkey?.iid ?? ''}/${spec ? `Feeder1/current/60s/${p.toUpperCase()}_RMS` : `gridkey-mcu520/60/feeder/1/${p}/current-mean`}`,
            as: 'scalar',
            value: () => local.current?.[i] ?? null,
          },
        ],
        [
          `peer.partner.current.${p}`,
          result('peer', `partner/current/${p}`, { value: () => peer.current?.[i] ?? null }),
        ],
        [
          `peer.partner.breaker.${p}`,
          result('peer', `partner/breaker/${p}`, { value: () => peer.breakers?.[i] ?? null }),
        ],
      ]),
    ]
    return new Map(items.filter(([, item]) => o.speakers[item.by] !== undefined))
  }
  const items = table()

  const payloadOf = (alias: string, item: Item): string | undefined => {
    const how = told.get(alias) ?? told.get('*')
    if (how === 'missing') return undefined
    if (how === 'not-json') return '{"Timestamp":'
    const t = Math.floor(o.now() / 1000)
    const shift = typeof how === 'object' ? ('old' in how ? -how.old : how.ahead) : 0
    const Timestamp = t + shift
    const value = item.value()
    const body: { [k: string]: Json } = { Timestamp, Value: value, Valid: how !== 'invalid' }
    if (item.as !== 'scalar') {
      const interval = item.as === 'hours' ? 3600 : 1800
      body['StartPoint'] = Math.floor(t / interval) * interval
      body['Interval'] = interval
      body['Value'] = lasting(value, item.as === 'hours' ? 24 : 48)
    }
    if (how === 'misshapen') body['Value'] = item.as === 'scalar' ? 'much' : [null, 'much']
    return JSON.stringify(body)
  }

  const clientOf = (by: Speaker): MqttClient => {
    let client = clients.get(by)
    if (client !== undefined) return client
    const name = o.speakers[by]?.apid
    if (name === undefined) throw new GridproofError('no-such', `the bench does not play ${by} here`)
    client = connect({
      ...connectionAt({ ...o.door, name }),
      clean: true,
      keepalive: 30,
      reconnectPeriod: 1000,
      connectTimeout: 10_000,
    })
    client.on('error', () => undefined)
    if (by === 'meshing' && breakers !== undefined) {
      client.subscribe(
        phases.map((p) => `algorithm/data/${o.obeys}/control/${p}`),
        { qos: 1 },
        () => undefined,
      )
      client.on('message', (topic, bytes) => o.realm.run(() => breakers.obey(topic, bytes.toString())))
    }
    clients.set(by, client)
    return client
  }
  /** Resolves when it is acknowledged; while the marketplace is away, after a while all the same. */
  const send = async (by: Speaker, alias: string, topic: string, text: string): Promise<void> => {
    const client = clientOf(by)
    // What would have to wait would come when it is no longer so.
    if (!client.connected && last.has(alias)) return
    last.set(alias, text)
    o.emit('sent', { alias, topic, payload: parsed(text) })
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(() => late.resolve(), patience)
    await Promise.race([
      client.publishAsync(topic, text, { qos: 1 }).then(
        () => undefined,
        () => undefined,
      ),
      late.promise,
    ])
    clearTimeout(timer)
  }
  const tell = async (which: (alias: string) => boolean): Promise<void> => {
    const wanted = [...items].filter(([alias]) => which(alias))
    await Promise.all(
      wanted.map(async ([alias, item]) => {
        const text = payloadOf(alias, item)
        if (text !== undefined) await send(item.by, alias, item.topic, text)
      }),
    )
  }

  let beat: NodeJS.Timeout | undefined
  const repeat = (): void => {
    void tell(() => true)
    void breakers?.tell()
  }
  return {
    said: { src: 'advisers', kind: 'sent', select: '*' },
    items: [...items.keys()],
    breakers,
    advise: (change) =>
      o.realm.run(async () => {
        const before = new Map(
          [...items].map(([alias, i]) => [alias, JSON.stringify([i.value(), told.get(alias)])]),
        )
        local = { ...local, ...change.local }
        peer = { ...peer, ...change.peer }
        isolation = change.isolation ?? isolation
        for (const [alias, how] of Object.entries(change.told ?? {})) {
          if (!items.has(alias) && alias !== '*')
            throw new GridproofError(
              'no-such',
              `the bench does not tell '${alias}' here; it tells ${[...items.keys()].join(', ')}`,
            )
          if (how === null) told.delete(alias)
          else told.set(alias, how)
        }
        if (change.breakers !== undefined) {
          if (breakers === undefined)
            throw new GridproofError(
              'not-capable',
              'the breakers are devices of the rig here, and no play of the advisers',
            )
          breakers.set(change.breakers)
        }
        const started = beat !== undefined
        beat ??= setInterval(repeat, every)
        const changed = (alias: string): boolean =>
          !started ||
          change.all === true ||
          before.get(alias) !== JSON.stringify([items.get(alias)?.value(), told.get(alias)])
        await tell(changed)
        if (change.breakers !== undefined || !started || change.all === true) await breakers?.tell()
      }),
    again: (alias, how) =>
      o.realm.run(async () => {
        const item = items.get(alias)
        if (item === undefined) throw new GridproofError('no-such', `the bench does not tell '${alias}' here`)
        const text =
          how === 'duplicate'
            ? last.get(alias)
            : JSON.stringify({ ...(parsed(payloadOf(alias, item) ?? '{}') as object), ...how })
        if (text !== undefined) await send(item.by, alias, item.topic, text)
      }),
    async [Symbol.asyncDispose]() {
      clearInterval(beat)
      breakers?.close()
      for (const c of clients.values()) await o.realm.run(() => c.endAsync(true).catch(() => undefined))
    },
  }
}

/** What rehearsals are given: it does nothing. */
export function idleAdvisers(step: () => Promise<unknown>): Advisers {
  return {
    said: { src: 'advisers', kind: 'sent', select: '*' },
    items: [],
    breakers: { isClosed: () => false },
    advise: async () => void (await step()),
    again: async () => void (await step()),
  }
}

const amps = (x: StationAdvice['forecast']): Json => (typeof x === 'number' ? x : [...(x ?? [])])

/** So many values; the last one goes on. */
function lasting(value: Json, count: number): Json {
  const list = Array.isArray(value) ? (value as readonly Json[]) : [value]
  return Array.from({ length: count }, (_, i) => list[Math.min(i, list.length - 1)] ?? null)
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return { notJson: text }
  }
}
