/** Timers of Node on the kernel's heap: globals, node:timers, node:timers/promises, AbortSignal.timeout. */
import type { Item } from './agenda.ts'
import type { Kernel } from './kernel.ts'
import type { Owner } from './owner.ts'
import { abortError, argumentError, type Bag, type Fn, promisify, put } from './patch.ts'

/** Longest delay that Node keeps (ms); anything beyond becomes 1, as in Node. */
const longest = 2 ** 31 - 1

interface Timers {
  readonly setTimeout: (f: unknown, delay?: unknown, ...args: unknown[]) => VirtualTimeout
  readonly setImmediate: (f: unknown, ...args: unknown[]) => VirtualImmediate
}

/** A timer as `setTimeout` and `setInterval` give it. */
export class VirtualTimeout {
  private readonly kernel: Kernel
  private readonly owner: Owner
  private readonly callback: Fn
  private readonly args: readonly unknown[] | undefined
  private readonly repeat: boolean
  /** In ms of the host's own clock. */
  private readonly delay: number
  private readonly item: Item | undefined
  private closed = false
  private id: number | undefined

  constructor(
    kernel: Kernel,
    owner: Owner,
    callback: Fn,
    delay: number,
    args: readonly unknown[] | undefined,
    repeat: boolean,
    inert: boolean,
  ) {
    this.kernel = kernel
    this.owner = owner
    this.callback = kernel.owners.bound(callback)
    this.delay = delay
    this.args = args
    this.repeat = repeat
    this.item = inert ? undefined : kernel.at(owner, delay / owner.clock.rate, fire, this, true)
    const { trace } = kernel
    trace.armed(kernel.now, this.item?.due ?? 0, owner.rank, owner.key, kernel.tripwire.place)
  }

  fire(): void {
    if (!this.repeat) {
      this.invoke()
      return
    }
    try {
      this.invoke()
    } finally {
      if (!this.closed) this.rearm()
    }
  }

  private invoke(): void {
    const f = this.callback
    if (this.args === undefined) f.call(this)
    else f.apply(this, this.args as unknown[])
  }

  private rearm(): void {
    if (this.item !== undefined)
      this.kernel.refresh(this.item, this.delay / this.owner.clock.rate, fire, this)
  }

  /** A timer that has fired may be refreshed; one that was cleared stays so. */
  refresh(): this {
    if (!this.closed && this.owner.dead === undefined) this.rearm()
    return this
  }

  ref(): this {
    if (this.item !== undefined) this.kernel.setRef(this.item, true)
    return this
  }

  unref(): this {
    if (this.item !== undefined) this.kernel.setRef(this.item, false)
    return this
  }

  hasRef(): boolean {
    return this.item?.ref ?? false
  }

  close(): this {
    this.closed = true
    if (this.item !== undefined) this.kernel.cancel(this.item)
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }

  [Symbol.toPrimitive](): number {
    return (this.id ??= register(this.kernel, this))
  }
}

const fire = (t: unknown): void => (t as VirtualTimeout).fire()

/** An immediate as `setImmediate` gives it. */
export class VirtualImmediate {
  private readonly kernel: Kernel
  private readonly item: Item | undefined

  constructor(kernel: Kernel, owner: Owner, callback: Fn, args: unknown[], inert: boolean) {
    this.kernel = kernel
    this.item = inert
      ? undefined
      : kernel.immediate(
          owner,
          kernel.owners.bound(args.length === 0 ? callback : () => callback(...args)),
          undefined,
        )
  }

