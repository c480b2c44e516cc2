/** The clock that a meter shows: wall time of its zone, in the twelve bytes of COSEM. */
import type { CosemDateTime } from '../../../drivers/protocols/dlms/datetime.ts'
import { GridproofError } from '../../../drivers/errors.ts'
import type { Instant } from '../../../drivers/faces.ts'
import type { MeterPersonality } from './personality.ts'

/** Minutes that a zone is ahead of UTC at an instant. */
export type OffsetAt = (t: Instant) => number

/** @throws bad-value for a zone that Intl does not know */
export function zoneOffset(zone: string): OffsetAt {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'longOffset' })
  } catch (e) {
    throw new GridproofError('bad-value', `'${zone}' is no time zone; write one such as Europe/Oslo`, {
      cause: e,
    })
  }
  // Offsets change at whole quarters of an hour at the finest, and asking Intl is slow.
  let known: { quarter: number; minutes: number } | undefined
  return (t) => {
    const quarter = Math.floor(t / 900_000)
    if (known?.quarter === quarter) return known.minutes
    const name = format.formatToParts(t).find((p) => p.type === 'timeZoneName')?.value ?? ''
    const [, sign = '+', hours = '0', minutes = '0'] = /GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(name) ?? []
    const value = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
    known = { quarter, minutes: value }
    return value
  }
}

/** The zone's offset without daylight saving: the lesser of its offsets in January and July of that year. */
function standardOffset(offset: OffsetAt, t: Instant): number {
  const year = new Date(t).getUTCFullYear()
  return Math.min(offset(Date.UTC(year, 0, 1)), offset(Date.UTC(year, 6, 1)))
}

/** What the meter's clock shows at an instant, to the second. */
export function meterClock(p: MeterPersonality['clock'], offset: OffsetAt, t: Instant): CosemDateTime {
  const actual = offset(t)
  const standard = standardOffset(offset, t)
  const ahead = p.wall === 'local' ? actual : standard
  const d = new Date(t + ahead * 60_000)
  return {
    year: d.getUTCFullYear(),
    month: d.getUTCMonth() + 1,
    day: d.getUTCDate(),
    dayOfWeek: d.getUTCDay() === 0 ? 7 : d.getUTCDay(),
    hour: d.getUTCHours(),
    minute: d.getUTCMinutes(),
    second: d.getUTCSeconds(),
    hundredths: p.hundredths,
    deviation: p.deviation === 'none' ? undefined : p.deviation === 'standard' ? -standard : -ahead,
    status: p.status_bit && p.wall === 'local' && actual !== standard ? 0x80 : 0,
  }
}

/** A meter that was never set: the year 2000, status invalid and doubtful (kfm-055 of the captures). */
export function neverSet(since: Instant, t: Instant): CosemDateTime {
  const d = new Date(Date.UTC(2000, 0, 1) + Math.max(0, t - since))
  return {
    year: d.getUTCFullYear(),
    month: d.getUTCMonth() + 1,
    day: d.getUTCDate(),
    dayOfWeek: d.getUTCDay() === 0 ? 7 : d.getUTCDay(),
    hour: d.getUTCHours(),
    minute: d.getUTCMinutes(),
    second: d.getUTCSeconds(),
    hundredths: 0xff,
    deviation: undefined,
    status: 0x03,
  }
}
