/** node:sqlite behind the owner's seam. Its work is synchronous already; what is added is who may still do it. */
import type { Kernel } from './kernel.ts'
import type { Death, Owner, Thing } from './owner.ts'
import { type Bag, type Fn, put, replace } from './patch.ts'

/** SQL that asks SQLite for the real clock or for chance. */
const realTime =
  /\bcurrent_(?:timestamp|date|time)\b|\brandom(?:blob)?\s*\(|\b(?:datetime|date|time|julianday|unixepoch|strftime)\s*\(\s*(?:'[^']*'\s*,\s*)?(?:'now'|\))/i

/** SQL that needs room on the disk. In WAL mode every commit does. */
const writes = /^\s*(?:insert|update|delete|replace|create|drop|alter|commit|end|vacuum)\b/i

/** As node:sqlite reports SQLITE_FULL (13), SQLite's result codes. */
function full(): Error {
  return Object.assign(new Error('database or disk is full'), {
    code: 'ERR_SQLITE_ERROR',
    errcode: 13,
    errstr: 'database or disk is full',
  })
}

/** A host's disk takes nothing more, or takes it again. */
export function fillDisk(host: Owner, on: boolean): void {
  host.diskFull = on
}

/** A database handle and its owner. */
class Handle implements Thing {
  readonly db: Bag
  readonly owner: Owner
  private readonly close: Fn

  constructor(db: Bag, owner: Owner, close: Fn) {
    this.db = db
    this.owner = owner
    this.close = close
    owner.things.add(this)
  }

  ownerDied(how: Death): void {
    // At a cut the handle stays open for ever: closing it would checkpoint what power never wrote. The owner's list
    // keeps it from the garbage collector. A killed program's handles are closed, as the operating system does it.
    if (how !== 'cut') this.letGo()
  }

  letGo(): void {
    try {
      this.close.call(this.db)
    } catch {
      // It was closed, or never opened.
    }
  }
}

export function installSqlite(kernel: Kernel, modules: { sqlite: Bag }): void {
  const { sqlite } = modules
  const handles = new WeakMap<object, Handle>()
  const judged = new Map<string, boolean>()
  const Real = sqlite['DatabaseSync'] as unknown as new (...args: unknown[]) => Bag
  const proto = Real.prototype as Bag
  const statements = (sqlite['StatementSync'] as Fn).prototype as Bag
  const close = proto['close'] as Fn

  const check = (of: object, what: string): void => {
    const o = kernel.current()
    kernel.seam(o, what)
    if (o.dead !== undefined) o.refuse(what)
    const owner = handles.get(of)?.owner
    if (owner === undefined || owner === o) return
    if (owner.dead !== undefined) owner.refuse(what)
    if (owner.top !== o.top) kernel.tripwire.hit(`a database of ${owner.key} used by ${o.key}`)
  }
  const judge = (sql: unknown): void => {
    if (typeof sql !== 'string') return
    let bad = judged.get(sql)
    if (bad === undefined) {
      bad = realTime.test(sql)
      if (judged.size < 10_000) judged.set(sql, bad)
    }
    if (bad) kernel.tripwire.hit(`SQL that asks for the real time or for chance: ${sql.slice(0, 80)}`)
  }

  const Virtual = function (this: unknown, ...args: unknown[]): unknown {
    const owner = kernel.current()
    kernel.seam(owner, 'DatabaseSync')
    if (owner.dead !== undefined) owner.refuse('DatabaseSync')
    const db = Reflect.construct(
      Real,
      args,
      new.target === (Virtual as unknown) || new.target === undefined ? Real : new.target,
    ) as Bag
    handles.set(db, new Handle(db, owner, close))
    return db
  }
  Object.defineProperty(Virtual, 'name', { value: 'DatabaseSync' })
  Object.defineProperty(Virtual, 'prototype', { value: proto, writable: false })
  put(proto, 'constructor', Virtual)
  Object.defineProperty(proto, 'constructor', { enumerable: false })
  put(sqlite, 'DatabaseSync', Virtual)

  for (const name of [
    'exec',
    'prepare',
    'open',
    'close',
    'function',
    'aggregate',
    'createSession',
    'applyChangeset',
    'serialize',
    'deserialize',
    'createTagStore',
  ])
    if (typeof proto[name] === 'function')
      replace(
        proto,
        name,
        (original) =>
          function (this: Bag, ...args: unknown[]) {
            check(this, `sqlite ${name}`)
            if (name === 'exec' || name === 'prepare') judge(args[0])
            if (name === 'exec' && kernel.current().top.diskFull && writes.test(String(args[0]))) throw full()
            const out = original.apply(this, args) as unknown
            const handle = handles.get(this)
            if (name === 'prepare' && handle !== undefined) handles.set(out as object, handle)
            if (name === 'close' && handle !== undefined) handle.owner.things.delete(handle)
            return out
          },
      )
  for (const name of ['run', 'get', 'all', 'iterate'])
    replace(
      statements,
      name,
      (original) =>
        function (this: Bag, ...args: unknown[]) {
          check(this, `sqlite ${name}`)
          if (kernel.current().top.diskFull && writes.test(String(this['sourceSQL']))) throw full()
          return original.apply(this, args) as unknown
        },
    )
  if (typeof sqlite['backup'] === 'function')
    replace(
      sqlite,
      'backup',
      (original) =>
        function (this: unknown, ...args: unknown[]) {
          kernel.tripwire.hit('sqlite.backup')
          return original.apply(this, args) as unknown
        },
    )
}
