/** Defects and legal variants of the Peer-to-Peer application (section 3.12.5; M:0052). */
import type { Json, JsonObject } from '../reference/lvcap/env.ts'
import type { DataEntry, Road } from '../reference/lvcap/apps/peer/config.ts'
import type { PeerParts } from '../reference/lvcap/apps/peer/main.ts'
import type { Value } from '../reference/lvcap/apps/peer/frames.ts'
import type { PartnerJudgement, StrangerReason } from '../reference/lvcap/apps/peer/secure.ts'
import type { Outbox } from '../reference/lvcap/apps/peer/values.ts'
import { listOf, type Defect } from './defect.ts'

type Wrap = Defect<PeerParts>['wrap']

/** Takes for the partner whoever is refused for one of these reasons. */
function admits(...reasons: readonly StrangerReason[]): Wrap {
  return (p, reached) => ({
    ...p,
    judge: (peer, partner, now, revoked): PartnerJudgement => {
      const j = p.judge(peer, partner, now, revoked)
      if (j.ok || !reasons.includes(j.reason)) return j
      reached()
      return { ok: true }
    },
  })
}

/** Believes the partner where it calls itself (`client`), or where the partner calls it. */
function believes(as: 'client' | 'server'): Wrap {
  return (p, reached) => {
    let side: string | undefined
    return {
      ...p,
      secure: (socket, of, ...more) => {
        side = of
        return p.secure(socket, of, ...more)
      },
      judge: (...about) => {
        const j = p.judge(...about)
        if (side !== as || j.ok) return j
        reached()
        return { ok: true }
      },
    }
  }
}

/** What was wanted first, whatever is wanted later. */
function firstOf<T>(reached: () => void): (wanted: T) => T {
  let first: T | undefined
  return (wanted) => {
    first ??= wanted
    if (JSON.stringify(first) !== JSON.stringify(wanted)) reached()
    return first
  }
}

/** Changes the partner's values before they are published; undefined leaves one as it is. */
function alters(change: (payload: JsonObject, value: Value) => JsonObject | undefined): Wrap {
  return (p, reached) => ({
    ...p,
    republish: (iid, value) => {
      const payload = JSON.parse(value.text) as JsonObject
      const other = change(payload, value)
      if (other === undefined) return p.republish(iid, value)
      reached()
      return p.republish(iid, { ...value, text: JSON.stringify(other) })
    },
  })
}

/** Every number in a value with one decimal less than it has. */
function rounded(value: Json): Json {
  if (typeof value === 'number') return Math.round(value)
  if (Array.isArray(value)) return (value as readonly Json[]).map(rounded)
  return value
}

/** An outbox that keeps each value for the partner while it is away, and sends all of them at its return. */
function hoards(box: Outbox, window: number, reached: () => void): Outbox {
  let n = 0
  let open = false
  let all: Value[] = []
  let sent: Value[] = []
  return {
    ...box,
    put: (name, text) => void all.push({ t: 'value', name, n: ++n, text }),
    rejoin() {
      open = false
      all = [...sent, ...all]
      sent = []
    },
    asked() {
      open = true
      if (all.length > window) reached()
    },
    took: (upTo) => (sent = sent.filter((v) => v.n > upTo)),
    next() {
      const v = open && sent.length < window ? all.shift() : undefined
      if (v !== undefined) sent.push(v)
      return v
    },
    prune: () => {},
  }
}

