/** Control messages to breakers: each is on record, and goes out whether a breaker is fitted or not (OpenLV M:0033, M:0037). */
import type { Instant, Json } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import { type CheckOptions, checkOf, into, offences } from './check.ts'
import {
  Breakers,
  commandReader,
  concluded,
  phaseIn,
  phases,
  type BreakersOptions,
  type Command,
  type Phase,
} from './commands.ts'
import { channelOf, field, objectOf, textOf } from './scalar.ts'

export interface RecordsSignalsOptions extends CheckOptions, BreakersOptions {
  /** Control messages that the breaker took, or those that never reached one. */
  readonly of: 'acknowledged' | 'unacknowledged'
  /** Addresses of the units on their line, by phase. */
  readonly units?: Readonly<Record<Phase, number>>
}

/** How long after it a control message may be recorded, in ms. Ours. */
const soon = 5_000
const command = new Set(['MHR_COMMAND', 'MHR_COMMAND_TOKEN'])

interface Signal {
  readonly phase: Phase
  readonly value: Json
  readonly at: Instant
  readonly seq: number
}

/** Every control message that went to a breaker, or that the isolator stopped on its way, is on record (M:0033). */
export function recordsSignals(records: Series, o: RecordsSignalsOptions): Check {
  const units = o.units ?? { l1: 1, l2: 2, l3: 3 }
  return checkOf(o, {
    id: `records-${o.of}`,
    limit: `each ${o.of} control message on record for storage within ${durationText(soon)}`,
    over: records,
    fold: (watch) => {
      const breakers = new Breakers(o)
      const fits = matcher(records)
      const sent: Signal[] = []
      const told: (Signal & { readonly valid: boolean; readonly stored: boolean })[] = []
      return {
        see(e) {
          breakers.see(e)
          if (fits(e)) {
            const phase = phaseIn(channelOf(e).split('.')[2])
            if (phase === undefined || !channelOf(e).endsWith('.signal')) return false
            told.push({
              phase,
              value: field(e, 'Value') ?? null,
              at: e.at,
              seq: e.seq,
              valid: field(e, 'Valid') === true,
              stored: field(e, 'ToStore') === true,
            })
            return true
          }
          const s = e.src === breakers.role && e.kind === 'note' ? signalOf(e) : undefined
          if (s !== undefined && s.at >= watch.begin) sent.push(s)
          return s !== undefined
        },
        result(at) {
          const found = offences()
          const used = new Set<Signal>()
          let judged = 0
          for (const s of sent) {
            if (s.at + soon > at) continue
            judged++
            const record = told.find(
              (t) =>
                !used.has(t) &&
                t.phase === s.phase &&
                t.value === s.value &&
                Math.abs(t.at - s.at) <= soon &&
                (o.of === 'acknowledged' ? t.valid || breakers.disturbed(s.phase, s.at, s.at) : !t.valid),
            )
            if (record === undefined)
              found.add(
                'not recorded',
                `${s.phase}: the control message ${JSON.stringify(s.value)}, sent ${into(watch, s.at)}, is not on record`,
                s.seq,
              )
            else {
              used.add(record)
              if (!record.stored)
                found.add('not for storage', `${s.phase}: a control message is not to be stored`, record.seq)
            }
          }
          return concluded(o, {
            found,
            observed: { 'control messages [1]': judged, 'records [1]': told.length },
            judged,
            nothing: `no ${o.of} control message was seen`,
            because: sent.slice(-20).map((s) => s.seq),
          })
        },
      }

      function signalOf(e: Event): Signal | undefined {
        const d = objectOf(e.data) ?? {}
        const about = channelOf(e).slice(breakers.role.length + 1)
        if (o.of === 'acknowledged') {
          const phase = phaseIn(typeof d['phase'] === 'string' ? d['phase'] : undefined)
          const good =
            about === 'control' && d['exception'] === undefined && command.has(textOf(d['register']))
          return good && phase !== undefined
            ? { phase, value: d['value'] ?? null, at: e.at, seq: e.seq }
            : undefined
        }
        const phase = phases.find((p) => units[p] === d['unit'])
        return about === 'isolator' && phase !== undefined && d['value'] !== undefined
          ? { phase, value: d['value'], at: e.at, seq: e.seq }
          : undefined
      }
    },
  })
}

export interface SignalsAnywayOptions extends CheckOptions {
  readonly units?: Readonly<Record<Phase, number>>
  /** `10 s` unless given (ours). */
  readonly within?: string
}

/**
 * Also where no breaker is fitted, each good command has the platform send a control message to its unit (M:0037). `line`:
 * what is heard at the end of the empty line (`line.write`).
 */
export function signalsAnyway(commands: Series, line: Series, o: SignalsAnywayOptions): Check {
  const bound = duration(o.within ?? '10 s')
  const units = o.units ?? { l1: 1, l2: 2, l3: 3 }
  return checkOf(o, {
    id: 'signals-anyway',
    limit: `a control message to the unit within ${durationText(bound)} of each command, though nobody is there`,
    over: line,
    needs: [commands.src],
    fold: (watch) => {
      const read = commandReader(commands)
      const fits = matcher(line)
      const good: Command[] = []
      const writes: { readonly unit: Json; readonly at: Instant; readonly seq: number }[] = []
      return {
        see(e) {
          const c = read(e)
          if (c?.good === true) good.push(c)
          if (!fits(e)) return c?.good === true
          writes.push({ unit: field(e, 'unit') ?? null, at: e.at, seq: e.seq })
          return true
        },
        result(at) {
          const found = offences()
          let judged = 0
          for (const c of good) {
            const newer = good.some((x) => x.phase === c.phase && x.seq > c.seq && x.at <= c.at + bound)
            if (c.at + bound > at || newer) continue
            judged++
            if (
              !writes.some((w) => w.unit === units[c.phase] && w.at >= c.at - 2_000 && w.at <= c.at + bound)
            )
              found.add(
                'no signal',
                `${c.phase}: nothing was sent for the command ${into(watch, c.at)}`,
                c.seq,
              )
          }
          return concluded(o, {
            found,
            observed: { 'commands judged [1]': judged, 'control messages on the line [1]': writes.length },
            judged,
            nothing: 'no command could be judged',
            because: writes.map((w) => w.seq),
          })
        },
      }
    },
  })
}
