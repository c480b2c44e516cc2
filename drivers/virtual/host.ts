/** A host in virtual time: an owner with an address, a clock and a folder for a disk; programs run below it. */
import * as fs from 'node:fs'
import { pathToFileURL } from 'node:url'
import { resolve } from 'node:path'
import { GridproofError, messageOf } from '../errors.ts'
import type { Host, Instant, Json, Proc, Program, ProgramEnv, ProgramModule } from '../faces.ts'
import type { DurableDisk } from '../real/disk.ts'
import { setClock } from './clock.ts'
import type { createDoingWatch } from './doing.ts'
import type { Kernel } from './kernel.ts'
import { fillDisk } from './sqlite.ts'
import { Listener, type VirtualNet } from './net.ts'
import type { Death, Owner } from './owner.ts'

/** Folders above this one: modules of programs are named from the project's root. */
const projectRoot = new URL('../../', import.meta.url)

type LogListener = (proc: string, entry: Json, at: Instant) => void

interface HostParts {
  readonly kernel: Kernel
  readonly net: VirtualNet
  readonly name: string
  readonly address: string
  readonly disk: string
  readonly watchDoing: ReturnType<typeof createDoingWatch>
  /** A disk that loses what was not flushed. */
  readonly drive: DurableDisk | undefined
  /**
   * Gives the disk that power leaves behind to a place where nothing of the old run can reach it. Afterwards `letGo` may be
   * called: what the old run had open is let go, and nothing of that is written.
   */
  remount(letGo: () => void): void
}

interface Running {
  readonly proc: Proc
  readonly owner: Owner
  end(code: number | string, how: Death): void
}

/** A host, and the end of it when its world ends. */
export function createHost(p: HostParts): { host: Host; end(): void } {
  const { kernel, net, drive } = p
  const cache = drive?.cache
  const listeners: LogListener[] = []
  /** What a restored host starts, in order. A name started again replaces what it meant before. */
  const booted = new Map<string, Program>()
  let owner = kernel.owners.create({ name: p.name, parent: kernel.root, address: p.address })
  const clock = owner.clock
  let running: Running[] = []
  let off = false
  /** What hangs while the host has power. */
  const hung: Owner[] = []

  const log = (proc: string, entry: Json): void => {
    for (const f of listeners) f(proc, entry, kernel.instant())
  }

  const launch = async (name: string, program: Program, parent: Owner): Promise<Running> => {
    const module = await load(kernel, program)
    if (parent.dead !== undefined)
      throw new GridproofError('power-gone', `${p.name} lost power before ${name} was started on it`)
    const me = kernel.owners.create({ name, parent, address: p.address })
    let settle: (code: number | string) => void = () => {}
    let over = false
    const ended = new Promise<number | string>((done) => (settle = done))
    const term = me.run(() => new AbortController())
    const end = (code: number | string, how: Death): void => {
      if (over) return
      over = true
      // At a cut the host's owner dies as a whole; here only this program does.
      if (how !== 'cut') me.die(how)
      running = running.filter((r) => r.owner !== me)
      for (const r of running.slice()) if (isBelow(r.owner, me)) r.end(code, how)
      settle(code)
    }
    const proc: Proc = {
      name,
      ended,
      signal(s) {
        if (over) return
        if (s === 'KILL') end('KILL', 'killed')
        else me.run(() => term.abort(new GridproofError('power-gone', `${name} was asked to end (TERM)`)))
      },
    }
    const crash = (e: unknown): void => {
      if (over) return
      log(name, { level: 'fatal', message: messageOf(e), stack: e instanceof Error ? (e.stack ?? '') : '' })
      end(1, 'ended')
    }
    me.onThrow = crash
    me.onExit = (code) => end(code, 'ended')
    const env: ProgramEnv = {
      name,
      address: p.address,
      disk: p.disk,
      config: program.config,
      defects: program.defects,
      term: term.signal,
      log(entry) {
        if (!kernel.seam(me, 'env.log')) return
        log(name, structuredClone(entry))
      },
      async start(childName, child) {
        me.alive('env.start')
        return (await launch(childName, child, me)).proc
      },
    }
    const entry: Running = { proc, owner: me, end }
    running.push(entry)
    me.run(() => {
      void (async () => module.main(env))().then(
        (code) => end(typeof code === 'number' ? code : 0, 'ended'),
        (e: unknown) => {
          if (me.dead === undefined) crash(e)
        },
      )
    })
    return entry
  }

  const host: Host = {
    name: p.name,
    address: p.address,
    disk: p.disk,
    // All that runs in virtual time shares one thread.
    can: new Set([
      'start',
      'cut',
      'skew',
      'disk-full',
      'one-core',
      'hang',
      ...(drive === undefined ? [] : (['durability'] as const)),
      ...(cache === undefined ? [] : (['write-cache'] as const)),
    ] as const),
    ...(cache === undefined ? {} : { cache: () => cache.figures() }),
    async start(name, program) {
      if (off)
        throw new GridproofError('power-gone', `${p.name} has no power: restore it before ${name} is started`)
      booted.delete(name)
      booted.set(name, program)
      return (await launch(name, program, owner)).proc
    },
    cut() {
      if (off) return
      off = true
      for (const o of hung.splice(0)) o.hung = false
      // The disk first: whoever is told of its death may still try to write.
      drive?.cut()
      net.power(p.address, false)
      owner.die('cut')
      const gone = running
      running = []
      for (const r of gone) r.end('cut', 'cut')
    },
    kill(name) {
      const hit = running.filter((r) => r.proc.name === name)
      for (const r of hit) r.end('KILL', 'killed')
      return hit.length > 0
    },
    hang(name) {
      // Seen from outside a machine that hangs, and then loses its power, is one that lost it at once.
      if (name === undefined) {
        if (off) return false
        host.cut()
        return true
      }
      const hit = running.filter((r) => r.proc.name === name && r.owner.dead === undefined)
      for (const r of hit) {
        for (const o of below(r.owner)) {
          o.hung = true
          hung.push(o)
          for (const t of o.things) if (t instanceof Listener) net.hangs(t)
        }
        // Its process has not ended: nobody who waits for that is told.
        r.owner.die('cut')
      }
      return hit.length > 0
    },
    async restore() {
      if (!off) return []
      const dead = owner
      p.remount(() => dead.bury())
      owner = kernel.owners.create({ name: p.name, parent: kernel.root, address: p.address, clock })
      off = false
      net.power(p.address, true)
      const procs: Proc[] = []
      for (const [name, program] of booted) procs.push((await launch(name, program, owner)).proc)
      return procs
    },
    onDoing(what, how, f) {
      if (what !== 'disk-flush') return p.watchDoing({ what, ...how, host: () => owner, f })
      if (cache === undefined)
        throw new GridproofError(
          'not-capable',
          `the disk of ${p.name} has no write cache: its flushes go unseen`,
        )
      cache.loseAtFlush(how.nth)
      const gone = (): boolean => !cache.powered()
      const watch = p.watchDoing({ what: gone, nth: 1, when: 'before', host: () => owner, f })
      return {
        [Symbol.dispose]() {
          watch[Symbol.dispose]()
          cache.loseAtFlush(0)
        },
      }
    },
    clock: (c) => setClock(kernel, owner, c),
    fill: (disk) => fillDisk(owner, disk === 'full'),
    figures: (thorough = false) => ({
      'handles [1]': thingsBelow(owner),
      'timers [1]': kernel.armed(owner),
      // Hosts share the bench's own heap: what does not grow there grows on none of them.
      ...(thorough ? { 'memory [B]': kernel.natives.heapUsed() } : {}),
    }),
    onLog(f) {
      const who = kernel.current()
      listeners.push((proc, entry, at) => {
        if (who.dead === undefined) who.run(() => f(proc, entry, at))
      })
    },
  }
  return {
    host,
    end() {
      for (const r of running.slice()) r.end('KILL', 'killed')
      owner.die('ended')
    },
  }
}

