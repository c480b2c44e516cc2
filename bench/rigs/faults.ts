/** Which faults are in force, so that all can be lifted. */
import type { Fault, Faulty } from '../../sim/faces.ts'

/**
 * The same device (or other thing that takes faults); its faults are remembered in `inForce`. Devices write their faults
 * and commands to the evidence themselves.
 */
export function rememberFaults<D extends Faulty>(device: D, inForce: Map<string, Fault>): D {
  const inflict: Faulty['inflict'] = (name, params) => {
    const f = device.inflict(name, params)
    const fault: Fault = {
      id: f.id,
      params: f.params,
      lift() {
        inForce.delete(f.id)
        f.lift()
      },
    }
    inForce.set(f.id, fault)
    return fault
  }
  return new Proxy(device, {
    get(target, key) {
      if (key === 'inflict') return inflict
      const v: unknown = Reflect.get(target, key, target)
      return typeof v === 'function' ? (v as (...a: unknown[]) => unknown).bind(target) : v
    },
  })
}

/** Lifts all of them; returns how many there were. */
export function liftEach(inForce: ReadonlyMap<string, Fault>): number {
  const n = inForce.size
  for (const f of inForce.values()) f.lift()
  return n
}
