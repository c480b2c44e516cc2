/**
 * Beside its readings an app tells a series of them, where its sensors stand, and what its topics carry; another app that
 * comes later gets all of it from the marketplace. What an app is told twice, or does not know, changes nothing meanwhile
 * (LV-CAP API 8.1 to 8.3, 9.2 to 9.4).
 */
import { always, eventually, scenario, spaced, within } from '../../bench/index.ts'
import type { Event } from '../../bench/faces.ts'

const app = 'lucy_gridkeysensor_01'
/** Outputs in a series, and seconds between them. */
const outputs = 3
const interval = 10

type Fields = { readonly [k: string]: unknown }

function payload(e: Event): Fields {
  const p = (e.data as { readonly payload?: unknown }).payload
  return typeof p === 'object' && p !== null && !Array.isArray(p) ? (p as Fields) : {}
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '')
const topicOf = (e: Event): string => text((e.data as Fields)['topic'])
const isMetadata = (topic: string): boolean => /\/(metadata|meta)$/.test(topic)
const whole = (v: unknown): boolean => Number.isSafeInteger(v)
const absentOr = (v: unknown, fits: (v: unknown) => boolean): boolean => v === undefined || fits(v)
const numbers = (v: unknown): v is readonly unknown[] =>
  Array.isArray(v) && v.every((x) => typeof x === 'number')
const optional = (p: Fields): boolean =>
  absentOr(p['ToStore'], (v) => typeof v === 'boolean') &&
  absentOr(p['Priority'], whole) &&
  absentOr(p['Signature'], (v) => typeof v === 'object' && v !== null)

/** Table 21. */
function isSeries(p: Fields): boolean {
  const { Value: values, Confidence: confidences } = p
  return (
    whole(p['Timestamp']) &&
    typeof p['StartPoint'] === 'number' &&
    typeof p['Interval'] === 'number' &&
    p['Interval'] > 0 &&
    Array.isArray(values) &&
    values.every((v) => typeof v === 'number' || typeof v === 'boolean') &&
    typeof p['Valid'] === 'boolean' &&
    absentOr(confidences, (c) => numbers(c) && c.length === values.length) &&
    absentOr(p['TimestampStart'], whole) &&
    absentOr(p['TimestampEnd'], whole) &&
    optional(p)
  )
}

/** Table 22. */
function isPosition(p: Fields): boolean {
  return (
    whole(p['Timestamp']) &&
    numbers(p['Coordinates']) &&
    p['Coordinates'].length > 0 &&
    absentOr(p['System'], (v) => typeof v === 'string') &&
    typeof p['Valid'] === 'boolean' &&
    optional(p)
  )
}

/** Table 23. */
function isDescription(p: Fields): boolean {
  const isText = (v: unknown): boolean => typeof v === 'string'
  return (
    typeof p['Name'] === 'string' &&
    p['Name'] !== '' &&
    absentOr(p['Units'], isText) &&
    absentOr(p['DisplayUnits'], isText) &&
    absentOr(p['SigFigs'], whole)
  )
}

