/** When the link between two platforms was in trouble, as the bench knows it: what checks of the peer link may excuse. */
import type { Instant, Json } from '../../drivers/faces.ts'
import type { Event, PeerEnd } from '../faces.ts'
import { objectOf, textOf } from './scalar.ts'

/** Faults that keep both ends apart until they are lifted; the others break one connection, and a new one may stand at once. */
const lasting: ReadonlySet<string> = new Set(['carrier', 'relay', 'impostor'])
/** Of a modem's link: what keeps the partner away while it is in force, beside its carrier. */
const lastingOfLinks: ReadonlySet<string> = new Set([
  'drop',
  'blackhole',
  'stall',
  'refuse',
  'redirect',
  'quota',
  'freeze',
])
/** Somebody with the partner's own certificate took its place for a moment before he was told of, in ms. */
const momentOfMadness = 30_000

/** Sources of the two modems' links, and of their routers. */
const modems: ReadonlySet<string> = new Set(['link', 'link2', 'router', 'router2'])

export interface Span {
  readonly begin: Instant
  end: Instant
  /** The ends could not hear each other all the while. */
  readonly apart: boolean
}

export interface PeerLink {
  see(e: Event): boolean
  /** In the order of their beginning; `end` is Infinity while it goes on. */
  readonly spans: readonly Span[]
  /** Until when something due at `due`, and begun at `from`, is excused: with `recovery` ms after each trouble. */
  excusedUntil(from: Instant, due: Instant, recovery: number): Instant
}

export function peerLink(begin: () => Instant, start: number): PeerLink {
  const spans: Span[] = []
  const open = new Map<string, Span>()
  /** Links without a carrier, or whose router does not work. */
  const dark = new Map<string, Span>()
  let road = 'direct'
  let started = false
  const moment = (at: Instant, before = 0): void =>
    void spans.push({ begin: at - before, end: at, apart: false })
  /** Something happens to one of the two modems' links. */
  const ofModem = (e: Event): boolean => {
    const d = objectOf(e.data)
    const alias = textOf(d?.['alias'])
    const shut = alias === 'link.carrier' ? d?.['state'] === 'down' : d?.['state'] !== 'works'
    if (alias === 'link.carrier' || (alias === 'link.router' && d?.['state'] !== undefined)) {
      const key = `${e.src} ${alias}`
      const open = dark.get(key)
      if (open !== undefined && !shut) open.end = e.at
      if (!shut) dark.delete(key)
      else if (open === undefined) {
        const span: Span = { begin: e.at, end: Infinity, apart: true }
        spans.push(span)
        dark.set(key, span)
      }
    } else if (alias === 'link.spike') {
      const lasts = d?.['for [s]']
      spans.push({ begin: e.at, end: e.at + (typeof lasts === 'number' ? lasts : 0) * 1_000, apart: false })
    } else if (alias === 'link.forgot' || alias === 'link.profile') moment(e.at)
    return false
  }
  return {
    spans,
    see(e) {
      if (!started) {
        started = true
        spans.push({ begin: begin(), end: begin() + start, apart: false })
      }
      if (restarted(e) !== undefined) {
        moment(e.at)
        return true
      }
      if (e.kind === 'link') return ofModem(e)
      if (e.src !== 'peers' && !modems.has(e.src)) return false
      const d = objectOf(e.data)
      if (e.kind === 'fault') {
        const id = textOf(d?.['id'])
        const name = textOf(d?.['name'])
        if (d?.['phase'] === 'lifted') {
          const s = open.get(id)
          if (s !== undefined) s.end = e.at
          open.delete(id)
        } else if (modems.has(e.src) ? lastingOfLinks.has(name) : lasting.has(name)) {
          const apart = e.src === 'peers' && (name !== 'relay' || road === 'relay')
          const span: Span = { begin: e.at, end: Infinity, apart }
          spans.push(span)
          open.set(id, span)
        } else moment(e.at)
        return true
      }
      const alias = textOf(d?.['alias'])
      if (alias === 'peers.asks') {
        const asked: Json | undefined = objectOf(d?.['payload'])?.['road']
        if (typeof asked === 'string') road = asked
        moment(e.at)
        return true
      }
      if (alias === 'peers.impostor' && objectOf(d?.['payload'])?.['shows'] === 'partner')
        moment(e.at, momentOfMadness)
      return false
    },
    excusedUntil(from, due, recovery) {
      let until = due
      for (const s of spans)
        if (s.begin <= until && s.end + recovery >= from) until = Math.max(until, s.end + recovery)
      return until
    },
  }
}

/** At which end an app was started anew by the operator; which one, is not asked. */
export function restarted(e: Event): PeerEnd | undefined {
  if (e.kind !== 'sent' || (e.src !== 'operator' && e.src !== 'operator2')) return undefined
  if (objectOf(objectOf(e.data)?.['payload'])?.['Do'] !== 'restart') return undefined
  return e.src === 'operator' ? 'a' : 'b'
}
