/** Thread of the probe for stolen time. Only ever run as a worker. */
import { workerData } from 'node:worker_threads'
import { places, spin, type SpinPlan } from './stolen-spin.ts'

const { seen, plan } = workerData as { seen: Float64Array; plan: SpinPlan }
const never = new Int32Array(new SharedArrayBuffer(4))
const clock = (): number => performance.now()

// The first spins run uncompiled code and collect its garbage: they say nothing of the machine.
for (let i = 0; i < 3; i++) spin(plan, clock)
for (;;) {
  const { spun, stolen } = spin(plan, clock)
  seen[places.stolen] = (seen[places.stolen] ?? 0) + stolen
  seen[places.spun] = (seen[places.spun] ?? 0) + spun
  Atomics.wait(never, 0, 0, Math.max(plan.everyMs - spun, 1))
}
