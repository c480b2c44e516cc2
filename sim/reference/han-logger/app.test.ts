/** The reader as an application of the platform, and by itself as a process; on pseudo terminals where they can be had. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Conn, SerialLine, World } from '../../../drivers/faces.ts'
import { ptyProvider } from '../../../drivers/real/pty.ts'
import { createRealWorld } from '../../../drivers/real/world.ts'
import { kaifa } from '../../defects/cases/han-reader.case.ts'
import { verifyPassword } from '../lvcap/maintenance/password.ts'
import { makePki } from '../lvcap/pki.ts'
import { eventually, freePort, listen, tempFolder, testHost } from '../lvcap/testing.ts'

const folder = tempFolder()
const pki = join(folder.path, 'pki')
const apid = 'ours_hanreader_1.0'
const iid = 'ours_hanreader_01'
const launcher = new URL('start.mjs', import.meta.url).pathname
const ptys = ptyProvider()
if ('lacks' in ptys) process.stderr.write(`the HAN reader is not tried on a line: ${ptys.lacks}\n`)
let world: World
beforeAll(async () => {
  makePki(pki, { apps: [apid], algorithm: 'ed25519' })
  world = await createRealWorld({ seed: 1 })
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  folder.remove()
})

async function line(): Promise<{ line: SerialLine; conn: Conn }> {
  const realm = world.realm({ name: 'meter', address: '127.0.0.1' })
  const made = await world.serial({
    name: 'meter/serial',
    realm,
    settings: { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 },
  })
  return new Promise((resolve, reject) => {
    made.wire.open((conn) => resolve({ line: made, conn })).catch(reject)
  })
}

test.skipIf('lacks' in ptys)(
  'as an application it publishes each value as a Scalar, and asks for storage where it is told to',
  async () => {
    const { line: serial, conn } = await line()
    const port = await freePort()
    const host = testHost(join(folder.path, 'platform'))
    await host.start('platform', {
      entry: 'sim/reference/lvcap/platform.ts',
      config: {
        pki,
        marketplace: { port, address: '127.0.0.1' },
        apps: [
          {
            apid,
            iid,
            entry: 'sim/reference/han-logger/app.ts',
            config: {
              lines: [{ path: serial.path }],
              quantities: ['activePowerImport', 'voltage3'],
              toStore: true,
            },
          },
        ],
      },
      defects: [],
    })
    await host.logged((l) => l.entry['event'] === 'port-open', 'the port')
    const observer = await listen(pki, 'observer', port)
    await conn.send(kaifa(2))
    const topic = (rest: string): string => `sensor/data/${iid}/${rest}`
    const voltage = await observer.hears((m) => m.topic === topic('Meter1/voltage3/push/V'), 'a voltage')
    expect(voltage.payload).toMatchObject({ Value: 241.9, Valid: true, ToStore: true })
    expect(
      observer.heard.find((m) => m.topic === topic('Meter1/activePowerImport/push/W'))?.payload,
    ).toMatchObject({ Value: 604 })
    expect(observer.heard.some((m) => m.topic.includes('current'))).toBe(false)
    await observer.close()
    await host.stop()
  },
)

test.skipIf('lacks' in ptys)(
  'by itself it runs from a file, notices a port that goes and comes back, and ends at SIGTERM with 0',
  async () => {
    const first = await line()
    const path = join(folder.path, 'meter-port')
    symlinkSync(first.line.path, path)
    const config = join(folder.path, 'config.json')
    const debug = await line()
    writeFileSync(
      config,
      JSON.stringify({ id: 'alone', lines: [{ path }], debug: { path: debug.line.path, baudRate: 115_200 } }),
    )
    const child = spawn(process.execPath, [launcher, config], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    const waiting = new Set<() => void>()
    child.stdout.on('data', (b: Buffer) => {
      text += String(b)
      for (const look of waiting) look()
    })
    debug.conn.onBytes((b) => {
      text += Buffer.from(b).toString('latin1')
      for (const look of waiting) look()
    })
    const says = (what: string, times = 1): Promise<void> =>
      eventually(what, (resolve) => {
        const look = (): void => {
          if (text.split(what).length > times) resolve()
        }
        waiting.add(look)
        look()
      })
    try {
      await says('"event":"port-open"', 2)
      await first.conn.send(kaifa(1))
      await says('"DataID":1')
      rmSync(path)
      await first.line[Symbol.asyncDispose]()
      await says('"event":"port-lost"')
      const second = await line()
      symlinkSync(second.line.path, path)
      await says('"event":"port-open"', 3)
      await second.conn.send(kaifa(1))
      await says('"DataID":2')
    } finally {
      child.kill('SIGTERM')
    }
    const [code] = (await once(child, 'close')) as [number]
    expect(code).toBe(0)
    const last = JSON.parse(text.trim().split('\n').at(-1) ?? '') as {
      event: string
      messages: number
      time: string
    }
    expect(last.event).toBe('line')
    expect(last.messages).toBe(2)
    expect(last.time).toMatch(/^\d{4}-/)
  },
)

test('its launcher says what is wrong with how it was called, and makes the hash of a password', async () => {
  const run = (args: string[], input = '') =>
    spawnSync(process.execPath, [launcher, ...args], { input, encoding: 'utf8' })
  expect(run([])).toMatchObject({ status: 2, stderr: expect.stringContaining('usage:') as string })
  expect(run(['--hsah'])).toMatchObject({ status: 2 })
  expect(run([join(folder.path, 'nowhere.json')])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('cannot be read') as string,
  })
  mkdirSync(join(folder.path, 'bad'))
  const bad = join(folder.path, 'bad', 'c.json')
  writeFileSync(bad, '{"id":"x","lines":[]}')
  expect(run([bad])).toMatchObject({
    status: 2,
    stdout: expect.stringContaining('"event":"config"') as string,
  })
  expect(run(['--hash'], 'short\n').status).toBe(2)
  const hash = run(['--hash'], 'a right good password\n').stdout.trim()
  expect(await verifyPassword('a right good password', hash)).toBe(true)
})
