/**
 * The virtual-time kernel. Installed once, before any library is imported, and never removed: it replaces what lies
 * under Node's own timers, clocks, sockets, files, databases and serial ports, so that unmodified libraries run on
 * one seeded clock. Time advances only when nothing is left to do now (`turn`).
 */
import { GridproofError } from '../errors.ts'
import type { Instant } from '../faces.ts'
import { Entry, Heap } from './heap.ts'
import { saveNatives, type Natives } from './native.ts'
import { createOwners, type Owner, type Owners } from './owner.ts'
import { Trace, type TraceOptions, type TraceSummary } from './trace.ts'
import { createTripwire, type Escape, type Tripwire } from './tripwire.ts'

export interface RunOptions {
  /** Seeds every random stream, and the order of hosts that are due at the same instant. */
  readonly seed: number | string
  /** Start of virtual time, ms since 1970. */
  readonly epoch: Instant
  /** Hosts that are due at the same instant take turns in a seeded order; without it, in order of arming. */
  readonly shuffle?: boolean
  readonly trace?: TraceOptions
}

export interface KernelOptions extends RunOptions {
  /**
   * How callbacks that wait (nextTick, promises) are run before time goes on: `sync`, by Node's own tick function,
   * or `turn`, by one turn of the real event loop for each event. The traces are equal; `sync` is faster.
   */
  readonly drain?: 'sync' | 'turn'
}

export type Item = Entry<Owner>

/** Wall time between two turns of the real event loop, in ns: signals are handled there. */
const turnEvery = 50_000_000n
/** Nothing but unreferenced timers for so long (ms of virtual time): nobody will ever settle `main`. Ours. */
const idleLimit = 3_600_000
/** Wall time for which a run with escapes waits for what they may bring, in ns. Ours. */
const graceFor = 2_000_000_000n
/** Events between two looks at the wall clock. */
const lookEvery = 64
/** Cancelled entries that are worth a compaction. */
const wasteLimit = 4096

interface Running {
  settled: boolean
  resolve(): void
  fault: { error: unknown } | undefined
}

/** What happens at the start and end of each run, registered by the parts of the kernel. */
export interface Part {
  begin?(): void
  end?(): void
}

export class Kernel {
  readonly natives: Natives
  readonly owners: Owners
  readonly tripwire: Tripwire
  /** Milliseconds since the start of the run. */
  now = 0
  epoch: Instant
  seed: number | string
  trace: Trace
  root: Owner
  /** True once any clock has been skewed: only then is the owner asked for the time. */
  skewed = false
  drain: 'sync' | 'turn'
  /** Called at each seam that an owner passes: a test cuts power there. */
  onSeam: ((owner: Owner, what: string) => void) | undefined
  /** Called about once every 50 ms of wall time during a run, outside every owner. */
  onWall: (() => void) | undefined
  /** True while Node handles an exception: its own calls of timers must not be refused. */
  handling = false
  private heap = new Heap<Owner>()
  private soon: Item[] = []
  private soonHead = 0
  private seq = 0
  private cancelled = 0
  private held = 0
  private running: Running | undefined
  private refs = 0
  private onlyIdle = false
  private stuckSince: bigint | undefined
  private idleSince = 0
  private shuffle: number | undefined
  private readonly parts: Part[] = []
  private readonly defaults: RunOptions
  /** Timers armed between runs. */
  private readonly idle = new Map<Item, NodeJS.Timeout>()

  constructor(o: KernelOptions) {
    this.natives = saveNatives()
    this.defaults = o
    this.owners = createOwners()
    this.drain = o.drain ?? 'sync'
    this.epoch = o.epoch
    this.seed = o.seed
    this.trace = new Trace(o.trace)
    this.root = this.owners.root('127.0.0.1')
    this.tripwire = createTripwire(() => this.running !== undefined && this.held === 0)
    this.reset(o)
  }

  add(part: Part): void {
    this.parts.push(part)
  }

