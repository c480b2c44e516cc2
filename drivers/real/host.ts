/** A host of real time: programs are child processes of the bench on this machine. */
import { join } from 'node:path'
import { GridproofError, isGridproofError, messageOf } from '../errors.ts'
import type { Host, HostSpec, Instant, Json, Proc, Program } from '../faces.ts'
import { canOneCore, startChild, type Child } from './child.ts'
import { benchNow } from './clock.ts'
import { cacheOf, memoryFolder, openDurable, probeDurable } from './disk.ts'
import { figuresOf } from './process.ts'
import type { Ledger } from './ledger.ts'
import type { Failure, FromChild } from './proc-talk.ts'

/** `address`: one that this machine has; programs are told to use it. */
export interface RealHostOptions extends HostSpec {
  readonly ledger: Ledger
  readonly now?: () => Instant
  /** Draws what a write cache loses. */
  readonly seed?: number
}

/** How often a disk that is still in use is tried again, each 10 ms. Ours. */
const patience = 200

/** Disposing it kills what runs and removes its disk. */
export type RealHost = Host & AsyncDisposable

interface Running {
  readonly name: string
  readonly child: Child
  readonly ended: Promise<number | string>
  /** Programs that it started, by its own numbers. */
  readonly below: Map<number, Running>
  /** Its host has lost power under it: nothing more is heard of it. */
  cut: boolean
}

/**
 * Makes a host. It can start programs and end them: `cut()` kills every process, but this machine's kernel still tells
 * their peers of it (FIN or RST), and all hosts share one clock. So it claims neither `cut` nor `skew`; and `durability`
 * only on a disk of its own, since of what programs have handed to the kernel nothing is lost else.
 */
