/** Messages are Scalar objects as LV-CAP asks (Public API 9.1 figure 8 and table 20; 4.5, 4.9; 8.3 for QoS and retention). */
import type { Json } from '../../drivers/faces.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import { type CheckOptions, checkOf, offences, pass } from './check.ts'
import { channelOf, objectOf, payloadOf } from './scalar.ts'

export interface ScalarFormatOptions extends CheckOptions {
  /** Which type Value must have; any scalar unless given. */
  readonly value?: 'number' | 'integer' | 'boolean'
  /** QoS that is asked for (8.3: 1), judged where the observer saw one. */
  readonly qos?: 0 | 1 | 2
  /**
   * Retention that is asked for (8.3: false), judged where the observer saw it. A broker clears the flag for whoever had
   * subscribed before (MQTT 3.1.1, 3.3.1.3): `false` can fail only for what comes because of a new subscription, so a
   * scenario must see to one, or it judges nothing.
   */
  readonly retain?: boolean
}

const required = ['Timestamp', 'Value', 'Valid'] as const
const known: ReadonlySet<string> = new Set([...required, 'ToStore', 'Priority', 'Signature'])

/**
 * Timestamp: a whole number of seconds; Value: a boolean or a number (anything scalar, or null, while Valid is false:
 * 4.8); Valid: a boolean. ToStore, Priority and Signature may be absent; a Priority outside 1 to 5 counts as none
 * (4.9) and is only told. Other keys are told too: the API does not forbid them.
 */
export function scalarFormat(series: Series, o: ScalarFormatOptions): Check {
  const more = [
    o.qos === undefined ? '' : `, QoS ${o.qos}`,
    o.retain === undefined ? '' : `, ${o.retain ? '' : 'not '}retained`,
  ]
  return checkOf(o, {
    id: 'format',
    limit: `a Scalar object: Timestamp Int64 [s], Value ${o.value ?? 'scalar'}, Valid boolean${more.join('')}`,
    over: series,
    fold: () => {
      const fits = matcher(series)
      const found = offences()
      const strangers = new Set<string>()
      let messages = 0
      let noPriority = 0
      return {
        see(e) {
          if (!fits(e)) return false
          messages++
          const wrong = wrongWith(e, o)
          if (wrong !== undefined) found.add(wrong.sort, `${channelOf(e)}: ${wrong.text}`, e.seq)
          const p = objectOf(payloadOf(e))
          if (p === undefined) return true
          for (const k of Object.keys(p))
            if (!known.has(k) && strangers.size < 20) strangers.add(k.slice(0, 40))
          const priority = p['Priority']
          if (typeof priority === 'number' && (priority < 1 || priority > 5)) noPriority++
          return true
        },
        result() {
          const observed = {
            'messages [1]': messages,
            ...(strangers.size === 0 ? {} : { 'keys beside the standard ones': [...strangers] }),
            ...(noPriority === 0 ? {} : { 'priorities outside 1 to 5 [1]': noPriority }),
            ...found.counts(),
          }
          return found.result(observed) ?? pass(observed)
        },
      }
    },
  })
}

function wrongWith(
  e: Event,
  o: ScalarFormatOptions,
): { readonly sort: string; readonly text: string } | undefined {
  const p = objectOf(payloadOf(e))
  if (p === undefined || 'notJson' in p)
    return { sort: 'no object', text: 'a payload that is no JSON object' }
  for (const k of required) if (!Object.hasOwn(p, k)) return { sort: 'missing key', text: `no ${k}` }
  const wrongType = (k: string, asked: string): { sort: string; text: string } => ({
    sort: 'wrong type',
    text: `${k} is ${JSON.stringify(p[k]).slice(0, 40)}; asked is ${asked}`,
  })
  if (!Number.isSafeInteger(p['Timestamp']) || Number(p['Timestamp']) < 0)
    return wrongType('Timestamp', 'a whole number of seconds')
  if (typeof p['Valid'] !== 'boolean') return wrongType('Valid', 'true or false')
  if (!valueFits(p['Value'], p['Valid'], o.value))
    return wrongType('Value', o.value ?? 'a boolean or a number')
  if (Object.hasOwn(p, 'ToStore') && typeof p['ToStore'] !== 'boolean')
    return wrongType('ToStore', 'true or false')
  if (Object.hasOwn(p, 'Priority') && !Number.isSafeInteger(p['Priority']))
    return wrongType('Priority', 'a whole number')
  if (Object.hasOwn(p, 'Signature') && objectOf(p['Signature']) === undefined)
    return wrongType('Signature', 'an object')
  const d = objectOf(e.data)
  if (o.qos !== undefined && d?.['qos'] !== undefined && d['qos'] !== o.qos)
    return { sort: 'wrong QoS', text: `QoS ${JSON.stringify(d['qos'])} where ${o.qos} is asked` }
  if (o.retain !== undefined && d?.['retain'] !== undefined && d['retain'] !== o.retain)
    return {
      sort: 'wrong retention',
      text: `${d['retain'] === true ? 'retained' : 'not retained'} against what is asked`,
    }
  return undefined
}

function valueFits(value: Json | undefined, valid: boolean, asked: ScalarFormatOptions['value']): boolean {
  if (!valid) return value === null || (typeof value !== 'object' && value !== undefined)
  if (asked === 'boolean') return typeof value === 'boolean'
  if (asked === 'integer') return Number.isSafeInteger(value)
  if (asked === 'number') return typeof value === 'number' && Number.isFinite(value)
  return typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
}
