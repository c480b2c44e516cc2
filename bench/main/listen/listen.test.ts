import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, integer, property, uint8Array } from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { GridproofError } from '../../../drivers/errors.ts'
import { benchNow } from '../../../drivers/real/clock.ts'
import { memoryWire } from '../../../drivers/wires/memory.ts'
import { framesOf } from '../../../sim/devices/meter/frames.ts'
import { meterSchema } from '../../../sim/devices/meter/personality.ts'
import { readPersonality } from '../../../sim/devices/personality.ts'
import { createCapture, readCapture } from './capture.ts'
import { type DecodeOptions, type Heard, createDecoder } from './decode.ts'
import { readKeys } from './keys.ts'
import { listen } from './listen.ts'
import { replayCapture } from './replay.ts'
import { createStats, figuresText } from './stats.ts'

/** A list as the meter of that personality sends it. */
function frame(personality: string, list: 1 | 2 | 3, watts = 1320): Uint8Array {
  const p = readPersonality(personality, meterSchema)
  const values = { activePowerImport: watts, voltage1: 230.1, current1: 5.1, activeEnergyImport: 12_340 }
  const clock = { year: 2026, month: 1, day: 15, dayOfWeek: 4, hour: 9, minute: 0, second: 10 }
  return Buffer.concat(
    framesOf(
      p,
      list,
      {
        meterId: p.id,
        meterType: p.model,
        values,
        clock: { ...clock, hundredths: 255, deviation: undefined, status: 0 },
      },
      { invocationCounter: 7, lengthOverflow: false },
    ),
  )
}

/** What is heard of bytes that come as chunks: [instant, bytes]. */
function heard(chunks: readonly (readonly [number, Uint8Array])[], o: DecodeOptions = {}): Heard[] {
  const all: Heard[] = []
  const d = createDecoder(o, (h) => all.push(h))
  for (const [at, b] of chunks) d.push(b, at)
  d.silent()
  return all
}

