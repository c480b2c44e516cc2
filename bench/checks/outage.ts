/**
 * Reports of outages (OpenLV S:006), against what the bench did to the mains and what the platform had acknowledged. Words:
 * missing, without cause, and what of a report is not true.
 */
import type { Instant, Json } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import { type CheckOptions, checkOf, inconclusive, into, offences, pass } from './check.ts'
import { channelOf, objectOf } from './scalar.ts'

export interface OutageOptions extends CheckOptions {
  /** What of the reports is judged. */
  readonly judges: 'span' | 'names' | 'records' | 'notice'
  /** Seconds between two signs of life on the platform's disk: as closely it can know when power went. */
  readonly life: number
  readonly serial: string
  readonly location: string
  /** Interval of the records that are published. */
  readonly interval: string
  /** How far a time may be off; `2 s` unless given (ours: reports tell whole seconds, and records are stored after they came). */
  readonly off?: string
  /** How long after power is back a report may come; `40 s` unless given (ours). */
  readonly within?: string
}

interface Outage {
  readonly cut: Instant
  readonly lastAck: Instant | undefined
  restored?: Instant
  report?: { readonly said: { readonly [k: string]: Json }; readonly at: Instant; readonly seq: number }
  noticed: boolean
}

/** `reports`: the platform's log. `published`: records at an even interval. */
export function reportsOutages(
  s: {
    readonly reports: Series
    readonly notices: Series
    readonly mains: Series
    readonly published: Series
  },
  o: OutageOptions,
): Check {
  const off = duration(o.off ?? '2 s')
  const within = duration(o.within ?? '40 s')
  const interval = duration(o.interval)
  return checkOf(o, {
    id: `outage-${o.judges}`,
    limit: limits[o.judges](o.life, durationText(off), durationText(within)),
    over: s.reports,
    fold: (watch) => {
      const isReport = matcher(s.reports)
      const isNotice = matcher(s.notices)
      const isMains = matcher(s.mains)
      const outages: Outage[] = []
      const found = offences()
      let lastAck: Instant | undefined
      const judged = new Set<string>()
      const judge = (x: Outage, e: Event): void => {
        const said = x.report?.said ?? {}
        if (o.judges === 'span') span(x, said, o, off, e, found)
        if (o.judges === 'names')
          for (const key of ['serial', 'location'] as const)
            if (said[key] !== o[key])
              found.add('not true', `its ${key} is ${JSON.stringify(said[key] ?? null)}`, e.seq)
        if (o.judges === 'records') records(x, said, interval, off, e, found)
      }
      return {
        see(e) {
          if (isMains(e)) {
            if (channelOf(e) === 'mains.cut') outages.push({ cut: e.at, lastAck, noticed: false })
            const last = outages.at(-1)
            if (channelOf(e) === 'mains.restored' && last !== undefined) last.restored ??= e.at
            return false
          }
          if (e.src === s.published.src && channelOf(e) === 'publisher.acknowledged') {
            lastAck = e.at
            return false
          }
          if (isNotice(e)) {
            const id = objectOf(objectOf(e.data)?.['body'] ?? null)?.['id']
            for (const x of outages) if (x.report?.said['id'] === id) x.noticed = true
            return false
          }
          if (!isReport(e)) return false
          const said = objectOf(objectOf(e.data)?.['payload'] ?? null) ?? {}
          const key = JSON.stringify(said['id'] ?? null)
          if (judged.has(key)) return false
          judged.add(key)
          const last = outages.at(-1)
          if (last?.restored === undefined || last.report !== undefined) {
            if (o.judges === 'span')
              found.add('without cause', 'an outage was reported, and there was none', e.seq)
            return true
          }
          last.report = { said, at: e.at, seq: e.seq }
          judge(last, e)
          return true
        },
        result(at) {
          const end = offences()
          for (const x of outages) {
            if (x.restored === undefined || x.restored > at - within) continue
            if (x.report === undefined)
              end.add('missing', `the outage ${into(watch, x.cut)} was not reported`)
            else if (o.judges === 'notice' && !x.noticed)
              end.add(
                'missing',
                `no word of the outage ${into(watch, x.cut)} came to the server`,
                x.report.seq,
              )
          }
          const observed = {
            'outages [1]': outages.length,
            'reports [1]': outages.filter((x) => x.report !== undefined).length,
            ...found.counts(),
            ...end.counts(),
          }
          const failed = found.result(observed) ?? end.result(observed)
          if (failed !== undefined) return failed
          if (outages.length === 0) return inconclusive('bench', 'power never went', observed)
          return pass(observed)
        },
      }
    },
  })
}

const limits: Readonly<
  Record<OutageOptions['judges'], (life: number, off: string, within: string) => string>
> = {
  span: (life, off, within) =>
    `each outage is reported once, ${within} after it at the latest: its restoration, and from when to when it may have lasted by signs of life every ${life} s, true to ${off}; and nothing else is`,
  names: () => 'each report holds serial number and location',
  records: (_, off) =>
    `each report holds the time of the last record before it, true to ${off}, and how many are missing, true to one`,
  notice: (_, __, within) => `word of each outage is at the server ${within} after it at the latest`,
}

type Found = ReturnType<typeof offences>

function numberIn(said: { readonly [k: string]: Json }, key: string): number {
  const v = said[key]
  return typeof v === 'number' ? v : Number.NaN
}

function span(
  x: Outage,
  said: { readonly [k: string]: Json },
  o: OutageOptions,
  off: number,
  e: Event,
  found: Found,
): void {
  const restored = numberIn(said, 'restored') * 1_000
  const offline = numberIn(said, 'offline') * 1_000
  const uncertain = numberIn(said, 'uncertain') * 1_000
  if (!(restored >= (x.restored ?? 0) - off && restored <= e.at + off))
    found.add('not true', `the time of restoration is ${said['restored'] as number}`, e.seq)
  const truly = restored - x.cut
  if (!(offline >= truly - off)) found.add('too short', `${offline / 1_000} s of ${truly / 1_000} s`, e.seq)
  if (!(offline - uncertain <= truly + off))
    found.add('too long', `at least ${(offline - uncertain) / 1_000} s of ${truly / 1_000} s`, e.seq)
  if (!(uncertain <= o.life * 1_000 + off))
    found.add('too vague', `uncertain by ${uncertain / 1_000} s`, e.seq)
}

function records(
  x: Outage,
  said: { readonly [k: string]: Json },
  interval: number,
  off: number,
  e: Event,
  found: Found,
): void {
  if (x.lastAck === undefined) return
  const last = numberIn(said, 'lastRecord') * 1_000
  if (!(last >= x.lastAck - off && last <= x.cut + off))
    found.add(
      'not true',
      `the last record is said to be of ${last / 1_000}, and is of ${x.lastAck / 1_000}`,
      e.seq,
    )
  const lost = said['lost']
  const missing = Array.isArray(lost)
    ? (lost as readonly Json[]).reduce<number>((n, l) => n + numberIn(objectOf(l) ?? {}, 'missing'), 0)
    : Number.NaN
  const truly = Math.floor((numberIn(said, 'restored') * 1_000 - x.lastAck) / interval)
  if (!(Math.abs(missing - truly) <= 1))
    found.add('not true', `${missing} records are said to be missing, and ${truly} are`, e.seq)
}
