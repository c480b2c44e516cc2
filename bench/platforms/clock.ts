/**
 * The platform's time source (NTP and GPS: OpenLV Appendix C, 2.6), played by its effect on the clock of the platform's
 * host. No time packets are sent: how a platform follows its source is its own affair, and what apps see of it is a
 * clock that stands still, jumps or runs wrong. Where a host's clock cannot be set, nothing is played.
 */
import { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import type { Host, Instant, Json } from '../../drivers/faces.ts'
import type { Emit, Fault } from '../../sim/faces.ts'
import type { Clock } from '../faces.ts'

/** How the clock goes from now on: `step` is an offset to the bench's clock, in ms; `ppm` how much too fast it runs. */
interface Course {
  readonly step?: (now: Instant) => number
  readonly ppm?: number
}

const ppm = z.number().min(-100_000).max(100_000)

const kinds = {
  /** The source is gone: the host's own crystal goes on. 50 ppm is a usual tolerance of a computer's crystal; ours. */
  absent: {
    params: z.strictObject({ ppm: ppm.default(50) }),
    course: (p: { ppm: number }): Course => ({ ppm: p.ppm }),
  },
  /** The source, and the clock with it, is off by so much; lifted, the clock is put right again by a step. */
  stepped: {
    params: z.strictObject({ seconds: z.number().min(-2e9).max(2e9) }),
    course: (p: { seconds: number }): Course => ({ step: () => p.seconds * 1000 }),
  },
  /** The source is there and is not followed: the clock goes by a crystal that is far out of its tolerance. */
  drifting: {
    params: z.strictObject({ ppm: ppm.default(1000) }),
    course: (p: { ppm: number }): Course => ({ ppm: p.ppm }),
  },
  /** The source runs wrong, and the clock follows it. */
  lying: {
    params: z.strictObject({ ppm: ppm.default(1000) }),
    course: (p: { ppm: number }): Course => ({ ppm: p.ppm }),
  },
  /** The clock was lost without power and no source has put it right: it begins with 1970. */
  unset: {
    params: z.strictObject({}),
    course: (): Course => ({ step: (now) => -now }),
  },
} as const

type Name = keyof typeof kinds

/** Plays the source on a host. One fault at a time; a second one puts the first aside. */
export function playClock(host: Host, now: () => Instant, emit: Emit): Clock {
  let count = 0
  let state = { offset: 0, ppm: 0, since: now() }
  let inForce: string | undefined

  const offset = (): number => state.offset + (now() - state.since) * state.ppm * 1e-6

  const put = (course: Course): void => {
    const before = offset()
    const wanted = course.step?.(now()) ?? (course.ppm === undefined ? 0 : before)
    const rate = course.ppm ?? 0
    host.clock({ stepMs: Math.round(wanted - before), ppm: rate })
    state = { offset: before + Math.round(wanted - before), ppm: rate, since: now() }
    emit('note', {
      what: "the clock of the platform's host",
      offsetMs: state.offset,
      uncertaintyMs: 1,
      ppm: rate,
    })
  }

  return {
    faults: Object.keys(kinds),
    can: host.can.has('skew'),
    offset,
    inflict(name: string, params: Json = {}): Fault {
      if (!Object.hasOwn(kinds, name))
        throw new GridproofError(
          'no-such',
          `clock has no fault '${name}'; there are: ${Object.keys(kinds).join(', ')}`,
        )
      const kind = kinds[name as Name]
      const fit = kind.params.safeParse(params)
      if (!fit.success)
        throw new GridproofError(
          'bad-value',
          `parameters of clock fault '${name}': ${z.prettifyError(fit.error)}`,
        )
      const id = `clock/${name}#${++count}`
      if (!host.can.has('skew')) {
        emit('note', { what: `not played: the clock of host '${host.name}' cannot be set`, fault: name })
        return { id, params, lift: () => undefined }
      }
      emit('fault', { phase: 'on', id, name, params })
      inForce = id
      put((kind.course as (p: unknown) => Course)(fit.data))
      let on = true
      return {
        id,
        params,
        lift() {
          if (!on) return
          on = false
          if (inForce === id) put({})
          emit('fault', { phase: 'lifted', id, name, params })
        },
      }
    },
  }
}
