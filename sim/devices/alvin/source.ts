/** What stands for a network where there is none: a voltage on each side, and a load while a breaker is closed. */
import type { AlvinReading, AlvinSource, Phase } from '../../faces.ts'

export interface Supply {
  /** V, of the busbar, and of the cable while the breaker is open. */
  readonly busVolts: number
  readonly cableVolts: number
  /** A, while it is closed. */
  readonly amps: number
  /** Of that current; below zero it flows to the busbar. */
  readonly powerFactor: number
}

export interface Bench extends AlvinSource {
  set(phase: Phase, s: Partial<Supply>): void
}

/** Ours. */
const usual: Supply = { busVolts: 240, cableVolts: 238, amps: 60, powerFactor: 0.95 }

export function standAlone(): Bench {
  const supplies = new Map<Phase, Supply>()
  const closed = new Map<Phase, boolean>()
  let tell: (() => void) | undefined
  return {
    at(phase): AlvinReading {
      const s = supplies.get(phase) ?? usual
      if (closed.get(phase) !== true)
        return { busVolts: s.busVolts, cableVolts: s.cableVolts, amps: 0, watts: 0, vars: 0 }
      const volts = s.busVolts
      const watts = volts * s.amps * s.powerFactor
      const vars = volts * s.amps * Math.sqrt(1 - s.powerFactor ** 2)
      return { busVolts: volts, cableVolts: volts, amps: s.amps, watts, vars }
    },
    onOperate(phase, now) {
      closed.set(phase, now)
    },
    watch(changed) {
      tell = changed
    },
    set(phase, s) {
      supplies.set(phase, { ...(supplies.get(phase) ?? usual), ...s })
      tell?.()
    },
  }
}