/** An owner and all below it. */
function below(top: Owner): Owner[] {
  return [top, ...[...top.children].flatMap(below)]
}

function isBelow(o: Owner, top: Owner): boolean {
  for (let x = o.parent; x !== undefined; x = x.parent) if (x === top) return true
  return false
}

/** The module of a program. Virtual time stands still while it is read. */
async function load(kernel: Kernel, p: Program): Promise<ProgramModule> {
  const url = p.entry.startsWith('/') ? pathToFileURL(p.entry) : new URL(p.entry, projectRoot)
  const module = await kernel.hold(async () => (await import(url.href)) as Partial<ProgramModule>)
  if (typeof module.main !== 'function')
    throw new GridproofError('bad-value', `${p.entry} is no program: it exports no main(env)`)
  return module as ProgramModule
}

/** What a cut leaves: the folder as it is goes aside with the handles that are still open on it; a copy takes its place. */
export function remountFolder(disk: string, aside: string): void {
  fs.renameSync(disk, aside)
  fs.cpSync(aside, disk, { recursive: true })
}

/** Closes the files of a disk that its programs had open. SQLite's are not among them: its handles come before. */
export function closeFilesBelow(disk: string): void {
  for (const fd of fs.readdirSync('/proc/self/fd'))
    try {
      if (fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${disk}/`)) fs.closeSync(Number(fd))
    } catch {
      // The one by which the list itself was read.
    }
}

export function diskFolder(root: string, name: string): string {
  const path = resolve(root, name.replaceAll(/[^\w.-]/g, '_'))
  fs.mkdirSync(path, { recursive: true })
  return path
}

/** Sockets, ports, files and databases that an owner and all below it hold. */
function thingsBelow(owner: Owner): number {
  let n = owner.things.size
  for (const c of owner.children) n += thingsBelow(c)
  return n
}