export default scenario({
  title: 'Series, co-ordinates and metadata are standard objects, and reach whoever subscribes, also later',
  verifies: [
    'API:8.1/open-subscriptions',
    'API:8.2.1/copies',
    'API:8.2.3/unknown-command',
    'API:8.3',
    'API:8.3.2',
    'API:9.2',
    'API:9.3',
    'API:9.4',
  ],
  needs: ['platform', 'gridkey', 'scripted'],
  catches: {
    'marketplace/keeps-readings-to-itself': 'API:8.3/open-to-apps',
    'gridkey-app/starts-anew-at-a-copy': 'API:8.2.1/copies',
    'gridkey-app/obeys-any-command': 'API:8.2.3/unknown-command',
    'gridkey-app/one-confidence-too-few': 'API:9.2/keys',
    'gridkey-app/series-without-interval': 'API:9.2/keys',
    'gridkey-app/coordinates-as-text': 'API:9.3/keys',
    'gridkey-app/metadata-without-name': 'API:9.4/keys',
    'gridkey-app/metadata-not-retained': 'API:9.4/retained',
  },
  horizon: '5 min',
  short: '100 s',
  prove: '100 s',
  async run({ platform, gridkey, scripted, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    const all = platform.watch('marketplace', '*')
    const voltage = platform.watch('marketplace', 'gridkey.busbar.l1n.voltage')
    const other = scripted.app('second')
    const asked = { src: 'scripted', kind: 'sent', select: 'scripted.second.act' } as const

    const profiles = (e: Event): boolean =>
      topicOf(e).startsWith('sensor/data/') && topicOf(e).endsWith('/profile')
    const sites = (e: Event): boolean => topicOf(e) === `sensor/data/${app}/site`
    const kinds = [
      ['series', 'API:9.2/keys', 'a Series object (table 21)', profiles, isSeries],
      ['position', 'API:9.3/keys', 'a Co-ordinate object (table 22)', sites, isPosition],
    ] as const
    for (const [id, clause, what, mine, fits] of kinds) {
      check(
        always(all, (e) => !mine(e) || fits(payload(e)), {
          id,
          limit: `each is ${what}, with keys of their types`,
          verifies: [clause],
        }),
      )
      check(
        eventually(all, (e) => mine(e) && fits(payload(e)), {
          id: `${id}-comes`,
          limit: `${what} comes`,
          verifies: [clause],
        }),
      )
    }
    check(
      always(platform.watch('marketplace', 'metadata.gridkey.*'), (e) => isDescription(payload(e)), {
        id: 'metadata',
        limit: 'each names what its topic carries (table 23), with keys of their types',
        verifies: ['API:9.4/keys', 'API:8.3.2/metadata-format'],
      }),
    )
    await platform.ask('config', {
      app: 'gridkey',
      intervalSeconds: interval,
      metadata: true,
      feeders: [1],
      profile: { quantities: ['feeder1.l1.current', 'busbar.l1n.voltage'], outputs },
      site: { coordinates: [51.4545, -2.5879], system: 'WGS84' },
    })
    check(
      spaced(`${interval} s`, voltage, {
        id: 'copies',
        verifies: ['API:8.2.1/copies'],
        gap: '2 s',
        start: `${interval + 2} s`,
      }),
    )
    // The first output, with all that is told once, is out by then.
    await time.pass('12 s')
    check(
      within('25 s', asked, other.saw('heard'), {
        id: 'open',
        limit: 'another app that subscribes gets readings within 25 s',
        verifies: ['API:8.1/open-subscriptions', 'API:8.3/open-to-apps'],
        how: (e) => {
          const p = payload(e)
          return !isMetadata(text(p['topic'])) && p['retain'] === false
        },
      }),
    )
    check(
      within('10 s', asked, other.saw('heard'), {
        id: 'retained',
        limit: 'whoever subscribes later gets the metadata at once, as retained',
        verifies: ['API:9.4/retained', 'API:8.3.2/retained'],
        how: (e) => {
          const p = payload(e)
          return isMetadata(text(p['topic'])) && p['retain'] === true
        },
      }),
    )
    other.act({ do: 'subscribe', topic: `sensor/data/${app}/#` })
    // Between two outputs: an app that began anew would shift them.
    for (let n = 0; n < 3; n++) {
      await time.pass('5 s')
      await platform.ask('operator', { do: 'change', app: 'gridkey', config: {} })
    }
    await time.pass('15 s')
    check(
      spaced(`${interval} s`, voltage, {
        id: 'unknown-command',
        verifies: ['API:8.2.3/unknown-command'],
        gap: '2 s',
        start: `${interval + 2} s`,
      }),
    )
    for (const number of [2, 0, -1, 77])
      await platform.ask('operator', { do: 'command', app: 'gridkey', number })
    await time.pass(Math.max(45_000, time.horizon - 42_000))
  },
})