/** In short: `list 1 1320`, `rejected FCS wrong`, `noise 3`. */
const short = (h: Heard): string => {
  if (h.what === 'list') return `list ${h.reading.list ?? '-'} ${h.reading.values.activePowerImport}`
  return h.what === 'noise' ? `noise ${h.bytes}` : `${h.what} ${h.why}`
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'gridproof-listen-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

const key = '00112233445566778899aabbccddeeff'
const keysOf = (hex: string): DecodeOptions => ({
  keys: new Map([['any', { encryption: Buffer.from(hex, 'hex') }]]),
})

describe('a line that is heard', () => {
  test('tells lists of any dialect, and finds out their framing itself', () => {
    for (const [personality, says] of [
      ['kaifa-ma304h3e', 'list 2 1320'],
      ['aidon-6525', 'list 2 1320'],
      ['kamstrup-6841', 'list 1 1320'],
      ['kaifa-ma304h4pse', 'list 3 1320'],
    ] as const)
      expect(heard([[0, frame(personality, 2)]]).map(short), personality).toEqual([says])
  })

  test('tells a ciphered message as such without its key, and its values with it', () => {
    const b = frame('kaifa-ma309m', 3)
    expect(heard([[0, b]]).map(short)).toEqual(['unread ciphered, and no key of it is known'])
    expect(heard([[0, b]], keysOf(key)).map(short)).toEqual(['list - 1320'])
    const ecb = frame('kaifa-ma105h2e-ecb', 1)
    expect(heard([[0, ecb]]).map((h) => h.what)).toEqual(['rejected'])
    const own = readPersonality('kaifa-ma105h2e-ecb', meterSchema).cipher?.encryption_key ?? ''
    expect(heard([[0, ecb]], { ecbKey: Buffer.from(own, 'hex') }).map(short)).toEqual(['list 1 1320'])
  })

  test('tells what was rejected and how much was noise, and loses no frame beside', () => {
    const damaged = Uint8Array.from(frame('kaifa-ma304h3e', 1, 126))
    damaged[36] = (damaged[36] ?? 0) ^ 1
    const all = heard([
      [0, Uint8Array.of(1, 2, 3)],
      [0, frame('kaifa-ma304h3e', 1, 10)],
      [2000, damaged],
      [4000, frame('kaifa-ma304h3e', 1, 11)],
    ])
    expect(all.map(short)).toEqual(['noise 3', 'list 1 10', 'rejected FCS wrong', 'list 1 11'])
  })

  test('hears the same however the bytes are cut into chunks', () => {
    const line = Buffer.concat([
      frame('kaifa-ma304h3e', 2),
      Uint8Array.of(9, 9),
      frame('kaifa-ma304h3e', 3),
      frame('kaifa-ma304h3e', 1, 0x7e7e),
    ])
    const whole = heard([[0, line]]).map(short)
    expect(whole).toEqual(['list 2 1320', 'noise 2', 'list 3 1320', 'list 1 32382'])
    assert(
      property(integer({ min: 1, max: 400 }), (size) => {
        const chunks: [number, Uint8Array][] = []
        for (let i = 0; i < line.length; i += size) chunks.push([i, line.subarray(i, i + size)])
        expect(heard(chunks).map(short)).toEqual(whole)
      }),
      { numRuns: 40 },
    )
  })

  test('takes any bytes', () => {
    assert(
      property(uint8Array({ maxLength: 600 }), (b) => {
        heard([[0, b]], keysOf(key))
      }),
      { numRuns: 200 },
    )
  })

  test('reckons when a list began and ended, and the longest pause inside', () => {
    const b = frame('kaifa-ma304h3e', 2)
    const [byTcp] = heard([
      [100, b.subarray(0, 20)],
      [600, b.subarray(20)],
    ])
    expect(byTcp).toMatchObject({ span: { began: 100, ended: 600, bytes: 123, pause: 500 } })
    // 5 ms a byte: the driver gathers up to 50 bytes.
    const chunks: [number, Uint8Array][] = []
    for (let i = 0; i < b.length; i += 50) {
      const part = b.subarray(i, i + 50)
      chunks.push([(i + part.length) * 5, part])
    }
    const [bySerial] = heard(chunks, { msPerCharacter: 5 })
    expect(bySerial).toMatchObject({ span: { began: 0, ended: 615, bytes: 123 } })
    const two = heard(
      [
        [205, frame('kaifa-ma304h3e', 1)],
        [2205, frame('kaifa-ma304h3e', 1)],
      ],
      { msPerCharacter: 5 },
    )
    const stats = createStats()
    for (const h of two) stats.hear(h)
    expect(stats.figures.gaps).toEqual({ count: 1, least: 1795, mean: 1795, most: 1795 })
    expect(stats.figures.lists).toMatchObject([
      { list: 'List 1', bytes: [41], every: { count: 1, mean: 2000 } },
    ])
    expect(figuresText(stats.figures)).toContain('no frame was rejected')
  })

  test('counts what it may be where no frame comes at all', () => {
    const d = createDecoder({}, () => undefined)
    for (let i = 0; i < 50; i++) d.push(Uint8Array.of(0x7e, 0xa0, 0x27, 1, 2, 1, 0x10, 0, 0), i)
    expect(d.framing).toBe(undefined)
    expect(d.doubts['HCS wrong']).toBeGreaterThan(10)
  })
})

describe('a capture', () => {
  const line = { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 } as const

  test('holds the bytes as they came, for its owner alone, and takes no place of another', () => {
    const file = join(folder(), 'a.capture')
    const c = createCapture(file, { begun: 1000, from: '/dev/ttyUSB0', line })
    c.put(Uint8Array.of(0x7e, 1), 1234.5678)
    c.put(Uint8Array.of(2), 1300)
    c.close()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readCapture(file)).toEqual({
      from: '/dev/ttyUSB0',
      line,
      chunks: [
        { at: 1234.568, bytes: Uint8Array.of(0x7e, 1) },
        { at: 1300, bytes: Uint8Array.of(2) },
      ],
    })
    expect(() => createCapture(file, { begun: 1, from: '', line })).toThrow('is there already')
    // Its recorder was killed in the middle of a line.
    writeFileSync(file, `${readFileSync(file, 'utf8')}{"at":13`)
    expect(readCapture(file).chunks.length).toBe(2)
  })

  test('that is none is refused with its line', () => {
    const file = join(folder(), 'b.capture')
    const head =
      '{"format":"gridproof-capture/1","begun":"2026-01-15T09:00:00.000Z","from":"x","line":null}\n'
    for (const [text, why] of [
      ['', 'line 1: it is empty'],
      ['nonsense\n', 'line 1: it is no JSON'],
      ['{"format":"other/1"}\n', 'line 1'],
      [`${head}{"at":1,"hex":"7"}\n`, 'line 2'],
      [`${head}{"at":5,"hex":"7e"}\n{"at":4,"hex":"7e"}\n`, 'line 3: it came before'],
    ] as const) {
      writeFileSync(file, text)
      expect(() => readCapture(file), text).toThrow(why)
    }
    expect(() => readCapture(join(file, 'none'))).toThrow(GridproofError)
  })

  test('is played back in its order, at its own pace or another', async () => {
    const bytes = [frame('kaifa-ma304h3e', 1), frame('kaifa-ma304h3e', 2)]
    const chunks = bytes.map((b, i) => ({ at: 1000 + i * 2000, bytes: b }))
    const memory = memoryWire()
    const played: number[] = []
    let begun = Number.POSITIVE_INFINITY
    await using r = await replayCapture({
      wire: memory.wire,
      chunks,
      speed: 100,
      settings: undefined,
      waits: true,
      onBegin: () => (begun = benchNow()),
      onChunk: (_, at) => played.push(at),
    })
    const got: Uint8Array[] = []
    const c = memory.connect()
    c.onBytes((b) => got.push(b))
    await r.through
    for (const [i, at] of played.entries()) expect(at).toBeGreaterThanOrEqual(begun + i * 20)
    expect(played).toHaveLength(2)
    expect(Buffer.concat(got)).toEqual(Buffer.concat(bytes))
  })
})

