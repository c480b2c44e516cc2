/**
 * The machine's own functions, saved when this module is loaded: the kernel needs them after it has replaced them.
 * This module must be loaded before `installKernel` is called, and it is, since the kernel imports it.
 */
import * as fs from 'node:fs'
import * as timers from 'node:timers'

export interface Natives {
  readonly setImmediate: (f: () => void) => unknown
  readonly setTimeout: (f: () => void, ms: number) => NodeJS.Timeout
  readonly hrtime: () => bigint
  readonly Date: DateConstructor
  /** The machine's clock, ms since 1970. */
  readonly wallMs: () => number
  readonly writeSync: (fd: number, text: string) => number
  readonly tick: () => void
  readonly resources: () => string[]
  /** Bytes on the heap; after a collection of garbage where Node was started with --expose-gc. */
  readonly heapUsed: () => number
}

/** Saved once, as the first thing that the kernel does. */
export function saveNatives(): Natives {
  const { setImmediate, setTimeout } = timers
  const { writeSync } = fs
  const wallMs = Date.now
  const { hrtime } = process
  const readBig = hrtime.bigint.bind(hrtime)
  const hidden = process as unknown as { _tickCallback?: () => void }
  const tick = hidden._tickCallback
  const resources = process.getActiveResourcesInfo.bind(process)
  const memoryUsage = process.memoryUsage.bind(process)
  const { gc } = globalThis as { gc?: () => void }
  return {
    setImmediate: (f) => setImmediate(f),
    setTimeout: (f, ms) => setTimeout(f, ms),
    hrtime: readBig,
    Date,
    wallMs,
    writeSync: (fd, text) => writeSync(fd, text),
    tick: tick === undefined ? () => {} : () => tick.call(process),
    resources,
    heapUsed() {
      gc?.()
      return memoryUsage().heapUsed
    },
  }
}
