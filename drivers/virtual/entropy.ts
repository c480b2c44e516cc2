/** Every source of chance that JavaScript can reach, from streams that the run's seed and the owner's name give. */
import { stream } from '../random.ts'
import type { Kernel } from './kernel.ts'
import type { Owner } from './owner.ts'
import { argumentError, type Bag, type Fn, put } from './patch.ts'

function uniform(kernel: Kernel, o: Owner): number {
  return (o.random ??= stream(kernel.seed, `${o.key}/Math.random`))()
}

/** Fills with bytes of the owner's own stream; used for what stands where cryptographic randomness would. */
export function fillBytes(kernel: Kernel, o: Owner, into: Uint8Array): void {
  const next = (o.bytes ??= stream(kernel.seed, `${o.key}/bytes`))
  let i = 0
  while (i < into.length) {
    let word = Math.floor(next() * 4294967296)
    for (let k = 0; k < 4 && i < into.length; k++) {
      into[i++] = word & 0xff
      word >>>= 8
    }
  }
}

type View = NodeJS.ArrayBufferView | ArrayBufferLike

function bytesOf(v: View, offset = 0, size?: number): Uint8Array {
  if (ArrayBuffer.isView(v)) {
    const unit = 'BYTES_PER_ELEMENT' in v ? v.BYTES_PER_ELEMENT : 1
    const length = size === undefined ? v.byteLength - offset * unit : size * unit
    return new Uint8Array(v.buffer, v.byteOffset + offset * unit, length)
  }
  return new Uint8Array(v, offset, size ?? v.byteLength - offset)
}

export function installEntropy(kernel: Kernel, modules: { crypto: Bag }): void {
  const { crypto } = modules
  const fill = (into: Uint8Array): void => {
    const o = kernel.current()
    kernel.seam(o, 'random bytes')
    fillBytes(kernel, o, into)
  }
  const soon = (f: () => void): void => {
    kernel.immediate(kernel.current(), f, undefined)
  }
  put(Math, 'random', () => uniform(kernel, kernel.current()))
  Object.defineProperty(Math, 'random', { enumerable: false })

  const bytes = (n: number): Buffer => {
    if (typeof n !== 'number' || !(n >= 0) || n > 2 ** 31 - 1)
      throw argumentError('ERR_OUT_OF_RANGE', `The value of "size" is out of range: ${String(n)}`)
    const b = Buffer.alloc(n)
    fill(b)
    return b
  }
  const randomBytes = (n: number, f?: (e: null, b: Buffer) => void): Buffer | undefined => {
    const b = bytes(n)
    if (f === undefined) return b
    soon(() => f(null, b))
    return undefined
  }
  const randomFillSync = (v: View, offset?: number, size?: number): View => {
    fill(bytesOf(v, offset, size))
    return v
  }
  const randomFill = (v: View, ...rest: unknown[]): void => {
    const f = rest.pop() as (e: null, v: View) => void
    randomFillSync(v, rest[0] as number | undefined, rest[1] as number | undefined)
    soon(() => f(null, v))
  }
  const randomInt = (...args: unknown[]): number | undefined => {
    const f = typeof args.at(-1) === 'function' ? (args.pop() as (e: null, n: number) => void) : undefined
    const low = args.length > 1 ? (args[0] as number) : 0
    const high = (args.length > 1 ? args[1] : args[0]) as number
    if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high))
      throw argumentError('ERR_INVALID_ARG_TYPE', 'randomInt takes safe integers')
    if (high <= low || high - low >= 2 ** 48)
      throw argumentError('ERR_OUT_OF_RANGE', `The value of "max" is out of range: ${high}`)
    const b = bytes(7)
    const n = low + (b.readUIntBE(1, 6) % (high - low))
    if (f === undefined) return n
    soon(() => f(null, n))
    return undefined
  }
  const randomUUID = (): string => {
    const b = bytes(16)
    b[6] = ((b[6] ?? 0) & 0x0f) | 0x40
    b[8] = ((b[8] ?? 0) & 0x3f) | 0x80
    const h = b.toString('hex')
    return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`
  }
  const getRandomValues = (v: NodeJS.ArrayBufferView): NodeJS.ArrayBufferView => {
    if (v.byteLength > 65_536)
      throw new DOMException('The requested length exceeds 65,536 bytes', 'QuotaExceededError')
    fill(bytesOf(v))
    return v
  }
  const made: Record<string, Fn> = {
    randomBytes,
    randomFillSync,
    randomFill,
    randomInt,
    randomUUID,
    pseudoRandomBytes: randomBytes,
  }
  for (const [name, f] of Object.entries(made)) if (name in crypto) put(crypto, name, f)
  // `crypto.getRandomValues` is an accessor that asks this object, so it follows.
  const web = Object.getPrototypeOf(globalThis.crypto) as object
  put(web, 'getRandomValues', getRandomValues)
  put(web, 'randomUUID', randomUUID)
}
