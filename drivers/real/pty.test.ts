import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import modbusSerial from 'modbus-serial'
import { SerialPort } from 'serialport'
import { describe, expect, test } from 'vitest'
import { isGridproofError } from '../errors.ts'
import type { Conn, SerialSettings } from '../faces.ts'
import { wireContract } from '../wires/contract.ts'
import { serialWire } from '../wires/serial.ts'
import { benchNow } from './clock.ts'
import { characterMs } from './pace.ts'
import { openPty, ptyProvider, type PtyLine, type PtyPacing } from './pty.ts'

const fast: SerialSettings = { baudRate: 460_800, dataBits: 8, parity: 'none', stopBits: 1 }
const slow: SerialSettings = { baudRate: 9600, dataBits: 8, parity: 'even', stopBits: 1 }

const kinds: readonly { provider: 'koffi' | 'socat'; pacing: PtyPacing }[] = [
  { provider: 'koffi', pacing: 'frame' },
  { provider: 'koffi', pacing: 'byte' },
  { provider: 'socat', pacing: 'frame' },
]

/** The first Conn of an opened wire. */
function first(line: PtyLine): Promise<Conn> {
  return new Promise((resolve, reject) => {
    line.wire.open(resolve).catch(reject)
  })
}

async function openPort(path: string, baudRate = 9600): Promise<SerialPort> {
  const port = new SerialPort({ path, baudRate, autoOpen: false })
  await new Promise<void>((resolve, reject) => port.open((e) => (e === null ? resolve() : reject(e))))
  return port
}

const closed = (port: SerialPort): Promise<void> => new Promise((done) => port.close(() => done()))

for (const { provider, pacing } of kinds) {
  const found = ptyProvider(provider)
  const why = 'lacks' in found ? ` (skipped: ${found.lacks})` : ''
  const opts = { skip: 'lacks' in found }

  describe(`a wire over a pseudo terminal by ${provider}, ${pacing} at its end${why}`, () => {
    // A serial line has one peer and no FIN or RST: cases about those are not about it.
    for (const c of wireContract.filter((x) => x.needs.length === 0))
      test(c.says, { skip: opts.skip }, async () => {
        await using line = await openPty({ name: 'test/pty', settings: fast, provider, pacing })
        const clients: AsyncDisposable[] = []
        await using bench = {
          wire: line.wire,
          traits: new Set<never>(),
          now: benchNow,
          async connect() {
            for (const s of clients.splice(0)) await s[Symbol.asyncDispose]()
            const client = Promise.withResolvers<Conn>()
            const port = serialWire({
              name: 'client',
              path: line.path,
              settings: fast,
              now: benchNow,
            })
            clients.push(await port.open(client.resolve))
            return client.promise
          },
          async [Symbol.asyncDispose]() {
            for (const s of clients.splice(0)) await s[Symbol.asyncDispose]()
          },
        }
        await c.run(bench)
      })

    test('hands nothing on before its last bit could have passed', opts, async () => {
      await using line = await openPty({ name: 'test/pty', settings: slow, provider, pacing })
      const device = await first(line)
      const port = await openPort(line.path)
      const heard: number[] = []
      const all = Promise.withResolvers<void>()
      const frames = 3
      const length = 8
      port.on('data', (b: Buffer) => {
        for (let i = 0; i < b.length; i++) heard.push(benchNow())
        if (heard.length === frames * length) all.resolve()
      })
      const before = benchNow()
      const starts = await Promise.all(
        Array.from({ length: frames }, () => device.send(Buffer.alloc(length, 0x55))),
      )
      await all.promise
      await closed(port)
      const ms = characterMs(slow)
      expect(ms).toBeCloseTo(1.1458, 4)
      for (let f = 0; f < frames; f++) {
        const start = starts[f] ?? Number.NaN
        expect(start).toBeGreaterThanOrEqual(before + f * length * ms - 1e-6)
        for (let i = 0; i < length; i++) {
          const due = start + (pacing === 'byte' ? i + 1 : length) * ms
          expect(heard[f * length + i]).toBeGreaterThanOrEqual(due - 1e-6)
        }
      }
    })

    test('lets a request reach the device no sooner than the line would carry it', opts, async () => {
      await using line = await openPty({ name: 'test/pty', settings: slow, provider, pacing })
      const device = await first(line)
      const port = await openPort(line.path)
      const heard = Promise.withResolvers<number>()
      let n = 0
      device.onBytes((b, at) => {
        n += b.length
        if (n === 16) heard.resolve(at)
      })
      const before = benchNow()
      port.write(Buffer.alloc(16, 0xaa))
      expect(await heard.promise).toBeGreaterThanOrEqual(before + 16 * characterMs(slow))
      await closed(port)
    })

    test('tells which speed the platform has asked for, once it has', opts, async () => {
      await using line = await openPty({ name: 'test/pty', settings: slow, provider, pacing })
      if (provider === 'koffi') expect(line.askedSpeed()).toBe(undefined)
      const port = await openPort(line.path, 19_200)
      if (process.platform === 'linux' && !('lacks' in ptyProvider('koffi')))
        expect(line.askedSpeed()).toBe(19_200)
      await closed(port)
    })

    test('serves a modbus-serial master that opens the path', opts, async () => {
      await using line = await openPty({ name: 'test/pty', settings: slow, provider, pacing })
      const device = await first(line)
      // MODBUS over Serial Line V1.02, 2.5.1: unit 1, function 4, two registers 0x1234 0x5678, CRC low octet first.
      const answer = Buffer.from('0104041234567881', 'hex')
      let asked = Buffer.alloc(0)
      device.onBytes((b) => {
        asked = Buffer.concat([asked, b])
        if (asked.length === 8) void device.send(withCrc(answer.subarray(0, 7)))
      })
      const master = new modbusSerial.default()
      await master.connectRTUBuffered(line.path, { baudRate: 9600, parity: 'even' })
      master.setID(1)
      master.setTimeout(20_000)
      const r = await master.readInputRegisters(16, 2)
      expect(asked.toString('hex').slice(0, 12)).toBe('010400100002')
      expect(r.data).toEqual([0x1234, 0x5678])
      await new Promise<void>((done) => master.close(() => done()))
    })

    test('survives that the platform closes and opens its port', opts, async () => {
      await using line = await openPty({ name: 'test/pty', settings: fast, provider, pacing })
      const device = await first(line)
      const ends: string[] = []
      device.onEnd((how) => ends.push(how))
      device.onBytes((b) => void device.send(b))
      for (let i = 0; i < 3; i++) {
        const port = await openPort(line.path)
        port.write(`round ${i}`)
        let got = ''
        while (got.length < 7) got += String((await once(port, 'data'))[0])
        expect(got).toBe(`round ${i}`)
        await closed(port)
      }
      expect(ends).toEqual([])
    })

    test('claims nothing that it cannot carry', opts, async () => {
      await using line = await openPty({ name: 'test/pty', settings: slow, provider, pacing })
      expect([...line.wire.can]).toEqual(pacing === 'byte' ? ['byte-gap'] : [])
    })

    test('rejects what was not yet sent when it closes, and closes twice in peace', opts, async () => {
      const line = await openPty({
        name: 'test/pty',
        settings: { ...slow, baudRate: 50 },
        provider,
        pacing,
      })
      const device = await first(line)
      const sent = device.send(Buffer.alloc(200))
      await line[Symbol.asyncDispose]()
      await line[Symbol.asyncDispose]()
      await expect(sent).rejects.toThrow('closed before all was sent')
    })
  })
}

