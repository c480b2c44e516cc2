/**
 * The reference reader as the system under test: its configuration from the rig and the meters' lines, started on a host of
 * its own, looked at through its log, its debugging line, and the cloud to which it sends.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import type { Conn, Host, Json, Proc, Realm, SerialLine, SerialSettings, World } from '../../drivers/faces.ts'
import { duration } from '../../drivers/units.ts'
import type { Emit } from '../../sim/faces.ts'
import type { Platform, Reader } from '../faces.ts'
import { readerName, readingsTopic } from './cloud.ts'
import { pageName } from './installer.ts'
import { hasDisk } from './machine.ts'
import { readerDown, readerUp } from './reader-events.ts'
import { sourceText } from './reader-json.ts'

/** A meter's line, as the reader is told of it. */
export interface ReadLine {
  readonly path: string
  readonly settings: SerialSettings
  /** Added to the reader's configuration of that line: framing, keys. */
  readonly reads: { readonly [k: string]: Json }
}

export interface ReaderOptions {
  readonly world: World
  readonly address: string
  readonly pki: string
  readonly defects: readonly string[]
  /** Of the bench, who holds the debugging line. */
  readonly bench: Realm
  /** The meters' lines as they are now. */
  lines(): readonly ReadLine[]
  /** Takes the meters off their lines, and puts them back so. */
  rewire(change: Parameters<Reader['rewire']>[0]): Promise<void>
  /** The modem's line as it is now; nothing: the reader is on the network itself. */
  modem(): { readonly path: string; readonly settings: SerialSettings } | undefined
  /** Its configuration page: the port, and the hash of its password. It is then installed without knowing its cloud. */
  readonly page?: { readonly port: number; readonly password: string }
  readonly cloud: { readonly address: string; readonly port: number } | undefined
  emitAs(src: string): Emit
}

export type PlayedReader = Reader & AsyncDisposable

/** Settings of the debugging line: the usual ones of a console. Ours. */
const console8n1: SerialSettings = { baudRate: 115_200, dataBits: 8, parity: 'none', stopBits: 1 }
/** A reader that is asked to finish may take so long, ms. Ours. */
const stopWithin = 10_000

const machineRequest = z.strictObject({ do: z.literal('restart') })
const configRequest = z.record(z.string(), z.json())

