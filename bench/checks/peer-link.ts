/** When the link between two platforms was in trouble, as the bench knows it: what checks of the peer link may excuse. */
import type { Instant, Json } from '../../drivers/faces.ts'
import type { Event, PeerEnd } from '../faces.ts'
import { objectOf, textOf } from './scalar.ts'

/** Faults that keep both ends apart until they are lifted; the others break one connection, and a new one may stand at once. */
const lasting: ReadonlySet<string> = new Set(['carrier', 'relay', 'impostor'])
/** Somebody with the partner's own certificate took its place for a moment before he was told of, in ms. */
const momentOfMadness = 30_000

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
  let road = 'direct'
  let started = false
  const moment = (at: Instant, before = 0): void =>
    void spans.push({ begin: at - before, end: at, apart: false })
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
      if (e.src !== 'peers') return false
      const d = objectOf(e.data)
      if (e.kind === 'fault') {
        const id = textOf(d?.['id'])
        const name = textOf(d?.['name'])
        if (d?.['phase'] === 'lifted') {
          const s = open.get(id)
          if (s !== undefined) s.end = e.at
          open.delete(id)
        } else if (lasting.has(name)) {
          const span: Span = { begin: e.at, end: Infinity, apart: name !== 'relay' || road === 'relay' }
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