test(
  'a platform that fetches nothing loses bytes, as with a UART, and the line counts them',
  {
    skip: 'lacks' in ptyProvider('koffi'),
  },
  async () => {
    await using line = await openPty({
      name: 'test/pty',
      settings: { ...fast, baudRate: 100_000_000 },
      provider: 'koffi',
    })
    const device = await first(line)
    for (let i = 0; i < 8; i++) await device.send(Buffer.alloc(64 * 1024))
    expect(line.lost()).toBeGreaterThan(0)
    expect(line.lost()).toBeLessThan(8 * 64 * 1024)
  },
)

test(
  'a process ends by itself once its line is closed',
  {
    skip: 'lacks' in ptyProvider('koffi'),
  },
  () => {
    const script = `
    const { openPty } = await import(${JSON.stringify(new URL('pty.ts', import.meta.url).href)})
    for (const pacing of ['frame', 'byte']) {
      const line = await openPty({ name: 'x', settings: ${JSON.stringify(fast)}, pacing })
      await line.wire.open((c) => { void c.send(new Uint8Array(5)) })
      await line[Symbol.asyncDispose]()
    }`
    const r = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 50_000 })
    expect({ signal: r.signal, status: r.status, said: r.stderr.toString() }).toEqual({
      signal: null,
      status: 0,
      said: '',
    })
  },
)

test(
  'gaps between bytes are refused by name where only socat is there',
  {
    skip: 'lacks' in ptyProvider('socat'),
  },
  async () => {
    const e: unknown = await openPty({
      name: 'x',
      settings: slow,
      provider: 'socat',
      pacing: 'byte',
    }).catch((x: unknown) => x)
    expect(isGridproofError(e, 'rig-lacks')).toBe(true)
  },
)

/** CRC-16 of MODBUS over Serial Line V1.02, 6.2.2 (polynomial 0xA001, start 0xFFFF), low octet first. */
function withCrc(b: Uint8Array): Buffer {
  let crc = 0xffff
  for (const octet of b) {
    crc ^= octet
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  }
  return Buffer.from([...b, crc & 0xff, crc >> 8])
}
