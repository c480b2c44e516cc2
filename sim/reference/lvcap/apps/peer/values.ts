/** Which values are sent to the partner, and which of its values are new here. Pure bookkeeping: no socket, no clock. */
import { isObject, sameJson } from '../../api.ts'
import type { Json } from '../../env.ts'
import type { Value } from './frames.ts'

/** What waits for the partner. Of each name only the latest counts: after an outage nobody wants the backlog. */
export interface Outbox {
  /** A new value of a name. */
  put(name: string, text: string): void
  /** Whether any value of that name is known. */
  knows(name: string): boolean
  /** Another connection: nothing is under way any more, and nothing is sent before the partner asks. */
  rejoin(): void
  /** The partner asks: the latest value of every name is due. */
  asked(): void
  /** The partner took all values up to number `n`. */
  took(n: number): void
  /** The next value to be sent now, which is then under way; undefined: none, or the window is full. */
  next(): Value | undefined
  /** Values that wait, and values under way. */
  counts(): { readonly waiting: number; readonly underWay: number }
  /** Forgets every name that `keeps` refuses. */
  prune(keeps: (name: string) => boolean): void
}

export function createOutbox(window: number): Outbox {
  let n = 0
  const latest = new Map<string, Value>()
  /** In the order of their numbers. */
  const waiting = new Map<string, Value>()
  let underWay: number[] = []
  let open = false
  return {
    put(name, text) {
      const value: Value = { t: 'value', name, n: ++n, text }
      latest.set(name, value)
      if (!open) return
      waiting.delete(name)
      waiting.set(name, value)
    },
    knows: (name) => latest.has(name),
    rejoin() {
      open = false
      underWay = []
      waiting.clear()
    },
    asked() {
      open = true
      waiting.clear()
      for (const v of [...latest.values()].sort((a, b) => a.n - b.n)) waiting.set(v.name, v)
    },
    took(upTo) {
      underWay = underWay.filter((k) => k > upTo)
    },
    next() {
      if (underWay.length >= window) return undefined
      const [value] = waiting.values()
      if (value === undefined) return undefined
      waiting.delete(value.name)
      underWay.push(value.n)
      return value
    },
    counts: () => ({ waiting: waiting.size, underWay: underWay.length }),
    prune(keeps) {
      for (const name of [...latest.keys()].filter((k) => !keeps(k))) {
        latest.delete(name)
        waiting.delete(name)
      }
    },
  }
}

/**
 * Which of the partner's values are known already: an answer repeats what came before the connection was lost, and a partner
 * that has started anew may find among what it has stored what it has told before.
 */
export interface Inbox {
  /** A connection of that run of the partner's begins. */
  begins(run: string): void
  /** Whether a value is new, that is younger than the last of its name. It is known from then on. */
  isNew(value: Value): boolean
}

export function createInbox(mostNames: number): Inbox {
  let current: string | undefined
  /** Of each name the last value and its number; the number is of this run of the partner's, or there is none. */
  const last = new Map<string, { n: number | undefined; text: string }>()
  return {
    begins(run) {
      if (run === current) return
      current = run
      for (const known of last.values()) known.n = undefined
    },
    isNew({ name, n, text }) {
      const known = last.get(name)
      if (known?.n !== undefined && n <= known.n) return false
      if (known !== undefined && known.n === undefined && isOld(text, known.text)) {
        known.n = n
        return false
      }
      // Whoever sends ever new names makes the oldest forgotten: at worst it comes twice.
      const [oldest] = last.keys()
      if (known === undefined && last.size >= mostNames && oldest !== undefined) last.delete(oldest)
      last.set(name, { n, text })
      return true
    },
  }
}

/** Whether a value that a new run of the partner's begins with is the one that is known, or one of before that. */
function isOld(text: string, known: string): boolean {
  if (text === known) return true
  try {
    const [a, b] = [JSON.parse(text) as Json, JSON.parse(known) as Json]
    return sameJson(a, b) || stampOf(a) < stampOf(b)
  } catch {
    return false
  }
}

/** Its Timestamp (API section 4.5); NaN where there is none. */
function stampOf(value: Json): number {
  const stamp = isObject(value) ? value['Timestamp'] : undefined
  return typeof stamp === 'number' ? stamp : Number.NaN
}
