/** Defects of LoadSense (M:0044 to M:0046): each leaves out one of its rules, or carries a decision out wrongly. */
import type { LoadSenseConfig } from '../reference/lvcap/apps/loadsense/config.ts'
import type { Kept } from '../reference/lvcap/apps/loadsense/kept.ts'
import type { LoadSenseParts } from '../reference/lvcap/apps/loadsense/main.ts'
import type { Breaker, Situation, Station, Steps } from '../reference/lvcap/apps/loadsense/situation.ts'
import { listOf, type Defect } from './defect.ts'

type Wrap = Defect<LoadSenseParts>['wrap']

/** Decides on a situation, or by rules, that are not those that hold. */
const decides =
  (situation: (s: Situation) => Situation, rules: (c: LoadSenseConfig) => LoadSenseConfig = (c) => c): Wrap =>
  (p, reached) => ({
    ...p,
    decide: (s, c) => {
      const decision = p.decide(situation(s), rules(c))
      if (decision.do !== p.decide(s, c).do) reached()
      return decision
    },
  })
const byRules = (rules: (c: LoadSenseConfig) => LoadSenseConfig): Wrap => decides((s) => s, rules)

const flat = (amps: number, like: Steps): Steps => ({
  start: 0,
  interval: like.start + like.interval * like.values.length,
  values: [amps],
})
const both = (s: Situation, f: (x: Station) => Station): Situation => ({
  ...s,
  local: f(s.local),
  peer: s.peer === undefined ? undefined : f(s.peer),
})
const breakers = (s: Situation, f: (b: Breaker) => Breaker): Situation => ({
  ...s,
  breakers: s.breakers === undefined ? undefined : [f(s.breakers[0]), f(s.breakers[1]), f(s.breakers[2])],
})

const restored =
  (f: (kept: Kept) => Kept): Wrap =>
  (p, reached) => ({
    ...p,
    restored: (kept) => {
      const found = f(kept)
      if (JSON.stringify(found) !== JSON.stringify(kept)) reached()
      return p.restored(found)
    },
  })

