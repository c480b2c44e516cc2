/** Alerts about platforms that are silent (OpenLV S:005). Words: missing, twice, without cause, too early, too late. */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Series } from '../faces.ts'
import { type CheckOptions, checkOf, inconclusive, notShown, into, offences, pass } from './check.ts'
import { objectOf } from './scalar.ts'

const hour = 3_600_000
/**
 * Of each silence of a platform that its server could not be reached by, an alert once after more than so many
 * days, and none otherwise: a platform whose server is there has no cause to be silent, and one that is out of service may
 * be. The truth is the bench's own: when the server was away.
 */
export function alertsOfSilence(
  s: { readonly alerts: Series; readonly contacts: Series },
  o: CheckOptions & {
    /** The platform's name at the server. */
    readonly rtu: string
    /** The alert that is judged: the one after more than so many days. */
    readonly days: 1 | 3 | 5
    /** How late an alert may be; `5 min` unless given (ours). */
    readonly late?: string
    /** How often the platform is heard of at least; `1 h` unless given (ours). */
    readonly every?: string
  },
): Check {
  const late = duration(o.late ?? '5 min')
  const every = duration(o.every ?? '1 h')
  return checkOf(o, {
    id: `alerts-${o.days}`,
    limit: `an alert after more than ${o.days} d of silence, once, ${durationText(late)} late at most; none while the server can be reached, of which the platform makes use every ${durationText(every)}, and none when it is out of service`,
    over: s.contacts,
    fold: (watch) => {
      const isAlert = matcher(s.alerts)
      const isContact = matcher(s.contacts)
      const found = offences()
      let awayId: unknown
      /** Since when there is no contact to be had, and the last one before. */
      let away: { readonly heard: Instant; raised: boolean } | undefined
      let heard: Instant | undefined
      let reachable: Instant | undefined
      let retired = false
      let [alerts, silences] = [0, 0]
      const judge = (end: Instant): void => {
        if (away === undefined || retired) return
        if (!away.raised && end > away.heard + o.days * 24 * hour + late)
          found.add('missing', `no alert after ${o.days} d of silence that began ${into(watch, away.heard)}`)
      }
      /** Nothing was heard of it for too long, and the server was there. */
      const quiet = (at: Instant): void => {
        const since = reachable ?? heard ?? watch.begin
        if (away === undefined && !retired && at > since + every)
          found.add(
            'silent',
            `nothing was heard of it for ${durationText(at - since)}, and the server was there`,
          )
      }
      return {
        see(e) {
          const d = objectOf(e.data)
          if (e.src === s.alerts.src && e.kind === 'fault') {
            if (d?.['phase'] === 'on' && d['name'] === 'away') {
              quiet(e.at)
              awayId = d['id']
              silences++
              away = { heard: heard ?? watch.begin, raised: false }
            } else if (d?.['phase'] === 'lifted' && d['id'] === awayId && away !== undefined) {
              judge(e.at)
              away = undefined
              reachable = e.at
            }
            return false
          }
          if (e.src === s.alerts.src && d?.['alias'] === `${s.alerts.src}.decommissioned`) {
            quiet(e.at)
            judge(e.at)
            retired = true
            return false
          }
          if (isContact(e)) {
            quiet(e.at)
            heard = e.at
            reachable = undefined
            return true
          }
          if (!isAlert(e)) return false
          const n = Number(d?.['days'])
          if (n !== o.days) return false
          alerts++
          const rtu = d?.['rtu']
          if (rtu !== o.rtu || retired)
            found.add(
              'without cause',
              `an alert about ${JSON.stringify(rtu)}, which is out of service`,
              e.seq,
            )
          else if (away === undefined && !(reachable !== undefined && e.at < reachable + every))
            found.add('without cause', `an alert after ${n} d, and the server could be reached`, e.seq)
          else if (away !== undefined) {
            const due = away.heard + n * 24 * hour
            if (away.raised) found.add('twice', `a second alert after ${n} d of one silence`, e.seq)
            away.raised = true
            if (e.at <= due) found.add('too early', `the alert after ${n} d came ${into(watch, e.at)}`, e.seq)
            if (e.at > due + late)
              found.add('too late', `the alert after ${n} d came ${into(watch, e.at)}`, e.seq)
          }
          return true
        },
        result(at) {
          const end = offences()
          if (away === undefined && !retired && reachable !== undefined && at > reachable + every)
            end.add(
              'silent',
              `the platform was not heard of for ${durationText(at - reachable)} though the server was there`,
            )
          const observed = {
            'alerts [1]': alerts,
            'silences [1]': silences,
            ...found.counts(),
            ...end.counts(),
          }
          const failed = found.result(observed) ?? end.result(observed)
          if (failed !== undefined) return failed
          if (silences === 0 || alerts === 0)
            return inconclusive(notShown(o), 'there was no silence to tell of', observed)
          return pass(observed)
        },
      }
    },
  })
}
