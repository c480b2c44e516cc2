/**
 * Updates of a platform (OpenLV W:008, I:00150, M:0061 to M:0064, M:0074 to M:0076), by what the apps that the bench plays
 * see of them: which version was started with which configuration, and its pulse at the marketplace. What the platform says
 * of itself is judged too, and proves nothing.
 */
import { duration, durationText } from '../../drivers/units.ts'
import type { Check, Event } from '../faces.ts'
import { type CheckOptions, checkOf, inconclusive, into, notShown, offences, pass, seconds } from './check.ts'
import { endsAll, follow, isAs, isRelease, nameOf } from './updates-seen.ts'
import type { Change, Looks, Offer, Release, Seen, UpdateSeries } from './updates-seen.ts'

/**
 * Each sound update is in effect within a bound of its offer, or of the last return of power that it took; and each other
 * one leaves all as it was. A version by which app was started and has its pulse; settings by the period of that pulse.
 */
export function updatesTakeEffect(
  s: UpdateSeries,
  o: CheckOptions & {
    readonly within: string
    /** `both` unless given. */
    readonly looks?: Looks
  },
): Check {
  const within = duration(o.within)
  const looks = o.looks ?? 'both'
  return checkOf(o, {
    id: 'updates-take-effect',
    limit: `${durationText(within)} after its offer, or after the last return of power, each update that can be applied is in effect (${looks}), and each other one has changed nothing`,
    needs: ['marketplace'],
    fold: (watch) => {
      const f = follow(s)
      const found = offences()
      let slowest = 0
      const isDone = (x: Offer): boolean =>
        x.changes.every((c) => isAs(f.apps.get(c.iid), targetOf(x, c, f.wanted), looks, x.fate))
      /** Of one that is to change nothing: another is about the same apps, and may change them just now. */
      const isHidden = (x: Offer): boolean =>
        x.fate !== 'applied' &&
        f.offers.some(
          (y) =>
            y !== x &&
            y.fate !== 'refused' &&
            y.done === undefined &&
            !y.overdue &&
            y.changes.some((c) => x.changes.some((d) => d.iid === c.iid)),
        )
      const late = (x: Offer, sink: typeof found): void =>
        sink.add(
          x.fate === 'applied' ? 'not in effect' : 'not as before',
          `${x.id}, offered ${into(watch, x.at)}: ${shown(x, f, looks)}`,
          x.seq,
        )
      return {
        see(e) {
          if (f.powered())
            for (const x of f.offers)
              if (x.done === undefined && !x.overdue && e.at > x.clock + within && !isHidden(x)) {
                x.overdue = true
                // Of one that is to change nothing it is looked at when it could have.
                if (isDone(x)) x.done = e.at
                else late(x, found)
              }
          f.see(e)
          for (const x of f.offers) {
            if (x.fate !== 'applied' || x.done !== undefined || !isDone(x)) continue
            x.done = e.at
            slowest = Math.max(slowest, e.at - x.clock)
          }
          return f.offers.length > 0
        },
        result(at) {
          const all = found.copy()
          const mine = f.offers
          const waiting = mine.filter((x) => x.done === undefined && !x.overdue)
          for (const x of waiting) if (f.powered() && at > x.clock + within && !isDone(x)) late(x, all)
          for (const [iid, r] of f.wanted) {
            const settled = mine.some((x) => x.done !== undefined && x.changes.some((c) => c.iid === iid))
            const a = f.apps.get(iid)
            if (
              settled &&
              a?.up === true &&
              a.configured &&
              a.release !== undefined &&
              !isRelease(a.release, r, looks)
            )
              all.add('not in effect', `at the end ${iid} runs as ${nameOf(a.release)}, not as ${nameOf(r)}`)
          }
          const observed = {
            'updates [1]': mine.length,
            'in effect [1]': mine.filter((x) => x.fate === 'applied' && x.done !== undefined).length,
            'slowest [s]': seconds(slowest),
            ...all.counts(),
          }
          const failed = all.result(observed)
          if (failed !== undefined) return failed
          if (mine.length === 0) return inconclusive('bench', 'no such update was offered', observed)
          if (waiting.some((x) => at <= x.clock + within && !(x.fate === 'applied' && isDone(x))))
            return inconclusive(notShown(o), 'the run ended before all could be in effect', observed)
          return pass(observed)
        },
      }
    },
  })
}

/**
 * No update is ever there in part: each app runs as it was before or as the update has it, version and settings of one and
 * the same; of several apps that an update is about, none runs as before while another runs as the update has it; nothing
 * runs of one that must not be applied. The platform says that one is applied only when it is; from then on nothing goes
 * back, and nothing is installed again.
 */