export const loadSenseDefects: readonly Defect<LoadSenseParts>[] = [
  ...listOf<LoadSenseParts>('loadsense-app', 'defect', {
    'moves-the-wrong-end': [
      'Takes the breakers at either end for those that are open as a rule.',
      byRules((c) => ({ ...c, normallyOpen: true })),
    ],
    // its inputs
    'ignores-forecast': [
      'Takes the present load for that of the hours to come.',
      decides((s) => both(s, (x) => ({ ...x, forecast: flat(x.loadNow, x.forecast) }))),
    ],
    'ignores-rating': [
      'Goes by a rated current of 1000 A, whatever the thermal rating is.',
      decides((s) => both(s, (x) => ({ ...x, rating: flat(1_000, x.rating) }))),
    ],
    'ignores-hot-spot': [
      'Takes no heed of the hot spot.',
      decides((s) => both(s, (x) => ({ ...x, hotSpotNow: 0 }))),
    ],
    'ignores-present-load': [
      'Goes by forecasts alone, whatever is measured.',
      decides((s) => both(s, (x) => ({ ...x, loadNow: 0 }))),
    ],
    'ignores-own-need': [
      'Meshes for the sake of the peer alone.',
      (p, reached) => ({
        ...p,
        decide: (s, c) => {
          const d = p.decide(s, c)
          const calm = {
            ...s,
            local: { ...s.local, forecast: flat(0, s.local.forecast), loadNow: 0, hotSpotNow: 0 },
          }
          if (d.do !== 'mesh' || p.decide(calm, c).do === 'mesh') return d
          reached()
          return { ...d, do: 'hold' }
        },
      }),
    ],
    'ignores-room': [
      'Meshes whether or not the other side can carry the load.',
      byRules((c) => ({ ...c, room: { ...c.room, transfer: 0.000_001, ofRating: 1_000 } })),
    ],
    'ignores-peer-age': [
      'Decides on what the peer said last, however long ago.',
      decides((s) => ({
        ...s,
        peerHeard: s.now,
        peer: s.peer === undefined ? undefined : { ...s.peer, at: s.now },
      })),
    ],
    'meshes-at-dead-peer': [
      'Believes what it has of the peer, though the peer is known to be away.',
      decides((s) => ({ ...s, peer: s.peer === undefined ? undefined : { ...s.peer, valid: true } })),
    ],
    'meshes-without-the-peer': [
      'Begins a mesh on what it last knew of the peer.',
      decides((s) =>
        s.peer !== undefined && s.breakers?.every((b) => b.state === 'open') === true
          ? { ...s, peer: { ...s.peer, at: s.now, valid: true }, peerClosed: true }
          : s,
      ),
    ],
    'believes-old-data': [
      'Decides on data of any age.',
      decides(
        (s) => ({ ...both(s, (x) => ({ ...x, at: s.now })), peerHeard: s.now }),
        (c) => ({ ...c, age: { ...c.age, breakers: 604_800 } }),
      ),
    ],
    'believes-the-invalid': [
      'Takes no heed of Valid.',
      (p, reached) => ({
        ...p,
        read: (body, source, now) => {
          if (body['Valid'] !== false) return p.read(body, source, now)
          reached()
          return p.read({ ...body, Valid: true }, source, now)
        },
      }),
    ],
    'goes-back-in-time': [
      'Takes whatever came last, though it is older than what it knows.',
      (p, reached) => ({
        ...p,
        isLate: (...args) => {
          if (p.isLate(...args)) reached()
          return false
        },
      }),
    ],
    'takes-any-shape': [
      'Takes what it cannot read for nought.',
      (p, reached) => ({
        ...p,
        read: (body, source, now) => {
          const reading = p.read(body, source, now)
          const at = body['Timestamp']
          if (reading !== undefined || typeof at !== 'number') return reading
          reached()
          const value =
            source.tells === 'series'
              ? { start: at, interval: 86_400, values: [0] }
              : source.tells === 'number'
                ? 0
                : false
          return { at, valid: true, value }
        },
      }),
    ],
    // its interlocks
    'ignores-voltages': [
      'Closes whatever the voltages are.',
      byRules((c) => ({ ...c, voltage: { least: -1, most: 10_000, apart: 10_000 } })),
    ],
    'looks-at-the-busbar-alone': [
      'Does not look at the voltage of the cable.',
      decides((s) => breakers(s, (b) => ({ ...b, cable: b.bus }))),
    ],
    'looks-at-l1-alone': [
      'Takes the breaker of L1 for all three.',
      decides((s) => {
        const first = s.breakers?.[0]
        return first === undefined ? s : breakers(s, (b) => ({ ...first, at: b.at, state: b.state }))
      }),
    ],
    'ignores-faults': [
      'Takes no heed of fault bits.',
      decides((s) => breakers(s, (b) => ({ ...b, fault: false }))),
    ],
    'ignores-lockout-of-breakers': [
      'Takes no heed of a locked-out breaker.',
      decides((s) => breakers(s, (b) => ({ ...b, lockout: false }))),
    ],
    'ignores-reclosing': [
      'Closes while a breaker goes through its reclose cycle.',
      decides((s) => breakers(s, (b) => ({ ...b, reclosing: false }))),
    ],
    'ignores-local-control': [
      'Commands breakers that a person has taken in hand.',
      decides((s) => breakers(s, (b) => ({ ...b, localControl: false }))),
    ],
    'ignores-isolation': [
      'Commands breakers that an engineer has locked off.',
      decides((s) => ({ ...s, isolated: false })),
    ],
    'ignores-far-breakers': [
      'Does not ask whether the breakers of the other end are closed.',
      decides((s) => ({ ...s, peerClosed: true })),
    ],
    'no-rest': [
      'Closes again right after the last operation.',
      byRules((c) => ({ ...c, operations: { ...c.operations, rest: 0 } })),
    ],
    'no-dwell': ['Parts right after meshing.', byRules((c) => ({ ...c, part: { ...c.part, dwell: 0 } }))],
    'no-limit-a-day': ['Meshes as often as it likes.', decides((s) => ({ ...s, operationsToday: 0 }))],
    'counts-closings-alone': [
      'Counts closings, and no openings.',
      (p, reached) => ({
        ...p,
        counted: (kept, now) => {
          const more = p.counted(kept, now)
          if (kept.commanded === 'closed') return more
          reached()
          return { ...more, operations: more.operations - 1 }
        },
      }),
    ],
    'forgets-its-operations': [
      'Begins to count anew at each start.',
      restored((kept) => ({ ...kept, operations: 0, lastOperation: null })),
    ],
    // when to part
    'never-parts': [
      'Never parts what it has meshed.',
      (p, reached) => ({
        ...p,
        decide: (s, c) => {
          const d = p.decide(s, c)
          if (d.do !== 'part') return d
          reached()
          return { ...d, do: 'hold' }
        },
      }),
    ],
    'parts-by-its-own-load-alone': [
      'Parts as soon as its own transformer allows, whatever the peer needs.',
      decides((s) =>
        s.peer !== undefined && s.breakers?.every((b) => b.state === 'closed') === true
          ? { ...s, peer: { ...s.local, at: s.peer.at, valid: s.peer.valid } }
          : s,
      ),
    ],
    'parts-at-once-without-the-peer': [
      'Parts as soon as the peer is not heard.',
      byRules((c) => ({ ...c, peerLost: 0 })),
    ],
    'keeps-the-mesh-without-the-peer': [
      'Keeps the mesh for ever where the peer is lost.',
      byRules((c) => ({ ...c, peerLost: 604_800 })),
    ],
    'parts-whatever-the-load': [
      'Parts where the peer is lost, though the local transformer cannot carry its load alone.',
      (p, reached) => ({
        ...p,
        decide: (s, c) => {
          const d = p.decide(s, c)
          if (!d.alarms.includes('peer-lost')) return d
          reached()
          return { ...d, do: 'part' }
        },
      }),
    ],
    // how it carries a decision out
    'commands-l1-alone': [
      'Commands one phase of the three.',
      (p, reached) => ({
        ...p,
        commands: (...args) => {
          reached()
          return p.commands(...args).slice(0, 1)
        },
      }),
    ],
    'commands-slowly': [
      'Lets three seconds pass between the phases.',
      (p, reached) => ({
        ...p,
        commands: (close, now, c) => {
          reached()
          return p.commands(close, now, { ...c, sequence: { ...c.sequence, between: 3 } })
        },
      }),
    ],
    'believes-its-commands': [
      'Does not read back.',
      (p, reached) => ({
        ...p,
        progress: (...args) => {
          if (p.progress(...args).is === 'discrepancy') reached()
          return { is: 'done' }
        },
        decide: (s, c) => {
          const d = p.decide(s, c)
          if (d.because !== 'discrepancy') return d
          reached()
          return { ...d, do: 'hold', lockOut: false }
        },
      }),
    ],
    'stays-in-command': [
      'Opens all where breakers disagree, and goes on by itself.',
      (p, reached) => ({
        ...p,
        situation: (...args) => {
          const s = p.situation(...args)
          if (s.lockedOut) reached()
          return { ...s, lockedOut: false }
        },
      }),
    ],
    'forgets-the-lock-out': [
      'Goes on after a restart, though it had been locked out.',
      restored((kept) => ({ ...kept, lockedOut: null })),
    ],
    'repeats-after-a-restart': [
      'Sends the last command once more after each start.',
      (p, reached) => {
        let again: boolean | undefined
        return {
          ...p,
          restored: (kept) => {
            if (kept.lastOperation !== null) again = kept.commanded === 'closed'
            return p.restored(kept)
          },
          decide: (s, c) => {
            const d = p.decide(s, c)
            if (again === undefined || s.breakers === undefined) return d
            reached()
            const close = again
            again = undefined
            return { ...d, do: close ? 'mesh' : 'part' }
          },
        }
      },
    ],
    'commands-are-not-stored': [
      'Publishes its commands without ToStore.',
      (p, reached) => ({
        ...p,
        control: (...args) => {
          const message = p.control(...args)
          reached()
          return { ...message, payload: { ...(message.payload as object), ToStore: false } }
        },
      }),
    ],
    'takes-a-minute': [
      'Looks at what it knows once a minute.',
      (p, reached) => {
        let last = 0
        return {
          ...p,
          decide: (s, c) => {
            const d = p.decide(s, c)
            if (d.do === 'hold' || s.now - last < 60) {
              if (d.do !== 'hold') reached()
              return { ...d, do: 'hold', lockOut: false }
            }
            last = s.now
            return d
          },
        }
      },
    ],
    'gives-no-alarm': [
      'Keeps its alarms to itself.',
      (p, reached) => ({
        ...p,
        publish: async (message, send) => {
          if (!message.topic.startsWith('storage/data/error/')) return p.publish(message, send)
          reached()
        },
      }),
    ],
  }),
  ...listOf<LoadSenseParts>('loadsense-app', 'variant', {
    'decides-every-five-seconds': [
      'Decides every five seconds, beside each message.',
      (p, reached) => ({
        ...p,
        pause: (c) => {
          reached()
          return Math.min(5, p.pause(c))
        },
      }),
    ],
    'commands-l3-first': [
      'Commands the phases in the opposite order.',
      (p, reached) => ({
        ...p,
        commands: (close, now, c) => {
          reached()
          const planned = p.commands(close, now, c)
          return planned.toReversed().map((k, i) => ({ ...k, at: planned[i]?.at ?? k.at }))
        },
      }),
    ],
  }),
]
