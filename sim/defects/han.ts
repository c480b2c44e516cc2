/**
 * Defects and legal variants of the meter reader. Most are what readers in the field got wrong: frames by flags and not by
 * length, no check of the check sequence, a list found by searching for a clock, an hour filed by the meter's own clock.
 */
import type { QuantityName } from '../../drivers/protocols/han/quantities.ts'
import type { Reading } from '../../drivers/protocols/han/reading.ts'
import { readApdu } from '../../drivers/protocols/han/reading.ts'
import type { LoggerParts } from '../reference/han-logger/main.ts'
import type { LineReceiver } from '../reference/han-logger/receive.ts'
import type { Outbox, Waiting } from '../reference/han-logger/outbox.ts'
import { listOf, type Defect } from './defect.ts'

type Wrap = Defect<LoggerParts>['wrap']

const flag = 0x7e

/** What stands between the headers of a list: from the data-notification on. */
const payloadFrom = 12

/** Changes what is handed to the receiver of a line, chunk by chunk. */
function chunks(
  change: (
    reached: () => void,
  ) => (chunk: Uint8Array, pass: (b: Uint8Array) => void, line: LineReceiver) => void,
): Wrap {
  return (p, reached) => ({
    ...p,
    receiver: (line, reading, read) => {
      const inner = p.receiver(line, reading, read)
      const f = change(reached)
      return { ...inner, push: (chunk) => f(chunk, (b) => inner.push(b), inner) }
    },
  })
}

/** Changes what is read of a message; nothing: it is dropped. */
function readings(change: (r: Reading, apdu: Uint8Array, reached: () => void) => Reading | undefined): Wrap {
  return (p, reached) => {
    const none = new WeakSet<Reading>()
    return {
      ...p,
      read: (apdu, line) => {
        const r = p.read(apdu, line)
        const now = change(r, apdu, reached)
        if (now === undefined) none.add(r)
        return now ?? r
      },
      keeps: (r) => !none.has(r) && p.keeps(r),
    }
  }
}

/** Frames found otherwise than by a right receiver: whole messages are read by `frame`. */
function ownFraming(
  make: (frame: (b: Uint8Array) => void, reached: () => void) => (chunk: Uint8Array) => void,
): Wrap {
  return (p, reached) => ({
    ...p,
    receiver: (line, reading, read) => {
      const inner = p.receiver(line, reading, read)
      const push = make((b) => {
        try {
          const r = read(b.subarray(payloadFrom - 1, -3), line)
          if (r.items.length > 0) {
            inner.stats.messages++
            reading(r)
          }
        } catch {
          // No list of any kind: it goes on with the next one.
        }
      }, reached)
      return { ...inner, push, silent: () => undefined }
    },
  })
}

/** Another outbox around the right one. */
function outboxes(change: (inner: Outbox, reached: () => void) => Outbox): Wrap {
  return (p, reached) => ({ ...p, outbox: (folder) => change(p.outbox(folder), reached) })
}

/** Energies by the name of the row after them. */
const rowOff: Readonly<Partial<Record<QuantityName, QuantityName>>> = {
  activeEnergyImport: 'activeEnergyExport',
  activeEnergyExport: 'reactiveEnergyImport',
  reactiveEnergyImport: 'reactiveEnergyExport',
  reactiveEnergyExport: 'activeEnergyImport',
}

/** Bytes of a message that a list of this length has, at the length that its frame says. */
const declared = (b: Uint8Array): number => ((((b[1] ?? 0) & 7) << 8) | (b[2] ?? 0)) + 2

