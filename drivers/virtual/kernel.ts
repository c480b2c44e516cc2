/**
 * The virtual-time kernel. Installed once, before any library is imported, and never removed: it replaces what lies
 * under Node's own timers, clocks, sockets, files, databases and serial ports, so that unmodified libraries run on
 * one seeded clock. Time advances only when nothing is left to do now (`turn`).
 */
import { GridproofError } from '../errors.ts'
import type { Instant } from '../faces.ts'
import { Agenda } from './agenda.ts'
import { saveNatives } from './native.ts'
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

/** Wall time between two turns of the real event loop, in ns: signals are handled there. */
const turnEvery = 50_000_000n
/** Wall time for which a run with escapes waits for what they may bring, in ns. Ours. */
const graceFor = 2_000_000_000n
/** Events between two looks at the wall clock. */
const lookEvery = 64

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

export class Kernel extends Agenda {
  readonly owners: Owners
  readonly tripwire: Tripwire
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
  private held = 0
  private running: Running | undefined
  private stuckSince: bigint | undefined
  private readonly parts: Part[] = []
  private readonly defaults: RunOptions

  constructor(o: KernelOptions) {
    super(saveNatives())
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

  override get active(): boolean {
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
  override thrown(e: unknown, owner: Owner | undefined): void {
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
    this.clear(undefined)
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
    this.skewed = false
    this.held = 0
    this.seed = o.seed
    this.epoch = o.epoch
    this.clear(o.shuffle === true ? `${o.seed}/order` : undefined)
    this.trace = new Trace(o.trace)
    this.root = this.owners.root('127.0.0.1')
    this.tripwire.reset()
    this.onSeam = undefined
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

  private deadlock(): GridproofError {
    const also =
      this.escapes.length === 0
        ? ''
        : ` Code escaped from virtual time: ${this.escapes.map((x) => `${x.what} at ${x.where}`).join('; ')}.`
    return new GridproofError(
      'internal',
      `${this.spinning ? 'no end of immediates' : 'deadlock'} after ${this.now} ms of virtual time: main has not settled, and ${this.whyNothing()}. It awaits something that never comes.${also}`,
    )
  }
}
