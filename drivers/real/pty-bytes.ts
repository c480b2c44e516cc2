/**
 * Worker that writes bytes one by one at absolute deadlines: it sleeps in Atomics.wait, so no event loop delays it.
 * Each byte is written when its last stop bit would have passed, never before. Only ever run as a worker: import its
 * types alone.
 */
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { threadClock } from './clock.ts'

/** What the worker is told: bytes, the start of the first one, and the time of a character (ms, of hrtime). */
export interface ByteOrder {
  readonly id: number
  readonly bytes: Uint8Array
  readonly start: number
  readonly msPerCharacter: number
}

/** What it tells: how many bytes the line could not take, and how late each was written (ms after its due instant). */
export interface ByteDone {
  readonly id: number
  readonly lost: number
  readonly late: Float32Array
}

if (parentPort !== null) {
  const port = parentPort
  const { fd } = workerData as { fd: number }
  const never = new Int32Array(new SharedArrayBuffer(4))
  const until = (deadline: number): void => {
    for (let left = deadline - threadClock(); left > 0; left = deadline - threadClock())
      Atomics.wait(never, 0, 0, left)
  }
  port.on('message', (o: ByteOrder) => {
    let lost = 0
    const late = new Float32Array(o.bytes.length)
    for (let i = 0; i < o.bytes.length; i++) {
      const due = o.start + (i + 1) * o.msPerCharacter
      until(due)
      try {
        if (writeSync(fd, o.bytes, i, 1) !== 1) lost++
      } catch {
        lost++
      }
      late[i] = threadClock() - due
    }
    port.postMessage({ id: o.id, lost, late } satisfies ByteDone)
  })
}