export const hanDefects: readonly Defect<LoggerParts>[] = [
  ...listOf<LoggerParts>('han-logger', 'defect', {
    'frames-by-flags': [
      'Ends a frame at the next flag, whatever length it has said: a 7E among its bytes cuts it.',
      ownFraming((frame, reached) => {
        let held: number[] = []
        return (chunk) => {
          for (const b of chunk) {
            held.push(b)
            if (b !== flag) continue
            const whole = Uint8Array.from(held)
            if (whole.length > 8 && whole[0] === flag) {
              if (whole.length < declared(whole)) reached()
              frame(whole)
              held = []
            } else held = [flag]
          }
        }
      }),
    ],
    'unstuffs-bytes': [
      'Takes 7D for an escape, as asynchronous HDLC has it and a HAN port has not.',
      chunks((reached) => {
        let escaped = false
        return (chunk, pass) => {
          const out: number[] = []
          for (const b of chunk) {
            if (escaped) out.push(b ^ 0x20)
            else if (b !== 0x7d) out.push(b)
            else reached()
            escaped = !escaped && b === 0x7d
          }
          pass(Uint8Array.from(out))
        }
      }),
    ],
    'checks-no-fcs': [
      'Looks at no check sequence: a damaged list is told as it came.',
      ownFraming((frame, reached) => {
        let held: number[] = []
        return (chunk) => {
          for (const b of chunk) {
            if (held.length === 0 && b !== flag) continue
            held.push(b)
            if (held.length === 2 && b === flag) held = [flag]
            if (held.length < 3 || held.length < declared(Uint8Array.from(held.slice(0, 3)))) continue
            frame(Uint8Array.from(held))
            reached()
            held = []
          }
        }
      }),
    ],
    'resynchronises-late': [
      'After one bad frame lets the next 36 go, as a reader in the field does.',
      (p, reached) => ({
        ...p,
        receiver: (line, reading, read) => {
          let skip = 0
          let bad = 0
          const count = (r: LineReceiver): number =>
            Object.values(r.stats.rejected).reduce((n, x) => n + x, 0)
          const inner: LineReceiver = p.receiver(
            line,
            (r) => {
              const now = count(inner)
              if (now > bad) {
                bad = now
                skip = 36
              }
              if (skip-- > 0) return reached()
              reading(r)
            },
            read,
          )
          return inner
        },
      }),
    ],
    'waits-for-list-2': [
      'Lets go what comes before the first List 2, since it does not know yet whose it is.',
      (p, reached) => {
        let known = false
        return {
          ...p,
          keeps: (r) => {
            if (r.list !== 1) known = true
            if (!known) reached()
            return known && p.keeps(r)
          },
        }
      },
    ],
    'finds-lists-by-clock': [
      'Looks for a list behind the text FF800000, with which Norwegian clocks happen to end.',
      readings((r, apdu, reached) => {
        if (Buffer.from(apdu).includes(Buffer.from([0xff, 0x80, 0, 0]))) return r
        reached()
        return undefined
      }),
    ],
    'stamps-by-the-meters-clock': [
      "Files a List 3 by the meter's local clock: of the two hours that October has twice, one is lost.",
      (p, reached) => {
        let clock: number | undefined
        return {
          ...p,
          keeps: (r) => {
            const c = r.list === 3 ? r.clock : undefined
            clock =
              c?.year === undefined
                ? undefined
                : Date.UTC(
                    c.year,
                    (c.month ?? 1) - 1,
                    c.day ?? 1,
                    (c.hour ?? 0) - 1,
                    c.minute ?? 0,
                    c.second ?? 0,
                  )
            return p.keeps(r)
          },
          envelope: (config, sequence, arrived) => {
            const at = clock
            clock = undefined
            if (at !== undefined) reached()
            return p.envelope(config, sequence, at ?? arrived)
          },
        }
      },
    ],
    'energies-off-by-a-row': [
      "Names each energy after the row below it, as the thesis's appendix A does.",
      readings((r, _, reached) => {
        if (r.values.activeEnergyImport === undefined) return r
        reached()
        const values = Object.entries(r.values) as [QuantityName, number][]
        return { ...r, values: Object.fromEntries(values.map(([q, v]) => [rowOff[q] ?? q, v])) }
      }),
    ],
    'raw-counts': [
      'Tells currents and voltages in the counts of the meter, without their scale.',
      readings((r, _, reached) => {
        const values = { ...r.values }
        for (const q of Object.keys(values) as QuantityName[])
          if (/^(current|voltage)\d$/.test(q)) {
            reached()
            values[q] = Math.round((values[q] ?? 0) * (q.startsWith('current') ? 1000 : 10))
          }
        return { ...r, values }
      }),
    ],
    'kamstrup-energies-in-wh': [
      'Takes a count of a Norwegian Kamstrup for 1 Wh, where it is 10 Wh.',
      (p, reached) => ({
        ...p,
        read: (apdu, line) => {
          const r = p.read(apdu, line)
          if (r.dialect !== 'kamstrup' || r.values.activeEnergyImport === undefined) return r
          reached()
          return readApdu(apdu, { kamstrupEnergy: 1 })
        },
      }),
    ],
    'kaifa-alone': [
      'Knows the lists of Kaifa and of nobody else.',
      readings((r, _, reached) => {
        if (r.dialect === 'kaifa') return r
        reached()
        return undefined
      }),
    ],
    'gives-up-after-half-a-second': [
      'Takes half a second of silence for the end of a message.',
      (p, reached) => ({
        ...p,
        silence: () => {
          reached()
          return 500
        },
      }),
    ],
    'drops-while-sending': [
      'Stops receiving at every fourth reading, while it sends.',
      (p, reached) => {
        let n = 0
        return {
          ...p,
          keeps: (r) => {
            if (++n % 4 !== 0) return p.keeps(r)
            reached()
            return false
          },
        }
      },
    ],
    'hands-on-with-the-next': [
      'Hands a list on only when the next one has come.',
      (p, reached) => ({
        ...p,
        receiver: (line, reading, read) => {
          let held: Reading | undefined
          return p.receiver(
            line,
            (r) => {
              if (held !== undefined) {
                reached()
                reading(held)
              }
              held = r
            },
            read,
          )
        },
      }),
    ],
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
    'refuses-an-overflowed-length': [
      'Refuses the M-Bus frame whose length byte has overflowed, as some Sagemcom send it.',
      (p, reached) => ({
        ...p,
        receiver: (line, reading, read) => {
          if (line.framing === 'mbus') reached()
          return p.receiver({ ...line, lengthOverflow: false }, reading, read)
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
    'tells-twice': [
      'Tells each seventh reading again, as a new one.',
      (p, reached) => {
        return {
          ...p,
          receiver: (line, reading, read) => {
            let n = 0
            return p.receiver(
              line,
              (r) => {
                reading(r)
                if (++n % 7 !== 0) return
                reached()
                reading(r)
              },
              read,
            )
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
