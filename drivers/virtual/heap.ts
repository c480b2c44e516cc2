/** What is due, and when: a binary heap ordered by (due, tie, seq). */

/** One thing that is due. Its fields are plain so that the heap stays fast. */
export class Entry<O> {
  /** Milliseconds since the start of the run. */
  due: number
  /** Orders hosts that are due at the same instant; 0 where ties go by order of arming. */
  tie: number
  seq: number
  /** Whose code it is; undefined: the kernel's own. */
  readonly owner: O | undefined
  /** Null once cancelled. */
  call: ((arg: unknown) => void) | null
  arg: unknown
  /** Does it keep a run alive? */
  ref: boolean
  /** A later due time, given by a refresh while the entry was in the heap. */
  wake: number
  wakeSeq: number
  queued = false

  constructor(
    due: number,
    tie: number,
    seq: number,
    owner: O | undefined,
    call: (arg: unknown) => void,
    arg: unknown,
    ref: boolean,
  ) {
    this.due = due
    this.tie = tie
    this.seq = seq
    this.owner = owner
    this.call = call
    this.arg = arg
    this.ref = ref
    this.wake = due
    this.wakeSeq = seq
  }
}

function before<O>(a: Entry<O>, b: Entry<O>): boolean {
  if (a.due !== b.due) return a.due < b.due
  if (a.tie !== b.tie) return a.tie < b.tie
  return a.seq < b.seq
}

export class Heap<O> {
  private items: Entry<O>[] = []

  get size(): number {
    return this.items.length
  }

  peek(): Entry<O> | undefined {
    return this.items[0]
  }

  push(e: Entry<O>): void {
    e.queued = true
    const items = this.items
    let i = items.length
    items.push(e)
    while (i > 0) {
      const up = (i - 1) >> 1
      const parent = items[up] as Entry<O>
      if (!before(e, parent)) break
      items[i] = parent
      i = up
    }
    items[i] = e
  }

  pop(): Entry<O> | undefined {
    const items = this.items
    const top = items[0]
    const last = items.pop()
    if (top === undefined || last === undefined) return undefined
    top.queued = false
    if (items.length > 0) this.sink(0, last)
    return top
  }

  private sink(from: number, e: Entry<O>): void {
    const items = this.items
    const n = items.length
    let i = from
    for (;;) {
      let child = 2 * i + 1
      if (child >= n) break
      const right = child + 1
      if (right < n && before(items[right] as Entry<O>, items[child] as Entry<O>)) child = right
      const c = items[child] as Entry<O>
      if (!before(c, e)) break
      items[i] = c
      i = child
    }
    items[i] = e
  }

  /** Drops what `keep` refuses; used when cancelled entries have become the greater part. */
  filter(keep: (e: Entry<O>) => boolean): void {
    const kept: Entry<O>[] = []
    for (const e of this.items) {
      if (keep(e)) kept.push(e)
      else e.queued = false
    }
    this.items = kept
    for (let i = (kept.length >> 1) - 1; i >= 0; i--) this.sink(i, kept[i] as Entry<O>)
  }

  count(test: (e: Entry<O>) => boolean): number {
    let n = 0
    for (const e of this.items) if (test(e)) n++
    return n
  }

  some(test: (e: Entry<O>) => boolean): boolean {
    return this.items.some(test)
  }
}
