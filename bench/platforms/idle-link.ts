/** A link to which nothing happens, for a scenario that is tried on paper. */
import type { Fault } from '../../sim/faces.ts'
import type { Link, LinkCounters } from '../faces.ts'
import { linkEvents } from './link.ts'

const nothing: LinkCounters = { peers: {}, 'carrier drops [1]': 0, 'down [s]': 0, 'resets [1]': 0 }

export function idleLink(src: 'link' | 'link2', step: () => Promise<null>): Link {
  const inflict = (_: string, params: Fault['params'] = null): Fault => ({
    id: 'rehearsal',
    params,
    lift: () => undefined,
  })
  return {
    faults: [],
    inflict,
    events: linkEvents(src),
    profile: () => undefined,
    drop: () => undefined,
    script: () => undefined,
    counters: () => nothing,
    router: {
      faults: [],
      inflict,
      address: '192.0.2.1',
      port: 80,
      outcomes: { src: 'router', kind: 'seen', select: 'router.*' },
      visit: step,
      powerCycle: () => undefined,
    },
  }
}
