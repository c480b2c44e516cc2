/** Watching what a host is about to do, so that its power can go at that very point. */
import type { Doing } from '../faces.ts'
import type { Kernel } from './kernel.ts'
import type { Owner } from './owner.ts'

/** Seams, as the kernel names them, by what passes there. */
const kinds: Readonly<Record<Exclude<Doing, 'disk-flush'>, (seam: string) => boolean>> = {
  row: (s) => s === 'sqlite run' || s === 'sqlite exec',
  write: (s) => /^fs (?:write|writev|writeFile|appendFile|truncate|ftruncate)$/.test(s),
  rename: (s) => s === 'fs rename',
  flush: (s) => s === 'fs fsync' || s === 'fs fdatasync',
  send: (s) => s === 'socket.write',
  // A line of its log is nothing that it does; but it may say of a disk what the disk had no power for.
  anything: (s) => s !== 'env.log',
}

export interface DoingOptions {
  /** Or whether it has come to that, asked before whatever is done next. */
  readonly what: keyof typeof kinds | (() => boolean)
  readonly nth: number
  readonly when: 'before' | 'after'
  /** Whose work is watched, at each moment. */
  readonly host: () => Owner
  readonly f: () => void
}

/** Makes the watch of one kernel: it costs nothing while nobody watches. */
export function createDoingWatch(kernel: Kernel): (o: DoingOptions) => Disposable {
  const watching = new Set<(owner: Owner, seam: string) => void>()
  let looking = false
  const pass = (owner: Owner, seam: string): void => {
    // To look is no work of the host.
    if (looking) return
    looking = true
    try {
      for (const w of watching) w(owner, seam)
    } finally {
      looking = false
    }
  }
  return (o) => {
    const who = kernel.current()
    let passed = 0
    const stop = (): void => {
      watching.delete(look)
      if (watching.size === 0 && kernel.onSeam === pass) kernel.onSeam = undefined
    }
    const look = (owner: Owner, seam: string): void => {
      if (owner.top !== o.host()) return
      const done = passed >= o.nth
      // After it: whatever comes next, for until then it is being done.
      if (!done) {
        const fits = typeof o.what === 'function' ? o.what() : kinds[o.what](seam)
        if (!fits || ++passed < o.nth) return
        if (o.when === 'after') return
      }
      stop()
      if (who.dead === undefined) who.run(o.f)
    }
    watching.add(look)
    kernel.onSeam = pass
    return { [Symbol.dispose]: stop }
  }
}
