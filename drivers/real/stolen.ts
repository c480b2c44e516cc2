/**
 * How much of its wall time the bench did not get: a thread of its own spins for a moment now and then, and every
 * jump of the clock within a spin is time that the machine gave to somebody else (another process, a hypervisor).
 */
import { Worker } from 'node:worker_threads'
import { places, type SpinPlan } from './stolen-spin.ts'

export interface StolenProbe extends AsyncDisposable {
  /** Share of wall time stolen so far, 0 to 1; nothing before the first spin is through. */
  share(): number | undefined
}

/** Ours: 10 ms every 500 ms cost 2 % of one core, and a spin spans several time slices of Linux (about 3 ms). */
const plan: SpinPlan = { spinMs: 10, everyMs: 500, jumpMs: 0.1 }

/**
 * Starts the probe. It keeps no process alive. What competes with it counts, the bench's own threads and children
 * too: they take the same time from whoever paces a line.
 */
export function startStolenProbe(more: Partial<SpinPlan> = {}): StolenProbe {
  const seen = new Float64Array(new SharedArrayBuffer(8 * 2))
  const worker = new Worker(new URL('stolen-worker.ts', import.meta.url), {
    workerData: { seen, plan: { ...plan, ...more } },
    // Flags of the bench, such as --input-type, need not suit a thread.
    execArgv: [],
  })
  worker.on('error', (e) => process.emitWarning(e))
  worker.unref()
  let closing: Promise<unknown> | undefined
  return {
    share() {
      const spun = seen[places.spun] ?? 0
      return spun === 0 ? undefined : Math.min((seen[places.stolen] ?? 0) / spun, 1)
    },
    async [Symbol.asyncDispose]() {
      closing ??= worker.terminate()
      await closing
    },
  }
}
