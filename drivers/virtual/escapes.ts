/** Ways out of virtual time that are not replaced but forbidden: each is refused, and recorded with its place. */
import { GridproofError } from '../errors.ts'
import type { Kernel } from './kernel.ts'
import { put } from './patch.ts'

const forbidden = ['fetch', 'WebSocket', 'EventSource', 'BroadcastChannel', 'MessageChannel']

export function installEscapes(kernel: Kernel): void {
  for (const name of forbidden) {
    if (!(name in globalThis)) continue
    const original = (globalThis as Record<string, unknown>)[name]
    const refuse = (): never => {
      kernel.tripwire.hit(name)
      throw new GridproofError(
        'escaped',
        `${name} runs on the machine's own clock and network; use node:http, node:net or timers`,
      )
    }
    const made =
      name === 'fetch'
        ? async (...args: unknown[]) =>
            kernel.active
              ? refuse()
              : ((original as typeof fetch)(...(args as Parameters<typeof fetch>)) as unknown)
        : function (...args: unknown[]): object {
            if (kernel.active) refuse()
            return Reflect.construct(original as new () => object, args)
          }
    Object.defineProperty(made, 'name', { value: name })
    put(globalThis, name, made)
    Object.defineProperty(globalThis, name, { enumerable: false })
  }
  const exit = process.exit.bind(process)
  put(process, 'exit', (code?: number) => {
    for (let o = kernel.active ? kernel.owners.known() : undefined; o !== undefined; o = o.parent)
      if (o.onExit !== undefined) {
        o.onExit(code ?? 0)
        throw new GridproofError('power-gone', `${o.name} called process.exit: nothing of it runs any more`)
      }
    exit(code)
  })
}
