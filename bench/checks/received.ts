/** What a large file costs on the way: bytes that arrive at the platform's host, against those of the file. */
import { matcher } from '../evidence/series.ts'
import type { Check, LinkCounters, Series } from '../faces.ts'
import { type CheckOptions, checkOf, fail, inconclusive, pass } from './check.ts'
import { isCut } from './power.ts'
import { objectOf } from './scalar.ts'

/** Headers of TCP and IPv4 without options (RFC 9293, RFC 791), and bytes of a full segment (ours: with room for tunnels). */
const [headers, segment] = [40, 1_400]

const percent = (n: number): number => Math.round(n * 10_000) / 100

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
  o: CheckOptions & {
    /** Name of the server behind the link. */
    readonly peer: string
    /** So much more than the file may arrive, as a share of it. */
    readonly more: number
    /** Drops of the link, and losses of power, between the first byte and the installation. */
    readonly drops: number
    readonly cuts: number
  },
): Check {
  return checkOf(o, {
    id: 'receives-little',
    limit: `bytes that reach the platform's host are those of the file and at most ${percent(o.more)} % more, all told, over ${o.drops} drops of the link and ${o.cuts} losses of power or more`,
    over: s.link,
    fold: () => {
      const isServed = matcher(s.served)
      const isInstalled = matcher(s.installed)
      /** Of each version of a file: how far it was served. */
      const reached = new Map<string, number>()
      const looks: { readonly down: number; readonly connections: number; readonly seq: number }[] = []
      let phase: 'before' | 'coming' | 'there' = 'before'
      let [drops, cuts, served] = [0, 0, 0]
      return {
        see(e) {
          if (isServed(e)) {
            const d = e.data as unknown as { digest: string; from: number; bytes: number }
            served += d.bytes
            reached.set(d.digest, Math.max(reached.get(d.digest) ?? 0, d.from + d.bytes))
            if (phase === 'before') phase = 'coming'
          } else if (isInstalled(e)) phase = 'there'
          else if (isCut(e) && phase === 'coming') cuts++
          if (e.kind !== 'link') return false
          const d = objectOf(e.data)
          if (d?.['alias'] === 'link.carrier' && d['state'] === 'down' && phase === 'coming') drops++
          if (d?.['alias'] !== 'link.counters') return false
          const peer = (d as unknown as LinkCounters).peers[o.peer]
          looks.push({
            down: peer?.down['passed [B]'] ?? 0,
            connections: peer?.['connections [1]'] ?? 0,
            seq: e.seq,
          })
          return looks.length > 1
        },
        result() {
          const [first, last] = [looks[0], looks.at(-1)]
          if (first === undefined || last === undefined || first === last)
            return inconclusive('bench', 'the counters of the link were not looked at before and after')
          const size = [...reached.values()].reduce((a, b) => a + b, 0)
          const came = last.down - first.down
          const more = size === 0 ? 0 : came / size - 1
          const observed = {
            'bytes of the file [B]': size,
            'bytes that arrived [B]': came,
            'more than the file [%]': percent(more),
            'the same with headers of TCP and IP [%]': percent((more + 1) * (1 + headers / segment) - 1),
            'bytes that left the server [B]': served,
            'drops of the link [1]': drops,
            'losses of power [1]': cuts,
            'connections [1]': last.connections - first.connections,
          }
          if (more > o.more)
            return fail(`${came} bytes arrived for ${size} of the file`, observed, [first.seq, last.seq])
          if (phase !== 'there') return inconclusive('bench', 'the file never came to its end', observed)
          if (drops < o.drops || cuts < o.cuts)
            return inconclusive('rig', 'link and power broke into the download too seldom', observed)
          return pass(observed)
        },
      }
    },
  })
}
