/** Each Peer-to-Peer app says whether its partner lives: often, false soon after the two are apart, and true soon after. */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import type { Check, Event } from '../faces.ts'
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
import { peerLink, type Span } from './peer-link.ts'
import { field, objectOf, textOf } from './scalar.ts'

export interface PartnerKnownOptions extends CheckOptions {
  /** Until a dead partner is known to be dead, by the stated time and one heartbeat more. */
  readonly dead: string
  /** Until it is known to live again; `60 s` unless given (ours). */
  readonly back?: string
  /** Period of the reports, and what may be added to it; `10 s` and `2 s` unless given. */
  readonly every?: string
  readonly tolerance?: string
  /** For both apps to find each other at the start; `40 s` unless given (ours). */
  readonly start?: string
}

interface Said {
  readonly at: Instant
  readonly seq: number
  readonly lives: boolean
}

export function partnerKnown(o: PartnerKnownOptions): Check {
  const dead = duration(o.dead)
  const back = duration(o.back ?? '60 s')
  const every = duration(o.every ?? '10 s') + duration(o.tolerance ?? '2 s')
  const start = duration(o.start ?? '40 s')
  return checkOf(o, {
    id: 'partner-known',
    limit:
      `at both ends: whether the partner lives is told at least each ${durationText(every)}; dead at most ` +
      `${durationText(dead)} after the two are apart; alive at most ${durationText(back)} after they are not`,
    needs: ['marketplace', steadyTime],
    bears: () => Math.min(every, dead) * stallShare * 0.5,
    fold: (watch) => {
      const link = peerLink(() => watch.begin, start)
      const found = offences()
      const said = { marketplace: [] as Said[], marketplace2: [] as Said[] }
      const longest = { gap: 0, dead: 0, back: 0 }
      let outages = 0

      const judge = (at: Instant, sink: typeof found): void => {
        for (const [where, list] of Object.entries(said)) {
          const last = list.at(-1)
          if (last !== undefined && at - last.at > every)
            sink.add('silent', `at ${where} nothing was told for ${seconds(at - last.at)} s`, last.seq)
          for (const s of list) check(where, s, sink)
          for (const span of link.spans) if (span.apart) outage(where, list, span, at, sink)
        }
      }
      /** What was told at a moment at which there is only one right word. */
      const check = (where: string, s: Said, sink: typeof found): void => {
        const apart = link.spans.some((x) => x.apart && s.at > x.begin + dead && s.at <= x.end)
        if (apart && s.lives) sink.add('alive while away', `at ${where} the partner was said to live`, s.seq)
        const trouble = link.excusedUntil(s.at, s.at, back) > s.at
        if (!trouble && !s.lives)
          sink.add('dead while there', `at ${where} the partner was said to be dead`, s.seq)
      }
      /** Whether an outage was told at all, and its end. */
      const outage = (
        where: string,
        list: readonly Said[],
        x: Span,
        at: Instant,
        sink: typeof found,
      ): void => {
        const end = Math.min(x.end, at)
        const told = list.find((s) => !s.lives && s.at >= x.begin && s.at <= end)
        if (end - x.begin > dead) {
          if (told === undefined)
            sink.add('not told dead', `at ${where} ${seconds(end - x.begin)} s of outage were not told`)
          else {
            longest.dead = Math.max(longest.dead, told.at - x.begin)
            if (told.at - x.begin > dead)
              sink.add(
                'told late',
                `at ${where} the partner was said to be dead after ${seconds(told.at - x.begin)} s`,
                told.seq,
              )
          }
        }
        const next = link.spans.find((s) => s !== x && s.begin > x.begin && s.begin <= x.end + back)
        if (next !== undefined || at < x.end + back) return
        const alive = list.find((s) => s.lives && s.at >= x.end && s.at <= x.end + back)
        const before = list.findLast((s) => s.at < x.end)
        if (before?.lives === true) return
        if (alive === undefined)
          sink.add(
            'not told alive',
            `at ${where} the partner was not said to live ${durationText(back)} after its return`,
          )
        else longest.back = Math.max(longest.back, alive.at - x.end)
      }
      return {
        see(e: Event) {
          if (link.see(e)) return false
          const alias = textOf(objectOf(e.data)?.['alias'])
          if (e.kind !== 'seen' || (alias !== 'peer.alive' && alias !== 'peer2.alive')) return false
          if (e.src !== 'marketplace' && e.src !== 'marketplace2') return false
          const list = said[e.src]
          const lives = field(e, 'Value')
          if (typeof lives !== 'boolean' || field(e, 'Valid') !== true) {
            found.add('no word', `at ${e.src} what was told says nothing of the partner`, e.seq)
            return true
          }
          const last = list.at(-1)
          if (last !== undefined) {
            const gap = e.at - last.at
            longest.gap = Math.max(longest.gap, gap)
            if (gap > every)
              found.add('silent', `at ${e.src} nothing was told for ${seconds(gap)} s`, last.seq, e.seq)
          }
          list.push({ at: e.at, seq: e.seq, lives })
          return true
        },
        result(at) {
          const now = found.copy()
          judge(at, now)
          outages = link.spans.filter((s) => s.apart && Math.min(s.end, at) - s.begin > dead).length
          const observed = {
            'told [1]': said.marketplace.length + said.marketplace2.length,
            'outages [1]': outages,
            'longest gap [s]': seconds(longest.gap),
            'longest until dead [s]': seconds(longest.dead),
            'longest until alive [s]': seconds(longest.back),
            ...now.counts(),
          }
          const failed = now.result(observed)
          if (failed !== undefined) return failed
          if (outages === 0)
            return inconclusive(notShown(o), 'no outage was long enough to be known', observed)
          const silent = Object.entries(said).filter(([, list]) => list.length === 0)
          if (silent.length > 0)
            return inconclusive('bench', `nothing was told at ${silent.map(([w]) => w).join(', ')}`, observed)
          return pass(observed)
        },
      }
    },
  })
}
