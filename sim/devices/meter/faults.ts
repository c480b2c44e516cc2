/** What can be wrong with a smart meter, its line and its port, by name. */
import { z } from 'zod'
import type { SerialSettings } from '../../../drivers/faces.ts'
import type { CosemDateTime } from '../../../drivers/protocols/dlms/datetime.ts'
import { faultKind } from '../faults.ts'
import type { FaultKind } from '../faults.ts'
import { asHeard } from './uart.ts'
import type { Values } from './values.ts'

/** Bytes that go out one behind the other, then a pause. */
export interface Piece {
  readonly bytes: Uint8Array
  readonly pauseMs: number
}

/** A list on its way out, as faults may change it. */
export interface Outgoing {
  readonly list: 1 | 2 | 3
  /** Not sent at all. */
  silent: boolean
  /** What it says. */
  values: Values
  clock: CosemDateTime
  /** Counts of the energies are taken from that many Wh before. */
  energyBackWh: number
  /** The values are looked for until the second byte of the FCS is this. */
  fcsEnd: number | undefined
  lengthOverflow: boolean
}

/** Bytes on their way out. `sound`: a right receiver still gets the list. */
export interface OnTheLine {
  pieces: Piece[]
  sound: boolean
}

/** What a fault of a meter alters. */
export interface MeterEffect {
  readonly list?: (o: Outgoing) => void
  readonly line?: (o: OnTheLine) => void
}

export interface MeterFaultNeeds {
  /** A number in [0, 1). */
  readonly chance: () => number
  readonly line: SerialSettings
  /** What it would say now, without faults. */
  readonly shown: () => Values
  /** Since when its clock was never set. */
  readonly now: () => number
  readonly neverSet: (since: number) => CosemDateTime
  /** A reboot: it is silent so long. */
  readonly reboot: (ms: number) => () => void
}

/** The wall time an hour later; a deviation that is told goes with it. */
function hourAhead(c: CosemDateTime): CosemDateTime {
  const d = new Date(Date.UTC(c.year ?? 2000, (c.month ?? 1) - 1, c.day ?? 1, (c.hour ?? 0) + 1))
  return {
    ...c,
    year: d.getUTCFullYear(),
    month: d.getUTCMonth() + 1,
    day: d.getUTCDate(),
    dayOfWeek: d.getUTCDay() === 0 ? 7 : d.getUTCDay(),
    hour: d.getUTCHours(),
    deviation: c.deviation === undefined ? undefined : c.deviation - 60,
  }
}

const share = z.number().gt(0).max(1).default(1)

type Kind = FaultKind<MeterEffect>

/** One kind from its parameters and what it alters. */
function kind<P>(params: z.ZodType<P>, make: (p: P) => MeterEffect & { lifted?: () => void }): Kind {
  return faultKind(params, (p) => {
    const { lifted, ...effect } = make(p)
    return {
      alter: (into: MeterEffect) => Object.assign(into, effect),
      ...(lifted === undefined ? {} : { lifted }),
    }
  })
}

