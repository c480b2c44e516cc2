/**
 * What was sampled together stays together (OpenLV S:002): one output of an app carries one time stamp, and was read
 * from the device within a short time.
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher, wildcard } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import { answerReader } from './answers.ts'
import {
  type CheckOptions,
  checkOf,
  inconclusive,
  into,
  marginal,
  marginalShare,
  offences,
  pass,
  seconds,
} from './check.ts'
import { channelOf, field } from './scalar.ts'

export interface SampledTogetherOptions extends CheckOptions {
  /** Role of the device. */
  readonly role: string
  /** Longest time between the first and the last answer that went into one output. */
  readonly spread: string
  /** A message that comes so long after the one before it begins a new output; `2 s` unless given. */
  readonly apart?: string
}

interface Channel {
  answeredAt: Instant | undefined
}

/** Judges each output as a whole: messages of the series that follow each other closely. */
export function sampledTogether(series: Series, o: SampledTogetherOptions): Check {
  const limit = duration(o.spread)
  const apart = duration(o.apart ?? '2 s')
  return checkOf(o, {
    id: 'together',
    limit: `one time stamp for all values of an output, read within ${durationText(limit)}`,
    over: series,
    fold: (watch) => {
      const fits = matcher(series)
      const inSeries = wildcard(series.select)
      const channels = new Map<string, Channel>()
      const channel = (name: string): Channel => {
        let c = channels.get(name)
        if (c === undefined) {
          c = { answeredAt: undefined }
          channels.set(name, c)
        }
        return c
      }
      const answers = answerReader<Channel>(o.role, (alias) => (inSeries(alias) ? channel(alias) : undefined))
      const found = offences()
      let output: { last: Instant; stamp: unknown; first: Event; from: Instant; to: Instant } | undefined
      let outputs = 0
      let widest = 0
      let widestSeq = 0
      return {
        see(e) {
          if (answers(e, (c) => void (c.answeredAt = e.at))) return false
          if (!fits(e)) return false
          const stamp = field(e, 'Timestamp')
          const read = channel(channelOf(e)).answeredAt
          if (output === undefined || e.at - output.last > apart) {
            outputs++
            output = { last: e.at, stamp, first: e, from: read ?? e.at, to: read ?? 0 }
            return true
          }
          output.last = e.at
          if (stamp !== output.stamp)
            found.add(
              'stamps differ',
              `${channelOf(e)} is stamped ${JSON.stringify(stamp)}, ${channelOf(output.first)} of the same output ${JSON.stringify(output.stamp)}, ${into(watch, e.at)}`,
              output.first.seq,
              e.seq,
            )
          if (read !== undefined) {
            const before = output.to - output.from
            output.from = Math.min(output.from, read)
            output.to = Math.max(output.to, read)
            const spread = output.to - output.from
            if (spread > widest) [widest, widestSeq] = [spread, e.seq]
            if (spread > limit && before <= limit)
              found.add(
                'read apart',
                `${channelOf(e)}: the values of one output were read ${durationText(spread)} apart, ${into(watch, e.at)}`,
                e.seq,
              )
          }
          return true
        },
        result() {
          const observed = {
            'outputs [1]': outputs,
            'channels [1]': channels.size,
            'widest spread of reading [s]': seconds(widest),
            ...found.counts(),
          }
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          if (outputs < 2) return inconclusive('bench', 'fewer than two outputs were seen', observed)
          if (widest > marginalShare * limit)
            return marginal(`reading takes ${Math.round((widest / limit) * 100)} % of its time`, observed, [
              widestSeq,
            ])
          return pass(observed)
        },
      }
    },
  })
}
