/** Faces between the bench and the world. Types only: nothing here runs. */
import type { LinkModel, LinkPort } from './link-faces.ts'

export type * from './link-faces.ts'

/** Milliseconds since 1970-01-01T00:00Z on the bench clock: the only time base of evidence. */
export type Instant = number

export type Json = null | boolean | number | string | readonly Json[] | { readonly [k: string]: Json }

/** One open byte stream. Chunks arrive in order; no framing is promised. */
export interface Conn {
  /** Hands bytes to the line, whole and in order; resolves with the instant the first byte was handed over. */
  send(b: Uint8Array): Promise<Instant>
  onBytes(f: (b: Uint8Array, at: Instant) => void): void
  /** Called once. `lost`: the line is gone without a word (carrier, unplug). */
  onEnd(f: (how: 'fin' | 'rst' | 'lost') => void): void
  /** `silent`: the peer is told nothing. */
  end(how: 'fin' | 'rst' | 'silent'): void
  /** Who is at the other end, where the wire knows (an address and port); else the wire's name. */
  readonly peer: string
}

/** What a wire really carries. A fault or check that needs more is not observable on it. */
export type WireCan = 'parity' | 'break' | 'byte-gap' | 'rst'

/** A byte stream between a device and the platform: a TCP port or a serial line. */
export interface Wire {
  /** For instance `gridkey/tcp`. */
  readonly name: string
  readonly can: ReadonlySet<WireCan>
  /** TCP: listens, and calls `f` for each client. Serial: calls `f` at once, and again after a replug. */
  open(f: (c: Conn) => void): Promise<AsyncDisposable>
}

/** A program as data, never a closure: it can be started in this process, in a child, in a container. */
export interface Program {
  /** Module path from the project's root; it exports `main(env: ProgramEnv)`. */
  readonly entry: string
  readonly config: Json
  readonly defects: readonly string[]
  /** It may run on one core of the machine alone, on a host that can `one-core`. */
  readonly oneCore?: true
}

/** What a program is given by whatever runs it. */
export interface ProgramEnv {
  /** Name of this proc, for logs. */
  readonly name: string
  /** The IP address of the host that it runs on. */
  readonly address: string
  /** A folder on the host's own disk. */
  readonly disk: string
  readonly config: Json
  readonly defects: readonly string[]
  /** Aborted at SIGTERM: finish, then return. */
  readonly term: AbortSignal
  /** A line for whoever watches the host (its log). Kept as evidence; never read by another program. */
  log(entry: Json): void
  /** Starts another program on the same host, as a child of this one. It ends when this one ends. */
  start(name: string, p: Program): Promise<Proc>
}

/** What the module of a Program exports. The returned number is the exit code; nothing means 0. */
export interface ProgramModule {
  main(env: ProgramEnv): Promise<number | void>
}

export interface Proc {
  readonly name: string
  /** Exit code, or a signal's name, or `cut` when its host lost power. */
  readonly ended: Promise<number | string>
  /** KILL: nothing of it runs again; peers see FIN or RST. TERM: `env.term` is aborted. */
  signal(s: 'TERM' | 'KILL'): void
}

export type HostCan =
  | 'start'
  | 'cut'
  | 'durability'
  | 'write-cache'
  | 'skew'
  | 'disk-full'
  | 'one-core'
  | 'hang'

/**
 * What a host does: changes a database, writes, renames or flushes a file, sends bytes to somebody, or any of these; or has its
 * disk flush, as its file system tells it to (only with `write-cache`).
 */
export type Doing = 'row' | 'write' | 'rename' | 'flush' | 'send' | 'anything' | 'disk-flush'

/** What a disk with a write cache has been told, and what cuts have left of it, in all. */
export interface CacheFigures {
  /** Flushes that it was asked for while it had power. */
  readonly flushes: number
  /** Sectors in the cache as power went that stayed, in some version since the last flush, and that did not. */
  readonly kept: number
  readonly lost: number
}

/** Where a platform runs: power, disk, clock and address. A Proc runs on it. */
export interface Host {
  /** Also names its random streams. */
  readonly name: string
  /** An IP address of its own on every rig. */
  readonly address: string
  /** Root of its disk. After `cut()` only flushed bytes are left there, if it can `durability`. */
  readonly disk: string
  /** Present with `write-cache`. */
  readonly cache?: () => CacheFigures
  readonly can: ReadonlySet<HostCan>
  start(name: string, p: Program): Promise<Proc>
  /** Synchronous: peers hear nothing, and nothing runs or writes afterwards. */
  cut(): void
  /** Ends each proc of that name as a crash would, also one that another proc has started. False: there is none. */
  kill(proc: string): boolean
  /**
   * It hangs: nothing of it runs any more, its peers are told nothing, and only a cut of its power helps. With a name each
   * proc of that name alone, and what that has started. False: there is none. Throws `not-capable` without `hang`.
   */
  hang(proc?: string): boolean
  /** `full`: its disk takes nothing more until it is `free` again. Throws `not-capable` without `disk-full`. */
  fill(disk: 'full' | 'free'): void
  /** Power back: disk mounted. Programs that were started with `start` are started again, in order, and given. */
  restore(): Promise<readonly Proc[]>
  /**
   * Calls `f` once, in the midst of the host's own work, just before it does something of that kind for the `nth` time from
   * now on; `after`: just before whatever it does next. Only where its work can be watched (virtual time). At `disk-flush`
   * the disk has lost its power in the midst of it, whatever `when` says: all that is left to do is to cut.
   */
  readonly onDoing?: (
    what: Doing,
    o: { readonly nth: number; readonly when: 'before' | 'after' },
    f: () => void,
  ) => Disposable
  /** `stepMs` moves Date only; `ppm` moves Date and timers. Throws `not-capable` without `skew`. */
  clock(c: { stepMs?: number; ppm?: number }): void
  /**
   * What its procs hold at this moment, summed, by name with unit: `handles [1]` (sockets, ports, files, databases),
   * `timers [1]` where they can be counted, `memory [B]` (in virtual time of the whole process, and only when asked to
   * be thorough: garbage is collected first). Evidence of leaks that does not rest on the platform's own word.
   */
  figures(thorough?: boolean): Readonly<Record<string, number>>
  /** Every log entry of every proc on this host. */
  onLog(f: (proc: string, entry: Json, at: Instant) => void): void
}

