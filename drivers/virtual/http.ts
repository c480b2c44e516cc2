/** node:http in virtual time: its sockets are virtual already; what is left is the Date header and its own real clock. */
import type { Kernel } from './kernel.ts'
import { type Bag, type Fn, put, replace } from './patch.ts'

const wanted = Symbol('gridproof.sendDate')
const inside = Symbol('gridproof.storing')

export function installHttp(kernel: Kernel, modules: { http: Bag; https: Bag }): void {
  const { http, https } = modules
  const outgoing = (http['OutgoingMessage'] as Fn).prototype as Bag
  // Node takes the header's text from a cache on the real clock; here it is never asked for it.
  Object.defineProperty(outgoing, 'sendDate', {
    configurable: true,
    enumerable: true,
    get(this: Bag): boolean {
      return this[inside] === true ? false : this[wanted] === true
    },
    set(this: Bag, on: boolean) {
      this[wanted] = on
    },
  })
  replace(
    outgoing,
    '_storeHeader',
    (original) =>
      function (this: Bag, firstLine: string, headers: unknown) {
        this[inside] = true
        try {
          const line =
            this[wanted] === true && !hasDate(headers)
              ? `${firstLine}Date: ${new Date().toUTCString()}\r\n`
              : firstLine
          original.call(this, line, headers)
        } finally {
          this[inside] = false
        }
      },
  )
  watchExpiry(kernel, http)
  watchExpiry(kernel, https)
  kernel.add({
    // Idle connections and TLS sessions of one run must not be seen by the next.
    end() {
      for (const m of [http, https]) {
        const agent = m['globalAgent'] as Bag
        const Agent = m['Agent'] as unknown as new (o: object) => Bag
        agent['destroy']()
        m['globalAgent'] = new Agent({ ...(agent['options'] as object), keepAlive: true, timeout: 5000 })
      }
    },
  })
}

function hasDate(headers: unknown): boolean {
  if (headers === null || typeof headers !== 'object') return false
  if (!Array.isArray(headers)) return Object.keys(headers).some(isDate)
  if (Array.isArray(headers[0])) return headers.some((h: unknown) => Array.isArray(h) && isDate(h[0]))
  return headers.some((h, i) => i % 2 === 0 && isDate(h))
}

function isDate(name: unknown): boolean {
  return typeof name === 'string' && name.toLowerCase() === 'date'
}

/**
 * headersTimeout and requestTimeout are judged in C++ on the real clock. Here they are judged at the server's own
 * checks (each 30 s unless set) by when a request was first seen open.
 */
function watchExpiry(kernel: Kernel, module: Bag): void {
  const proto = (module['Server'] as Fn).prototype as Bag
  const emit = proto['emit'] as Fn
  put(proto, 'emit', function (this: Bag, name: string, ...args: unknown[]) {
    const out = emit.call(this, name, ...args)
    if (name === 'listening') {
      const key = Object.getOwnPropertySymbols(this).find((s) => s.description === 'http.server.connections')
      const list = key === undefined ? undefined : (this[key] as Bag | undefined)
      if (list !== undefined) watchList(kernel, list)
    }
    return out
  })
  Object.defineProperty(proto, 'emit', { enumerable: false })
}

function watchList(kernel: Kernel, list: Bag): void {
  const since = new Map<unknown, { at: number; message: unknown }>()
  put(list, 'expired', (headersTimeout: number, requestTimeout: number): unknown[] => {
    const active = (list['active'] as () => Bag[]).call(list)
    const open = new Set<unknown>(active)
    for (const p of since.keys()) if (!open.has(p)) since.delete(p)
    const expired: unknown[] = []
    for (const p of active) {
      const message = (p['incoming'] as unknown) ?? null
      const had = since.get(p)
      if (had === undefined || (had.message !== message && had.message !== null)) {
        since.set(p, { at: kernel.now, message })
        continue
      }
      had.message = message
      const waited = kernel.now - had.at
      if (
        (message === null && headersTimeout > 0 && waited >= headersTimeout) ||
        (requestTimeout > 0 && waited >= requestTimeout)
      )
        expired.push(p)
    }
    return expired
  })
}