  get active(): boolean {
    return this.running !== undefined
  }

  /** Whose code runs now. */
  current(): Owner {
    return this.owners.current()
  }

  /** Bench time as ms since 1970, with fractions. */
  instant(): Instant {
    return this.epoch + this.now
  }

  /** The seam: true, go on; false, do nothing; throws for the dead. */
  seam(owner: Owner, what: string): boolean {
    if (this.onSeam !== undefined) this.onSeam(owner, what)
    return owner.dead === undefined || owner.alive(what)
  }

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
    if (this.running === undefined) this.enqueue(e)
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
    if (this.running === undefined) this.enqueue(e)
    else this.heap.push(e)
  }

  /** Real work (an import) during which virtual time stands still and nothing else runs. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    this.held++
    try {
      return await work()
    } finally {
      this.held--
    }
  }

  /** Something that an owner's code threw and nobody caught. Without an owner it is a fault of the bench. */
  thrown(e: unknown, owner: Owner | undefined): void {
    let o = owner
    if (o?.dead !== undefined) return
    while (o !== undefined) {
      if (o.onThrow !== undefined) {
        o.onThrow(e)
        return
      }
      o = o.parent
    }
    this.fault(e)
  }

  /** Ends the run with an error. */
  fault(error: unknown): void {
    if (this.running === undefined || this.running.fault !== undefined) return
    this.running.fault = { error }
    this.running.settled = true
  }

  /**
   * Drives virtual time until `main` settles, and gives its result. One run after another, never two at once.
   * Throws what main throws; `internal` where main can never settle, because nothing is left that could happen.
   */
  async run<T>(main: () => T | Promise<T>, options: Partial<RunOptions> = {}): Promise<T> {
    if (this.running !== undefined)
      throw new GridproofError('internal', 'virtual time: a run is going on already')
    this.reset({ ...this.defaults, ...options })
    const finished = new Promise<void>((resolve) => {
      this.running = { settled: false, resolve, fault: undefined }
    })
    const running = this.running as Running | undefined
    if (running === undefined) throw new GridproofError('internal', 'virtual time: the run did not start')
    const uncaught = (e: unknown): void => {
      this.handling = true
      this.thrown(e, this.owners.known())
    }
    const rejected = (e: unknown): void => this.thrown(e, this.owners.known())
    process.on('uncaughtException', uncaught)
    process.on('unhandledRejection', rejected)
    this.tripwire.enable()
    for (const p of this.parts) p.begin?.()
    const outcome: { value?: T; error?: unknown; ok: boolean } = { ok: false }
    // Armed before main is called, so that the tick queue is drained by the pump alone.
    this.immediate(
      this.root,
      () => {
        void Promise.resolve()
          .then(main)
          .then(
            (value) => {
              outcome.value = value
              outcome.ok = true
            },
            (e: unknown) => {
              outcome.error = e
            },
          )
          .then(() => {
            running.settled = true
          })
      },
      undefined,
    )
    this.arm()
    await finished
    for (const p of this.parts) p.end?.()
    this.root.die('ended')
    this.heap = new Heap()
    this.soon = []
    this.soonHead = 0
    this.tripwire.disable()
    this.running = undefined
    // What is done after the run is nobody's.
    this.root = this.owners.root('127.0.0.1')
    process.off('uncaughtException', uncaught)
    process.off('unhandledRejection', rejected)
    if (running.fault !== undefined) throw running.fault.error
    if (!outcome.ok) throw outcome.error
    return outcome.value as T
  }

  summary(): TraceSummary {
    return this.trace.summary()
  }

  get escapes(): readonly Escape[] {
    return this.tripwire.escapes
  }

  private reset(o: RunOptions): void {
    this.now = 0
    this.seq = 0
    this.refs = 0
    this.onlyIdle = false
    this.cancelled = 0
    this.idleSince = 0
    this.skewed = false
    this.held = 0
    this.seed = o.seed
    this.epoch = o.epoch
    this.shuffle = o.shuffle === true ? hash(`${o.seed}/order`) : undefined
    this.trace = new Trace(o.trace)
    this.root = this.owners.root('127.0.0.1')
    this.tripwire.reset()
    this.onSeam = undefined
  }

  private tie(owner: Owner | undefined, due: number): number {
    if (this.shuffle === undefined || owner === undefined) return 0
    let h = this.shuffle ^ Math.imul(owner.top.rank + 1, 0x9e3779b1) ^ Math.imul((due * 1000) | 0, 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
    return (h ^ (h >>> 13)) | 0
  }

  private arm(): void {
    this.tripwire.own(() => this.natives.setImmediate(() => this.turn()))
  }

  /**
   * One turn of the real event loop. Time goes on only when (a) no virtual immediate waits, (b) nextTicks and
   * microtasks have run, (c) no real work is under way.
   */
  private turn(): void {
    const running = this.running
    if (running === undefined) return
    this.handling = false
    const end = this.natives.hrtime() + turnEvery
    let again = true
    let n = 0
    try {
      for (;;) {
        if (this.drain === 'sync') this.natives.tick()
        if (running.settled) {
          again = false
          break
        }
        if (this.held > 0 || (this.tripwire.busy && this.reallyBusy())) break
        if (!this.step()) {
          // What escaped may still come back from a thread; it is on record, so the run need not hang on it.
          if (this.escapes.length > 0 && this.waitedFor(graceFor)) break
          this.fault(this.deadlock())
          continue
        }
        this.stuckSince = undefined
        if (this.drain === 'turn') {
          if ((++n & (lookEvery - 1)) === 0) this.onWall?.()
          break
        }
        if ((++n & (lookEvery - 1)) === 0 && this.natives.hrtime() > end) {
          this.onWall?.()
          break
        }
      }
    } finally {
      // Also when a tick threw: Node's handler runs after this, and the next turn goes on from here.
      if (again) this.arm()
      else running.resolve()
    }
  }

  /** True while less than `ns` of wall time has gone by since nothing was left to do. */
  private waitedFor(ns: bigint): boolean {
    const now = this.natives.hrtime()
    this.stuckSince ??= now
    return now - this.stuckSince < ns
  }

  /** Rule (c): work of the thread pool or real immediates that are not ours. */
  private reallyBusy(): boolean {
    for (const r of this.natives.resources())
      if (r === 'Immediate' || r.startsWith('FSReq') || r.endsWith('Request') || r === 'GetAddrInfoReqWrap')
        return true
    this.tripwire.busy = false
    return false
  }

  /** Does the next thing. False: there is nothing. */
  private step(): boolean {
    if (this.soonHead < this.soon.length) {
      const e = this.soon[this.soonHead++] as Item
      if (this.soonHead === this.soon.length) {
        this.soon = []
        this.soonHead = 0
      }
      this.dispatch(e)
      return true
    }
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
    if (this.running !== undefined) {
      if (e.ref) this.refs++
      this.heap.push(e)
      return
    }
    const t = this.natives.setTimeout(() => {
      this.idle.delete(e)
      if (this.running === undefined) this.dispatch(e)
    }, e.due - this.now)
    if (!e.ref) t.unref()
    this.idle.set(e, t)
  }

  private drop(e: Item): void {
    if (this.running === undefined) {
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

  private deadlock(): GridproofError {
    const also =
      this.escapes.length === 0
        ? ''
        : ` Code escaped from virtual time: ${this.escapes.map((x) => `${x.what} at ${x.where}`).join('; ')}.`
    const left = !this.onlyIdle
      ? 'nothing is left that could happen: no timer, no bytes under way'
      : `only unreferenced timers are left, and nothing else for ${idleLimit / 60_000} min`
    return new GridproofError(
      'internal',
      `deadlock after ${this.now} ms of virtual time: main has not settled, and ${left}. It awaits something that never comes.${also}`,
    )
  }
}

/** 32-bit FNV-1a of a text. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h | 0
}
