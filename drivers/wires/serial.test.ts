import { mkdtempSync, rmSync, symlinkSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isGridproofError } from '../errors.ts'
import type { Conn, SerialSettings } from '../faces.ts'
import { benchNow } from '../real/clock.ts'
import { openPty, ptyProvider, type PtyLine } from '../real/pty.ts'
import { wireContract } from './contract.ts'
import { serialWire } from './serial.ts'

const settings: SerialSettings = { baudRate: 460_800, dataBits: 8, parity: 'none', stopBits: 1 }
const found = ptyProvider('koffi')
const skip = 'lacks' in found
const why = 'lacks' in found ? ` (skipped: ${found.lacks})` : ''

const openLine = (): Promise<PtyLine> => openPty({ name: 'far', settings, provider: 'koffi' })

describe(`a wire over a serial port${why}`, () => {
  // A serial line has one peer and no FIN or RST: cases about those are not about it.
  for (const c of wireContract.filter((x) => x.needs.length === 0))
    test(c.says, { skip }, async () => {
      await using line = await openLine()
      let far: AsyncDisposable | undefined
      await using bench = {
        wire: serialWire({ name: 'test/serial', path: line.path, settings, now: benchNow }),
        traits: new Set<never>(),
        now: benchNow,
        async connect() {
          await far?.[Symbol.asyncDispose]()
          const { promise, resolve } = Promise.withResolvers<Conn>()
          far = await line.wire.open(resolve)
          return promise
        },
        async [Symbol.asyncDispose]() {},
      }
      await c.run(bench)
    })
})

describe(`a serial port that is unplugged${why}`, () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'serial-test-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('ends as lost, and is back with a new connection', { skip }, async () => {
    const path = join(folder, 'tty')
    const line = await openLine()
    symlinkSync(line.path, path)
    const conns: Conn[] = []
    let came: (() => void) | undefined
    const opened = await serialWire({ name: 'test/serial', path, settings, retryMs: 5 }).open((c) => {
      conns.push(c)
      came?.()
    })
    const first = conns[0]
    if (first === undefined) throw new Error('the wire did not call at once')
    const lost = new Promise<string>((done) => first.onEnd(done))
    await line[Symbol.asyncDispose]()
    expect(await lost).toBe('lost')
    await expect(first.send(Buffer.from('?'))).rejects.toThrow('nothing can be sent')
    await using back = await openLine()
    unlinkSync(path)
    const again = new Promise<void>((done) => {
      came = done
    })
    symlinkSync(back.path, path)
    await again
    const heard = Promise.withResolvers<string>()
    await back.wire.open((c) => c.onBytes((b) => heard.resolve(Buffer.from(b).toString())))
    await conns[1]?.send(Buffer.from('!'))
    expect(await heard.promise).toBe('!')
    await opened[Symbol.asyncDispose]()
    await opened[Symbol.asyncDispose]()
  })

  test('is sought no more once the wire is closed', { skip }, async () => {
    const path = join(folder, 'tty')
    const line = await openLine()
    symlinkSync(line.path, path)
    let calls = 0
    const lost = Promise.withResolvers<void>()
    const opened = await serialWire({ name: 'test/serial', path, settings, retryMs: 1 }).open((c) => {
      calls++
      c.onEnd(() => lost.resolve())
    })
    await line[Symbol.asyncDispose]()
    await lost.promise
    await opened[Symbol.asyncDispose]()
    expect(calls).toBe(1)
  })
})

describe('opening a serial port', () => {
  test('that is not there says so, and leaves the wire to be opened later', async () => {
    const wire = serialWire({ name: 'test/serial', path: '/dev/no-such-port', settings })
    for (let i = 0; i < 2; i++) {
      const e: unknown = await wire.open(() => {}).catch((x: unknown) => x)
      expect(isGridproofError(e, 'rig-lacks')).toBe(true)
      expect(String(e)).toContain('is it plugged in?')
    }
  })

  test('that another has says so', { skip }, async () => {
    await using line = await openLine()
    const one = serialWire({ name: 'one', path: line.path, settings })
    await using _ = await one.open(() => {})
    const two = serialWire({ name: 'two', path: line.path, settings })
    await expect(two.open(() => {})).rejects.toThrow('another program has it open')
  })

  test('claims parity and breaks for hardware only', { skip }, async () => {
    await using line = await openLine()
    expect([...serialWire({ name: 'x', path: line.path, settings }).can]).toEqual([])
    expect([...serialWire({ name: 'x', path: '/dev/ttyUSB0', settings }).can]).toEqual([
      'parity',
      'break',
      'byte-gap',
    ])
  })
})
