/**
 * Defects of the meter reader in what it reads. Most are what readers in the field got wrong: frames by flags and not by
 * length, no check of the check sequence, a list found by searching for a clock, an hour filed by the meter's own clock.
 */
import type { QuantityName } from '../../drivers/protocols/han/quantities.ts'
import type { Reading } from '../../drivers/protocols/han/reading.ts'
import { readApdu } from '../../drivers/protocols/han/reading.ts'
import type { LoggerParts } from '../reference/han-logger/main.ts'
import type { LineReceiver } from '../reference/han-logger/receive.ts'
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

/** Energies by the name of the row after them. */
const rowOff: Readonly<Partial<Record<QuantityName, QuantityName>>> = {
  activeEnergyImport: 'activeEnergyExport',
  activeEnergyExport: 'reactiveEnergyImport',
  reactiveEnergyImport: 'reactiveEnergyExport',
  reactiveEnergyExport: 'activeEnergyImport',
}

/** Bytes of a message that a list of this length has, at the length that its frame says. */
const declared = (b: Uint8Array): number => ((((b[1] ?? 0) & 7) << 8) | (b[2] ?? 0)) + 2

export const readingDefects: readonly Defect<LoggerParts>[] = [
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
]
