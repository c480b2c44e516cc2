/** What a CSV recorder must have kept (OpenLV M:0039 to M:0043, I:0090 to I:0093): everything, once, true, in time, by name. */
import type { Instant, Json } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { publisherIn } from '../analysis/publisher.ts'
import type { Check, Event, Result, Series } from '../faces.ts'
import { checkOf, inconclusive, into, offences, pass, seconds, stallShare, steadyTime } from './check.ts'
import type { Offences, Watch } from './check.ts'
import { Pairing, usualWithin, type Line, type Pair, type RecordOptions } from './pairing.ts'
import { platformClock } from './platform-clock.ts'
import type { PlatformClock } from './platform-clock.ts'
import { objectOf, textOf } from './scalar.ts'

export type { RecordOptions } from './pairing.ts'

/** Puts a check on recorded lines together; `each` is told of every pair, `last` adds what only the end shows. */
function recordCheck(
  published: Series,
  lines: Series,
  o: RecordOptions,
  more: {
    readonly id: string
    readonly limit: string
    /** Whether it judges by when the bench saw a message. */
    readonly timed?: true
    /** Told of what is known of the platform's clock, where it judges by that. */
    readonly clock?: PlatformClock
    readonly each: (pair: Pair, found: Offences, watch: Watch, pairing: Pairing) => void
    readonly last?: (pairing: Pairing, found: Offences, watch: Watch) => Record<string, Json>
  },
): Check {
  return checkOf(o, {
    id: more.id,
    limit: more.limit,
    over: lines,
    needs: [published.src, ...(more.timed === true ? [steadyTime] : [])],
    ...(more.timed === true ? { bears: () => duration(o.within ?? usualWithin) * stallShare } : {}),
    fold: (watch) => {
      const found = offences()
      const pairing = new Pairing(watch, published, lines, o)
      let judged = 0
      return {
        see(e: Event) {
          more.clock?.see(e)
          let some = false
          for (const pair of pairing.see(e)) {
            if (pair.how === 'before the watch') continue
            judged++
            some = true
            more.each(pair, found, watch, pairing)
          }
          return some
        },
        result(_at: Instant): Result {
          const all = found.copy()
          const figures = more.last?.(pairing, all, watch) ?? {}
          const observed = { 'lines judged [1]': judged, ...figures, ...all.counts() }
          const unsure = more.clock?.tooUnsure(pairing.within, observed)
          if (unsure !== undefined) return unsure
          const failed = all.result(observed)
          if (failed !== undefined) return failed
          if (pairing.readAt === undefined)
            return inconclusive('bench', 'the recorder’s files were not read', observed)
          return pass(observed, pairing.readSeq > 0 ? [pairing.readSeq] : [])
        },
      }
    },
  })
}

export interface RecordsAllOptions extends RecordOptions {
  /** Instances of which something must stand in the files. */
  readonly publishers?: readonly string[]
}

/** Each message of at least QoS 1 that was seen stands in the files once, in the order of its topic, and nothing else does. */
export function recordsAll(published: Series, lines: Series, o: RecordsAllOptions): Check {
  const heard = new Set<string>()
  return recordCheck(published, lines, o, {
    id: 'records-all',
    limit: `each message in the files once, in order, and none that was not published${o.publishers === undefined ? '' : `; something of each of ${o.publishers.join(', ')}`}`,
    each({ line, how, published: message }, found) {
      const of = publisherIn(line.topic)
      if (of !== undefined) heard.add(of)
      const because = message === undefined ? [line.seq] : [message.seq, line.seq]
      if (how === 'duplicated')
        found.add('duplicated', `${line.where}: ${line.topic} stands there twice`, ...because)
      else if (how === 'out of order')
        found.add(
          'out of order',
          `${line.where}: ${line.topic} after one that was published later`,
          ...because,
        )
      else if (how === 'unexpected')
        found.add('unexpected', `${line.where}: ${shown(line)} was never seen at the marketplace`, line.seq)
    },
    last(pairing, found, watch) {
      for (const m of pairing.lost())
        found.add('lost', `${m.topic}, published ${into(watch, m.at)}, is in no file`, m.seq)
      const torn = pairing.read['torn lines [1]']
      if (typeof torn === 'number' && torn > 0)
        found.add('torn', `${torn} of the files end in the middle of a line`, pairing.readSeq)
      if (pairing.readAt !== undefined)
        for (const p of o.publishers ?? [])
          if (!heard.has(p)) found.add('missing', `nothing of ${p} is in the files`)
      return { 'messages published [1]': pairing.owed(), ...pairing.read }
    },
  })
}

/** What stands in the files is what was published: the payload to the last digit, and the columns Value and Valid with it. */
export function recordsTruly(published: Series, lines: Series, o: RecordOptions): Check {
  return recordCheck(published, lines, o, {
    id: 'records-truly',
    limit: 'payload, Value and Valid as published, to the last digit',
    each({ line, how, published: message }, found) {
      if (how === 'altered')
        found.add(
          'altered',
          `${line.where}: ${shown(line)}, published as ${message?.text ?? ''}`,
          message?.seq ?? 0,
          line.seq,
        )
      else if (how === 'unexpected')
        found.add('altered', `${line.where}: ${shown(line)} was never published so`, line.seq)
      for (const [column, key] of [
        ['value', 'Value'],
        ['valid', 'Valid'],
      ] as const)
        if (!columnFits(line, column, key))
          found.add(
            `other ${key}`,
            `${line.where}: column ${key} says ${textOf(line.columns[column])}, the payload ${line.text}`,
            line.seq,
          )
    },
  })
}