export const peerDefects: readonly Defect<PeerParts>[] = [
  ...listOf<PeerParts>('peer-app', 'defect', {
    'accepts-any-certificate': [
      'Takes whoever speaks TLS for its partner.',
      admits(
        'no-certificate',
        'foreign-ca',
        'self-signed',
        'bad-certificate',
        'expired',
        'not-yet-valid',
        'revoked',
        'wrong-name',
      ),
    ],
    'checks-no-name': [
      'Takes every platform with a certificate of its authority for its partner.',
      admits('wrong-name'),
    ],
    'accepts-expired': ['Looks at no dates of certificates.', admits('expired', 'not-yet-valid')],
    'accepts-revoked': ['Does not look into the list of revoked certificates.', admits('revoked')],
    'asks-callers-alone': ['Checks whoever calls it, and believes whom it calls.', believes('client')],
    'asks-the-called-alone': ['Checks whom it calls, and believes whoever calls it.', believes('server')],
    'speaks-in-clear': [
      'Leaves TLS out: the link is private enough.',
      (p, reached) => ({
        ...p,
        secure: (socket) => {
          reached()
          return Promise.resolve({
            stream: socket,
            peer: { address: `${socket.remoteAddress}:${socket.remotePort}`, authorized: true },
          })
        },
        judge: () => ({ ok: true }),
      }),
    ],
    'trusts-a-silent-line': [
      'Keeps to a connection for as long as nobody closes it.',
      (p, reached) => ({
        ...p,
        isDead: (silent, config) => {
          if (p.isDead(silent, config)) reached()
          return false
        },
      }),
    ],
    'alive-for-ever': [
      'Says that the partner lives for as long as it once has.',
      (p, reached) => ({
        ...p,
        isAlive: (silent, config) => {
          if (!Number.isFinite(silent)) return p.isAlive(silent, config)
          if (!p.isAlive(silent, config)) reached()
          return true
        },
      }),
    ],
    'late-to-mourn': [
      'Waits ten times as long as it should before it says that the partner is dead.',
      (p, reached) => ({
        ...p,
        isAlive: (silent, config) => {
          if (!p.isAlive(silent, config)) reached()
          return p.isAlive(silent / 10, config)
        },
      }),
    ],
    'calls-once': [
      'Does not call again after it has lost the partner, or has not found it.',
      (p, reached) => ({
        ...p,
        pause: () => {
          reached()
          return 86_400_000
        },
      }),
    ],
    'first-data-set-for-ever': [
      'Goes on with its first data set, whatever it is configured to send later.',
      (p, reached) => {
        const first = firstOf<readonly DataEntry[]>(reached)
        return { ...p, dataSet: (config) => first(p.dataSet(config)) }
      },
    ],
    'adds-to-the-data-set': [
      'Sends what a new data set names beside all that the old ones named.',
      (p, reached) => {
        const all = new Map<string, DataEntry>()
        return {
          ...p,
          dataSet: (config) => {
            const wanted = p.dataSet(config)
            for (const e of wanted) all.set(e.name, e)
            if (all.size > wanted.length) reached()
            return [...all.values()]
          },
        }
      },
    ],
    'first-road-for-ever': [
      'Looks for its partner where it first was, whatever it is told later.',
      (p, reached) => {
        const first = firstOf<Road>(reached)
        return { ...p, road: (config) => first(p.road(config)) }
      },
    ],
    'leaves-out-the-last': [
      'Leaves out the last entry of its data set.',
      (p, reached) => ({
        ...p,
        dataSet: (config) => {
          reached()
          return p.dataSet(config).slice(0, -1)
        },
      }),
    ],
    'own-time-stamps': [
      'Publishes the partner’s values with the time at which they came.',
      alters((payload) =>
        typeof payload['Timestamp'] === 'number'
          ? { ...payload, Timestamp: Math.floor(Date.now() / 1_000) + 1 }
          : undefined,
      ),
    ],
    'whole-numbers': [
      'Publishes the partner’s values as whole numbers.',
      alters((payload) => {
        const value = rounded(payload['Value'] ?? null)
        return JSON.stringify(value) === JSON.stringify(payload['Value'])
          ? undefined
          : { ...payload, Value: value }
      }),
    ],
    'always-valid': [
      'Publishes every value of the partner’s as valid.',
      alters((payload) => (payload['Valid'] === false ? { ...payload, Valid: true } : undefined)),
    ],
    'mixes-phases': [
      'Publishes the partner’s L2 under L3, and its L3 under L2.',
      (p, reached) => ({
        ...p,
        republish: (iid, value) => {
          const name = value.name.replace(/l([23])$/, (_, d: string) => (d === '2' ? 'l3' : 'l2'))
          if (name !== value.name) reached()
          return p.republish(iid, { ...value, name })
        },
      }),
    ],
    'says-nothing': [
      'Takes the partner’s values and sends none where it is the one that calls.',
      (p, reached) => {
        let calls = false
        return {
          ...p,
          secure: (socket, as, ...more) => {
            calls = as === 'client'
            return p.secure(socket, as, ...more)
          },
          outbox: (window) => {
            const box = p.outbox(window)
            return {
              ...box,
              next: () => {
                if (!calls) return box.next()
                if (box.counts().waiting > 0) reached()
                return undefined
              },
            }
          },
        }
      },
    ],
    'gives-no-answer': [
      'Does not answer the partner’s request for what is current, and waits for news instead.',
      (p, reached) => ({
        ...p,
        outbox: (window) => {
          const box = p.outbox(window)
          return {
            ...box,
            asked() {
              box.asked()
              // What was due is left out: from here on it goes as it should.
              for (let v = box.next(); v !== undefined; v = box.next()) {
                reached()
                box.took(v.n)
              }
            },
          }
        },
      }),
    ],
    'starts-from-nothing': [
      'Looks up nothing of what is stored: what was told before it started is not for the partner.',
      (p, reached) => ({
        ...p,
        missing: (entries) => {
          if (p.missing(entries).length > 0) reached()
          return []
        },
      }),
    ],
    'repeats-what-is-known': [
      'Publishes once more, at each new connection, what it has published of the partner’s already.',
      (p, reached) => ({
        ...p,
        isNew: (inbox, value) => {
          if (!p.isNew(inbox, value)) reached()
          return true
        },
      }),
    ],
    'floods-the-backlog': [
      'Keeps every value while the partner is away, and sends all of them at its return.',
      (p, reached) => ({ ...p, outbox: (window) => hoards(p.outbox(window), window, reached) }),
    ],
    'cuts-long-values': [
      'Publishes series of more than a hundred values cut off there.',
      alters((payload) => {
        const value = payload['Value']
        return Array.isArray(value) && value.length > 100
          ? { ...payload, Value: value.slice(0, 100) }
          : undefined
      }),
    ],
    'tells-old-news': [
      'Publishes each value of the partner’s when the next one of that name comes.',
      (p, reached) => {
        const held = new Map<string, Value>()
        return {
          ...p,
          republish: (iid, value) => {
            const before = held.get(value.name)
            held.set(value.name, value)
            if (before !== undefined) reached()
            return p.republish(iid, before ?? value)
          },
        }
      },
    ],
  }),
  ...listOf<PeerParts>('peer-app', 'variant', {
    'calls-more-patiently': [
      'Calls again after a third more time than it is told.',
      (p, reached) => ({
        ...p,
        pause: (k, chance, config) => {
          reached()
          return p.pause(k, chance, config) * 1.3
        },
      }),
    ],
    'mourns-early': [
      'Says that the partner is dead after two thirds of the time for it.',
      (p, reached) => ({
        ...p,
        isAlive: (silent, config) => {
          if (p.isAlive(silent, config) && !p.isAlive(silent * 1.5, config)) reached()
          return p.isAlive(silent * 1.5, config)
        },
        isDead: (silent, config) => p.isDead(silent * 1.5, config),
      }),
    ],
    'writes-json-anew': [
      'Publishes the partner’s objects as it writes JSON itself, with their keys in another order.',
      (p, reached) => ({
        ...p,
        republish: (iid, value) => {
          reached()
          const keys = Object.entries(JSON.parse(value.text) as JsonObject).toReversed()
          return p.republish(iid, { ...value, text: JSON.stringify(Object.fromEntries(keys)) })
        },
      }),
    ],
  }),
]
