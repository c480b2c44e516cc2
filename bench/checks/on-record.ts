/**
 * What must always hold of breakers, whatever happens (OpenLV M:0031, M:0035): no commanded operation without LoadSense's
 * command and the platform's record of it before; and nothing that moved by itself or by hand is on record as commanded.
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import type { CommandsOptions } from './breakers.ts'
import { checkOf, into, offences } from './check.ts'
import { Breakers, commandReader, concludedOf, phaseIn, type Command, type Phase } from './commands.ts'
import { channelOf, field } from './scalar.ts'

export interface OnRecordOptions extends CommandsOptions {
  /** Side of the network at which these breakers stand, where its own word of each contact is to be compared; none unless given. */
  readonly side?: 'a' | 'b'
}

/** A message may be heard by the bench a little after what it leads to, in ms. Ours. */
const heardLate = 2_000
/** What the network says of a contact and what the unit tells of it come at once. Ours, in ms. */
const atOnce = 50

interface Entry {
  readonly phase: Phase
  readonly close: boolean
  readonly at: Instant
  readonly seq: number
}

/**
 * `commands`: LoadSense's control topics at the marketplace (`loadsense.control.*`); `records`: what the platform records
 * of each (`meshing.operation.*.command`). Passes where nothing was operated, if anything was heard of the breakers.
 */
export function commandedOnRecord(commands: Series, records: Series, o: OnRecordOptions): Check {
  const bound = duration(o.within ?? '10 s')
  return checkOf(o, {
    id: 'commanded-on-record',
    limit: `no commanded operation without a command of LoadSense and its record in the ${durationText(bound)} before; nothing else on record as commanded`,
    over: records,
    fold: (watch) => {
      const breakers = new Breakers(o)
      const read = commandReader(commands)
      const isRecord = matcher(records)
      const all: Command[] = []
      const kept: Entry[] = []
      const moves: Entry[] = []
      const recordOf = (e: Event): Entry | undefined => {
        const [, , phase, what] = channelOf(e).split('.')
        const close = field(e, 'Value')
        const p = phaseIn(phase)
        return what === 'command' && p !== undefined && typeof close === 'boolean'
          ? { phase: p, close, at: e.at, seq: e.seq }
          : undefined
      }
      return {
        see(e) {
          const op = breakers.see(e)
          const command = read(e)
          if (command !== undefined) all.push(command)
          const record = isRecord(e) ? recordOf(e) : undefined
          if (record !== undefined) kept.push(record)
          const move = o.side === undefined ? undefined : moveOf(e, o.side)
          if (move !== undefined) moves.push(move)
          return op !== undefined || command !== undefined || record !== undefined || move !== undefined
        },
        result() {
          const found = offences()
          const causes: Record<string, number> = {}
          const usedCommands = new Set<Command>()
          const usedRecords = new Set<Entry>()
          for (const op of breakers.operations) {
            causes[op.by] = (causes[op.by] ?? 0) + 1
            if (op.by !== 'command' || op.at < watch.begin) continue
            const before = (x: { readonly phase: Phase; readonly at: Instant }): boolean =>
              x.phase === op.phase && x.at <= op.at + heardLate && op.at - x.at <= bound
            const told = `${op.phase} ${op.closed ? 'closed' : 'opened'} by command ${into(watch, op.at)}`
            const command = all.find(
              (c) => c.good && !usedCommands.has(c) && c.close === op.closed && before(c),
            )
            if (command === undefined) found.add('without command', `${told}, not LoadSense's`, op.seq)
            else usedCommands.add(command)
            const record = kept.find((r) => !usedRecords.has(r) && r.close === op.closed && before(r))
            if (record === undefined)
              found.add('without record', `${told}, and no record of the command came before`, op.seq)
            else usedRecords.add(record)
          }
          // Whatever is on record as commanded was commanded: a trip, a reclose or a hand leaves no such record.
          for (const r of kept) {
            if (r.at < watch.begin) continue
            const command = all.find(
              (c) =>
                c.phase === r.phase &&
                c.close === r.close &&
                c.at <= r.at + heardLate &&
                r.at - c.at <= bound,
            )
            if (command === undefined)
              found.add(
                'recorded without command',
                `a command to ${r.close ? 'close' : 'open'} ${r.phase} is on record ${into(watch, r.at)}, and LoadSense gave none`,
                r.seq,
              )
          }
          // And each movement of a contact has its one cause.
          for (const m of moves) {
            if (m.at < watch.begin) continue
            const named = breakers.operations.some(
              (op) => op.phase === m.phase && op.closed === m.close && Math.abs(op.at - m.at) <= atOnce,
            )
            if (!named)
              found.add('moved without cause', `the contact of ${m.phase} moved ${into(watch, m.at)}`, m.seq)
          }
          return concludedOf(breakers, o, {
            found,
            observed: {
              'commands seen [1]': all.length,
              'on record [1]': kept.length,
              'operations by cause [1]': causes,
            },
          })
        },
      }
    },
  })
}

/** What the network says of a contact at this side: `network.breaker.a.l1`. */
function moveOf(e: Event, side: 'a' | 'b'): Entry | undefined {
  if (e.src !== 'network' || e.kind !== 'seen') return undefined
  const [, what, of, phase] = channelOf(e).split('.')
  const closed = field(e, 'closed')
  const p = phaseIn(phase)
  if (what !== 'breaker' || of !== side || p === undefined || typeof closed !== 'boolean') return undefined
  return { phase: p, close: closed, at: e.at, seq: e.seq }
}
