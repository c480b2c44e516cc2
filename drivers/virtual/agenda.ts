/** What is due and in which order: timers by their time, immediates one after the other before time goes on. */
import { Entry, Heap } from './heap.ts'
import type { Natives } from './native.ts'
import type { Owner } from './owner.ts'

export type Item = Entry<Owner>

/** Nothing but unreferenced timers for so long (ms of virtual time): nobody will ever settle `main`. Ours. */
const idleLimit = 3_600_000
/** Immediates at one instant after which time is taken not to go on any more. Ours. */
const stillLimit = 5_000_000
/** Cancelled entries that are worth a compaction. */
const wasteLimit = 4096

export abstract class Agenda {
  readonly natives: Natives
  /** Milliseconds since the start of the run. */
  now = 0
  /** True when immediates have followed one another without end. */
  protected spinning = false
  private heap = new Heap<Owner>()
  private soon: Item[] = []
  private soonHead = 0
  private seq = 0
  private cancelled = 0
  private refs = 0
  private onlyIdle = false
  private idleSince = 0
  private still = 0
  private shuffle: number | undefined
  /** Timers armed between runs. */
  private readonly idle = new Map<Item, NodeJS.Timeout>()

  constructor(natives: Natives) {
    this.natives = natives
  }

  /** Is a run going on? */
  abstract get active(): boolean
  abstract thrown(e: unknown, owner: Owner | undefined): void

  /** Arms something `delay` ms of bench time from now. */
  at(
    owner: Owner | undefined,
    delay: number,
    call: (arg: unknown) => void,
    arg: unknown,
    ref: boolean,
  ): Item {
    return this.when(owner, this.now + delay, call, arg, ref)
  }

  /** Arms something for `due`, in ms since the start. */
  when(
    owner: Owner | undefined,
    due: number,
    call: (arg: unknown) => void,
    arg: unknown,
    ref: boolean,
  ): Item {
    const e = new Entry<Owner>(due, this.tie(owner, due), ++this.seq, owner, call, arg, ref)
    this.enqueue(e)
    return e
  }

  /** Runs something at this instant, after everything that is already waiting. */
  immediate(owner: Owner | undefined, call: (arg: unknown) => void, arg: unknown): Item {
    const e = new Entry<Owner>(this.now, 0, ++this.seq, owner, call, arg, true)
    if (!this.active) this.enqueue(e)
    else {
      this.refs++
      this.soon.push(e)
    }
    return e
  }

  cancel(e: Item): void {
    if (e.call === null) return
    this.drop(e)
    if (e.queued && ++this.cancelled > wasteLimit && this.cancelled > this.heap.size >> 1) {
      this.heap.filter((x) => x.call !== null)
      this.cancelled = 0
    }
  }

  setRef(e: Item, ref: boolean): void {
    if (e.ref === ref) return
    e.ref = ref
    if (e.call !== null) this.refs += ref ? 1 : -1
  }

  /** Timers that are armed for the tree of owners of which `top` is the top. */
  armed(top: Owner): number {
    return this.heap.count((e) => e.call !== null && e.owner?.top === top)
  }

  /** Arms an entry again, `delay` ms from now. In the heap it stays where it is, and moves when its turn comes. */
  refresh(e: Item, delay: number, call: (arg: unknown) => void, arg: unknown): void {
    const due = this.now + delay
    if (e.call === null) {
      if (e.ref) this.refs++
      if (e.queued) this.cancelled--
    }
    e.call = call
    e.arg = arg
    e.wake = due
    e.wakeSeq = ++this.seq
    if (e.queued && due >= e.due) return
    if (e.queued) this.heap.filter((x) => x !== e)
    e.due = due
    e.seq = e.wakeSeq
    e.tie = this.tie(e.owner, due)
    if (!this.active) this.enqueue(e)
    else this.heap.push(e)
  }

  /** Forgets everything. With a text, hosts that are due at the same instant take turns in an order it seeds. */
  protected clear(order: string | undefined): void {
    this.heap = new Heap()
    this.soon = []
    this.soonHead = 0
    this.seq = 0
    this.cancelled = 0
    this.refs = 0
    this.onlyIdle = false
    this.idleSince = 0
    this.still = 0
    this.spinning = false
    this.shuffle = order === undefined ? undefined : hash(order)
  }

  /** Why `step` had nothing to do. */
  protected whyNothing(): string {
    if (this.spinning) return `${stillLimit} immediates have run at this one instant`
    return this.onlyIdle
      ? `only unreferenced timers are left, and nothing else for ${idleLimit / 60_000} min`
      : 'nothing is left that could happen: no timer, no bytes under way'
  }

  /** Does the next thing. False: there is nothing. */
  protected step(): boolean {
    if (this.soonHead < this.soon.length) {
      const e = this.soon[this.soonHead++] as Item
      if (this.soonHead === this.soon.length) {
        this.soon = []
        this.soonHead = 0
      }
      if (++this.still > stillLimit) {
        this.spinning = true
        return false
      }
      this.dispatch(e)
      return true
    }
    this.still = 0
    for (;;) {
      const e = this.heap.pop()
      if (e === undefined) return false
      if (e.call === null) {
        this.cancelled--
        continue
      }
      if (e.owner?.dead !== undefined) {
        this.drop(e)
        continue
      }
      if (e.wake > e.due) {
        e.due = e.wake
        e.seq = e.wakeSeq
        e.tie = this.tie(e.owner, e.due)
        this.heap.push(e)
        continue
      }
      if (this.refs > 0) this.idleSince = e.due
      else if (e.due - this.idleSince > idleLimit) {
        this.onlyIdle = true
        return false
      }
      this.now = e.due
      this.dispatch(e)
      return true
    }
  }

  /**
   * Between runs there is no virtual time: what is armed then runs on the machine's own timers, so that setting up
   * and writing reports in the same process work as ever.
   */
  private enqueue(e: Item): void {
    if (this.active) {
      if (e.ref) this.refs++
      this.heap.push(e)
      return
    }
    this.idle.get(e)?.close()
    const t = this.natives.setTimeout(() => {
      this.idle.delete(e)
      if (!this.active) this.dispatch(e)
    }, e.due - this.now)
    if (!e.ref) t.unref()
    this.idle.set(e, t)
  }

  private drop(e: Item): void {
    if (!this.active) {
      this.idle.get(e)?.close()
      this.idle.delete(e)
    }
    e.call = null
    e.arg = undefined
    if (e.ref) this.refs--
  }

  private dispatch(e: Item): void {
    const { call, arg, owner } = e
    if (call === null) return
    this.drop(e)
    if (owner === undefined) {
      call(arg)
      return
    }
    if (owner.dead !== undefined) return
    try {
      owner.call(call, arg)
    } catch (error) {
      this.thrown(error, owner)
    }
  }

  private tie(owner: Owner | undefined, due: number): number {
    if (this.shuffle === undefined || owner === undefined) return 0
    let h = this.shuffle ^ Math.imul(owner.top.rank + 1, 0x9e3779b1) ^ Math.imul((due * 1000) | 0, 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
    return (h ^ (h >>> 13)) | 0
  }
}

/** 32-bit FNV-1a of a text. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h | 0
}
