/** Every clock that code can read: Date, Intl, performance, hrtime, uptime. A host's own, where it has been skewed. */
import type { Kernel } from './kernel.ts'
import type { Clock, Owner } from './owner.ts'
import { type Bag, type Fn, put, replace } from './patch.ts'

/** Milliseconds since the start as this clock counts them, without its step. */
export function elapsed(now: number, c: Clock): number {
  return c.rate === 1 && c.base === c.since ? now : c.base + (now - c.since) * c.rate
}

/** Changes a host's clock. `stepMs` adds to what Date shows; `ppm` is how much faster than true the clock runs. */
export function setClock(kernel: Kernel, owner: Owner, c: { stepMs?: number; ppm?: number }): void {
  const { clock } = owner
  kernel.skewed = true
  if (c.stepMs !== undefined) clock.step += c.stepMs
  if (c.ppm !== undefined) {
    clock.base = elapsed(kernel.now, clock)
    clock.since = kernel.now
    clock.rate = 1 + c.ppm * 1e-6
  }
}

export function installClock(kernel: Kernel, modules: { perf: Bag; os: Bag; util: Bag }): void {
  /** Milliseconds since the start, on the clock of whoever asks; not moved by steps. */
  const steady = (): number => (kernel.skewed ? elapsed(kernel.now, kernel.current().clock) : kernel.now)
  const wall = (): number => {
    if (!kernel.skewed) return Math.floor(kernel.epoch + kernel.now)
    const { clock } = kernel.current()
    return Math.floor(kernel.epoch + elapsed(kernel.now, clock) + clock.step)
  }
  installDate(kernel, wall)
  installIntl(wall)

  const performance = modules.perf['performance'] as object
  const proto = Object.getPrototypeOf(performance) as Bag
  put(proto, 'now', () => steady())
  Object.defineProperty(proto, 'timeOrigin', {
    get: () => kernel.epoch,
    configurable: true,
    enumerable: true,
  })
  const mark = proto['mark'] as Fn
  put(proto, 'mark', function (this: unknown, name: string, o: { startTime?: number } = {}) {
    return mark.call(this, name, { startTime: steady(), ...o })
  })
  for (const name of ['measure', 'timerify', 'eventLoopUtilization'])
    if (typeof proto[name] === 'function')
      replace(
        proto,
        name,
        (original) =>
          function (this: unknown, ...args: unknown[]) {
            kernel.tripwire.hit(`performance.${name}`)
            return original.apply(this, args)
          },
      )

  const hrtime = (since?: [number, number]): [number, number] => {
    const ns = nanoseconds(steady())
    const now: [number, number] = [Number(ns / 1_000_000_000n), Number(ns % 1_000_000_000n)]
    if (since === undefined) return now
    const d = ns - (BigInt(since[0]) * 1_000_000_000n + BigInt(since[1]))
    return [Number(d / 1_000_000_000n), Number(d % 1_000_000_000n)]
  }
  hrtime.bigint = (): bigint => nanoseconds(steady())
  put(process, 'hrtime', hrtime)
  put(process, 'uptime', () => steady() / 1000)
  put(modules.os, 'uptime', () => Math.floor(steady() / 1000))
  const stamp = Object.getOwnPropertyDescriptor(Event.prototype, 'timeStamp')
  Object.defineProperty(Event.prototype, 'timeStamp', {
    configurable: true,
    enumerable: true,
    get(this: Event): number {
      if (!kernel.active) return (stamp?.get?.call(this) as number | undefined) ?? 0
      kernel.tripwire.hit('Event.timeStamp')
      return steady()
    },
  })
}

/** Offset that keeps hrtime positive and unlike a small number, as on a machine that has been up for a while. */
const upBefore = 1_000_000_000_000n

function nanoseconds(ms: number): bigint {
  return upBefore + BigInt(Math.round(ms * 1e6))
}

function installDate(kernel: Kernel, wall: () => number): void {
  const Real = kernel.natives.Date
  // Typed loosely: TypeScript cannot describe a function that is also called as a constructor.
  const Virtual = function (this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) return new Real(wall()).toString()
    if (args.length === 0) args = [wall()]
    return new.target === (Virtual as unknown)
      ? args.length === 1
        ? new Real(args[0] as number)
        : Reflect.construct(Real, args)
      : Reflect.construct(Real, args, new.target)
  }
  Object.defineProperty(Virtual, 'name', { value: 'Date' })
  Object.defineProperty(Virtual, 'length', { value: 7 })
  Object.defineProperty(Virtual, 'prototype', { value: Real.prototype, writable: false })
  put(Virtual, 'now', wall)
  put(Virtual, 'parse', Real.parse)
  put(Virtual, 'UTC', Real.UTC)
  put(Real.prototype, 'constructor', Virtual)
  for (const name of ['now', 'parse', 'UTC', 'constructor'])
    Object.defineProperty(name === 'constructor' ? Real.prototype : Virtual, name, { enumerable: false })
  put(globalThis, 'Date', Virtual)
  Object.defineProperty(globalThis, 'Date', { enumerable: false })
  // Somebody may have kept the real one: what it says of now is virtual too.
  put(Real, 'now', wall)
  Object.defineProperty(Real, 'now', { enumerable: false })
}

function installIntl(wall: () => number): void {
  const proto = Intl.DateTimeFormat.prototype
  const format = Object.getOwnPropertyDescriptor(proto, 'format')
  const bound = new WeakMap<object, (d?: unknown) => unknown>()
  Object.defineProperty(proto, 'format', {
    configurable: true,
    enumerable: false,
    get(this: Intl.DateTimeFormat) {
      let f = bound.get(this)
      if (f === undefined) {
        const real = format?.get?.call(this) as (d: unknown) => unknown
        f = (d) => real(d === undefined ? wall() : d)
        bound.set(this, f)
      }
      return f
    },
  })
  replace(
    proto,
    'formatToParts',
    (original) =>
      function (this: unknown, d?: unknown) {
        return original.call(this, d === undefined ? wall() : d)
      },
  )
  Object.defineProperty(proto, 'formatToParts', { enumerable: false })
}
