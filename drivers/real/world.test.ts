import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { SerialPort } from 'serialport'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isGridproofError } from '../errors.ts'
import { stream } from '../random.ts'
import { connectTcp } from '../wires/tcp.ts'
import { clearLeftovers } from './ledger.ts'
import { processStamp } from './process.ts'
import { ptyProvider } from './pty.ts'
import { createRealWorld } from './world.ts'

let state = ''
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'world-test-'))
})
afterEach(() => rmSync(state, { recursive: true, force: true }))

const entry = 'drivers/real/testing/programs.ts'
const loopback = process.platform === 'linux'

describe('the world in real time', () => {
  test('lets time pass on its clock, never less than asked', async () => {
    await using world = await createRealWorld({ seed: 1, state })
    expect(world.time).toBe('real')
    for (const ms of [0, 0.3, 1.7, 4.583]) {
      const before = world.now()
      await world.pass(ms)
      expect(world.now() - before).toBeGreaterThanOrEqual(ms)
    }
    for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      await expect(world.pass(ms)).rejects.toThrow('cannot pass')
  })

  test('has a clock close to the date of this machine', async () => {
    await using world = await createRealWorld({ seed: 1, state })
    const before = world.now()
    expect(before).toBeGreaterThan(Date.UTC(2020))
    expect(world.now()).toBeGreaterThanOrEqual(before)
  })

  test('draws random numbers from streams by name, seeded', async () => {
    await using world = await createRealWorld({ seed: 42, state })
    const noise = stream(42, 'gridkey/noise')
    expect([world.random('gridkey/noise'), world.random('other')]).toEqual([noise(), stream(42, 'other')()])
    expect(world.random('gridkey/noise')).toBe(noise())
  })

  test('gives every realm and host an address of its own', { skip: !loopback }, async () => {
    await using world = await createRealWorld({ seed: 1, state })
    const a = world.realm({ name: 'gridkey', address: '10.0.0.2' })
    const b = world.realm({ name: 'observer', address: '10.0.0.3' })
    const again = world.realm({ name: 'thermocouple', address: '10.0.0.2' })
    const host = await world.host({ name: 'edge', address: '10.0.0.4' })
    expect(new Set([a.address, b.address, host.address]).size).toBe(3)
    expect(again.address).toBe(a.address)
    for (const x of [a, b, host]) expect(x.address).toMatch(/^127\.\d+\.\d+\.\d+$/)
    expect(world.realm({ name: 'x', address: '127.0.0.9' }).address).toBe('127.0.0.9')
    expect(a.run(() => 5)).toBe(5)
    const face = { f: () => 1 }
    expect(a.bind(face)).toBe(face)
  })

  test('opens TCP ports on the address of a realm', { skip: !loopback }, async () => {
    await using world = await createRealWorld({ seed: 1, state })
    const realm = world.realm({ name: 'gridkey', address: '10.0.0.2' })
    const { wire, port } = await world.tcp({ name: 'gridkey/tcp', realm, port: 0 })
    await wire.open((c) => c.onBytes((b) => void c.send(b)))
    const client = await connectTcp({ name: 'client', host: realm.address, port })
    const echo = Promise.withResolvers<string>()
    client.onBytes((b) => echo.resolve(Buffer.from(b).toString()))
    await client.send(Buffer.from('hello'))
    expect(await echo.promise).toBe('hello')
    client.end('fin')
    const e: unknown = await world.tcp({ name: 'other', realm, port }).catch((x: unknown) => x)
    expect(isGridproofError(e, 'rig-lacks')).toBe(true)
  })

  test('opens serial lines that SerialPort opens', { skip: 'lacks' in ptyProvider() }, async () => {
    await using world = await createRealWorld({ seed: 1, state })
    const realm = world.realm({ name: 'thermocouple', address: '10.0.0.5' })
    const line = await world.serial({
      name: 'thermocouple/rtu',
      realm,
      settings: { baudRate: 115_200, dataBits: 8, parity: 'none', stopBits: 1 },
    })
    await line.wire.open((c) => c.onBytes((b) => void c.send(b)))
    const port = new SerialPort({ path: line.path, baudRate: 115_200 })
    port.write('rtu')
    let got = ''
    while (got.length < 3) got += String((await once(port, 'data'))[0])
    expect(got).toBe('rtu')
    await new Promise<void>((done) => port.close(() => done()))
  })

  test('closes all of itself, twice in peace, and ends waits for time', async () => {
    const world = await createRealWorld({ seed: 1, state })
    const host = await world.host({ name: 'edge', address: '127.0.0.1' })
    await host.start('app', { entry, config: { way: 'stubborn' }, defects: [] })
    const realm = world.realm({ name: 'gridkey', address: '127.0.0.1' })
    const { port } = await world.tcp({ name: 'gridkey/tcp', realm, port: 0 })
    const waiting = world.pass(1_000_000_000)
    const unseen = expect(waiting).rejects.toThrow('closed while time was passing')
    await Promise.all([world[Symbol.asyncDispose](), world[Symbol.asyncDispose]()])
    await unseen
    expect(existsSync(host.disk)).toBe(false)
    expect(readdirSync(join(state, 'ledgers'))).toEqual([])
    await expect(connectTcp({ name: 'late', host: '127.0.0.1', port })).rejects.toThrow()
    await expect(world.pass(1)).rejects.toThrow('has been closed')
    await expect(world.host({ name: 'late', address: '127.0.0.1' })).rejects.toThrow('closed')
    expect(world.report()).toMatchObject({ time: 'real', escapes: [] })
  })
})

