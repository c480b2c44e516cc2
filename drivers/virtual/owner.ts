/**
 * Whose code is running. A host, a program on it, a device's place: each is an owner, an asynchronous context of
 * Node (AsyncLocalStorage) that timers, sockets, files and databases remember. Killing an owner kills exactly those.
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { GridproofError } from '../errors.ts'
import { type Fn, replace } from './patch.ts'

export type Death = 'cut' | 'killed' | 'ended'

/** A host's clock: `step` (ms) moves Date only; `rate` (host ms per bench ms) moves Date and timers. */
export interface Clock {
  step: number
  rate: number
  /** Bench time (ms since the start) and host time when the rate was last set. */
  since: number
  base: number
}

/** Something that must be told when its owner dies: a socket, a listening port, a database. */
export interface Thing {
  ownerDied(how: Death): void
  /** Its disk is gone for good: it may be let go, since nothing can be written any more. */
  letGo?(): void
}

/** After so many refusals a dead owner's calls become inert, so that a retry loop without a pause cannot hang the run. */
const patience = 100

export class Owner {
  readonly name: string
  readonly parent: Owner | undefined
  readonly address: string
  readonly clock: Clock
  /** The top of this owner's tree below the bench: a host or a realm. Hosts share bytes, never objects. */
  readonly top: Owner
  readonly children = new Set<Owner>()
  readonly things = new Set<Thing>()
  /** Names the random streams; unique in a run, and equal in equal runs. */
  readonly key: string
  /** Orders owners that are due at the same instant. */
  readonly rank: number
  dead: Death | undefined
  /** It hangs, on a host that has power: dead, but whoever sends to it hears nothing of that. */
  hung = false
  /** Of a host: its disk takes nothing more. */
  diskFull = false
  /** Streams of random numbers, made when first used. */
  random: (() => number) | undefined
  bytes: (() => number) | undefined
  /** Takes what this owner's code throws and does not catch. */
  onThrow: ((e: unknown) => void) | undefined
  /** Ends the program when it calls process.exit. */
  onExit: ((code: number) => void) | undefined
  /** Owners below this one that lost power. Kept, and with them their databases, which must not be closed. */
  private readonly graves: Owner[] = []
  private refused = 0
  private readonly resource: AsyncResource

  constructor(o: {
    name: string
    parent: Owner | undefined
    address: string
    clock: Clock
    key: string
    rank: number
    enter: (owner: Owner) => AsyncResource
  }) {
    this.name = o.name
    this.parent = o.parent
    this.address = o.address
    this.clock = o.clock
    this.key = o.key
    this.rank = o.rank
    this.top = o.parent === undefined || o.parent.parent === undefined ? this : o.parent.top
    o.parent?.children.add(this)
    this.resource = o.enter(this)
  }

  /** Runs `f` as this owner. */
  run<T>(f: () => T): T {
    return this.resource.runInAsyncScope(f)
  }

  /** Calls `f(arg)` as this owner. */
  call(f: (arg: unknown) => unknown, arg: unknown): void {
    this.resource.runInAsyncScope(f, null, arg)
  }

  /**
   * Every effect passes here. True: go on. Throws `power-gone` for a dead owner, the first hundred times; then
   * answers false, and the caller does nothing.
   */
  alive(what: string): boolean {
    if (this.dead === undefined) return true
    return this.refused++ >= patience ? false : this.refuse(what)
  }

  /** Throws `power-gone`: for effects that can always throw, since nobody awaits them in a loop. */
  refuse(what: string): never {
    const why = this.dead === 'cut' ? 'its host lost power' : `it was ${this.dead}`
    throw new GridproofError('power-gone', `${this.name} called ${what} after ${why}: nothing was done`)
  }

  /** After a cut that left nothing to write on: lets go of what it and all below it had open, and is forgotten. */
  bury(): void {
    for (const c of [...this.children, ...this.graves]) c.bury()
    for (const t of this.things) t.letGo?.()
    this.things.clear()
    const i = this.parent?.graves.indexOf(this) ?? -1
    if (i >= 0) this.parent?.graves.splice(i, 1)
  }

  /** Marks this owner and all below it dead, then tells what they own. */
  die(how: Death): void {
    const doomed: Owner[] = []
    const mark = (o: Owner): void => {
      if (o.dead !== undefined) return
      o.dead = how
      doomed.push(o)
      for (const c of o.children) mark(c)
    }
    mark(this)
    this.parent?.children.delete(this)
    if (how === 'cut') this.parent?.graves.push(this)
    for (const o of doomed) {
      for (const t of o.things) t.ownerDied(how)
      if (how !== 'cut') o.things.clear()
    }
  }
}

/** Makes owners for one run after another. */
export interface Owners {
  /** Whose code runs now; the run's root where nobody's. */
  current(): Owner
  /** The same, but undefined outside every owner. */
  known(): Owner | undefined
  root(address: string): Owner
  create(o: { name: string; parent: Owner; address: string; clock?: Clock }): Owner
  /** Keeps the contexts of a program's own AsyncLocalStorage over a callback, once it has any. */
  bound(f: Fn): Fn
}

function freshClock(): Clock {
  return { step: 0, rate: 1, since: 0, base: 0 }
}

export function createOwners(): Owners {
  const store = new AsyncLocalStorage<Owner>()
  const bare = new AsyncResource('GRIDPROOF')
  const enter = (owner: Owner): AsyncResource =>
    bare.runInAsyncScope(() => store.run(owner, () => new AsyncResource('GRIDPROOF')))
  let root: Owner | undefined
  let made = 0
  const names = new Map<string, number>()
  // Owners enter by resources that know nothing of other stores; only where there are some is a callback bound.
  let others = false
  for (const name of ['run', 'enterWith'])
    replace(
      AsyncLocalStorage.prototype,
      name,
      (original) =>
        function (this: unknown, ...args: unknown[]) {
          if (this !== store) others = true
          return original.apply(this, args) as unknown
        },
    )
  return {
    current() {
      const found = store.getStore() ?? root
      if (found === undefined) throw new GridproofError('internal', 'virtual time: nothing is running')
      return found
    },
    known: () => store.getStore(),
    bound: (f) => (others ? AsyncResource.bind(f) : f),
    root(address) {
      made = 0
      names.clear()
      const clock = freshClock()
      root = new Owner({
        name: 'bench',
        parent: undefined,
        address,
        clock,
        key: 'bench',
        rank: made++,
        enter,
      })
      return root
    },
    create(o) {
      const path = o.parent.parent === undefined ? o.name : `${o.parent.key}/${o.name}`
      const n = (names.get(path) ?? 0) + 1
      names.set(path, n)
      return new Owner({
        name: o.name,
        parent: o.parent,
        address: o.address,
        // A host has a clock of its own; its programs share it.
        clock: o.clock ?? (o.parent.parent === undefined ? freshClock() : o.parent.clock),
        key: n === 1 ? path : `${path}#${n}`,
        rank: made++,
        enter,
      })
    },
  }
}
