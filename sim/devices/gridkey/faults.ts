/** Faults of the feeder monitor itself; those of the wire are in ../faults.ts. */
import { z } from 'zod'
import { faultKind } from '../faults.ts'
import type { FaultKind } from '../faults.ts'
import { at, feeders, phases } from './map.ts'
import type { Quantity } from './map.ts'

/** What the unit shows in one second; faults alter it. */
export interface Reading {
  values: Float64Array
  /** Unix seconds of the unit's own clock. */
  time: number
  sequence: number
  /** A bit for each feeder and phase. */
  validity: number
  state: State
}

/** Status register: the lower number wins where several hold. */
export const states = { ok: 0, booting: 1, voltageLost: 2, overrange: 3 } as const
export type State = (typeof states)[keyof typeof states]

export const allValid = (1 << (feeders * phases)) - 1

/** Sets a state unless a graver one holds. */
export function raise(r: Reading, state: State): void {
  if (r.state === states.ok || state < r.state) r.state = state
}

/** What faults need of the device. */
export interface GridKeyInside {
  /** What it shows now, with the faults in force. */
  reading(): Reading
  /** Moves the unit's clock; the returned function moves it back, unless it was set meanwhile. */
  stepClock(ms: number): () => void
  /**
   * Power goes, and comes back after so long, with a boot of `bootMs` behind it; the returned function brings the
   * power back at once.
   */
  reboot(ms: number | undefined, bootMs: number | undefined): () => void
  /** Closes the TCP port; the returned function opens it again. */
  shutPort(): () => void
  /** Keeps a remark in the evidence. */
  tell(data: { readonly what: string; readonly from: string }): void
  readonly fullScale: number
  readonly quantities: readonly Quantity[]
}

const feeder = z.int().min(1).max(feeders)
const phase = z.int().min(1).max(phases)
const one = z.strictObject({ feeder, phase: phase.optional() })

/** Feeder and phase, from 0, that parameters mean: one phase, or all three. */
function* meant(p: { feeder: number; phase?: number | undefined }): Iterable<[number, number]> {
  for (let ph = 0; ph < phases; ph++)
    if (p.phase === undefined || p.phase === ph + 1) yield [p.feeder - 1, ph]
}

const inMs = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : seconds * 1000

function scale(r: Reading, index: number, by: number): void {
  r.values[index] = (r.values[index] ?? 0) * by
}

export function gridkeyFaults(inside: GridKeyInside): Readonly<Record<string, FaultKind<Reading>>> {
  return {
    /** Values, time and sequence stand still; answers go on. */
    freeze: faultKind(z.strictObject({}), () => {
      const held = structuredClone(inside.reading())
      return {
        alter: (r) => {
          Object.assign(r, { ...held, values: Float64Array.from(held.values) })
        },
      }
    }),

    /** Dead: its port is closed, so that TCP connections are refused; its measuring goes on. */
    dead: faultKind(z.strictObject({}), () => ({ lifted: inside.shutPort() })),

    /**
     * Away for 40 to 90 s (drawn), or as long as is said; then the sequence begins anew, and for `boot_seconds` (the
     * personality's otherwise) it says of itself that it is booting.
     */
    reboot: faultKind(
      z.strictObject({
        seconds: z.number().min(0.001).max(86_400).optional(),
        boot_seconds: z.number().min(0).max(86_400).optional(),
      }),
      (p) => ({ lifted: inside.reboot(inMs(p.seconds), inMs(p.boot_seconds)) }),
    ),

    /** Not-a-number in every quantity, or in those whose name begins with `of`. */
    nan: faultKind(
      z.strictObject({
        of: z
          .string()
          .refine((of) => inside.quantities.some((q) => q.name.startsWith(of)), {
            message: 'no quantity begins so; expected the like of feeder1, feeder1.l1.current, busbar.l1n',
          })
          .default(''),
      }),
      (p) => {
        const which = inside.quantities.filter((q) => q.name.startsWith(p.of)).map((q) => q.index)
        return {
          alter: (r) => {
            for (const i of which) r.values[i] = Number.NaN
          },
        }
      },
    ),

    /** A coil put on the wrong way round: P, Q and PF change sign; no status tells. */
    'reversed-ct': faultKind(one, (p) => ({
      alter: (r) => {
        for (const [f, ph] of meant(p))
          for (const index of [at.realPower(f, ph), at.reactivePower(f, ph), at.powerFactor(f, ph)])
            scale(r, index, -1)
      },
    })),

    /** A fuse of the voltage sensing is lost: that phase reads next to nothing, and its powers with it. */
    'vt-fuse': faultKind(z.strictObject({ phase }), (p) => {
      const lost = p.phase - 1
      return {
        alter: (r) => {
          const left = 0.001 // of the voltage, by coupling; ours
          scale(r, at.voltage(lost), left)
          // against a conductor that floats, a line voltage is the other phase's own
          const before = (lost + 2) % phases
          r.values[at.lineVoltage(lost)] = r.values[at.voltage((lost + 1) % phases)] ?? 0
          r.values[at.lineVoltage(before)] = r.values[at.voltage(before)] ?? 0
          for (let f = 0; f < feeders; f++) {
            scale(r, at.realPower(f, lost), left)
            scale(r, at.reactivePower(f, lost), left)
            r.values[at.powerFactor(f, lost)] = 0
            r.validity &= ~(1 << (f * phases + lost))
          }
          raise(r, states.voltageLost)
        },
      }
    }),

    /** More current than the unit can show: full scale, and the status says so. */
    overrange: faultKind(one, (p) => ({
      alter: (r) => {
        for (const [f, ph] of meant(p)) {
          r.values[at.current(f, ph)] = inside.fullScale
          r.validity &= ~(1 << (f * phases + ph))
        }
        raise(r, states.overrange)
      },
    })),

    /** Nothing is wrong with it, but the platform is told to look elsewhere: whatever asks it is noted, and answered. */
    'asked-elsewhere': faultKind(z.strictObject({}), () => ({
      hooks: {
        asked: (ask) => {
          inside.tell({ what: 'asked although the platform is to look elsewhere', from: ask.peer })
          return undefined
        },
      },
    })),

    /** The unit's clock jumps by `seconds`. */
    'clock-step': faultKind(z.strictObject({ seconds: z.number().min(-2e9).max(2e9) }), (p) => ({
      lifted: inside.stepClock(p.seconds * 1000),
    })),
  }
}
