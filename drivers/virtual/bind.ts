/**
 * Crossing a face switches the owner: a membrane. A bound object's methods run as the object's owner; functions and
 * objects handed in keep running as whoever handed them in. Plain data passes as it is.
 */
import type { Owner } from './owner.ts'

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown

export interface Membrane {
  /** The same object as seen from outside: its methods run as `owner`. */
  bind<T extends object>(owner: Owner, face: T): T
}

interface Wrapped {
  readonly owner: Owner
  readonly raw: object
}

const passes: ReadonlySet<unknown> = new Set(
  [Date, RegExp, Error, Map, Set, WeakMap, WeakSet, ArrayBuffer, AbortSignal, AbortController, URL].map(
    (c) => c.prototype,
  ),
)

/** Does it have methods of its own or of its class? Plain data has none, and needs no binding. */
function isFace(v: object): boolean {
  for (
    let o: object | null = v;
    o !== null && o !== Object.prototype;
    o = Object.getPrototypeOf(o) as object | null
  ) {
    if (passes.has(o)) return false
    for (const key of Reflect.ownKeys(o)) {
      if (key === 'constructor') continue
      const d = Object.getOwnPropertyDescriptor(o, key)
      if (d !== undefined && (typeof d.value === 'function' || (d.get !== undefined && o === v))) return true
    }
  }
  return false
}

export function createMembrane(current: () => Owner): Membrane {
  const known = new WeakMap<object, Wrapped>()
  const made = new WeakMap<Owner, WeakMap<object, object>>()

  /** `v` belongs to `from` and goes to `to`. */
  const cross = (v: unknown, from: Owner, to: Owner): unknown => {
    if (from === to || v === null) return v
    if (typeof v !== 'object' && typeof v !== 'function') return v
    const had = known.get(v)
    if (had !== undefined) return had.owner === to ? had.raw : v
    if (typeof v === 'function') return wrapFunction(v as AnyFunction, from)
    if (ArrayBuffer.isView(v) || Array.isArray(v)) return v
    if (v instanceof Promise) {
      // Settled in `from`, seen in `to`: whoever awaits it goes on as itself.
      return v.then(
        (x) => cross(x, from, to),
        (e: unknown) => {
          throw e
        },
      )
    }
    return isFace(v) ? wrapObject(v, from) : v
  }

  const cache = (owner: Owner, raw: object, make: () => object): object => {
    let of = made.get(owner)
    if (of === undefined) made.set(owner, (of = new WeakMap()))
    let w = of.get(raw)
    if (w === undefined) {
      w = make()
      of.set(raw, w)
      known.set(w, { owner, raw })
    }
    return w
  }

  const invoke = (f: AnyFunction, self: unknown, args: unknown[], owner: Owner): unknown => {
    const caller = current()
    if (caller === owner) return f.apply(self, args)
    if (caller.dead !== undefined) caller.refuse('a call across a face')
    if (owner.dead !== undefined) owner.refuse('a call across a face')
    const inner = args.map((a) => cross(a, caller, owner))
    return cross(
      owner.run(() => f.apply(self, inner)),
      owner,
      caller,
    )
  }

  const wrapFunction = (f: AnyFunction, owner: Owner): object =>
    cache(
      owner,
      f,
      () =>
        function (this: unknown, ...args: unknown[]) {
          return invoke(f, this, args, owner)
        },
    )

  const wrapObject = (raw: object, owner: Owner): object =>
    cache(owner, raw, () => {
      const methods = new Map<PropertyKey, { from: unknown; made: unknown }>()
      // An empty shadow stands as the proxy's target: a frozen one would forbid handing out wrappers.
      return new Proxy(Object.create(Object.getPrototypeOf(raw) as object | null) as object, {
        get(_shadow, key) {
          const caller = current()
          const v: unknown =
            caller === owner
              ? Reflect.get(raw, key, raw)
              : owner.run(() => Reflect.get(raw, key, raw) as unknown)
          if (typeof v !== 'function') return cross(v, owner, caller)
          const had = methods.get(key)
          if (had !== undefined && had.from === v) return had.made
          const bound = (...args: unknown[]): unknown => invoke(v as AnyFunction, raw, args, owner)
          methods.set(key, { from: v, made: bound })
          return bound
        },
        set(_shadow, key, value) {
          return Reflect.set(raw, key, cross(value, current(), owner), raw)
        },
        has: (_shadow, key) => Reflect.has(raw, key),
        ownKeys: () => Reflect.ownKeys(raw),
        getOwnPropertyDescriptor(_shadow, key) {
          const d = Object.getOwnPropertyDescriptor(raw, key)
          if (d === undefined) return undefined
          return {
            configurable: true,
            enumerable: d.enumerable ?? false,
            writable: true,
            value: cross(Reflect.get(raw, key, raw), owner, current()),
          }
        },
      })
    })

  return {
    bind: <T extends object>(owner: Owner, face: T): T => {
      const had = known.get(face)
      if (had !== undefined && had.owner === owner) return face
      return (typeof face === 'function' ? wrapFunction(face, owner) : wrapObject(face, owner)) as T
    },
  }
}
