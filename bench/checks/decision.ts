/**
 * LoadSense by its commands: whether it closes and opens when the rules ask for it, and only then (M:0044, M:0045, M:0046).
 * What the rules ask for comes from the bench's own oracle over what passed the marketplace. What the app says of its
 * reasons is not asked.
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import type { Check, Event, Series } from '../faces.ts'
import { checkOf, fail, inconclusive, into, offences, pass, seconds } from './check.ts'
import type { CheckOptions } from './check.ts'
import { expectedOf, meshRules } from './mesh-rules.ts'
import type { Expected, MeshRules } from './mesh-rules.ts'
import { meshView } from './mesh-view.ts'
import { channelOf, field, objectOf } from './scalar.ts'

const controls: Series = { src: 'marketplace', kind: 'seen', select: 'loadsense.control.*' }
/** Commands of one sequence lie within so many seconds, even where they come too slowly. Ours. */
const oneSequence = 15
/** By so many seconds the app and the bench may see the same thing at different times. Ours. */
const grace = 2

export interface DecisionOptions extends CheckOptions {
  /** From the moment that the rules ask for it to the first command. */
  readonly within: string
  /** Figures of the rules that are not as shipped. */
  readonly rules?: Partial<MeshRules>
  /** Judges only what is decided while a note of the scenario that fits is the last one: rows of a table. */
  readonly rows?: RegExp
  /** Judges only closing, or only opening. */
  readonly only?: 'close' | 'open'
}

interface Sequence {
  readonly close: boolean
  readonly begun: number
  last: number
  readonly phases: Set<string>
  over: boolean
}

/** A time in which the rules ask for one thing. */
interface Episode {
  readonly wish: 'close' | 'open'
  readonly lockOut: boolean
  readonly since: Instant
  readonly seq: number
  readonly judged: boolean
  answered: boolean
  missed: boolean
}

const waiting: Expected = {
  wish: 'nothing',
  lockOut: false,
  against: ['the last command is not read back yet'],
}

export function decisionFollowsRules(o: DecisionOptions): Check {
  const rules = { ...meshRules, ...o.rules }
  const bound = duration(o.within)
  return checkOf(o, {
    id: 'decision',
    limit: `closes and opens by the rules, within ${durationText(bound)}, and only then`,
    over: controls,
    fold: (watch) => {
      const view = meshView(rules)
      const found = offences()
      const recent: { readonly at: number; readonly wish: Expected['wish'] }[] = []
      const counts = { close: 0, open: 0 }
      let wishes = 0
      let slowest = 0
      let slowestSeqs: readonly number[] = []
      let row: string | undefined
      let sequence: Sequence | undefined
      let failed = false
      let out = false
      let episode: Episode | undefined

      const judging = (what: 'close' | 'open'): boolean =>
        (o.only ?? what) === what && (o.rows === undefined || (row !== undefined && o.rows.test(row)))

      /** What the rules ask for now. */
      const expected = (t: number): Expected => {
        const v = view.at(t)
        if (sequence !== undefined && !sequence.over) {
          const target = sequence.close ? 'closed' : 'open'
          const begun = Math.floor(sequence.begun)
          if (v.units.every((u) => u !== undefined && u.contact === target && u.read >= begun)) {
            sequence.over = true
            view.done()
          } else if (t <= sequence.last + rules.readBack) return waiting
          else {
            sequence.over = true
            view.done()
            failed = !out
          }
        }
        if (failed && !out) return { wish: 'open', lockOut: true, against: [] }
        return expectedOf(v, t, rules)
      }

      const overdue = (at: Instant, sink: typeof found): void => {
        if (episode === undefined || episode.answered || episode.missed || !episode.judged) return
        if (at - episode.since <= bound) return
        if (sink === found) episode.missed = true
        const what = episode.wish === 'close' ? 'did not mesh' : 'did not part'
        sink.add(
          `not ${episode.wish === 'close' ? 'closed' : 'opened'}`,
          `it ${what} within ${durationText(bound)} of the moment that the rules asked for it, ${into(watch, episode.since)}${inRow(row)}`,
          episode.seq,
        )
      }

      const look = (e: Event): Expected => {
        const t = e.at / 1000
        const now = expected(t)
        overdue(e.at, found)
        if (now.wish === 'nothing') episode = undefined
        else if (episode?.wish !== now.wish || episode.lockOut !== now.lockOut) {
          const judged = judging(now.wish)
          if (judged) wishes++
          episode = {
            wish: now.wish,
            lockOut: now.lockOut,
            since: e.at,
            seq: e.seq,
            judged,
            answered: false,
            missed: false,
          }
        }
        recent.push({ at: t, wish: now.wish })
        while (recent[0] !== undefined && recent[0].at < t - grace) recent.shift()
        return now
      }

      const commanded = (e: Event): void => {
        const t = e.at / 1000
        const close = field(e, 'Value') === true
        const phase = channelOf(e).split('.').at(-1) ?? ''
        const s = sequence
        if (s?.close === close && t - s.begun <= oneSequence && !s.phases.has(phase) && !s.over) {
          s.phases.add(phase)
          s.last = t
          return
        }
        const what = close ? 'close' : 'open'
        // It may have waited a little less for what was not read back.
        const tired = s !== undefined && !s.over && !close && t - s.last >= rules.readBack - grace
        if (tired) {
          s.over = true
          failed = !out
        }
        const now = look(e)
        const called = recent.some((x) => x.wish === what)
        const again = episode?.wish === what && episode.answered
        if (judging(what)) {
          if (!called)
            found.add(
              close ? 'closed unasked' : 'opened unasked',
              `it ${close ? 'meshed' : 'parted'}, ${into(watch, e.at)}${inRow(row)}, although ${now.against.join(' and ') || 'nothing asks for it'}`,
              e.seq,
            )
          else if (again)
            found.add('commanded again', `it commanded the same once more, ${into(watch, e.at)}`, e.seq)
          else if (episode?.wish === what && e.at - episode.since >= slowest)
            [slowest, slowestSeqs] = [e.at - episode.since, [episode.seq, e.seq]]
          counts[what]++
        }
        if (episode?.wish === what) {
          episode.answered = true
          if (episode.lockOut) {
            out = true
            failed = false
            view.lockOut()
          }
        }
        sequence = { close, begun: t, last: t, phases: new Set([phase]), over: false }
        view.commanded(close, t)
      }

      return {
        see(e) {
          if (e.src === 'bench' && e.kind === 'note') {
            const what = objectOf(e.data)?.['what']
            if (typeof what === 'string' && what.startsWith('row')) row = what
            return false
          }
          const control =
            e.src === 'marketplace' && e.kind === 'seen' && channelOf(e).startsWith('loadsense.control.')
          if (control) {
            commanded(e)
            return true
          }
          if (!view.see(e)) return false
          if (e.src === 'operator') {
            out = false
            failed = false
            return true
          }
          look(e)
          return true
        },
        result(at) {
          const all = found.copy()
          overdue(at, all)
          const observed = {
            'closings [1]': counts.close,
            'openings [1]': counts.open,
            'times that the rules asked [1]': wishes,
            'slowest [s]': seconds(slowest),
            ...all.counts(),
          }
          const failure = all.result(observed)
          if (failure !== undefined) return failure
          if (wishes === 0) return inconclusive('bench', 'the rules asked for nothing in this time', observed)
          if (episode !== undefined && episode.judged && !episode.answered && at - episode.since <= bound)
            return inconclusive('bench', 'the watch ended before the last decision was due', observed)
          return pass(observed, slowestSeqs)
        },
      }
    },
  })
}

