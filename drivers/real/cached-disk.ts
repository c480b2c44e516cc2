/**
 * What lies below the ext4 of a disk that has a write cache of its own (cache-main.ts), from the side of whoever mounts it.
 * Nothing here waits for an event: it can be used in the midst of virtual time.
 */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GridproofError, messageOf } from '../errors.ts'
import type { CacheFigures } from '../faces.ts'
import type { Block, LoopDevice } from './block.ts'

export interface CachedStore {
  /** A loop device on it, which has read nothing yet. */
  attach(): LoopDevice
  /** Power goes, unless it has gone already: see loseAtFlush. */
  lose(): void
  restore(): void
  /** All that it was told is on the medium: for what the bench itself does to it. */
  flush(): void
  /** Power goes as it is told to flush for the `nth` time from now on. 0: no longer. */
  loseAtFlush(nth: number): void
  powered(): boolean
  figures(): CacheFigures
  /** Ends it; whoever still reads or writes it is refused. */
  close(): void
}

/** How often it is looked whether the serving process is there, and how long each time, ms. Ours. */
const looks = 2_000
const lookMs = 5

/** What this machine lacks for it beyond what any disk that can lose power takes; nothing where it lacks nothing. */
export function lacksFuse(): string | undefined {
  try {
    // A container may show it and let nobody have it.
    closeSync(openSync('/dev/fuse', 'r+'))
    return undefined
  } catch (e) {
    return `FUSE cannot be used (${messageOf(e)})`
  }
}

/** Throws `rig-broke`. `folder`: of its own, in memory. `image`: becomes what the medium holds. */
export function openCached(
  block: Block,
  o: { readonly folder: string; readonly image: string; readonly seed: number },
): CachedStore {
  const at = join(o.folder, 'fuse')
  const state = join(o.folder, 'cache.json')
  const said = join(o.folder, 'cache.err')
  mkdirSync(at)
  const errors = openSync(said, 'w')
  const server = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('cache-main.ts', import.meta.url)),
      at,
      o.image,
      String(o.seed),
      state,
    ],
    { stdio: ['ignore', 'ignore', errors] },
  )
  closeSync(errors)
  // Whoever waits for nothing else need not wait for it.
  server.unref()
  const close = (): void => {
    if (!block.unmount(at)) block.unmount(at, 'detach')
    server.kill('SIGKILL')
    rmSync(o.image, { force: true })
  }
  const clock = new Int32Array(new SharedArrayBuffer(4))
  for (let n = 0; !existsSync(state); n++) {
    if (n === looks) {
      close()
      throw new GridproofError(
        'rig-broke',
        `the disk with a write cache did not start: ${readFileSync(said, 'utf8').trim()}`,
      )
    }
    Atomics.wait(clock, 0, 0, lookMs)
  }
  let words = 0
  // The kernel asks the serving process for a name that it has never heard, and that one does it before it answers.
  const order = (word: string): void => void existsSync(join(at, `${++words}-${word}`))
  const told = (): CacheFigures & { readonly powered: boolean } =>
    JSON.parse(readFileSync(state, 'utf8')) as CacheFigures & { readonly powered: boolean }
  return {
    attach: () => block.attach(join(at, 'disk')),
    lose: () => order('lose'),
    restore: () => order('restore'),
    flush: () => order('flush'),
    loseAtFlush: (nth) => order(`lose-at-${nth}`),
    powered: () => told().powered,
    figures() {
      order('tell')
      const { powered: _powered, ...figures } = told()
      return figures
    },
    close,
  }
}
