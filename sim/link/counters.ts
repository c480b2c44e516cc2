/** How many bytes went which way, by peer. */
import type { Json } from '../../drivers/faces.ts'
import type { LinkWay } from '../../drivers/link-faces.ts'
import type { Counted } from './state.ts'

export interface Counters {
  readonly peers: Map<string, { up: Counted; down: Counted; connections: number }>
  drops: number
  /** Time without carrier that is over, ms. */
  downMs: number
  resets: number
}

const none = (): Counted => ({ offered: 0, passed: 0, lost: 0, resent: 0 })

export function createCounters(): Counters {
  return { peers: new Map(), drops: 0, downMs: 0, resets: 0 }
}

export function peerOf(c: Counters, peer: string): { up: Counted; down: Counted; connections: number } {
  let p = c.peers.get(peer)
  if (p === undefined) c.peers.set(peer, (p = { up: none(), down: none(), connections: 0 }))
  return p
}

export const countedFor = (c: Counters, peer: string, way: LinkWay): Counted => peerOf(c, peer)[way]

const shown = (c: Counted) => ({
  'offered [B]': c.offered,
  'passed [B]': c.passed,
  'lost [B]': c.lost,
  'resent [B]': c.resent,
})

/** As evidence shows them: LinkCounters of bench/faces.ts. `downMs` with what is not over yet. */
export function shownCounters(c: Counters, downMs: number) {
  return {
    peers: Object.fromEntries(
      [...c.peers].map(([name, p]) => [
        name,
        { up: shown(p.up), down: shown(p.down), 'connections [1]': p.connections },
      ]),
    ),
    'carrier drops [1]': c.drops,
    'down [s]': downMs / 1000,
    'resets [1]': c.resets,
  } satisfies Json
}
export type ShownCounters = ReturnType<typeof shownCounters>
