/**
 * What one platform's apps publish comes out at the partner's marketplace: under its name, unchanged, once, in order and in
 * time, both ways; and nothing else does. After an outage the latest of each name comes, and no backlog.
 */
import type { Instant, Json } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import type { Check, DataEntry, Event } from '../faces.ts'
import {
  type CheckOptions,
  checkOf,
  inconclusive,
  notShown,
  offences,
  pass,
  seconds,
  stallShare,
  steadyTime,
} from './check.ts'
import { peerLink, restarted } from './peer-link.ts'
import { objectOf, payloadOf, textOf } from './scalar.ts'

export interface CarriedOptions extends CheckOptions {
  /** What both ends carry to begin with. */
  readonly carried: readonly DataEntry[]
  /** Only names that begin so; all unless given. */
  readonly names?: readonly string[]
  /** From the message here to the message there; `5 s` unless given (ours). */
  readonly within?: string
  /** Until everything is as it was, after trouble with the link or a change of configuration; `60 s` unless given (ours). */
  readonly recovery?: string
  /** For both apps to find each other at the start; `40 s` unless given (ours). */
  readonly start?: string
}

/** Older than this, a value that a newer one has long taken the place of is a backlog, in ms. Ours. */
const backlogAge = 60_000
/** So long ago, at the least, a newer one has taken its place, ms. Ours. */
const longAgo = 20_000
/** Values remembered of each name. */
const remembered = 300

interface Sent {
  readonly at: Instant
  readonly seq: number
  readonly text: string
  /** Published while the data set was being changed: it may come or not. */
  readonly optional: boolean
  got: boolean
  /** Whoever it came to has started anew since, and may tell it to those who have, too. */
  mayRepeat: boolean
  lost: boolean
}

/** One direction. */
interface Way {
  readonly from: string
  readonly to: string
  set: ReadonlyMap<string, string>
  before: ReadonlyMap<string, string>
  /** The set counts without doubt from then on. */
  settled: Instant
  readonly sent: Map<string, Sent[]>
}

