/** What much data costs on the way over the link: bytes that arrive at its other end, against those that had to come. */
import type { Json } from '../../drivers/faces.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, LinkCounters, Series } from '../faces.ts'
import { type CheckOptions, checkOf, fail, inconclusive, pass } from './check.ts'
import { isCut } from './power.ts'
import { objectOf } from './scalar.ts'
import type { BatchEvent } from './uploaded.ts'

/** Headers of TCP and IPv4 without options (RFC 9293, RFC 791), and bytes of a full segment (ours: with room for tunnels). */
const [headers, segment] = [40, 1_400]

const percent = (n: number): number => Math.round(n * 10_000) / 100

export interface CostOptions extends CheckOptions {
  /** Name of the server behind the link. */
  readonly peer: string
  /** So much more than what had to come may arrive, as a share of it. */
  readonly more: number
  /** Drops of the link, and losses of power, while it was under way. */
  readonly drops: number
  readonly cuts: number
}

/** What is sent, as its events tell. */
interface Course {
  readonly way: 'up' | 'down'
  /** `begun`: its first byte; `there`: what had to come by then has come. */
  see(e: Event): 'begun' | 'there' | undefined
  /** Bytes that had to come, as far as they came. */
  size(): number
}

/**
 * From the first to the last look at the link's counters, which the scenario takes, what arrived from the server at the
 * platform's host is little more than what there is of the file: all told, with TLS, answers of every kind, and what came
 * twice. It is judged only where link and power broke into the download as often as is asked for.
 */
export function receivesLittle(
  s: {
    readonly served: Series
    readonly installed: Series
    /** Events of the link. */
    readonly link: Series
  },
  o: CostOptions,
): Check {
  return costsLittle('receives-little', "the platform's host", s.link, o, () => {
    const isServed = matcher(s.served)
    const isInstalled = matcher(s.installed)
    /** Of each version of a file: how far it was served. */
    const reached = new Map<string, number>()
    let there = false
    return {
      way: 'down',
      see(e) {
        if (isServed(e)) {
          const d = e.data as unknown as { digest: string; from: number; bytes: number }
          reached.set(d.digest, Math.max(reached.get(d.digest) ?? 0, d.from + d.bytes))
          return 'begun'
        }
        // It may be told again.
        if (there || !isInstalled(e)) return undefined
        there = true
        return 'there'
      },
      size: () => [...reached.values()].reduce((a, b) => a + b, 0),
    }
  })
}

/** The same of uploads: what arrived at the server `peer` is little more than the batches that it holds. */
export function deliversLittle(
  s: {
    readonly uploads: Series
    readonly batches: Series
    /** Events of the link. */
    readonly link: Series
  },
  o: CostOptions,
): Check {
  return costsLittle('delivers-little', 'the server', s.link, o, () => {
    const isUpload = matcher(s.uploads)
    const isBatch = matcher(s.batches)
    let held = 0
    /** Of the upload that is under way. */
    let part: { readonly id: Json; offset: number } | undefined
    return {
      way: 'up',
      see(e) {
        if (isBatch(e)) {
          const d = e.data as unknown as BatchEvent
          if (d.again) return undefined
          held += d.bytes
          part = undefined
          return 'there'
        }
        if (!isUpload(e)) return undefined
        const d = objectOf(objectOf(e.data)?.['payload'] ?? null)
        if (d?.['what'] === 'created') part = { id: d['id'] ?? null, offset: 0 }
        else if (part !== undefined && d?.['what'] === 'appended' && part.id === d['id'])
          part.offset = Number(d['offset'])
        return 'begun'
      },
      size: () => held + (part?.offset ?? 0),
    }
  })
}

function costsLittle(id: string, where: string, link: Series, o: CostOptions, begin: () => Course): Check {
  return checkOf(o, {
    id,
    limit: `bytes that reach ${where} are those that had to come and at most ${percent(o.more)} % more, all told, over ${o.drops} drops of the link and ${o.cuts} losses of power or more`,
    over: link,
    fold: () => {
      const course = begin()
      const looks: { readonly passed: number; readonly connections: number; readonly seq: number }[] = []
      let begun = false
      const broken = { drops: 0, cuts: 0 }
      /** Until what had to come was there. */
      let there: typeof broken | undefined
      return {
        see(e) {
          const what = course.see(e)
          if (what === 'begun') begun = true
          else if (what === 'there') there = { ...broken }
          else if (begun && isCut(e)) broken.cuts++
          if (e.kind !== 'link') return false
          const d = objectOf(e.data)
          if (begun && d?.['alias'] === 'link.carrier' && d['state'] === 'down') broken.drops++
          if (d?.['alias'] !== 'link.counters') return false
          const peer = (d as unknown as LinkCounters).peers[o.peer]
          const passed = peer?.[course.way]['passed [B]'] ?? 0
          looks.push({ passed, connections: peer?.['connections [1]'] ?? 0, seq: e.seq })
          return looks.length > 1
        },
        result() {
          const [first, last] = [looks[0], looks.at(-1)]
          if (first === undefined || last === undefined || first === last)
            return inconclusive('bench', 'the counters of the link were not looked at before and after')
          const size = course.size()
          const came = last.passed - first.passed
          const more = size === 0 ? 0 : came / size - 1
          const { drops, cuts } = there ?? broken
          const observed = {
            'bytes that had to come [B]': size,
            'bytes that arrived [B]': came,
            'more [%]': percent(more),
            'the same with headers of TCP and IP [%]': percent((more + 1) * (1 + headers / segment) - 1),
            'drops of the link [1]': drops,
            'losses of power [1]': cuts,
            'connections [1]': last.connections - first.connections,
          }
          if (more > o.more)
            return fail(`${came} bytes arrived where ${size} had to come`, observed, [first.seq, last.seq])
          if (there === undefined) return inconclusive('bench', 'it never came to its end', observed)
          if (drops < o.drops || cuts < o.cuts)
            return inconclusive('rig', 'link and power broke into it too seldom', observed)
          return pass(observed)
        },
      }
    },
  })
}
