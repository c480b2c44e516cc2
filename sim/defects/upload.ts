/** Defects and variants of the Data Upload application (M:0079 to M:0086). */
import type { Row } from '../reference/lvcap/upload/batch.ts'
import type { UploadParts } from '../reference/lvcap/upload/engine.ts'
import { listOf, type Defect } from './defect.ts'

type Entries<P> = Readonly<Record<string, readonly [describes: string, wrap: Defect<P>['wrap']]>>

/** Ways to upload wrongly, by name: for every app that uploads by the engine that they share. */
export const sendingDefects = <P extends UploadParts>(): Entries<P> => ({
  'reports-before-it-sends': [
    'Reports rows as uploaded when they are about to be.',
    (p, reached) => ({
      ...p,
      beforeUpload: (ids, reported) => {
        reached()
        return reported(ids)
      },
      afterUpload: async () => {},
    }),
  ],
  'never-reports': [
    'Does not tell Data Storage what was uploaded.',
    (p, reached) => ({
      ...p,
      afterUpload: async () => reached(),
    }),
  ],
  'reports-half': [
    'Reports every other row of a batch, and none of the others when it is asked for them.',
    (p, reached) => {
      const left = new Set<string>()
      return {
        ...p,
        report: (ids) => {
          reached()
          const told = Object.entries(ids).map(([table, list]): [string, number[]] => {
            const some = list.filter((id, i) => i % 2 === 0 && !left.has(`${table} ${id}`))
            for (const id of list) if (!some.includes(id)) left.add(`${table} ${id}`)
            return [table, some]
          })
          return p.report(Object.fromEntries(told))
        },
      }
    },
  ],
  'begins-anew-after-a-break': [
    'Sends a batch from its first byte again after each break.',
    (p, reached) => ({
      ...p,
      goesOn(b) {
        if (b.url !== undefined) reached()
        return undefined
      },
    }),
  ],
  'takes-a-piece-for-all': [
    'Takes a batch for uploaded when its first piece has arrived.',
    (p, reached) => ({
      ...p,
      isComplete(offset, length) {
        if (offset > 0 && offset < length) reached()
        return offset > 0
      },
    }),
  ],
  'names-a-batch-anew': [
    'Announces a batch anew at each attempt, under another name, by which the server cannot know it again.',
    (p, reached) => {
      let n = 0
      return {
        ...p,
        goesOn(b) {
          if (b.url !== undefined) reached()
          return undefined
        },
        about: (b) => ({ ...p.about(b), batch: `${b.name}-${++n}` }),
      }
    },
  ],
  'forgets-its-batch-at-a-restart': [
    'Keeps no note on the disk of where the server lets a batch be sent to: after a restart it is announced anew.',
    (p, reached) => {
      const told = new Set<string>()
      return {
        ...p,
        goesOn(b) {
          if (told.has(b.name)) return p.goesOn(b)
          told.add(b.name)
          if (b.url !== undefined) reached()
          return undefined
        },
      }
    },
  ],
  'alters-values': [
    'Rounds the numbers of what it uploads.',
    (p, reached) => ({
      ...p,
      pack: (rows) => {
        const rounded = rows.map((r): Row => {
          const data = r.data.replace(/(\d)\.\d+/g, '$1')
          if (data !== r.data) reached()
          return { ...r, data }
        })
        return p.pack(rounded)
      },
    }),
  ],
  'leaves-a-row-out': [
    'Leaves the last row of a full batch out, and reports it all the same.',
    (p, reached) => ({
      ...p,
      pack: (rows) => {
        if (rows.length < 10) return p.pack(rows)
        reached()
        return p.pack(rows.slice(0, -1))
      },
    }),
  ],
  'uploads-everything': [
    'Uploads all rows, whatever was selected.',
    (p, reached) => ({
      ...p,
      queries: (config, rows) => {
        if (config.select !== 'all') reached()
        return p.queries({ ...config, select: 'all' }, rows)
      },
    }),
  ],
  'one-rtu-for-all': [
    'Uploads for an RTU that does not tell its platform apart from others.',
    (p, reached) => ({
      ...p,
      about: (b) => {
        reached()
        return { ...p.about(b), rtu: 'openlv' }
      },
    }),
  ],
  'trusts-any-server': [
    'Does not ask the server to prove who it is.',
    (p, reached) => ({
      ...p,
      tls: (app, server, read) => {
        reached()
        return { ...p.tls(app, server, read), rejectUnauthorized: false }
      },
    }),
  ],
  'does-not-look-at-the-name': [
    'Takes any certificate of the authority for that of the server.',
    (p, reached) => ({
      ...p,
      tls: (app, server, read) => {
        reached()
        return { ...p.tls(app, server, read), checkServerIdentity: () => undefined }
      },
    }),
  ],
  'knows-no-revocations': [
    'Does not look whether a certificate was revoked.',
    (p, reached) => ({
      ...p,
      tls: (app, server, read) => {
        reached()
        const { crl: _crl, ...tls } = p.tls(app, server, read)
        return tls
      },
    }),
  ],
  'sends-over-budget': [
    'Counts its volume, and lets no budget keep it from sending.',
    (p, reached) => ({
      ...p,
      affords(...asked) {
        if (!p.affords(...asked)) reached()
        return true
      },
    }),
  ],
  'counts-what-it-sends': [
    'Counts what it sends, and not what it is sent.',
    (p, reached) => ({
      ...p,
      counted(c) {
        if (c.received > 0) reached()
        return c.sent
      },
    }),
  ],
  'forgets-its-volume': [
    'Keeps no count of its volume over a restart.',
    (p, reached) => ({ ...p, keepCount: () => reached() }),
  ],
  'drops-what-must-wait': [
    'Gives a batch up that the budget makes wait, and reports it as uploaded.',
    (p, reached) => ({
      ...p,
      async whenSpent(ids, reported, give) {
        reached()
        await reported(ids)
        give()
      },
    }),
  ],
  'waits-for-ever': [
    'Takes a budget of a period for one of all time.',
    (p, reached) => ({
      ...p,
      period(_, per) {
        if (per !== 'month') reached()
        return p.period(0, per)
      },
    }),
  ],
  'gives-up': [
    'Does not try again for an hour once the server could not be reached.',
    (p, reached) => ({
      ...p,
      pause() {
        reached()
        return 3_600_000
      },
    }),
  ],
})

/** Other ways that are as good. */
const sendingVariants = <P extends UploadParts>(): Entries<P> => ({
  'small-pieces': [
    'Sends pieces of at most 1 KiB.',
    (p, reached) => ({
      ...p,
      piece(offset, length, window) {
        reached()
        return p.piece(offset, length, Math.min(1024, window))
      },
    }),
  ],
  'tries-again-steadily': [
    'Tries again every 5 s, however often it failed.',
    (p, reached) => ({
      ...p,
      pause() {
        reached()
        return 5_000
      },
    }),
  ],
  'spreads-its-volume': [
    'Lets a quarter of a period’s budget go at once, and the rest evenly over the period.',
    (p, reached) => ({
      ...p,
      limit(budget, purpose, now) {
        const whole = p.limit(budget, purpose, now)
        if (budget.per === 'month' || purpose !== 'ordinary') return whole
        reached()
        const gone = (now % (budget.per * 1_000)) / (budget.per * 1_000)
        return whole * Math.min(1, 0.25 + gone)
      },
    }),
  ],
})

export const uploadDefects: readonly Defect<UploadParts>[] = [
  ...listOf<UploadParts>('upload-app', 'defect', sendingDefects()),
  ...listOf<UploadParts>('upload-app', 'variant', sendingVariants()),
]
