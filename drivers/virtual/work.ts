/** Work that Node gives to its thread pool (crypto, zlib), done at once and completed as a virtual immediate. */
import type { Kernel } from './kernel.ts'
import type { Owner } from './owner.ts'
import { type Bag, type Fn, put, replace } from './patch.ts'

/** Functions of node:crypto with a callback and a twin that ends in Sync. */
const cryptoPairs = ['pbkdf2', 'scrypt', 'hkdf', 'generateKey', 'generatePrime', 'checkPrime', 'argon2']
/** Functions of node:crypto that are synchronous without a callback. */
const cryptoOptional = ['sign', 'verify', 'diffieHellman', 'encapsulate', 'decapsulate']
const zlibPairs =
  'deflate inflate gzip gunzip deflateRaw inflateRaw unzip brotliCompress brotliDecompress zstdCompress zstdDecompress'.split(
    ' ',
  )

export function installWork(kernel: Kernel, modules: { crypto: Bag; zlib: Bag }): void {
  const { crypto, zlib } = modules

  const finish = (o: Owner, done: Fn, work: () => unknown[]): void => {
    let out: unknown[]
    try {
      out = [null, ...work()]
    } catch (e) {
      // What is wrong with the arguments is thrown at once, as Node does.
      if ((e as { code?: string }).code?.startsWith('ERR_INVALID_ARG') === true) throw e
      out = [e]
    }
    kernel.immediate(o, () => done(...out), undefined)
  }
  const deferred =
    (name: string, original: Fn, work: (args: unknown[]) => unknown[]): Fn =>
    (...args: unknown[]) => {
      const done = args.at(-1)
      // Without a callback these are synchronous, though Node makes a job for them.
      if (typeof done !== 'function') return kernel.tripwire.own(() => original(...args) as unknown)
      const o = kernel.current()
      if (kernel.seam(o, name)) finish(o, done as Fn, () => work(args.slice(0, -1)))
      return undefined
    }

  for (const name of cryptoPairs)
    if (typeof crypto[`${name}Sync`] === 'function')
      replace(crypto, name, (original) =>
        deferred(name, original, (args) => [(crypto[`${name}Sync`] as Fn)(...args) as unknown]),
      )
  for (const name of cryptoOptional)
    if (typeof crypto[name] === 'function')
      replace(crypto, name, (original) =>
        deferred(name, original, (args) => [kernel.tripwire.own(() => original(...args) as unknown)]),
      )
  replace(crypto, 'generateKeyPair', (original) =>
    deferred('generateKeyPair', original, (args) => {
      const made = (crypto['generateKeyPairSync'] as Fn)(...args) as Bag
      return [made['publicKey'], made['privateKey']]
    }),
  )
  const subtle = Object.getPrototypeOf(globalThis.crypto.subtle) as Bag
  put(
    subtle,
    'digest',
    async (algorithm: string | { name: string }, data: NodeJS.ArrayBufferView | ArrayBuffer) => {
      const name = (typeof algorithm === 'string' ? algorithm : algorithm.name).replace('-', '').toLowerCase()
      const bytes = ArrayBuffer.isView(data) ? data : new Uint8Array(data)
      const out = ((crypto['createHash'] as Fn)(name) as Bag)['update'](bytes)['digest']() as Buffer
      await new Promise<void>((resolve) => kernel.immediate(kernel.current(), () => resolve(), undefined))
      return out.buffer.slice(out.byteOffset, out.byteOffset + out.length)
    },
  )

  for (const name of zlibPairs)
    if (typeof zlib[`${name}Sync`] === 'function')
      replace(zlib, name, (original) =>
        deferred(name, original, (args) => [(zlib[`${name}Sync`] as Fn)(...args) as unknown]),
      )
  for (const maker of [
    'createGzip',
    'createBrotliCompress',
    'createBrotliDecompress',
    'createZstdCompress',
    'createZstdDecompress',
  ])
    if (typeof zlib[maker] === 'function') makeStreamsSynchronous(kernel, (zlib[maker] as Fn)() as Bag)
}

const callback = Symbol('gridproof.zlib')

/** Each kind of engine has one native prototype: its `write` becomes its `writeSync` and a virtual immediate. */
function makeStreamsSynchronous(kernel: Kernel, sample: Bag): void {
  const proto = Object.getPrototypeOf(sample['_handle'] as object) as Bag
  sample['destroy']()
  if (Object.hasOwn(proto, callback)) return
  Object.defineProperty(proto, callback, { value: undefined, writable: true })
  replace(
    proto,
    'init',
    (original) =>
      function (this: Bag, ...args: unknown[]) {
        // The only function among the arguments is what is called after a write.
        this[callback] = args.find((a) => typeof a === 'function')
        return original.apply(this, args) as unknown
      },
  )
  replace(
    proto,
    'write',
    () =>
      function (this: Bag, ...args: unknown[]) {
        const o = kernel.current()
        if (!kernel.seam(o, 'zlib write')) return
        const done = this[callback] as Fn | undefined
        this['writeSync'](...args)
        kernel.immediate(o, () => done?.call(this), undefined)
      },
  )
}
