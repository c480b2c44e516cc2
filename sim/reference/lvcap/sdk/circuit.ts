/**
 * The load of a circuit out of what the feeder monitor's app publishes: the root mean square of the three phases'
 * currents, by time stamp. As losses go with the square of the current, this is what a transformer with unequal phases
 * is loaded with (ours: the thermal model of IEC 60076-7 knows one winding).
 */
import { isObject, parseObject } from '../api.ts'

/** One reading of all three phases. */
export interface CircuitReading {
  /** Unix seconds, as stamped. */
  readonly at: number
  /** Root mean square of the three phases, A; meaningless where not valid. */
  readonly amps: number
  /** All three phases are, and are numbers. */
  readonly valid: boolean
  /** Seconds between readings, as the topic says. */
  readonly every: number
}

/** Topic filters for the currents of a feeder, in both sets of topic names (Appendix C, section 4; as fielded in 2018). */
export function currentFilters(iid: string, feeder: number): readonly string[] {
  return [
    `sensor/data/${iid}/Feeder${feeder}/current/+/+`,
    `sensor/data/${iid}/gridkey-mcu520/+/feeder/${feeder}/+/current-mean`,
  ]
}

const named =
  /\/(?:Feeder(\d+)\/current\/(\d+)s\/L([123])_RMS|gridkey-mcu520\/(\d+)\/feeder\/(\d+)\/l([123])\/current-mean)$/

interface Phase {
  readonly amps: number
  readonly valid: boolean
}

/** Stamps of which not all phases have come yet, for each feeder at most. Ours. */
const mostOpen = 4

/** A function that takes messages on these topics, and calls `each` for every stamp of which all three phases are there. */
export function joinPhases(
  each: (feeder: number, reading: CircuitReading) => void,
): (topic: string, payload: Uint8Array) => void {
  const open = new Map<number, Map<number, Phase[]>>()
  return (topic, payload) => {
    const m = named.exec(topic)
    const body = m === null ? undefined : parseObject(payload)
    if (m === null || body === undefined || !isObject(body)) return
    const at = body['Timestamp']
    if (typeof at !== 'number' || !Number.isFinite(at)) return
    const feeder = Number(m[1] ?? m[5])
    const every = Number(m[2] ?? m[4])
    const value = body['Value']
    const amps = typeof value === 'number' ? value : Number.NaN
    const stamps = open.get(feeder) ?? new Map<number, Phase[]>()
    open.set(feeder, stamps)
    const phases = stamps.get(at) ?? []
    stamps.set(at, phases)
    phases[Number(m[3] ?? m[6]) - 1] = { amps, valid: body['Valid'] === true && Number.isFinite(amps) }
    const [a, b, c] = phases
    if (a === undefined || b === undefined || c === undefined) {
      if (stamps.size > mostOpen) stamps.delete([...stamps.keys()][0] ?? at)
      return
    }
    stamps.delete(at)
    each(feeder, {
      at,
      amps: Math.sqrt((a.amps ** 2 + b.amps ** 2 + c.amps ** 2) / 3),
      valid: a.valid && b.valid && c.valid,
      every,
    })
  }
}