/** Each line has the time stamp of its message, and a time of recording near to when the message was seen. */
export function recordsTimes(published: Series, lines: Series, o: RecordOptions): Check {
  const clock = platformClock()
  let worst = 0
  return recordCheck(published, lines, o, {
    id: 'records-times',
    timed: true,
    clock,
    limit: `the time stamp of the message, and a time of recording within ${o.within ?? usualWithin} of when it was seen`,
    each({ line, how, published: message }, found, watch, pairing) {
      if (!columnFits(line, 'timestamp', 'Timestamp'))
        found.add(
          'other stamp',
          `${line.where}: column Timestamp says ${textOf(line.columns['timestamp'])}, the payload ${line.text}`,
          line.seq,
        )
      if (line.recordedAt === null) {
        found.add('without time', `${line.where}: no time of recording`, line.seq)
        return
      }
      if (message === undefined || how === 'duplicated') return
      const off = line.recordedAt - message.at
      const beyond = Math.max(
        clock.before(line.recordedAt, message.at),
        clock.after(line.recordedAt, message.at),
      )
      worst = Math.max(worst, beyond)
      if (beyond > pairing.within)
        found.add(
          off > 0 ? 'late' : 'early',
          `${line.where}: ${line.topic}, seen ${into(watch, message.at)}, was recorded ${durationText(Math.abs(off))} ${off > 0 ? 'later' : 'earlier'} by its own word`,
          message.seq,
          line.seq,
        )
    },
    last: () => ({ 'furthest recording [s]': seconds(worst), ...clock.figures() }),
  })
}

/** Each line names the instance that published its message. */
export function attributable(published: Series, lines: Series, o: RecordOptions): Check {
  const named = new Map<string, number>()
  return recordCheck(published, lines, o, {
    id: 'attributable',
    limit: 'each line names the instance that published it',
    each({ line }, found) {
      named.set(line.publisher, (named.get(line.publisher) ?? 0) + 1)
      const of = publisherIn(line.topic)
      if (line.publisher === '')
        found.add('nameless', `${line.where}: ${line.topic} without a publisher`, line.seq)
      else if (of !== undefined && line.publisher !== of)
        found.add('wrong name', `${line.where}: ${line.topic} is said to be of ${line.publisher}`, line.seq)
    },
    last: () => ({ publishers: Object.fromEntries(named) }),
  })
}

/** For each instance, its lines are as many and as far apart, by the time of recording, as its messages were. */
export function recordsAtRate(published: Series, lines: Series, o: RecordOptions): Check {
  interface Rate {
    stored: number
    last: Map<string, readonly [recorded: Instant, seen: Instant]>
  }
  const rates = new Map<string, Rate>()
  return recordCheck(published, lines, o, {
    id: 'records-at-rate',
    timed: true,
    limit: `for each app as many lines as messages, spacings equal within ${o.within ?? usualWithin}`,
    each({ line, published: message, how }, found, _watch, pairing) {
      const app = publisherIn(line.topic) ?? 'others'
      let rate = rates.get(app)
      if (rate === undefined) {
        rate = { stored: 0, last: new Map() }
        rates.set(app, rate)
      }
      rate.stored++
      if (message === undefined || how === 'duplicated' || line.recordedAt === null) {
        if (how === 'duplicated')
          found.add('too many', `${line.where}: one line more than ${app} published`, line.seq)
        return
      }
      const before = rate.last.get(line.topic)
      rate.last.set(line.topic, [line.recordedAt, message.at])
      if (before === undefined) return
      const [stored, seen] = [line.recordedAt - before[0], message.at - before[1]]
      if (Math.abs(stored - seen) > pairing.within)
        found.add(
          'other spacing',
          `${line.where}: ${line.topic} stored ${durationText(Math.max(0, stored))} after the one before, published after ${durationText(seen)}`,
          message.seq,
          line.seq,
        )
    },
    last(pairing, found, watch) {
      for (const m of pairing.lost())
        found.add('too few', `${m.topic}, published ${into(watch, m.at)}, has no line`, m.seq)
      return { 'lines by app [1]': Object.fromEntries([...rates].map(([app, r]) => [app, r.stored])) }
    },
  })
}

/** Whether a column agrees with a key of the payload. A recorder without that column has nothing to disagree. */
function columnFits(line: Line, column: string, key: string): boolean {
  const said = line.columns[column]
  if (typeof said !== 'string') return true
  const body = objectOf(line.payload)
  const value = body !== undefined && Object.hasOwn(body, key) ? body[key] : undefined
  if (value === undefined) return said === ''
  if (said === value) return true
  try {
    return JSON.stringify(JSON.parse(said)) === JSON.stringify(value)
  } catch {
    return false
  }
}

function shown(line: Line): string {
  return `${line.topic} ${line.text.slice(0, 200)}`
}