const inRow = (row: string | undefined): string => (row === undefined ? '' : ` (${row})`)

export interface SequenceOptions extends CheckOptions {
  /** Longest time between two of the three commands. */
  readonly between: string
  readonly only?: 'close' | 'open'
}

/** Each decision becomes three commands, one a phase, close together: valid, to be stored, stamped when they leave. */
export function commandsEveryPhase(o: SequenceOptions): Check {
  const between = duration(o.between)
  return checkOf(o, {
    id: 'commands',
    limit: `one command a phase, at most ${durationText(between)} apart, valid, stored, stamped within ${grace} s`,
    over: controls,
    fold: (watch) => {
      const found = offences()
      let sequences = 0
      let widest = 0
      let current:
        | { close: boolean; begun: number; last: number; phases: string[]; seqs: number[] }
        | undefined
      const end = (sink: typeof found): void => {
        if (current === undefined || current.phases.length === 3) return
        sink.add(
          'incomplete',
          `only ${current.phases.join(', ')} ${current.close ? 'closes' : 'opens'}, ${into(watch, current.begun)}`,
          ...current.seqs,
        )
      }
      return {
        see(e) {
          if (e.src !== 'marketplace' || e.kind !== 'seen') return false
          const alias = channelOf(e)
          if (!alias.startsWith('loadsense.control.')) return false
          const value = field(e, 'Value')
          const close = value === true
          if (o.only !== undefined && close !== (o.only === 'close')) return false
          const phase = alias.split('.').at(-1) ?? ''
          const stamp = field(e, 'Timestamp')
          if (typeof value !== 'boolean' || field(e, 'Valid') !== true)
            found.add('no command', `${alias} is no valid command, ${into(watch, e.at)}`, e.seq)
          if (field(e, 'ToStore') !== true)
            found.add('not stored', `${alias} is not to be stored, ${into(watch, e.at)}`, e.seq)
          if (typeof stamp !== 'number' || Math.abs(e.at / 1000 - stamp) > grace)
            found.add(
              'badly stamped',
              `${alias} is stamped ${JSON.stringify(stamp)}, ${into(watch, e.at)}`,
              e.seq,
            )
          const goes = current?.close === close && !current.phases.includes(phase)
          if (current === undefined || !goes || e.at - current.begun > oneSequence * 1000) {
            end(found)
            sequences++
            current = { close, begun: e.at, last: e.at, phases: [phase], seqs: [e.seq] }
            return true
          }
          widest = Math.max(widest, e.at - current.last)
          if (e.at - current.last > between)
            found.add(
              'too slow',
              `${durationText(e.at - current.last)} passed before ${phase}, ${into(watch, e.at)}`,
              e.seq,
            )
          current.last = e.at
          current.phases.push(phase)
          current.seqs.push(e.seq)
          return true
        },
        result(at) {
          const all = found.copy()
          const open = current !== undefined && current.phases.length < 3
          if (open && at - (current?.last ?? at) > between) end(all)
          const observed = { 'sequences [1]': sequences, 'widest [s]': seconds(widest), ...all.counts() }
          const failure = all.result(observed)
          if (failure !== undefined) return failure
          if (sequences === 0) return fail('it commanded nothing', observed, [])
          return pass(observed)
        },
      }
    },
  })
}
