/**
 * Downloads from a server that the bench plays: what it offers stands on the platform whole, once it was there to be had;
 * nothing else ever does; and what breaks off goes on where it was. Words: not there, spoilt, said too early, not said.
 */
import type { Instant, Json } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Series } from '../faces.ts'
import { type CheckOptions, checkOf, inconclusive, into, offences, pass } from './check.ts'
import { objectOf } from './scalar.ts'

/** `sent`, alias `<src>.offered`. */
export interface OfferedEvent {
  readonly id: string
  readonly kind: string
  readonly name: string
  readonly size: number
  readonly sha256: string
}

/** One of `seen`, alias `<src>.files`, payload: what stands installed. */
export interface InstalledFile {
  readonly name: string
  readonly kind: string
  readonly size: number
  readonly sha256: string
}

interface Wanted extends OfferedEvent {
  readonly at: Instant
  readonly seq: number
  found: boolean
  said: boolean
}

export interface DownloadSeries {
  readonly offers: Series
  readonly installed: Series
  readonly files: Series
}

/**
 * What was offered is installed, whole and under its name, when its files were looked at for the last time; whatever stood
 * there at any time was whole; and the server was told of nothing that was not yet there.
 */
export function installsWhole(
  s: DownloadSeries,
  o: CheckOptions & {
    /** How long after the offer it may be missing at the last look; `2 min` unless given (ours). */
    readonly within?: string
    /** Judges these alone. */
    readonly kind?: 'software' | 'configuration'
  },
): Check {
  const within = duration(o.within ?? '2 min')
  return checkOf(o, {
    id: 'installs-whole',
    limit: `what is offered stands on the platform whole, ${durationText(within)} after it at the latest, and nothing else ever does`,
    over: s.files,
    fold: (watch) => {
      const isOffer = matcher(s.offers)
      const isSaid = matcher(s.installed)
      const isFiles = matcher(s.files)
      const wanted: Wanted[] = []
      const found = offences()
      let looked: { readonly at: Instant; readonly files: readonly InstalledFile[] } | undefined
      let looks = 0
      const fits = (kind: string): boolean => o.kind === undefined || kind === o.kind
      return {
        see(e) {
          if (isOffer(e)) {
            const d = e.data as unknown as OfferedEvent
            if (fits(d.kind)) wanted.push({ ...d, at: e.at, seq: e.seq, found: false, said: false })
            return false
          }
          if (isSaid(e)) {
            const d = objectOf(e.data)
            const sha256 = objectOf(d?.['body'] ?? null)?.['sha256']
            const w = wanted.findLast((x) => x.id === d?.['download'])
            if (w === undefined) return false
            if (w.sha256 === sha256) w.said = true
            else
              found.add(
                'said otherwise',
                `${w.name} is said to be installed as ${JSON.stringify(sha256 ?? null)}`,
                e.seq,
              )
            return false
          }
          if (!isFiles(e)) return false
          const files = objectOf(e.data)?.['payload'] as unknown as readonly InstalledFile[]
          looks++
          looked = { at: e.at, files }
          for (const f of files) {
            if (!fits(f.kind)) continue
            const w = wanted.find((x) => x.name === f.name && x.kind === f.kind && x.sha256 === f.sha256)
            if (w !== undefined) w.found = true
            else found.add('spoilt', `${f.name}, ${f.size} bytes, is not what was offered`, e.seq)
          }
          for (const w of wanted)
            if (w.said && !files.some((f) => f.sha256 === w.sha256) && isLast(wanted, w))
              found.add(
                'said too early',
                `${w.name} was said to be installed, and is not there`,
                w.seq,
                e.seq,
              )
          return files.length > 0
        },
        result() {
          const end = offences()
          for (const w of wanted) {
            if (!isLast(wanted, w) || looked === undefined || w.at > looked.at - within) continue
            if (!looked.files.some((f) => f.sha256 === w.sha256 && f.name === w.name))
              end.add('not there', `${w.name}, offered ${into(watch, w.at)}, is not installed`, w.seq)
            else if (!w.said)
              end.add('not said', `the server was not told that ${w.name} is installed`, w.seq)
          }
          const observed: Json = {
            'offered [1]': wanted.length,
            'found installed [1]': wanted.filter((w) => w.found).length,
            'looks [1]': looks,
            ...found.counts(),
            ...end.counts(),
          }
          const failed = found.result(observed) ?? end.result(observed)
          if (failed !== undefined) return failed
          if (!wanted.some((w) => w.found))
            return inconclusive('bench', 'nothing of what was offered could be there yet', observed)
          return pass(observed)
        },
      }
    },
  })
}

/** Whether nothing has taken its place since. */
function isLast(all: readonly Wanted[], w: Wanted): boolean {
  return all.findLast((x) => x.id === w.id) === w
}

/** Bytes of downloads that left the server, against those of the files: each break costs one request's at most. */
export function refetchesLittle(
  s: { readonly offers: Series; readonly served: Series },
  o: CheckOptions & {
    /** Bytes that are asked for at a time. */
    readonly piece: number
  },
): Check {
  return checkOf(o, {
    id: 'refetches-little',
    limit: `bytes that left are at most those of the files, ${o.piece} for each answer that broke off, and the file again for each that was spoilt`,
    over: s.served,
    fold: () => {
      const isServed = matcher(s.served)
      /** Of each version of a file: how far it was served, and what of it left in all. */
      const versions = new Map<
        string,
        { reached: number; left: number; cuts: number; spoilt: number; name: string; seq: number }
      >()
      return {
        see(e) {
          if (!isServed(e)) return false
          const d = objectOf(e.data)
          const [digest, name, from, bytes] = [d?.['digest'], d?.['download'], d?.['from'], d?.['bytes']]
          if (typeof digest !== 'string' || typeof from !== 'number' || typeof bytes !== 'number')
            return false
          const v = versions.get(digest) ?? {
            reached: 0,
            left: 0,
            cuts: 0,
            spoilt: 0,
            name: JSON.stringify(name ?? null),
            seq: e.seq,
          }
          v.reached = Math.max(v.reached, from + bytes)
          v.left += bytes
          if (d?.['whole'] === false) v.cuts++
          if (d?.['spoilt'] === true) v.spoilt++
          v.seq = e.seq
          versions.set(digest, v)
          return true
        },
        result() {
          const all = [...versions.values()]
          const sum = (f: (v: (typeof all)[number]) => number): number => all.reduce((n, v) => n + f(v), 0)
          const observed = {
            'bytes that left [B]': sum((v) => v.left),
            'bytes of the files that were reached [B]': sum((v) => v.reached),
            'answers broken off [1]': sum((v) => v.cuts),
          }
          const bad = all.find((v) => v.left > v.reached * (1 + v.spoilt) + v.cuts * o.piece)
          if (bad !== undefined)
            return {
              verdict: 'fail',
              blame: 'product',
              why: `${bad.left} bytes of ${bad.name} left for ${bad.reached}, with ${bad.cuts} breaks of at most ${o.piece} bytes`,
              observed,
              because: [bad.seq],
            }
          return pass(observed)
        },
      }
    },
  })
}