export function carriedOver(o: CarriedOptions): Check {
  const within = duration(o.within ?? '5 s')
  const recovery = duration(o.recovery ?? '60 s')
  const start = duration(o.start ?? '40 s')
  const wanted = (name: string): boolean =>
    o.names === undefined || o.names.some((n) => name === n || name.startsWith(`${n}/`))
  const initial = new Map(o.carried.map((e) => [e.name, e.topic]))
  const what = o.names === undefined ? 'what is configured to be carried' : o.names.join(', ')
  return checkOf(o, {
    id: 'carried',
    limit:
      `${what}: each message at the partner's marketplace once, unchanged, in order, within ` +
      `${durationText(within)}; the latest within ${durationText(recovery)} after trouble; nothing else, and no backlog`,
    needs: ['marketplace', steadyTime],
    bears: () => within * stallShare,
    fold: (watch) => {
      const link = peerLink(() => watch.begin, start)
      const found = offences()
      const way = (from: string, to: string): Way => ({
        from,
        to,
        set: initial,
        before: initial,
        settled: Number.NEGATIVE_INFINITY,
        sent: new Map(),
      })
      const ways = { a: way('marketplace', 'marketplace2'), b: way('marketplace2', 'marketplace') }
      let [published, arrived, slowest] = [0, 0, 0]
      const each = new Set<string>()

      const change = (e: Event): void => {
        const end = restarted(e)
        // Its app has forgotten what it published: the last of each name may come to it once more.
        for (const list of (end === 'a' ? ways.b : end === 'b' ? ways.a : undefined)?.sent.values() ?? []) {
          const last = list.findLast((x) => x.got)
          if (last !== undefined) last.mayRepeat = true
        }
        const d = objectOf(payloadOf(e))
        const w = d?.['at'] === 'a' ? ways.a : ways.b
        if (!Array.isArray(d?.['set'])) return
        if (d?.['phase'] === 'asked') {
          w.before = w.set
          w.set = new Map(
            (d['set'] as readonly Json[]).map((x) => {
              const entry = objectOf(x)
              return [textOf(entry?.['name']), textOf(entry?.['topic'])] as const
            }),
          )
          w.settled = Infinity
        } else w.settled = e.at + within
      }
      const publishedAt = (w: Way, e: Event, topic: string): boolean => {
        let any = false
        const unsettled = e.at < w.settled
        for (const set of unsettled ? [w.set, w.before] : [w.set])
          for (const [name, t] of set) {
            if (t !== topic || !wanted(name)) continue
            const list = w.sent.get(name) ?? []
            if (list.some((s) => s.seq === e.seq)) continue
            list.push({
              at: e.at,
              seq: e.seq,
              text: canonical(payloadOf(e)),
              optional: unsettled || e.at < watch.begin,
              got: false,
              mayRepeat: false,
              lost: false,
            })
            if (list.length > remembered) list.shift()
            w.sent.set(name, list)
            published++
            any = true
          }
        return any
      }
      const arrivedAt = (w: Way, e: Event, name: string): boolean => {
        if (!wanted(name)) return false
        arrived++
        each.add(`${w.to} ${name}`)
        const inSet = w.set.has(name) || (e.at < w.settled && w.before.has(name))
        if (!inSet) {
          found.add('not in the data set', `${name} came to ${w.to}`, e.seq)
          return true
        }
        const list = w.sent.get(name) ?? []
        const text = canonical(payloadOf(e))
        // Of two that are alike nobody can tell which it was: the newer one counts.
        const s = list.findLast((x) => x.text === text && (!x.got || x.mayRepeat))
        if (s === undefined) {
          const known = list.some((x) => x.text === text)
          found.add(
            known ? 'came twice' : 'not as published',
            known ? `${name} came to ${w.to} once more` : `${name} came to ${w.to} as nobody published it`,
            e.seq,
          )
          return true
        }
        if (s.got) {
          s.mayRepeat = false
          return true
        }
        s.got = true
        const took = e.at - s.at
        slowest = Math.max(slowest, took)
        if (list.some((x) => x.got && x.at > s.at && x.text !== text))
          found.add('out of order', `${name} came to ${w.to} after a newer one`, s.seq, e.seq)
        const newer = list.find((x) => x.at > s.at)
        if (took > backlogAge && newer !== undefined && e.at - newer.at > longAgo)
          found.add(
            'backlog',
            `${name} came to ${w.to} ${seconds(took)} s old, long replaced by a newer one`,
            s.seq,
            e.seq,
          )
        if (e.at > dueOf(s)) found.add('late', `${name} took ${seconds(took)} s to ${w.to}`, s.seq, e.seq)
        return true
      }
      const dueOf = (s: Sent): Instant => link.excusedUntil(s.at, s.at + within, recovery)
      const overdue = (at: Instant, sink: typeof found, mark: boolean): void => {
        for (const w of Object.values(ways))
          for (const [name, list] of w.sent)
            for (const [i, s] of list.entries()) {
              if (s.got || s.lost || s.optional || !w.set.has(name)) continue
              const due = dueOf(s)
              const next = list[i + 1]
              // What a newer one has replaced before it had to come need not come.
              if (due > s.at + within && next !== undefined && next.at <= due) continue
              if (at <= due) continue
              if (mark) s.lost = true
              sink.add('did not come', `${name} did not come to ${w.to}`, s.seq)
            }
      }
      let looked = 0
      return {
        see(e) {
          if (link.see(e)) {
            change(e)
            return false
          }
          if (e.kind !== 'seen') return false
          if (e.src !== 'marketplace' && e.src !== 'marketplace2') return false
          if (e.at - looked > 1_000) {
            looked = e.at
            overdue(e.at, found, true)
          }
          const d = objectOf(e.data)
          const topic = textOf(d?.['topic'])
          const here = e.src === 'marketplace' ? ways.a : ways.b
          const there = here === ways.a ? ways.b : ways.a
          const partner = /^peer2?\.partner\./.test(textOf(d?.['alias'])) ? topic.indexOf('/partner/') : -1
          if (partner >= 0) return arrivedAt(there, e, topic.slice(partner + '/partner/'.length))
          return publishedAt(here, e, topic)
        },
        result(at) {
          const now = found.copy()
          overdue(at, now, false)
          const observed = {
            'published [1]': published,
            'arrived [1]': arrived,
            'slowest [s]': seconds(slowest),
            ...now.counts(),
          }
          const failed = now.result(observed)
          if (failed !== undefined) return failed
          const names = [...new Set([...ways.a.set.keys(), ...ways.b.set.keys()])].filter(wanted)
          const missing = Object.values(ways).flatMap((w) =>
            names.filter((n) => w.set.has(n) && !each.has(`${w.to} ${n}`)).map((n) => `${n} at ${w.to}`),
          )
          if (missing.length > 0)
            return inconclusive(
              notShown(o),
              `nothing to carry was published: ${missing.join(', ')}`,
              observed,
            )
          return pass(observed)
        },
      }
    },
  })
}

/** JSON with sorted keys: parsers may change their order. */
function canonical(j: unknown): string {
  return (
    JSON.stringify(j, (_, v: unknown) =>
      v !== null && typeof v === 'object' && !Array.isArray(v)
        ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
        : v,
    ) ?? ''
  )
}