export function meterFaults(needs: MeterFaultNeeds): Readonly<Record<string, Kind>> {
  const { chance } = needs
  const hit = (p: { share: number }): boolean => p.share >= 1 || chance() < p.share
  const place = (length: number): number => Math.floor(chance() * length)
  /** Not the first or last: without those, or with two of them, a list may still be read or not. */
  const inside = (length: number): number => 1 + place(length - 2)
  const some = z.strictObject({ share })
  const none = z.strictObject({})

  /** Changes the bytes of all pieces as one; the frame is damaged where they differ. */
  const damage = (o: OnTheLine, f: (b: Uint8Array) => Uint8Array): void => {
    const whole = Buffer.concat(o.pieces.map((p) => p.bytes))
    const after = f(whole)
    if (!whole.equals(after)) o.sound = false
    o.pieces = [{ bytes: after, pauseMs: 0 }]
  }

  return {
    /** The grid company has not opened the port: nothing is sent. */
    off: kind(none, () => ({
      list: (o) => {
        o.silent = true
      },
    })),
    /** The cable is out: nothing arrives, the meter goes on. */
    unplugged: kind(none, () => ({
      list: (o) => {
        o.silent = true
      },
    })),
    /** Each bit between the first and last byte of a frame turns over with a likelihood. */
    'bit-flips': kind(z.strictObject({ likelihood: z.number().gt(0).max(1).default(0.001) }), (p) => ({
      line: (o) =>
        damage(o, (b) =>
          b.map((x, i) => {
            if (i === 0 || i === b.length - 1) return x
            let flips = 0
            for (let bit = 0; bit < 8; bit++) if (chance() < p.likelihood) flips |= 1 << bit
            return x ^ flips
          }),
        ),
    })),
    'lost-byte': kind(some, (p) => ({
      line: (o) => {
        if (hit(p))
          damage(o, (b) => {
            const at = inside(b.length)
            return Uint8Array.from([...b.subarray(0, at), ...b.subarray(at + 1)])
          })
      },
    })),
    'repeated-byte': kind(some, (p) => ({
      line: (o) => {
        if (hit(p))
          damage(o, (b) => {
            const at = inside(b.length)
            return Uint8Array.from([...b.subarray(0, at + 1), ...b.subarray(at)])
          })
      },
    })),
    /** Bytes that belong to nothing, before a frame. The frame itself is sound. */
    noise: kind(z.strictObject({ bytes: z.int().min(1).max(2000).default(7), share }), (p) => ({
      line: (o) => {
        if (hit(p))
          o.pieces.unshift({ bytes: Uint8Array.from({ length: p.bytes }, () => place(256)), pauseMs: 0 })
      },
    })),
    /** A pause inside a frame, after so many bytes; the frame is sound (an E450 pauses 3 s within a push). */
    pause: kind(
      z.strictObject({
        after: z.int().min(1).default(20),
        ms: z.number().min(1).max(60_000).default(500),
        share,
      }),
      (p) => ({
        line: (o) => {
          const whole = Buffer.concat(o.pieces.map((x) => x.bytes))
          if (!hit(p) || p.after >= whole.length) return
          o.pieces = [
            { bytes: whole.subarray(0, p.after), pauseMs: p.ms },
            { bytes: whole.subarray(p.after), pauseMs: 0 },
          ]
        },
      }),
    ),
    truncated: kind(z.strictObject({ bytes: z.int().min(0).default(30), share }), (p) => ({
      line: (o) => {
        if (hit(p)) damage(o, (b) => b.slice(0, p.bytes))
      },
    })),
    /** The check sequence is that of other bytes, as in the thesis's own sample. */
    'wrong-fcs': kind(some, (p) => ({
      line: (o) => {
        if (hit(p)) damage(o, (b) => b.map((x, i) => (i === b.length - 2 ? x ^ 0x5a : x)))
      },
    })),
    /** The line is sent as the receiver, set as the meter should be, hears it from a meter set otherwise. */
    'wrong-line': kind(
      z.strictObject({
        baud_rate: z.int().min(50).max(1_000_000).optional(),
        parity: z.enum(['none', 'even', 'odd']).optional(),
      }),
      (p) => ({
        line: (o) => {
          const sender = {
            ...needs.line,
            baudRate: p.baud_rate ?? needs.line.baudRate,
            parity: p.parity ?? needs.line.parity,
          }
          damage(o, (b) => asHeard(b, sender, needs.line))
        },
      }),
    ),
    /** Values stand still, the clock goes on. */
    stale: kind(none, () => {
      const values = needs.shown()
      return {
        list: (o) => {
          o.values = { ...o.values, ...values }
        },
      }
    }),
    /** The energy registers go back, as after a change of the meter. */
    'counter-back': kind(z.strictObject({ wh: z.number().positive().default(100_000) }), (p) => ({
      list: (o) => {
        o.energyBackWh = p.wh
      },
    })),
    /** Nothing but List 1: what a reader gets that starts between two long lists, for as long as it is in force. */
    'list-1-only': kind(none, () => ({
      list: (o) => {
        if (o.list !== 1) o.silent = true
      },
    })),
    /** A clock that tells its deviation, where Norwegian meters say that they do not know it. */
    'clock-known': kind(z.strictObject({ minutes: z.int().min(-720).max(720).default(-60) }), (p) => ({
      list: (o) => {
        o.clock = { ...o.clock, deviation: p.minutes, hundredths: 0 }
      },
    })),
    /** Its clock shows summer time, an hour ahead. Lifted, it goes back: as in October, an hour comes twice. */
    'summer-time': kind(none, () => ({
      list: (o) => {
        o.clock = hourAhead(o.clock)
      },
    })),
    /** A meter whose clock was never set: the year 2000, status 03. */
    'clock-unset': kind(none, () => {
      const since = needs.now()
      return {
        list: (o) => {
          o.clock = needs.neverSet(since)
        },
      }
    }),
    /** Lists whose check sequence ends in 7D or another byte that decoders trip over. */
    'fcs-end': kind(z.strictObject({ byte: z.int().min(0).max(255).default(0x7d) }), (p) => ({
      list: (o) => {
        o.fcsEnd = p.byte
      },
    })),
    /** A flag inside the frame: a power of 126 W (00 00 00 7E). */
    'flag-inside': kind(none, () => ({
      list: (o) => {
        o.values = { ...o.values, activePowerImport: 0x7e }
      },
    })),
    /** M-Bus meters only: a first frame whose length byte overflows, as some Sagemcom send it. */
    'length-overflow': kind(none, () => ({
      list: (o) => {
        o.lengthOverflow = true
      },
    })),
    /** It starts anew: silent for a while; its registers and its counter of messages go on. */
    reset: kind(z.strictObject({ ms: z.number().min(100).max(600_000).default(8000) }), (p) => {
      const lifted = needs.reboot(p.ms)
      return { lifted }
    }),
  }
}
