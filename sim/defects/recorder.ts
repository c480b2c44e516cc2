/** Defects and legal variants of the CSV Data Recorder (section 3.8). */
import type { RecorderParts } from '../reference/lvcap/apps/recorder/main.ts'
import type { Key } from '../reference/lvcap/apps/recorder/resume.ts'
import type { Row } from '../reference/lvcap/apps/recorder/row.ts'
import { unixSeconds } from '../reference/lvcap/api.ts'
import { listOf, type Defect } from './defect.ts'

type Wrap = Defect<RecorderParts>['wrap']

const minute = 60_000

/** Does not record what `leaves` says. */
function leavesOut(leaves: (topic: string, n: number) => boolean): Wrap {
  return (p, reached) => {
    let n = 0
    return {
      ...p,
      wants: (heard) => {
        if (!leaves(heard.topic, ++n)) return p.wants(heard)
        reached()
        return false
      },
    }
  }
}

/** Changes rows. Undefined leaves one as it is. */
function rows(change: (row: Row, now: number) => Partial<Row> | undefined): Wrap {
  return (p, reached) => ({
    ...p,
    row: (heard, now, publisher) => {
      const row = p.row(heard, now, publisher)
      const other = change(row, now)
      if (other === undefined) return row
      reached()
      return { ...row, ...other }
    },
  })
}

/** Writes only so many ms after it has acknowledged, then all that has come by then, in the order that `arrange` gives. */
function holds(ms: number, arrange: (writes: (() => void)[], reached: () => void) => (() => void)[]): Wrap {
  return (p, reached) => {
    const held: (() => void)[] = []
    return {
      ...p,
      store: (line, now, append) => {
        held.push(() => p.store(line, now, append))
        if (held.length > 1) return
        setTimeout(() => {
          for (const write of arrange(held.splice(0), reached)) write()
        }, ms)
      },
    }
  }
}

const isData = (topic: string): boolean => /^(sensor|algorithm)\/data\//.test(topic)

/** The payload with another value, where there is a number. */
function withValue(row: Row, change: (value: number) => number): Partial<Row> | undefined {
  const value = Number(row.Value)
  if (row.Value === '' || !Number.isFinite(value)) return undefined
  const other = String(change(value))
  if (other === row.Value) return undefined
  return { Value: other, Payload: row.Payload.replace(`"Value":${row.Value}`, `"Value":${other}`) }
}

