/** Why nothing passes: no carrier, a blackhole, a quota, a router that hangs. Each reason by its name, each way apart. */
import type { LinkWay } from '../../drivers/link-faces.ts'

export interface Darkness {
  has(way: LinkWay): boolean
  /** True: it was light before. */
  add(way: LinkWay, reason: string): boolean
  /** True: it is light now, and was not before. */
  delete(way: LinkWay, reason: string): boolean
}

export function createDarkness(): Darkness {
  const reasons = { up: new Set<string>(), down: new Set<string>() }
  return {
    has: (way) => reasons[way].size > 0,
    add(way, reason) {
      const was = reasons[way].size
      reasons[way].add(reason)
      return was === 0
    },
    delete: (way, reason) => reasons[way].delete(reason) && reasons[way].size === 0,
  }
}

export interface Carrier {
  readonly up: boolean
  /** Since when there is none. */
  readonly since: number
  /** A cause of having none, until when it lasts (Infinity: until it is taken away). True: there was one before. */
  lose(cause: string, until: number, now: number): boolean
  /** Takes a cause away. True: there is one now, and was not before. */
  regain(cause: string): boolean
  /** The cause that ends first, and when. */
  readonly next: { readonly cause: string; readonly at: number } | undefined
  /** When there will be one again, as far as is known. */
  readonly back: number
}

export function createCarrier(): Carrier {
  const causes = new Map<string, number>()
  let since = 0
  return {
    get up() {
      return causes.size === 0
    },
    get since() {
      return since
    },
    lose(cause, until, now) {
      const was = causes.size
      causes.set(cause, Math.max(until, causes.get(cause) ?? 0))
      if (was === 0) since = now
      return was === 0
    },
    regain: (cause) => causes.delete(cause) && causes.size === 0,
    get next() {
      let found: { cause: string; at: number } | undefined
      for (const [cause, at] of causes) if (found === undefined || at < found.at) found = { cause, at }
      return found
    },
    get back() {
      let last = 0
      for (const at of causes.values()) last = Math.max(last, at)
      return last
    },
  }
}
