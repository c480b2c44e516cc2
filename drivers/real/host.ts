/** A host of real time: programs are child processes of the bench on this machine. */
import { GridproofError, isGridproofError, messageOf } from '../errors.ts'
import type { Host, Instant, Json, Proc, Program } from '../faces.ts'
import { canOneCore, startChild, type Child } from './child.ts'
import { benchNow } from './clock.ts'
import { figuresOf } from './process.ts'
import type { Ledger } from './ledger.ts'
import type { Failure, FromChild } from './proc-talk.ts'

export interface RealHostOptions {
  readonly name: string
  /** An address that this machine has; programs are told to use it. */
  readonly address: string
  readonly ledger: Ledger
  readonly now?: () => Instant
}

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
 * Makes a host. It can start programs and end them, and no more: `cut()` kills every process, but this machine's
 * kernel still tells their peers of it (FIN or RST) and still writes what they had handed to it, and all hosts share
 * one clock. So it claims neither `cut` nor `durability` nor `skew`.
 */
export function createRealHost(o: RealHostOptions): RealHost {
  const now = o.now ?? benchNow
  const disk = o.ledger.folder(`disk-${o.name}`)
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
    return {
      name,
      ended: r.ended,
      signal(s) {
        if (s === 'KILL') kill(r)
        else r.child.signal('TERM')
      },
    }
  }
  const cut = (): void => {
    if (power !== 'on') return
    power = 'off'
    for (const r of running) {
      r.cut = true
      r.child.signal('KILL')
    }
  }
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    const last = [...running]
    for (const r of last) kill(r)
    power = 'gone'
    await Promise.all(last.map((r) => r.ended))
    o.ledger.undo(disk)
  }
  return {
    name: o.name,
    address: o.address,
    disk,
    can: new Set(canOneCore() ? (['start', 'one-core'] as const) : (['start'] as const)),
    start,
    cut,
    kill(name) {
      const hit = [...running].filter((r) => r.name === name)
      for (const r of hit) kill(r)
      return hit.length > 0
    },
    async restore() {
      if (power === 'gone')
        throw new GridproofError('power-gone', `${o.name} was closed; it cannot be restored`)
      if (power === 'on') return
      // Nothing of the life before may still hold a port.
      await Promise.all([...running].map((r) => r.ended))
      power = 'on'
      for (const [name, program] of boot) await launch(name, program)
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
