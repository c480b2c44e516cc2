/**
 * Replacing functions of Node's own modules in place. Everything here is untyped on purpose: these are other
 * people's objects, some of them undocumented, and each replacement checks what it relies on.
 */
import { GridproofError } from '../errors.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- a function of a built-in module, as it is
export type Fn = (this: any, ...args: any[]) => any
// oxlint-disable-next-line typescript/no-explicit-any -- an object of a built-in module, as it is
export type Bag = Record<PropertyKey, any>

const promisified = Symbol.for('nodejs.util.promisify.custom')

/**
 * Puts `make(original)` where `original` was, keeps its name, length and symbols, and returns the original.
 * Throws `internal` where there is no such function: then this Node is not one that the kernel knows.
 */
export function replace(o: object, name: PropertyKey, make: (original: Fn) => Fn): Fn {
  const bag = o as Bag
  const original = bag[name] as Fn | undefined
  if (typeof original !== 'function')
    throw new GridproofError(
      'internal',
      `virtual time: this Node (${process.version}) has no function ${String(name)} where one was expected`,
    )
  const made = make(original)
  for (const key of Object.getOwnPropertySymbols(original)) {
    if (key === promisified || Object.hasOwn(made, key)) continue
    Object.defineProperty(made, key, Object.getOwnPropertyDescriptor(original, key) ?? {})
  }
  Object.defineProperty(made, 'name', { value: original.name, configurable: true })
  Object.defineProperty(made, 'length', { value: original.length, configurable: true })
  put(o, name, made)
  return original
}

/** Sets a property whatever its attributes were, as far as the object allows. */
export function put(o: object, name: PropertyKey, value: unknown): void {
  const had = Object.getOwnPropertyDescriptor(o, name)
  Object.defineProperty(o, name, {
    value,
    writable: true,
    configurable: true,
    enumerable: had?.enumerable ?? true,
  })
}

/** A function's own form for `util.promisify`. */
export function promisify(f: object, custom: Fn): void {
  Object.defineProperty(f, promisified, { value: custom, configurable: true })
}

/** The symbol of that description on an object that Node made. Throws `internal` where it has none. */
export function symbolOf(o: object, description: string): symbol {
  const found = Object.getOwnPropertySymbols(o).find((s) => s.description === description)
  if (found === undefined)
    throw new GridproofError(
      'internal',
      `virtual time: this Node (${process.version}) has no symbol ${description} where one was expected`,
    )
  return found
}

/** An error as Node makes it for a failed system call: `connect ECONNREFUSED 10.0.0.1:502`. */
export function systemError(
  code: string,
  errno: number,
  syscall: string,
  more: { address?: string; port?: number; text?: string } = {},
): NodeJS.ErrnoException {
  const at =
    more.address === undefined ? '' : ` ${more.address}${more.port === undefined ? '' : `:${more.port}`}`
  const e: NodeJS.ErrnoException & { address?: string; port?: number } = new Error(
    `${syscall} ${code}${more.text ?? ''}${at}`,
  )
  e.errno = errno
  e.code = code
  e.syscall = syscall
  if (more.address !== undefined) e.address = more.address
  if (more.port !== undefined) e.port = more.port
  return e
}

/** A TypeError with a code, as Node throws it for a wrong argument. */
export function argumentError(code: string, message: string): TypeError {
  return Object.assign(new TypeError(message), { code })
}

/** What an aborted operation of Node rejects with. */
export function abortError(signal: AbortSignal): Error {
  return Object.assign(new Error('The operation was aborted', { cause: signal.reason }), {
    name: 'AbortError',
    code: 'ABORT_ERR',
  })
}
