/** Installs the kernel in this process: once, before any library is imported, and for good. */
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { GridproofError } from '../errors.ts'
import { installClock } from './clock.ts'
import { installEntropy } from './entropy.ts'
import { installEscapes } from './escapes.ts'
import { installFiles } from './files.ts'
import { installHttp } from './http.ts'
import { Kernel, type KernelOptions } from './kernel.ts'
import { installNet, type VirtualNet } from './net.ts'
import type { Bag } from './patch.ts'
import { createSerialBus, type SerialBus } from './serial.ts'
import { installSqlite } from './sqlite.ts'
import { installTimers } from './timers.ts'
import { installTls } from './tls.ts'
import { installWork } from './work.ts'

/** The kernel and the network below it. */
export interface Installed {
  readonly kernel: Kernel
  readonly net: VirtualNet
  readonly serial: SerialBus
}

const key = Symbol.for('gridproof.virtual')

/** Modules that keep timers of their own from when they are loaded. */
const tooEarly = ['_http_server', 'internal/js_stream_socket', '_http_agent']

/** What is installed in this process, if anything. */
export function installed(): Installed | undefined {
  return (globalThis as Bag)[key] as Installed | undefined
}

/**
 * Puts the kernel under Node. Throws `internal` when it is installed already, or when node:http or node:tls have been
 * loaded before: they keep the real timers.
 */
export function installKernel(options: KernelOptions): Installed {
  if (installed() !== undefined)
    throw new GridproofError(
      'internal',
      'virtual time: the kernel is installed already; it installs once in a process',
    )
  const loaded = new Set((process as unknown as { moduleLoadList: string[] }).moduleLoadList)
  const early = tooEarly.filter((m) => loaded.has(`NativeModule ${m}`))
  if (early.length > 0)
    throw new GridproofError(
      'internal',
      `virtual time: ${early.join(', ')} loaded before the kernel was installed; import node:http and node:tls after it`,
    )
  // On a pipe these are sockets: they are made before sockets change.
  void process.stdout
  void process.stderr
  const kernel = new Kernel(options)
  const get = createRequire(import.meta.url) as (name: string) => Bag
  installTimers(kernel, { timers: get('node:timers'), promises: get('node:timers/promises') })
  installClock(kernel, { perf: get('node:perf_hooks'), os: get('node:os'), util: get('node:util') })
  installEntropy(kernel, { crypto: get('node:crypto') })
  const net = installNet(kernel, { net: get('node:net'), dns: get('node:dns') })
  installTls(kernel, { tls: get('node:tls'), net: get('node:net') })
  installHttp(kernel, { http: get('node:http'), https: get('node:https') })
  installSqlite(kernel, { sqlite: get('node:sqlite') })
  installWork(kernel, { crypto: get('node:crypto'), zlib: get('node:zlib') })
  installFiles(kernel, { fs: get('node:fs') })
  installEscapes(kernel)
  syncBuiltinESMExports()
  const made = { kernel, net, serial: createSerialBus(kernel) }
  Object.defineProperty(globalThis, key, { value: made })
  return made
}