test('a bench that exits with its world open takes processes and folders along', async () => {
  const script = `
    const { createRealWorld } = await import(${JSON.stringify(new URL('world.ts', import.meta.url).href)})
    const world = await createRealWorld({ seed: 1, state: ${JSON.stringify(state)} })
    const host = await world.host({ name: 'edge', address: '127.0.0.1' })
    host.onLog((_, said) => {
      console.log(JSON.stringify({ disk: host.disk, pid: said.pid }))
      process.exit(3)
    })
    await host.start('app', { entry: '${entry}', config: { way: 'stubborn' }, defects: [] })`
  const bench = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(bench, 'exit')
  const [line] = (await once(createInterface(bench.stdout), 'line')) as [string]
  const { disk, pid } = JSON.parse(line) as { disk: string; pid: number }
  expect(await ended).toEqual([3, null])
  expect(existsSync(disk)).toBe(false)
  expect(readdirSync(join(state, 'ledgers'))).toEqual([])
  while (processStamp(pid) !== undefined)
    await new Promise((done) => {
      setImmediate(done)
    })
})

describe('a bench that is killed', () => {
  test(
    'leaves no process running, and its folders go with the next start',
    { skip: process.platform === 'win32' },
    async () => {
      const bench = spawn(
        process.execPath,
        [fileURLToPath(new URL('testing/bench.ts', import.meta.url)), state],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      const [line] = (await once(createInterface(bench.stdout), 'line')) as [string]
      const { disk, pids } = JSON.parse(line) as { disk: string; pids: number[] }
      for (const pid of pids) expect(processStamp(pid)).not.toBe(undefined)
      expect(clearLeftovers(state)).toEqual([])
      bench.kill('SIGKILL')
      await once(bench, 'exit')
      // The hog sees nothing; only the kernel, or the next start, can end it.
      const cleared = clearLeftovers(state)
      expect(cleared).toContainEqual({ what: `folder ${disk}`, outcome: 'undone' })
      expect(cleared.map((c) => c.outcome)).not.toContain('failed')
      for (const pid of pids)
        while (processStamp(pid) !== undefined)
          await new Promise((done) => {
            setImmediate(done)
          })
      expect(existsSync(disk)).toBe(false)
      expect(readdirSync(join(state, 'ledgers'))).toEqual([])
    },
  )

  test(
    'leaves no process running even if nobody starts again',
    { skip: 'lacks' in ptyProvider('koffi') || process.platform !== 'linux' },
    async () => {
      const bench = spawn(
        process.execPath,
        [fileURLToPath(new URL('testing/bench.ts', import.meta.url)), state],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      const [line] = (await once(createInterface(bench.stdout), 'line')) as [string]
      const { pids } = JSON.parse(line) as { pids: number[] }
      bench.kill('SIGKILL')
      await once(bench, 'exit')
      for (const pid of pids)
        while (processStamp(pid) !== undefined)
          await new Promise((done) => {
            setImmediate(done)
          })
      expect(clearLeftovers(state).map((c) => c.outcome)).toContain('undone')
    },
  )
})