export function createRealHost(o: RealHostOptions): RealHost {
  const now = o.now ?? benchNow
  const room = o.ledger.folder(`disk-${o.name}`, o.durable === true ? memoryFolder() : undefined)
  const drive =
    o.durable === true && 'can' in probeDurable(room)
      ? openDurable({
          folder: room,
          at: join(room, 'disk'),
          bytes: o.diskBytes,
          mount: o.mount,
          ...cacheOf(o, o.seed ?? 0),
        })
      : undefined
  const cache = drive?.cache
  const disk = drive?.path ?? room
  const listeners: ((proc: string, entry: Json, at: Instant) => void)[] = []
  /** What power brings back: by name, the last program started under it, in order of first start. */
  const boot = new Map<string, Program>()
  const running = new Set<Running>()
  let power: 'on' | 'off' | 'gone' = 'on'

  const log = (proc: string, entry: Json): void => {
    const at = now()
    for (const f of listeners) f(proc, entry, at)
  }
  /** Kills it and all below it. */
  const kill = (r: Running): void => {
    r.child.signal('KILL')
    for (const b of r.below.values()) kill(b)
  }
  const hang = (r: Running): void => {
    r.child.hang()
    for (const b of r.below.values()) hang(b)
  }
  const launch = async (name: string, program: Program): Promise<Running> => {
    if (power !== 'on')
      throw new GridproofError(
        'power-gone',
        `${o.name} has no power: ${name} cannot be started before restore()`,
      )
    const below = new Map<number, Running>()
    const child = startChild({
      name,
      program,
      address: o.address,
      disk,
      ledger: o.ledger,
      onLog(entry) {
        if (power === 'on' && !r.cut) log(name, entry)
      },
      onAsk(m) {
        if (power === 'on' && !r.cut) void answer(r, m)
      },
    })
    const ended = child.ended.then((how) => {
      running.delete(r)
      for (const b of below.values()) kill(b)
      return r.cut ? 'cut' : how
    })
    const r: Running = { name, child, ended, below, cut: false }
    running.add(r)
    await child.ready
    return r
  }
  const answer = async (
    asker: Running,
    m: Extract<FromChild, { say: 'start' | 'signal' }>,
  ): Promise<void> => {
    if (m.say === 'signal') {
      const r = asker.below.get(m.id)
      if (r === undefined) return
      if (m.signal === 'KILL') kill(r)
      else r.child.signal('TERM')
      return
    }
    try {
      const r = await launch(m.name, m.program)
      asker.below.set(m.id, r)
      asker.child.tell({ do: 'started', id: m.id })
      // Its parent may have ended meanwhile.
      if (!running.has(asker)) kill(r)
      const how = await r.ended
      asker.below.delete(m.id)
      asker.child.tell({ do: 'ended', id: m.id, how })
    } catch (e) {
      const failed: Failure = {
        code: isGridproofError(e) ? e.code : 'internal',
        message: messageOf(e),
      }
      asker.child.tell({ do: 'started', id: m.id, failed })
    }
  }
  const start = async (name: string, program: Program): Promise<Proc> => {
    const r = await launch(name, program)
    boot.set(name, program)
    return procOf(r)
  }
  const procOf = (r: Running): Proc => ({
    name: r.name,
    ended: r.ended,
    signal(s) {
      if (s === 'KILL') kill(r)
      else r.child.signal('TERM')
    },
  })
  const cut = (): void => {
    if (power !== 'on') return
    power = 'off'
    for (const r of running) {
      r.cut = true
      r.child.signal('KILL')
    }
    // Nobody runs any more: what they had not flushed goes.
    drive?.cut()
  }
  /** Processes that were killed may take a moment to let go of their files. */
  const remount = async (): Promise<void> => {
    if (drive === undefined) return
    for (let n = 0; !drive.remount(); n++) {
      if (n === patience)
        throw new GridproofError('rig-broke', `the disk of ${o.name} is still in use after its power was cut`)
      await new Promise((resolve) => {
        setTimeout(resolve, 10)
      })
    }
  }
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    const last = [...running]
    for (const r of last) kill(r)
    power = 'gone'
    await Promise.all(last.map((r) => r.ended))
    drive?.close()
    o.ledger.undo(room)
  }
  return {
    name: o.name,
    address: o.address,
    disk,
    ...(cache === undefined ? {} : { cache: () => cache.figures() }),
    can: new Set([
      'start' as const,
      // Windows has no such signal.
      ...(process.platform === 'win32' ? [] : (['hang'] as const)),
      ...(canOneCore() ? (['one-core'] as const) : []),
      ...(drive === undefined ? [] : (['durability'] as const)),
      ...(cache === undefined ? [] : (['write-cache'] as const)),
    ]),
    start,
    cut,
    kill(name) {
      const hit = [...running].filter((r) => r.name === name)
      for (const r of hit) kill(r)
      return hit.length > 0
    },
    hang(name) {
      if (process.platform === 'win32')
        throw new GridproofError('not-capable', `what runs on ${o.name} cannot be made to hang on Windows`)
      const hit = [...running].filter((r) => name === undefined || r.name === name)
      for (const r of hit) hang(r)
      return hit.length > 0
    },
    async restore() {
      if (power === 'gone')
        throw new GridproofError('power-gone', `${o.name} was closed; it cannot be restored`)
      if (power === 'on') return []
      // Nothing of the life before may still hold a port.
      await Promise.all([...running].map((r) => r.ended))
      await remount()
      power = 'on'
      const procs: Proc[] = []
      for (const [name, program] of boot) procs.push(procOf(await launch(name, program)))
      return procs
    },
    fill() {
      throw new GridproofError(
        'not-capable',
        `${o.name} shares this machine's disk: it cannot be filled for one host`,
      )
    },
    clock() {
      throw new GridproofError(
        'not-capable',
        `${o.name} shares this machine's clock: it cannot be set for one host`,
      )
    },
    figures: () => figuresOf([...running].flatMap((r) => r.child.pid ?? [])),
    onLog(f) {
      listeners.push(f)
    },
    [Symbol.asyncDispose]() {
      closing ??= close()
      return closing
    },
  }
}