/** Starts the reader. Resolves when its process runs. */
export async function referenceReader(o: ReaderOptions): Promise<PlayedReader> {
  const { world } = o
  const host: Host = await world.host({ name: 'reader', address: o.address })
  const log = o.emitAs('log')
  const defect = o.emitAs('defect')
  const reader = o.emitAs('reader')
  const heard = o.emitAs('debug')
  let proc: Proc | undefined
  let closing = false
  let up = false
  let more: { readonly [k: string]: Json } = {}
  let opened = 0
  let confined = false
  let wake = (): void => undefined
  const died = Promise.withResolvers<never>()
  died.promise.catch(() => undefined)
  host.onLog((name, entry) => {
    const said = typeof entry === 'object' && entry !== null && 'event' in entry ? entry['event'] : undefined
    const event = typeof said === 'string' ? said : 'line'
    if (event === 'defect') {
      defect('note', { ...(entry as { [k: string]: Json }), proc: name })
      return
    }
    log('seen', { alias: `log.${event}`, payload: entry, proc: name })
    if (event === 'port-open') opened++
    wake()
  })

  let debug: SerialLine | undefined
  let typist: Conn | undefined
  const openDebug = async (): Promise<SerialLine> => {
    const realm = world.realm({ name: 'debug', address: o.bench.address })
    const line = await world.serial({ name: 'debug/serial', realm, settings: console8n1 })
    await realm.run(() =>
      line.wire.open((c) => {
        typist = c
        let text = ''
        c.onBytes((b) => {
          const parts = (text + Buffer.from(b).toString('utf8')).split('\r\n')
          text = parts.pop() ?? ''
          for (const one of parts) {
            const echo = !one.startsWith('{')
            heard('seen', {
              alias: echo ? 'debug.echo' : 'debug.reading',
              ...(echo ? { payload: one } : sourceText(one)),
            })
          }
        })
        c.onEnd(() => {
          typist = undefined
        })
      }),
    )
    return line
  }

  const modemConfig = (): { readonly modem?: Json } => {
    const m = o.modem()
    return m === undefined ? {} : { modem: { path: m.path, ...m.settings } }
  }
  const config = (): Json => ({
    id: readerName,
    lines: o.lines().map((l) => ({ path: l.path, ...l.settings, stopBits: 1, ...l.reads })),
    ...(o.cloud === undefined
      ? {}
      : {
          broker: {
            host: o.cloud.address,
            // Where nobody is, until the page tells better.
            port: o.page === undefined ? o.cloud.port : 1,
            clientId: readerName,
            topic: readingsTopic,
            ca: join(o.pki, 'ca.crt'),
            cert: join(o.pki, `${readerName}.crt`),
            key: join(o.pki, `${readerName}.key`),
          },
        }),
    ...(o.page === undefined
      ? {}
      : {
          web: {
            ...o.page,
            cert: join(o.pki, `${pageName}.crt`),
            key: join(o.pki, `${pageName}.key`),
          },
        }),
    ...modemConfig(),
    ...(debug === undefined ? {} : { debug: { path: debug.path, ...console8n1 } }),
    ...more,
  })

  /** Resolves when every line is open; throws where it ended before. */
  const lined = async (within: number, code: 'rig-broke' | 'timeout'): Promise<void> => {
    const ports = o.lines().length + (debug === undefined ? 0 : 1)
    const late = Promise.withResolvers<never>()
    const t = setTimeout(
      () =>
        late.reject(new GridproofError(code, `the reader has opened ${opened} of ${ports} lines in time`)),
      within,
    )
    try {
      for (;;) {
        const change = new Promise<void>((resolve) => {
          wake = resolve
        })
        if (opened >= ports) return
        await Promise.race([change, late.promise, died.promise])
      }
    } finally {
      clearTimeout(t)
    }
  }

  const start = async (): Promise<void> => {
    opened = 0
    const p = await host.start('reader', {
      entry: 'sim/defects/launch.ts',
      config: { app: 'sim/reference/han-logger/main.ts', config: config() },
      defects: o.defects,
      ...(confined ? { oneCore: true as const } : {}),
    })
    proc = p
    void p.ended.then((how) => {
      if (closing || proc !== p) return
      reader('host', { what: 'the reader ended', how })
      died.reject(
        new GridproofError(
          up ? 'timeout' : 'rig-broke',
          `the reader ended by itself (${how}); its log says why`,
        ),
      )
    })
  }
  const stop = async (): Promise<void> => {
    const p = proc
    proc = undefined
    if (p === undefined) return
    p.signal('TERM')
    const t = setTimeout(() => p.signal('KILL'), stopWithin)
    await p.ended
    clearTimeout(t)
  }
  /** Down and up again; `away` does what is to be done meanwhile. */
  const anew = async (how: 'TERM' | 'KILL', away: () => Promise<void>): Promise<void> => {
    reader('host', { what: readerDown, by: how })
    if (how === 'KILL') {
      const p = proc
      proc = undefined
      p?.signal('KILL')
      await p?.ended
    } else await stop()
    await away()
    await start()
    await lined(duration('30 s'), 'timeout')
    reader('host', { what: readerUp, modem: o.modem()?.settings.baudRate ?? null })
  }
  await start()

  const platform: Platform = {
    can: new Set([
      'log',
      'host',
      'machine',
      'config',
      'tls',
      ...(hasDisk(host, world) ? ['disk'] : []),
      ...(host.can.has('one-core') ? ['one-core'] : []),
    ]),
    hosts: [host],
    async ready(within) {
      await lined(duration(within), 'rig-broke')
      up = true
    },
    watch: (port, select) => ({ src: port, kind: 'seen', select }),
    async ask(port, request) {
      if (port === 'machine') {
        const r = machineRequest.safeParse(request)
        if (!r.success)
          throw new GridproofError('bad-value', `a request to the machine: ${z.prettifyError(r.error)}`)
        await anew('KILL', async () => undefined)
        return { Ok: true }
      }
      if (port !== 'config')
        throw new GridproofError('not-capable', `the reference reader cannot be asked at '${port}'`)
      const r = configRequest.safeParse(request)
      if (!r.success)
        throw new GridproofError('bad-value', `a change of configuration: ${z.prettifyError(r.error)}`)
      await anew('TERM', async () => {
        more = { ...more, ...r.data }
      })
      return { Ok: true }
    },
  }
  return {
    ...platform,
    debug: { src: 'debug', kind: 'seen', select: 'debug.reading' },
    echo: { src: 'debug', kind: 'seen', select: 'debug.echo' },
    async openDebug() {
      if (debug !== undefined) return
      await anew('TERM', async () => {
        debug = await openDebug()
      })
    },
    async confine() {
      // Checks that need it say that it cannot be.
      if (!host.can.has('one-core')) return
      await anew('TERM', async () => {
        confined = true
      })
    },
    async type(text) {
      heard('sent', { alias: 'debug.typed', payload: text })
      await typist?.send(Buffer.from(`${text}\r\n`))
    },
    rewire: (change) => anew('TERM', () => o.rewire(change)),
    async [Symbol.asyncDispose]() {
      closing = true
      await stop()
      await debug?.[Symbol.asyncDispose]()
      if (host.can.has('cut')) host.cut()
    },
  }
}