  close(): void {
    if (this.item !== undefined) this.kernel.cancel(this.item)
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  hasRef(): boolean {
    return true
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

const numbered = new WeakMap<Kernel, { next: number; byId: Map<number, VirtualTimeout> }>()

function register(kernel: Kernel, t: VirtualTimeout): number {
  let book = numbered.get(kernel)
  if (book === undefined) numbered.set(kernel, (book = { next: 1, byId: new Map() }))
  const id = book.next++
  book.byId.set(id, t)
  return id
}

function needFunction(f: unknown): Fn {
  if (typeof f === 'function') return f as Fn
  throw argumentError('ERR_INVALID_ARG_TYPE', 'The "callback" argument must be of type function')
}

function delayOf(delay: unknown): number {
  const n = Number(delay)
  return n >= 1 && n <= longest ? Math.trunc(n) : 1
}

/** Replaces the timers. Node's own modules that are loaded later take these too. */
export function installTimers(kernel: Kernel, modules: { timers: Bag; promises: Bag }): void {
  kernel.add({ begin: () => numbered.delete(kernel) })
  const begin = (
    name: 'setTimeout' | 'setInterval',
    f: unknown,
    delay: unknown,
    args: unknown[],
  ): VirtualTimeout => {
    const callback = needFunction(f)
    const owner = kernel.current()
    const on = kernel.seam(owner, name)
    const given = args.length > 0 ? args : undefined
    return new VirtualTimeout(kernel, owner, callback, delayOf(delay), given, name === 'setInterval', !on)
  }
  const timers: Timers & Bag = {
    setTimeout: (f: unknown, delay?: unknown, ...args: unknown[]) => begin('setTimeout', f, delay, args),
    setInterval: (f: unknown, delay?: unknown, ...args: unknown[]) => begin('setInterval', f, delay, args),
    setImmediate(f, ...args) {
      const callback = needFunction(f)
      const owner = kernel.current()
      // While Node handles an exception it calls setImmediate itself, as the owner that threw.
      const on = kernel.handling ? owner.dead === undefined : kernel.seam(owner, 'setImmediate')
      return new VirtualImmediate(kernel, owner, callback, args, !on)
    },
    clearTimeout(t: unknown) {
      if (t instanceof VirtualTimeout || t instanceof VirtualImmediate) t.close()
      else if (typeof t === 'number' || typeof t === 'string')
        numbered.get(kernel)?.byId.get(Number(t))?.close()
    },
  }
  timers['clearInterval'] = timers['clearTimeout']
  timers['clearImmediate'] = timers['clearTimeout']
  const promises = timerPromises(kernel, timers)
  promisify(timers.setTimeout, promises['setTimeout'] as Fn)
  promisify(timers.setImmediate, promises['setImmediate'] as Fn)
  for (const name of [
    'setTimeout',
    'setInterval',
    'setImmediate',
    'clearTimeout',
    'clearInterval',
    'clearImmediate',
  ]) {
    const f = timers[name] as Fn
    Object.defineProperty(f, 'name', { value: name })
    put(globalThis, name, f)
    put(modules.timers, name, f)
  }
  for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'scheduler'])
    put(modules.promises, name, promises[name])
  put(modules.timers, 'promises', modules.promises)
  put(AbortSignal, 'timeout', (delay: number) => {
    const c = new AbortController()
    timers
      .setTimeout(
        () => c.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
        delay,
      )
      .unref()
    return c.signal
  })
}

interface PromiseOptions {
  signal?: AbortSignal
  ref?: boolean
}

function timerPromises(kernel: Kernel, timers: Timers): Bag {
  const wait = <T>(
    start: (done: () => void) => { unref(): unknown; close(): unknown },
    value: T,
    o: PromiseOptions,
  ): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const { signal } = o
      if (signal?.aborted === true) {
        reject(abortError(signal))
        return
      }
      const onAbort = (): void => {
        t.close()
        reject(abortError(signal as AbortSignal))
      }
      const t = start(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve(value)
      })
      if (o.ref === false) t.unref()
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  const sleep = async (delay?: unknown, value?: unknown, o: PromiseOptions = {}): Promise<unknown> =>
    wait((done) => timers.setTimeout(done, delay), value, o)
  const soon = async (value?: unknown, o: PromiseOptions = {}): Promise<unknown> =>
    wait((done) => timers.setImmediate(done), value, o)
  return {
    setTimeout: sleep,
    setImmediate: soon,
    async *setInterval(delay?: unknown, value?: unknown, o: PromiseOptions = {}): AsyncGenerator {
      const step = Math.max(1, Math.trunc(Number(delay ?? 1)))
      let due = kernel.now + step
      for (;;) {
        await sleep(Math.max(1, due - kernel.now), undefined, o)
        due += step
        yield value
      }
    },
    scheduler: {
      wait: (delay: number, o?: PromiseOptions) => sleep(delay, undefined, o),
      yield: () => soon(),
    },
  }
}
