/** node:tls over virtual sockets: `tls.connect` gets a socket of ours to wrap, and servers are marked. */
import type { Kernel } from './kernel.ts'
import { tlsServer } from './net.ts'
import { type Bag, type Fn, put, replace } from './patch.ts'
import { begun, makeOpaque, opaque } from './socket.ts'

export function installTls(_kernel: Kernel, modules: { tls: Bag; net: Bag }): void {
  const { tls, net } = modules
  const normalize = net['_normalizeArgs'] as (a: unknown[]) => [Bag, Fn | null]
  const Socket = net['Socket'] as unknown as new (o?: object) => Bag
  replace(
    tls,
    'connect',
    (original) =>
      function (this: unknown, ...args: unknown[]) {
        const [first, done] = normalize(args)
        const options: Bag = { ...first }
        // As Node does: connect(port, options), connect(port, host, options).
        if (isOptions(args[1])) Object.assign(options, args[1])
        else if (isOptions(args[2])) Object.assign(options, args[2])
        let raw = options['socket'] as Bag | undefined
        if (raw === undefined || raw === null) {
          raw = new Socket({ allowHalfOpen: options['allowHalfOpen'] })
          raw[opaque] = true
          raw['connect'](options)
          options['socket'] = raw
          const made = original.call(this, options, done ?? undefined) as Bag
          if (typeof options['timeout'] === 'number' && options['timeout'] > 0)
            made['setTimeout'](options['timeout'])
          return made
        }
        makeOpaque(raw)
        return begun(raw, () => original.call(this, options, done ?? undefined) as Bag)
      },
  )
  // Every TLS server has this on its prototype: https.Server too.
  const server = (tls['Server'] as Fn).prototype as Bag
  put(server, tlsServer, true)
  // A socket that stands may be handed to a TLS server by this event, as Node documents it.
  const emit = server['emit'] as Fn
  put(server, 'emit', function (this: Bag, event: unknown, ...args: unknown[]) {
    const [raw] = args
    if (event !== 'connection' || !(raw instanceof Socket)) return emit.call(this, event, ...args) as unknown
    makeOpaque(raw)
    return begun(raw, () => emit.call(this, event, ...args) as unknown)
  })
}

function isOptions(v: unknown): v is object {
  return typeof v === 'object' && v !== null
}