/**
 * Runs the bench's own objects as somebody: on an address of their own, with timers, sockets and random
 * streams that belong to them. In virtual time this switches the kernel's owner; in real time it is only a name.
 */
export interface Realm {
  readonly name: string
  readonly address: string
  run<T>(f: () => T): T
  /** The same object, whose methods run in this realm, and whose callbacks run in the caller's. */
  bind<T extends object>(face: T): T
}

/** Settings of a serial line. `stopBits` and `parity` count for pacing even where the line cannot carry them. */
export interface SerialSettings {
  readonly baudRate: number
  readonly dataBits: 7 | 8
  readonly parity: 'none' | 'even' | 'odd'
  readonly stopBits: 1 | 2
}

/** A serial line: the device's end is a wire, the platform's end is a path that SerialPort opens. */
export interface SerialLine extends AsyncDisposable {
  readonly wire: Wire
  readonly path: string
}

/** Where the power of real equipment is switched. Disposing it leaves it in its safe state; so does the bench's own end. */
export interface Outlet extends AsyncDisposable {
  /** Resolves when its board has switched. Throws `not-capable` where it would be once too often within an hour. */
  power(on: boolean): Promise<void>
}

/** Carrier between two addresses. Bytes in flight are held while it is down; new connections wait. */
export interface Network {
  carrier(a: string, b: string, state: 'up' | 'down'): void
}

export interface HostSpec {
  readonly name: string
  readonly address: string
  /** On a disk of its own that loses at a cut what was not flushed, where this machine can play one: then it can `durability`. */
  readonly durable?: true
  /** How large that disk is; 256 MiB unless given. */
  readonly diskBytes?: number
  /**
   * That disk has a write cache, where this machine can play one: of what was written and not flushed some sectors are left
   * by a cut, drawn by the seed, and others not. Then it can `write-cache`.
   */
  readonly cached?: true
  /** Options by which it is mounted beyond those of all, such as `barrier=0`. */
  readonly mount?: string
}

/**
 * What lies under Node's own modules, as one bundle with two makers: `drivers/virtual/world.ts` (the kernel) and
 * `drivers/real/world.ts`. Devices, platforms and scenarios cannot tell which they run on.
 */
export interface World extends AsyncDisposable {
  readonly time: 'virtual' | 'real'
  now(): Instant
  /** Lets `ms` milliseconds pass on the bench clock. */
  pass(ms: number): Promise<void>
  /** A host for programs of the platform. */
  host(spec: HostSpec): Promise<Host>
  /** A place for the bench's own objects (a device, an observer). */
  realm(spec: { name: string; address: string }): Realm
  /** A TCP port on an address; port 0 takes a free one. `port` is known when this resolves. */
  tcp(spec: { name: string; realm: Realm; port: number }): Promise<{ wire: Wire; port: number }>
  /** A line of the world's own; with `path`, the port of that name, which a cable joins to the platform (real time). */
  serial(spec: {
    name: string
    realm: Realm
    settings: SerialSettings
    path?: string
    /** TLS passes over it: its bytes differ from run to run, so that such a run has no trace hash. */
    ciphered?: true
  }): Promise<SerialLine>
  /**
   * Present where the world can put in place a wide-area link, as its model shapes it, between the host at an address and whatever it is told to reach. `realm` is
   * where it stands in real time. `onTell` hears what is worth keeping.
   */
  link?(spec: {
    name: string
    realm: Realm
    host: string
    model: LinkModel
    onTell(what: Readonly<Record<string, Json>>): void
  }): Promise<LinkPort>
  /** Present where the world can hold traffic between addresses. */
  readonly network?: Network
  /** A number in [0, 1) from the stream of that name, seeded by the run's seed. */
  random(stream: string): number
  /** The run proper begins: stalls of the bench before this moment (loading, starting) bear on nothing. */
  beginWatch(): void
  /** What this world found out about itself during the run; evidence. */
  report(): WorldReport
}

export interface WorldReport {
  readonly time: 'virtual' | 'real'
  /** Rolling hash over every delivered byte with its time; only in virtual time. */
  readonly traceHash?: string
  /** Why a run in virtual time has none. */
  readonly untraced?: string
  readonly traceEvents?: number
  /** Escapes from virtual time: what was called, and where. Must be empty. */
  readonly escapes: readonly { readonly what: string; readonly where: string }[]
  /** Share of wall time stolen from the bench, 0..1; only in real time. Above 0.01 timing is not judged. */
  readonly stolen?: number
  /** Longest time for which the bench itself could not react, ms; only in real time. */
  readonly stalledMs?: number
}
