/** What devices of a substation have of the network at their terminals. */
import type {
  Alvin,
  AlvinSource,
  Device,
  GridKey,
  GridKeyReading,
  GridKeySource,
  Phase,
  Thermocouple,
} from '../faces.ts'
import type { Complex } from './complex.ts'
import { sizeOf } from './complex.ts'
import { power } from './network.ts'
import type { PhaseSolution, Side } from './network.ts'
import type { GridTruth } from './truth.ts'

const phaseNumber: { readonly [p in Phase]: 0 | 1 | 2 } = { l1: 0, l2: 1, l3: 2 }

/** Runs what a device is to do in the device's own realm. */
export type RunAs = (f: () => void) => void

/**
 * For a feeder monitor with coils about the transformer's total (feeder 1, positive into the busbar, as its load goes) and
 * about the shared feeder (feeder 2, positive into the cable).
 */
export function gridkeySource(truth: GridTruth, side: Side, run: RunAs = (f) => f()): GridKeySource {
  return {
    at(t): GridKeyReading {
      const solution = truth.at(t)
      const of = (f: (s: PhaseSolution) => Complex): readonly [Complex, Complex, Complex] => [
        f(solution[0]),
        f(solution[1]),
        f(solution[2]),
      ]
      return {
        volts: of((s) => s[side].busVoltage),
        amps: [of((s) => s[side].transformer), of((s) => s[side].link)],
        frequency: truth.frequency(t),
      }
    },
    watch: (changed) => truth.watch(() => run(changed)),
  }
}

/** For the breakers at one end of the shared feeder. */
export function alvinSource(truth: GridTruth, side: Side, run: RunAs = (f) => f()): AlvinSource {
  return {
    at(phase, t) {
      const end = truth.at(t)[phaseNumber[phase]][side]
      const { p, q } = power(end.busVoltage, end.link)
      return {
        busVolts: sizeOf(end.busVoltage),
        cableVolts: sizeOf(end.cableVoltage),
        amps: sizeOf(end.link),
        watts: p,
        vars: q,
      }
    },
    onOperate: (phase, closed, t) => truth.operate(t, side, phaseNumber[phase], closed),
    watch: (changed) =>
      truth.watch((_, moved) => {
        // Whoever has moved its own contact looks by itself.
        if (moved !== side) run(changed)
      }),
  }
}

/** Puts a device into the network, before it is started: at side A, or at side B if its role ends with 2. */
export function feedDevice(truth: GridTruth, device: Device, run: RunAs): void {
  const side: Side = device.role.endsWith('2') ? 'b' : 'a'
  const is = <D extends Device>(...roles: readonly D['role'][]): ((d: Device) => d is D) => {
    const names: readonly string[] = roles
    return (d): d is D => names.includes(d.role)
  }
  if (is<GridKey>('gridkey', 'gridkey2')(device)) device.feed(gridkeySource(truth, side, run))
  else if (is<Alvin>('alvin', 'alvin2')(device)) device.feed(alvinSource(truth, side, run))
  else if (is<Thermocouple>('thermocouple', 'thermocouple2')(device)) {
    device.feed('top_oil', (t) => truth.thermal(side, t).topOil)
    device.feed('ambient', (t) => truth.ambient(t))
  }
}
