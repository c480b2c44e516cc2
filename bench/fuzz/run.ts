/** A fuzzing run: threads that put inputs through targets, and a watch on each. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { sessionLength } from './session.ts'
import type { Finding, Session, WorkerSetup } from './session.ts'
import type { Target } from './target.ts'

/** An input that takes longer than this hangs, ms; ours, far above what the slowest takes on a busy machine. */
export const usualHangMs = 20_000
/** Beyond so many findings a run ends: one fault makes many. */
export const mostFindings = 20
/** Inputs that a thread is handed at a time. */
const portion = 16 * sessionLength

/** Portions of every target, mixed, so that each comes early. */
export function portions(chosen: readonly Target[], inputs: number): Session[] {
  const sum = chosen.reduce((a, t) => a + t.weight, 0)
  const lists = chosen.map((t) => {
    const count = Math.max(1, Math.round((inputs * t.weight) / sum))
    const size = Math.max(
      sessionLength,
      Math.min(portion, Math.ceil(count / 8 / sessionLength) * sessionLength),
    )
    return Array.from({ length: Math.ceil(count / size) }, (_, i) => ({
      target: t.name,
      from: i * size,
      to: Math.min(count, (i + 1) * size),
      place: i / Math.ceil(count / size),
    }))
  })
  return lists
    .flat()
    .sort((a, b) => a.place - b.place)
    .map(({ target, from, to }) => ({ target, from, to }))
}

export interface Outcome {
  readonly inputs: number
  readonly findings: readonly Finding[]
}

export interface FuzzOptions {
  readonly seed: number
  readonly work: readonly Session[]
  /** Where targets keep files meanwhile; emptied by whoever made it. */
  readonly folder: string
  /** Module that exports `targets`. */
  readonly table?: URL
  readonly hangMs?: number
  readonly onProgress?: (inputs: number) => void
}

/** Puts inputs through targets, one thread for each core; a thread that hangs or dies is replaced. */
export async function fuzz(o: FuzzOptions): Promise<Outcome> {
  const { seed, folder, hangMs = usualHangMs } = o
  const table = (o.table ?? new URL('targets.ts', import.meta.url)).href
  const findings: Finding[] = []
  let inputs = 0
  const queue = o.work.toReversed()
  const runner = async (): Promise<void> => {
    while (queue.length > 0 && findings.length < mostFindings) {
      const beat = new SharedArrayBuffer(8)
      const begun = new Int32Array(beat)
      const worker = new Worker(new URL('worker.ts', import.meta.url), {
        workerData: { seed, folder, beat, table } satisfies WorkerSetup,
        execArgv: [],
        resourceLimits: { maxOldGenerationSizeMb: 1024 },
      })
      const died = Promise.withResolvers<string>()
      worker.on('error', (e) => died.resolve(`the thread died: ${e.stack ?? e.message}`))
      worker.on('exit', (code) => died.resolve(`the thread ended with ${code}`))
      let well = true
      while (well) {
        const s = queue.pop()
        if (s === undefined || findings.length >= mostFindings) break
        const done = Promise.withResolvers<readonly Finding[]>()
        worker.once('message', (m: { found: readonly Finding[] }) => done.resolve(m.found))
        worker.postMessage(s, [])
        let last = -1
        let since = performance.now()
        const hang = Promise.withResolvers<string>()
        const timer = setInterval(() => {
          const now = Atomics.load(begun, 0)
          if (now !== last) [last, since] = [now, performance.now()]
          else if (performance.now() - since > hangMs) hang.resolve(`hangs: no end within ${hangMs / 1000} s`)
        }, 250)
        const end = await Promise.race([done.promise, died.promise, hang.promise])
        clearInterval(timer)
        if (typeof end === 'string') {
          findings.push({ target: s.target, input: Math.max(s.from, begun[1] ?? 0), what: end })
          well = false
        } else {
          findings.push(...end)
          inputs += s.to - s.from
          o.onProgress?.(inputs)
        }
      }
      await worker.terminate()
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, runner))
  return { inputs, findings }
}