export function neverHalfUpdated(s: UpdateSeries, o: CheckOptions): Check {
  return checkOf(o, {
    id: 'never-half-updated',
    limit:
      'apps run as before or as an update has it, all of one update alike; what it says is applied stays so, and is installed once',
    needs: ['marketplace'],
    fold: () => {
      const f = follow(s)
      const found = offences()
      const starts = new Map<string, number>()
      let looked = 0
      const last = (iid: string): Offer | undefined =>
        f.offers.findLast((x) => x.fate !== 'refused' && x.changes.some((c) => c.iid === iid))
      const started = (iid: string, apid: string, e: Event): void => {
        const refused = f.offers.find((x) => x.fate === 'refused' && onlyOf(x, iid, f.offers)?.apid === apid)
        if (refused !== undefined)
          found.add('must not run', `${apid} of ${refused.id} is started`, refused.seq, e.seq)
        const n = (starts.get(iid) ?? 0) + 1
        starts.set(iid, n)
        const x = last(iid)
        if (x?.told === true && n > 1)
          found.add('again', `${iid} is started again, long after ${x.id}`, e.seq)
      }
      const configured = (iid: string, release: Release, e: Event): void => {
        const x = last(iid)
        const c = x?.changes.find((y) => y.iid === iid)
        if (x === undefined || c === undefined) {
          const before = f.offers.find((y) => y.fate === 'refused' && y.changes.some((z) => z.iid === iid))
          const kept = before?.changes.find((z) => z.iid === iid)?.before
          if (before !== undefined && !isRelease(release, kept, 'both'))
            found.add('must not run', `${iid} runs as ${nameOf(release)}, which ${before.id} has`, e.seq)
          return
        }
        looked++
        const gen = isRelease(release, c.after, 'both')
          ? 'after'
          : isRelease(release, c.before, 'both')
            ? 'before'
            : undefined
        if (gen === undefined) {
          found.add(
            'half',
            `${iid} runs as ${nameOf(release)}: neither as before ${x.id} nor as it has it`,
            e.seq,
          )
          return
        }
        if (gen === 'before' && x.told)
          found.add('fell back', `${iid} runs as before ${x.id}, which was said to be applied`, e.seq)
        for (const other of x.changes) {
          const a = f.apps.get(other.iid)
          if (other.iid === iid || a?.up !== true || !a.configured || a.release === undefined) continue
          if (!isRelease(a.release, other[gen], 'both'))
            found.add(
              'mixed',
              `${iid} runs as ${gen === 'after' ? `${x.id} has it` : `before ${x.id}`} beside ${other.iid} as ${nameOf(a.release)}`,
              x.seq,
              e.seq,
            )
        }
      }
      return {
        see(e) {
          if (endsAll(e)) starts.clear()
          const step = f.see(e)
          switch (step.what) {
            case 'nothing':
              return false
            case 'started':
              started(step.iid, step.apid, e)
              return true
            case 'configured':
              configured(step.iid, step.release, e)
              return true
            case 'told': {
              const { offer: x, state } = step
              if (state !== x.fate)
                found.add('said otherwise', `${x.id} is said to be ${state}`, x.seq, e.seq)
              else if (
                state === 'applied' &&
                !x.told &&
                f.powered() &&
                !x.changes.every((c) => isThere(f.apps.get(c.iid), c.after))
              )
                found.add('said too early', `${x.id} is said to be applied, and is not`, x.seq, e.seq)
              if (state === 'applied') {
                x.told = true
                for (const c of x.changes) starts.set(c.iid, 1)
              }
              return true
            }
            default:
              return step satisfies never
          }
        },
        result() {
          const observed = {
            'updates [1]': f.offers.length,
            'said to be applied [1]': f.offers.filter((x) => x.told).length,
            'configurations looked at [1]': looked,
            ...found.counts(),
          }
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          if (f.offers.length === 0) return inconclusive('bench', 'no update was offered', observed)
          return pass(observed)
        },
      }
    },
  })
}
/** What an update that must not be applied would make of an app, where no other update does the same. */
function onlyOf(x: Offer, iid: string, all: readonly Offer[]): Release | undefined {
  const mine = x.changes.find((c) => c.iid === iid)
  if (mine?.after === undefined || mine.before?.apid === mine.after.apid) return undefined
  const { apid } = mine.after
  const elsewhere = all.some(
    (y) =>
      y.fate !== 'refused' &&
      y.changes.some((c) => c.iid === iid && (c.after?.apid === apid || c.before?.apid === apid)),
  )
  return elsewhere ? undefined : mine.after
}
/** It may have been stopped since, by whatever; what runs is as it is to be. */
function isThere(a: Seen | undefined, r: Release | undefined): boolean {
  if (r === undefined) return a?.up !== true
  return a?.release !== undefined && isRelease(a.release, r, 'both')
}
/** As what an app runs when all is well with an update. */
function targetOf(
  x: Offer,
  c: Change,
  wanted: ReadonlyMap<string, Release | undefined>,
): Release | undefined {
  return x.fate === 'applied' ? c.after : wanted.get(c.iid)
}

function shown(
  x: Offer,
  f: {
    readonly apps: ReadonlyMap<string, Seen>
    readonly wanted: ReadonlyMap<string, Release | undefined>
  },
  looks: Looks,
): string {
  return x.changes
    .flatMap((c) => {
      const target = targetOf(x, c, f.wanted)
      const a = f.apps.get(c.iid)
      if (isAs(a, target, looks, x.fate)) return []
      if (a?.up !== true) return [`${c.iid} does not run`]
      if (!a.configured) return [`${c.iid} (${a.apid}) has no configuration`]
      if (a.release !== undefined && isRelease(a.release, target, looks))
        return [`${c.iid} has not its pulse`]
      return [`${c.iid} runs as ${nameOf(a.release)}`]
    })
    .join('; ')
}
