/** Defects and legal variants of the meter reader: what it reads, and what becomes of it on the way out. */
import type { LoggerParts } from '../reference/han-logger/main.ts'
import type { Outbox, Waiting } from '../reference/han-logger/outbox.ts'
import { listOf, type Defect } from './defect.ts'
import { readingDefects } from './han-reading.ts'

type Wrap = Defect<LoggerParts>['wrap']

/** Another outbox around the right one. */
function outboxes(change: (inner: Outbox, reached: () => void) => Outbox): Wrap {
  return (p, reached) => ({ ...p, outbox: (folder) => change(p.outbox(folder), reached) })
}

export const hanDefects: readonly Defect<LoggerParts>[] = [
  ...readingDefects,
  ...listOf<LoggerParts>('han-logger', 'defect', {
    'page-for-everyone': [
      'Shows its configuration page to whoever asks, and takes what they send.',
      (p, reached) => ({
        ...p,
        guarded: () => {
          reached()
          return false
        },
      }),
    ],
    'any-password': [
      'Lets anybody log in who gives any password.',
      (p, reached) => ({
        ...p,
        verify: async () => {
          reached()
          return true
        },
      }),
    ],
    'settings-in-memory': [
      'Keeps what was set on its page until it is started anew, and no longer.',
      (p, reached) => ({ ...p, keepSettings: () => reached() }),
    ],
    'keeps-its-name': [
      'Takes a new name on its page, and goes on under the one that it was delivered with.',
      (p, reached) => ({
        ...p,
        envelope: (config, sequence, arrived) => {
          if (config.id !== 'han-reader') reached()
          return p.envelope({ ...config, id: 'han-reader' }, sequence, arrived)
        },
      }),
    ],
    'thesis-json': [
      'Writes JSON as figure 7.9 of the thesis has it: keys that stand twice, numbers as texts, kW.',
      (p, reached) => ({
        ...p,
        payload: (r, e) => {
          reached()
          return p.payload(r, e, 'thesis')
        },
      }),
    ],
    'trailing-comma': [
      "Leaves the comma of the thesis's figure before the closing bracket.",
      (p, reached) => ({
        ...p,
        payload: (r, e, form) => {
          reached()
          return p.payload(r, e, form).replace(/}}$/, ',}}')
        },
      }),
    ],
    'kept-in-memory': [
      'Keeps readings in memory alone: a restart loses what waits.',
      outboxes((inner, reached) => {
        const waiting: Waiting[] = []
        let last = inner.next() - 1
        return {
          next: () => last + 1,
          keep(w) {
            reached()
            last = w.sequence
            waiting.push(w)
          },
          after: (sequence, most) => waiting.filter((w) => w.sequence > sequence).slice(0, most),
          done(sequence) {
            const at = waiting.findIndex((w) => w.sequence === sequence)
            if (at >= 0) waiting.splice(at, 1)
          },
          trim: () => 0,
          get size() {
            return waiting.length
          },
          close: () => inner.close(),
        }
      }),
    ],
    'lost-while-away': [
      'Tells only what it reads while the cloud is there, as the reader of the thesis did.',
      outboxes((inner, reached) => {
        return {
          ...inner,
          next: () => inner.next(),
          get size() {
            return inner.size
          },
          keep(w) {
            inner.keep(w)
            // So many wait only where nobody takes any.
            if (inner.size > 3) {
              reached()
              for (const old of inner.after(0, inner.size)) inner.done(old.sequence)
            }
          },
        }
      }),
    ],
    'forgets-when-sent': [
      'Lets a reading go once it is sent, not when it is acknowledged.',
      (p, reached) => ({
        ...p,
        letGo: (stage) => {
          if (stage === 'sent') reached()
          return stage === 'sent'
        },
      }),
    ],
    'qos-0': [
      'Sends with quality of service 0, for which nobody acknowledges anything.',
      (p, reached) => ({
        ...p,
        qos: () => {
          reached()
          return 0
        },
      }),
    ],
    'trusts-any-server': [
      'Looks at no certificate of the server.',
      (p, reached) => ({
        ...p,
        tls: (broker, read) => {
          reached()
          return { ...p.tls(broker, read), rejectUnauthorized: false }
        },
      }),
    ],
    'checks-no-host-name': [
      'Takes any certificate of the right authority, whichever host it is for.',
      (p, reached) => ({
        ...p,
        tls: (broker, read) => {
          reached()
          return { ...p.tls(broker, read), checkServerIdentity: () => undefined }
        },
      }),
    ],
    'shows-no-certificate': [
      'Shows no certificate of its own, so that the cloud does not let it in.',
      (p, reached) => ({
        ...p,
        tls: (broker, read) => {
          reached()
          const { cert: _, key: __, ...others } = p.tls(broker, read)
          return others
        },
      }),
    ],
    'numbers-anew': [
      'Begins to count its readings anew at each start.',
      (p, reached) => {
        let n = 0
        return {
          ...p,
          envelope: (config, sequence, arrived) => {
            n++
            if (n !== sequence) reached()
            return p.envelope(config, n, arrived)
          },
        }
      },
    ],
  }),
  ...listOf<LoggerParts>('han-logger', 'variant', {
    'other-key-order': [
      'Writes the keys of its JSON in another order.',
      (p, reached) => ({
        ...p,
        payload: (r, e, form) => {
          reached()
          const { data, ...head } = JSON.parse(p.payload(r, e, form)) as { data: object }
          const turned = Object.fromEntries(Object.entries(data).toReversed())
          return JSON.stringify({ data: turned, ...head })
        },
      }),
    ],
    'with-blanks': [
      'Writes its JSON with blanks and line ends.',
      (p, reached) => ({
        ...p,
        payload: (r, e, form) => {
          reached()
          // One line on the debugging line, where a line end ends a reading.
          return JSON.stringify(JSON.parse(p.payload(r, e, form)), null, 1).replaceAll('\n', ' ')
        },
      }),
    ],
    'one-at-a-time': [
      'Takes one reading at a time from its disk.',
      outboxes((inner, reached) => ({
        ...inner,
        next: () => inner.next(),
        get size() {
          return inner.size
        },
        after(sequence, most) {
          if (most > 1) reached()
          return inner.after(sequence, 1)
        },
      })),
    ],
  }),
]
