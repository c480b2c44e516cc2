/** Commanded breakers: they move on LoadSense's word, on nothing else, and what does not stand alike is told (M:0035, M:0036). */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Series } from '../faces.ts'
import { type CheckOptions, checkOf, into, offences } from './check.ts'
import {
  Breakers,
  commandReader,
  concluded,
  concludedOf,
  phases,
  type BreakersOptions,
  type Command,
} from './commands.ts'
import { field } from './scalar.ts'

export interface CommandsOptions extends CheckOptions, BreakersOptions {
  /** How long after its command an operation may come; `10 s` unless given (ours). */
  readonly within?: string
}

/** A command may be heard by the bench a little after it is carried out, in ms. Ours. */
const heardLate = 2_000

/**
 * Each operation that a breaker calls commanded has a good command of LoadSense of its own just before it: same phase, same
 * direction. `commands`: LoadSense's control topics as seen at the marketplace (`loadsense.control.*`). Trips, recloses and
 * operations by hand are counted, and left alone. Passes also where nothing was operated, if anything was commanded.
 */
export function operatesOnlyOnCommand(commands: Series, o: CommandsOptions): Check {
  const bound = duration(o.within ?? '10 s')
  return checkOf(o, {
    id: 'only-on-command',
    limit: `no commanded operation without a command of LoadSense for it in the ${durationText(bound)} before`,
    over: commands,
    fold: (watch) => {
      const breakers = new Breakers(o)
      const read = commandReader(commands)
      const good: Command[] = []
      let seen = 0
      return {
        see(e) {
          const operation = breakers.see(e)
          const command = read(e)
          if (command?.good === true) good.push(command)
          if (command !== undefined) seen++
          return command !== undefined || operation !== undefined
        },
        result() {
          const found = offences()
          const used = new Set<Command>()
          const causes: Record<string, number> = {}
          for (const op of breakers.operations) {
            causes[op.by] = (causes[op.by] ?? 0) + 1
            if (op.by !== 'command' || op.at < watch.begin) continue
            const because = good.find(
              (c) =>
                !used.has(c) &&
                c.phase === op.phase &&
                c.close === op.closed &&
                c.at <= op.at + heardLate &&
                op.at - c.at <= bound,
            )
            if (because === undefined)
              found.add(
                'without command',
                `${op.phase} ${op.closed ? 'closed' : 'opened'} by command ${into(watch, op.at)}, and LoadSense had not commanded it`,
                op.seq,
              )
            else used.add(because)
          }
          return concludedOf(breakers, o, {
            found,
            observed: {
              'commands seen [1]': seen,
              'of them to be obeyed [1]': good.length,
              'operations by cause [1]': causes,
            },
          })
        },
      }
    },
  })
}

export interface CarriesOutOptions extends CommandsOptions {
  /** Commands to close alone, or to open alone; both unless given. */
  readonly only?: 'close' | 'open'
}

/**
 * Each good command is carried out, unless a newer one for the same breaker has come by then, or something is wrong with the
 * breaker or its line.
 */
export function carriesOutCommands(commands: Series, o: CarriesOutOptions): Check {
  const bound = duration(o.within ?? '10 s')
  return checkOf(o, {
    id: 'carries-out',
    limit: `${durationText(bound)} after a command of LoadSense${o.only === undefined ? '' : ` to ${o.only}`} the breaker stands as commanded`,
    over: commands,
    fold: (watch) => {
      const breakers = new Breakers(o)
      const read = commandReader(commands)
      const good: Command[] = []
      return {
        see(e) {
          breakers.see(e)
          const command = read(e)
          if (command?.good === true) good.push(command)
          return command?.good === true && (o.only === undefined || command.close === (o.only === 'close'))
        },
        result(at) {
          const found = offences()
          let judged = 0
          for (const c of good) {
            const due = c.at + bound
            if (o.only !== undefined && c.close !== (o.only === 'close')) continue
            const newer = good.some((x) => x.phase === c.phase && x.seq > c.seq && x.at <= due)
            if (due > at || newer || breakers.disturbed(c.phase, c.at - heardLate, due)) continue
            judged++
            if (breakers.closedAt(c.phase, due) !== c.close)
              found.add(
                'not carried out',
                `${c.phase} was to ${c.close === true ? 'close' : 'open'} ${into(watch, c.at)}, and did not`,
                c.seq,
              )
          }
          return concluded(o, {
            found,
            observed: { 'commands judged [1]': judged },
            judged,
            nothing: 'no command could be carried out undisturbed',
            because: breakers.operations.map((op) => op.seq),
          })
        },
      }
    },
  })
}

/** That three breakers do not stand alike is told in time, and no longer than they do. `told`: `meshing.discrepancy`. */
export function tellsDiscrepancy(told: Series, o: CommandsOptions): Check {
  const bound = duration(o.within ?? '20 s')
  return checkOf(o, {
    id: 'tells-discrepancy',
    limit: `told within ${durationText(bound)} where three breakers do not stand alike, and where they do again`,
    over: told,
    fold: (watch) => {
      const breakers = new Breakers(o)
      const fits = matcher(told)
      const words: { readonly at: Instant; readonly apart: boolean }[] = []
      return {
        see(e) {
          const moved = breakers.see(e) !== undefined
          if (!fits(e)) return moved
          words.push({ at: e.at, apart: field(e, 'Value') === true })
          return true
        },
        result(at) {
          const found = offences()
          const changes = [...breakers.operations.map((op) => op.at), at].filter((t) => t >= watch.begin)
          let since = watch.begin
          let apart = apartAt(breakers, since)
          let spells = 0
          for (const t of changes) {
            const after = t === at ? !apart : apartAt(breakers, t)
            if (after === apart) continue
            // As it stood for long enough, so it must have been told by the end of that.
            if (t - since > bound) {
              if (apart) spells++
              const word = words.findLast((w) => w.at <= Math.min(t, since + bound))?.apart ?? false
              if (word !== apart)
                found.add(
                  apart ? 'not told' : 'wrongly told',
                  `the breakers stood ${apart ? 'differently' : 'alike'} from ${into(watch, since)} for ${durationText(t - since)}, and ${apart ? 'it was not told' : 'the contrary was told'}`,
                )
            }
            since = t
            apart = after
          }
          return concluded(o, {
            found,
            observed: { 'spells apart [1]': spells, 'messages [1]': words.length },
            judged: spells,
            nothing: 'the breakers stood alike',
          })
        },
      }
    },
  })
}

function apartAt(breakers: Breakers, at: Instant): boolean {
  return new Set(phases.map((p) => breakers.closedAt(p, at))).size > 1
}
