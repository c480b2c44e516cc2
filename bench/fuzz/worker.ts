/** A thread that puts inputs through targets. The main thread watches, and ends it where one hangs. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { inputOf } from './mutate.ts'
import { sessionLength } from './session.ts'
import type { Finding, Session, WorkerSetup } from './session.ts'
import type { Opened, Target } from './target.ts'

const { seed, folder, beat, table } = workerData as WorkerSetup
const { targets } = (await import(table)) as { readonly targets: readonly Target[] }
const begun = new Int32Array(beat)
const examples = new Map<string, readonly Uint8Array[]>()

function examplesOf(t: Target): readonly Uint8Array[] {
  const known = examples.get(t.name)
  if (known !== undefined) return known
  const made = t.examples()
  examples.set(t.name, made)
  return made
}

function text(e: unknown): string {
  return e instanceof Error ? (e.stack ?? e.message) : String(e)
}

async function perform(s: Session): Promise<Finding[]> {
  const target = targets.find((t) => t.name === s.target)
  if (target === undefined) throw new Error(`no target '${s.target}'`)
  const own = join(folder, target.name)
  mkdirSync(own, { recursive: true })
  const from = examplesOf(target)
  const found: Finding[] = []
  let opened: Opened | undefined
  for (let n = s.from; n < s.to; n++) {
    begun[1] = n
    Atomics.add(begun, 0, 1)
    try {
      opened ??= await target.open(own)
      opened.feed(inputOf(seed, target, from, n))
      if ((n + 1) % sessionLength === 0 || n + 1 === s.to) {
        opened.check?.()
        opened = undefined
      }
    } catch (e) {
      found.push({ target: target.name, input: n, what: text(e) })
      opened = undefined
    }
  }
  return found
}

parentPort?.on('message', (s: Session) => {
  const tell = (found: readonly Finding[]): void => parentPort?.postMessage({ found }, [])
  void perform(s).then(tell, (e: unknown) => tell([{ target: s.target, input: s.from, what: text(e) }]))
})