export const recorderDefects: readonly Defect<RecorderParts>[] = [
  ...listOf<RecorderParts>('csv-recorder', 'defect', {
    'drops-a-topic': [
      'Does not record the temperature of the top oil.',
      leavesOut((topic) => /TopOil|top_oil/.test(topic)),
    ],
    'only-measurements': [
      'Records what sensors publish, and no status, error or configuration.',
      leavesOut((topic) => !isData(topic)),
    ],
    'drops-what-is-too-old': [
      'Takes a time stamp before the year 2000 for a mistake, and does not record the message.',
      (p, reached) => ({
        ...p,
        wants: (heard) => {
          const stamp = /"Timestamp"\s*:\s*(\d+)/.exec(Buffer.from(heard.payload).toString())?.[1]
          if (stamp === undefined || Number(stamp) >= 946_684_800) return p.wants(heard)
          reached()
          return false
        },
      }),
    ],
    'only-sensors': [
      'Does not record results (`algorithm/data`).',
      leavesOut((topic) => topic.startsWith('algorithm/data/')),
    ],
    'ignores-strangers': [
      'Does not record the data of apps that are of none of the vendors it knows.',
      leavesOut((topic) => isData(topic) && !/\/data\/(lucy|eatl)_/.test(topic)),
    ],
    'deaf-to-newcomers': [
      'Records the data of those alone whom it has heard in its first minute.',
      (p, reached) => {
        const begin = performance.now()
        const known = new Set<string>()
        return {
          ...p,
          wants: (heard) => {
            const [kind, , iid = ''] = heard.topic.split('/')
            if (kind !== 'sensor' && kind !== 'algorithm') return p.wants(heard)
            if (performance.now() - begin < minute) known.add(iid)
            if (known.has(iid)) return p.wants(heard)
            reached()
            return false
          },
        }
      },
    ],
    'only-first-app': [
      'Hears the sensor application that was installed first, and no other.',
      (p, reached) => ({
        ...p,
        filters: () => {
          reached()
          return ['sensor/data/lucy_gridkeysensor_01/#']
        },
      }),
    ],
    'misses-one-in-a-thousand': [
      'Leaves out one message in a thousand.',
      leavesOut((_topic, n) => n % 1_000 === 500),
    ],
    'drops-on-burst': [
      'Loses what comes after the first forty messages of one second.',
      (p, reached) => {
        let second = 0
        let n = 0
        return {
          ...p,
          store: (line, now, append) => {
            n = unixSeconds(now) === second ? n + 1 : 1
            second = unixSeconds(now)
            if (n > 40) reached()
            else p.store(line, now, append)
          },
        }
      },
    ],
    'every-other-output': [
      'Records each topic at half the rate at which it is published.',
      (p, reached) => {
        const seen = new Map<string, number>()
        return {
          ...p,
          wants: (heard) => {
            const n = (seen.get(heard.topic) ?? 0) + 1
            seen.set(heard.topic, n)
            if (!isData(heard.topic) || n % 2 === 1) return p.wants(heard)
            reached()
            return false
          },
        }
      },
    ],
    'unquoted-commas': [
      'Writes fields without quotes, whatever stands in them.',
      (p, reached) => ({
        ...p,
        line: (row, config) => {
          const line = `${config.columns.map((c) => row[c]).join(',')}\r\n`
          if (line !== p.line(row, config)) reached()
          return line
        },
      }),
    ],
    'wrong-publisher': [
      'Names the vendor of the application alone.',
      rows((row) =>
        row.Publisher.includes('_') ? { Publisher: row.Publisher.split('_')[0] ?? '' } : undefined,
      ),
    ],
    'one-publisher-for-all': [
      'Names itself as the publisher of whatever it records.',
      rows((row) => (isData(row.Topic) ? { Publisher: 'eatl_csvrecorder_01' } : undefined)),
    ],
    'own-time-as-message-time': [
      'Puts its own time, in milliseconds, into the column of the time stamp of the message.',
      rows((row, now) => (row.Timestamp === '' ? undefined : { Timestamp: String(now) })),
    ],
    'rounds-stamps': [
      'Stores the time stamps of messages as whole minutes.',
      rows((row) => {
        const stamp = Number(row.Timestamp)
        if (row.Timestamp === '' || !Number.isFinite(stamp) || stamp % 60 === 0) return undefined
        return { Timestamp: String(stamp - (stamp % 60)) }
      }),
    ],
    'leaves-out-the-invalid': [
      'Does not record readings that are not valid.',
      (p, reached) => ({
        ...p,
        wants: (heard) => {
          if (!isData(heard.topic) || !Buffer.from(heard.payload).includes('"Valid":false'))
            return p.wants(heard)
          reached()
          return false
        },
      }),
    ],
    'records-in-local-time': [
      'Gives the time of recording an hour ahead, as in summer.',
      rows((_row, now) => ({ RecordedAt: new Date(now + 3_600_000).toISOString() })),
    ],
    'rounds-values': [
      'Stores values with one decimal.',
      rows((row) => withValue(row, (v) => Math.round(v * 10) / 10)),
    ],
    'shifts-columns': [
      'Puts Valid where Value belongs.',
      rows((row) => (row.Valid === '' ? undefined : { Value: row.Valid, Valid: row.Value })),
    ],
    'ignores-valid-false': [
      'Stores every value as valid.',
      rows((row) =>
        row.Valid === 'false'
          ? { Valid: 'true', Payload: row.Payload.replace('"Valid":false', '"Valid":true') }
          : undefined,
      ),
    ],
    'truncates-payload': [
      'Cuts payloads off after 40 characters.',
      rows((row) => (row.Payload.length > 40 ? { Payload: row.Payload.slice(0, 40) } : undefined)),
    ],
    'pads-lines': [
      'Pads each payload with blanks to two thousand characters.',
      rows((row) => ({ Payload: row.Payload.padEnd(2_000) })),
    ],
    'last-first': [
      'Writes what half a minute brought in the opposite order.',
      holds(30_000, (writes, reached) => {
        if (writes.length > 1) reached()
        return writes.toReversed()
      }),
    ],
    'rotates-away-unread': [
      'Keeps only the file that it writes.',
      (p, reached) => ({
        ...p,
        expired: (files) => {
          const gone = files.slice(0, -1).map((f) => f.name)
          if (gone.length > 0) reached()
          return gone
        },
      }),
    ],
    'overwrites-at-start': [
      'Throws away at its start what it had recorded before.',
      (p, reached) => {
        let first = true
        return {
          ...p,
          full: (file, now, config) => p.full(file, now, config) || first,
          expired: (files, config) => {
            if (!first) return p.expired(files, config)
            first = false
            const gone = files.slice(0, -1).map((f) => f.name)
            if (gone.length > 0) reached()
            return gone
          },
        }
      },
    ],
    'loses-what-it-missed': [
      'Does not ask the broker to keep what comes while it is away.',
      (p, reached) => ({
        ...p,
        hears: (app) => {
          reached()
          return { ...p.hears(app), clean: true }
        },
      }),
    ],
    'keeps-a-minute-in-memory': [
      'Writes once a minute, after it has acknowledged.',
      holds(60_000, (writes, reached) => {
        reached()
        return writes
      }),
    ],
    'doubles-after-restart': [
      'Records once more, when its session is resumed, the last five messages of before.',
      (p, reached) => {
        let again: readonly Key[] = []
        return {
          ...p,
          repeats: (tail) => {
            again = tail.slice(-5)
            return p.repeats(tail)
          },
          line: (row, config) => {
            const doubled = again.map((k) => {
              reached()
              const heard = { topic: k.topic, payload: Buffer.from(k.payload) }
              return p.line(p.row(heard, Date.now(), p.publisher(k.topic, config)), config)
            })
            again = []
            return [...doubled, p.line(row, config)].join('')
          },
        }
      },
    ],
  }),
  ...listOf<RecorderParts>('csv-recorder', 'variant', {
    'other-column-order': [
      'Writes the columns in the opposite order.',
      (p, reached) => ({
        ...p,
        line: (row, config) => {
          reached()
          return p.line(row, { ...config, columns: config.columns.toReversed() })
        },
        header: (config) => p.header({ ...config, columns: config.columns.toReversed() }),
      }),
    ],
    'rotates-by-size-alone': [
      'Begins a new file each 100 kB and with no day.',
      (p, reached) => ({
        ...p,
        full: (file, now, config) => {
          reached()
          return p.full(file, now, { ...config, rotate: { bytes: 100_000, daily: false } })
        },
      }),
    ],
    'quotes-all-fields': [
      'Puts every field within quotes.',
      (p, reached) => ({
        ...p,
        line: (row, config) => {
          reached()
          return p.line(row, { ...config, quotes: 'always' })
        },
      }),
    ],
    'bare-line-feeds': [
      'Ends lines with LF alone.',
      (p, reached) => ({
        ...p,
        line: (row, config) => {
          reached()
          return p.line(row, config).replace(/\r\n$/, '\n')
        },
      }),
    ],
    'whole-seconds': [
      'Gives the time of recording in whole seconds.',
      (p, reached) => ({
        ...p,
        row: (heard, now, publisher) => {
          reached()
          return p.row(heard, now - (now % 1_000), publisher)
        },
      }),
    ],
  }),
]