describe('keys', () => {
  test('are read from a file, by title or for any, and never shown', () => {
    const file = join(folder(), 'keys')
    writeFileSync(file, `# ours\n4B464D6750000001 ${key} ${key}\necb ${key}\n`, { mode: 0o600 })
    const k = readKeys(file)
    expect([...k.keys.keys()]).toEqual(['4b464d6750000001'])
    expect(k.keys.get('4b464d6750000001')?.authentication).toHaveLength(16)
    expect([k.ecbKey?.length, k.open]).toEqual([16, false])
    writeFileSync(file, `${key}\n`)
    expect([...readKeys(file).keys.keys()]).toEqual(['any'])
    writeFileSync(file, `any ${key}00\n`)
    expect(() => readKeys(file)).toThrow('line 1')
    expect(() => readKeys(file)).not.toThrow(key)
    writeFileSync(file, '# nothing\n')
    expect(() => readKeys(file)).toThrow('no key')
    expect(() => readKeys(key)).toThrow('never the key itself')
    expect(() => readKeys(key)).not.toThrow(key)
  })
})

test('a TCP line that ends is heard again when it is back, and the gap counts for nothing', async () => {
  const served: Socket[] = []
  const server = createServer((s) => {
    served.push(s)
    s.on('error', () => undefined)
    s.write(frame('kaifa-ma304h3e', 1, served.length))
  })
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done)
  })
  onTestFinished(() => {
    for (const s of served) s.destroy()
    server.close()
  })
  const said: string[] = []
  const lists: (number | undefined)[] = []
  const second = Promise.withResolvers<void>()
  await using l = await listen({
    source: { kind: 'tcp', host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    decode: {},
    silenceMs: 4000,
    onLine: (what) => void said.push(what),
    onBroken: second.reject,
    onHeard(h) {
      if (h.what !== 'list') return
      lists.push(h.reading.values.activePowerImport)
      if (lists.length === 1) served[0]?.end()
      else second.resolve()
    },
  })
  await second.promise
  expect([said, lists]).toEqual([
    ['lost', 'back'],
    [1, 2],
  ])
  expect(l.figures.lists).toMatchObject([{ list: 'List 1', every: { count: 0 } }])
  expect(l.figures.gaps.count).toBe(0)
  expect(benchNow()).toBeGreaterThan(0)
})
