/**
 * The rate of capture follows its setting (OpenLV S:003): after each change that the scenario notes, messages come at
 * the new interval.
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Series } from '../faces.ts'
import {
  type CheckOptions,
  checkOf,
  inconclusive,
  into,
  notShown,
  offences,
  pass,
  seconds,
  stallShare,
  steadyTime,
} from './check.ts'
import { channelOf, objectOf } from './scalar.ts'

/** What a scenario notes at each change: `note(intervalSet, { seconds: 10 })`. */
export const intervalSet = 'interval set'

export interface FollowsSettingOptions extends CheckOptions {
  /** Settings in seconds that must each have been tried. */
  readonly settings: readonly number[]
  /** Messages of each channel that each setting needs at least. */
  readonly readings: number
  /** Aliases that must each come. */
  readonly channels: readonly string[]
}

interface Channel {
  last: Instant | undefined
  n: number
}

/**
 * Under each setting the first message comes within one interval of the note, and others follow at the interval, each
 * ±max(1 s, 10 %) (our reading of API 8.3.1).
 */
export function followsSetting(series: Series, o: FollowsSettingOptions): Check {
  const range = `${o.settings.length} settings from ${Math.min(...o.settings)} s to ${Math.max(...o.settings)} s`
  return checkOf(o, {
    id: 'rates',
    limit: `${range}: ${o.readings} readings of each channel at the interval, ±max(1 s, 10 %)`,
    over: series,
    needs: [steadyTime],
    bears: () => duration('1 s') * stallShare,
    fold: (watch) => {
      const fits = matcher(series)
      const wanted = new Set(o.settings)
      const found = offences()
      const done = new Map<number, number>()
      let setting: { readonly ms: number; readonly at: Instant; readonly seq: number } | undefined
      let channels = new Map<string, Channel>()
      let worst = 0
      const close = (at: Instant, sink: typeof found, tally: Map<number, number>): void => {
        if (setting === undefined || !wanted.has(setting.ms / 1000)) return
        for (const name of o.channels) {
          const n = channels.get(name)?.n ?? 0
          const due = Math.floor((at - setting.at) / setting.ms)
          if (n < Math.min(o.readings, due))
            sink.add(
              'too few',
              `${name}: ${n} messages in ${durationText(at - setting.at)} at an interval of ${durationText(setting.ms)}`,
              setting.seq,
            )
        }
        const fewest = Math.min(...o.channels.map((c) => channels.get(c)?.n ?? 0))
        tally.set(setting.ms / 1000, Math.max(tally.get(setting.ms / 1000) ?? 0, fewest))
      }
      return {
        see(e) {
          const d = objectOf(e.data)
          if (e.kind === 'note' && d?.['what'] === intervalSet) {
            const s = objectOf(d['data'])?.['seconds']
            if (typeof s !== 'number') return false
            close(e.at, found, done)
            setting = { ms: s * 1000, at: e.at, seq: e.seq }
            channels = new Map()
            return false
          }
          if (!fits(e) || setting === undefined || !wanted.has(setting.ms / 1000)) return false
          const name = channelOf(e)
          if (!o.channels.includes(name)) return false
          const c = channels.get(name) ?? { last: undefined, n: 0 }
          channels.set(name, c)
          const spacing = e.at - (c.last ?? setting.at)
          const gap = Math.max(1000, setting.ms / 10)
          // The first interval begins when the app has its configuration, a moment about the note.
          const off = spacing - setting.ms
          worst = Math.max(worst, Math.abs(off) / gap)
          if (Math.abs(off) > gap)
            found.add(
              off > 0 ? 'late' : 'early',
              `${name}: ${durationText(spacing)} where ${durationText(setting.ms)} is set, ${into(watch, e.at)}`,
              e.seq,
            )
          c.last = e.at
          c.n++
          return true
        },
        result(at) {
          const all = found.copy()
          const tally = new Map(done)
          close(at, all, tally)
          const tried = [...tally].filter(([, n]) => n >= o.readings).length
          const missing = o.settings.filter((x) => (tally.get(x) ?? 0) < o.readings)
          const observed = {
            'settings tried [1]': tried,
            'largest deviation, share of the tolerance [1]': seconds(worst * 1000),
            ...all.counts(),
          }
          const failed = all.result(observed)
          if (failed !== undefined) return failed
          if (missing.length > 0)
            return inconclusive(
              notShown(o),
              `not tried long enough: ${missing.slice(0, 6).join(', ')} s`,
              observed,
            )
          return pass(observed)
        },
      }
    },
  })
}
