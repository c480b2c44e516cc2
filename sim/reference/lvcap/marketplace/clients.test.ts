import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../../../../drivers/faces.ts'
import { createRealWorld } from '../../../../drivers/real/world.ts'
import { makePki } from '../pki.ts'
import { eventually, freePort, tempFolder } from '../testing.ts'
import { mosquittoLacks } from './mosquitto-programs.ts'

const subscriber = '/usr/bin/mosquitto_sub'
const there = ((): boolean => {
  try {
    accessSync(subscriber, constants.X_OK)
    return true
  } catch {
    return false
  }
})()

/** Somebody else's client of MQTT, and everything that it writes. */
function subscribe(port: number, pki: string, identity: readonly string[]) {
  const args = [
    '-h',
    '127.0.0.1',
    '-p',
    String(port),
    '--cafile',
    join(pki, 'ca.crt'),
    '-t',
    '#',
    '-v',
    ...identity,
  ]
  const client = spawn(subscriber, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '', err: '' }
  const heard = new Set<() => void>()
  client.stdout.on('data', (chunk: Buffer) => {
    said.out += chunk.toString()
    for (const f of heard) f()
  })
  client.stderr.on('data', (chunk: Buffer) => {
    said.err += chunk.toString()
  })
  const ended = new Promise<void>((resolve) => {
    client.once('close', () => resolve())
  })
  return {
    said,
    prints: (pattern: RegExp): Promise<void> =>
      eventually(`${pattern.source} of mosquitto_sub`, (resolve) => {
        const look = (): void => {
          if (pattern.test(said.out)) resolve()
        }
        heard.add(look)
        look()
      }),
    async stop(): Promise<void> {
      client.kill('SIGKILL')
      await ended
    },
  }
}

const certificate = (pki: string, name: string): readonly string[] => [
  '--cert',
  join(pki, `${name}.crt`),
  '--key',
  join(pki, `${name}.key`),
]

const why = there ? '' : ` (skipped: no ${subscriber}; Debian: apt-get install mosquitto-clients)`

describe.skipIf(!there)(
  `mosquitto_sub at the marketplace of the platform in processes of its own${why}`,
  () => {
    const folder = tempFolder()
    const pki = join(folder.path, 'pki')
    beforeAll(() => makePki(pki, { apps: ['lucy_gridkeysensor_1.0'] }))
    afterAll(() => folder.remove())

    for (const broker of ['aedes', 'mosquitto'] as const) {
      const lacks = broker === 'mosquitto' ? mosquittoLacks() : []
      const skipped = lacks.length === 0 ? '' : ` (skipped: ${lacks.join('; ')})`
      test.skipIf(lacks.length > 0)(
        `reads everything with an observer's certificate, and nothing without one or with an intruder's: ${broker}${skipped}`,
        async () => {
          await using world = await createRealWorld({ seed: 1 })
          const host = await world.host({ name: 'platform', address: '127.0.0.1' })
          const refusals: Json[] = []
          const up = Promise.withResolvers<void>()
          const counted = new Set<() => void>()
          host.onLog((_, entry) => {
            const { event, reason = '' } = entry as { readonly event?: Json; readonly reason?: Json }
            if (event === 'listening') up.resolve()
            if (event !== 'refused') return
            refusals.push(reason)
            for (const f of counted) f()
          })
          const refused = (n: number): Promise<void> =>
            eventually(`${n} refusals in the log`, (resolve) => {
              const look = (): void => {
                if (refusals.length >= n) resolve()
              }
              counted.add(look)
              look()
            })
          const port = await freePort()
          const proc = await host.start('platform', {
            entry: 'sim/reference/lvcap/platform.ts',
            defects: [],
            config: { pki, marketplace: { port, broker }, manager: { statusInterval: 0.5 }, apps: [] },
          })
          await eventually('the marketplace to listen', (resolve) => void up.promise.then(resolve))

          const observer = subscribe(port, pki, certificate(pki, 'observer'))
          await observer.prints(/^status\/request \{/m)
          const strangers = [
            [],
            certificate(pki, 'intruder/foreign-ca'),
            certificate(pki, 'intruder/expired'),
          ]
          for (const [i, identity] of strangers.entries()) {
            const stranger = subscribe(port, pki, identity)
            await refused(i + 1)
            const before = observer.said.out.length
            await eventually('a later message', (resolve) => {
              void observer.prints(new RegExp(`^[^]{${before},}status/request \\{`)).then(resolve)
            })
            await stranger.stop()
            expect(stranger.said.out).toBe('')
          }
          expect(refusals[0]).toBe('no-certificate')
          await observer.stop()
          proc.signal('TERM')
          expect(await proc.ended).toBe(0)
        },
      )
    }
  },
)
