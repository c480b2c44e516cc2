import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { openOutlet } from '../../drivers/power/guardian.ts'
import type { OutletSpec } from '../../drivers/power/guardian-talk.ts'
import { commandOf, decodeRelay, encodeRelay } from '../../drivers/power/lcus.ts'
import { operationLimit } from '../../drivers/power/limit.ts'
import { openBoard } from '../../drivers/power/open.ts'
import type { BoardSpec } from '../../drivers/power/board.ts'
import { openPty, ptyProvider } from '../../drivers/real/pty.ts'
import { listenTcp } from '../../drivers/wires/tcp.ts'
import { playCoilRelay, playHttpPdu, playSerialRelay, type PlayedBoard } from './boards.ts'

const provider = ptyProvider()
const noPty = 'lacks' in provider ? provider.lacks : undefined
const open: AsyncDisposable[] = []

afterEach(async () => {
  for (const d of open.splice(0).toReversed()) await d[Symbol.asyncDispose]()
})

async function serialBoard(): Promise<{ board: PlayedBoard; spec: BoardSpec }> {
  const line = await openPty({
    name: 'relay/serial',
    settings: { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1 },
  })
  open.push(line)
  const board = await playSerialRelay(line.wire, 4)
  open.push(board)
  return { board, spec: { kind: 'serial-relay', path: line.path } }
}
async function coilBoard(): Promise<{ board: PlayedBoard; spec: BoardSpec }> {
  const port = await listenTcp({ name: 'relay/tcp', host: '127.0.0.1', port: 0, now: () => 0 })
  open.push(port)
  const board = await playCoilRelay(port.wire, 4)
  open.push(board)
  return { board, spec: { kind: 'coils', host: '127.0.0.1', port: port.port } }
}
async function strip(): Promise<{ board: PlayedBoard; spec: BoardSpec }> {
  const board = await playHttpPdu('127.0.0.1', 4)
  open.push(board)
  return { board, spec: { kind: 'http', url: board.url } }
}

const kinds = [
  ['a serial relay board on a pty', serialBoard, noPty],
  ['a relay board of Modbus coils', coilBoard, undefined],
  ['a power strip by HTTP', strip, undefined],
] as const

for (const [name, make, lacks] of kinds)
  describe.skipIf(lacks !== undefined)(`${name} (${lacks ?? 'tried against its twin'})`, () => {
    test('switches one outlet and no other, and tells how each stands', async () => {
      const { board, spec } = await make()
      await using driver = await openBoard(spec, 1000)
      await driver.set(2, true)
      expect(board.closed).toEqual([false, true, false, false])
      expect([await driver.read(1), await driver.read(2)]).toEqual([false, true])
      await Promise.all([driver.set(2, false), driver.set(4, true), driver.set(1, true)])
      expect(board.closed).toEqual([true, false, false, true])
      expect(board.operations).toBe(4)
    })
    test('that does not answer, does not move or answers nonsense is an error that says so', async () => {
      const { board, spec } = await make()
      await using driver = await openBoard(spec, 300)
      board.trouble = 'stuck'
      await expect(driver.set(1, true)).rejects.toMatchObject({ code: 'rig-broke' })
      board.trouble = 'garbled'
      await expect(driver.read(1)).rejects.toMatchObject({
        code: expect.stringMatching(/bad-frame|rig-broke/) as string,
      })
      board.trouble = 'mute'
      await expect(driver.set(1, true)).rejects.toMatchObject({ code: 'timeout' })
      board.trouble = undefined
      await driver.set(1, true)
      expect(await driver.read(1)).toBe(true)
    })
    test('that has no such outlet is an error', async () => {
      const { spec } = await make()
      await using driver = await openBoard(spec, 300)
      await expect(driver.set(9, true)).rejects.toMatchObject({ code: expect.any(String) as string })
      await expect(driver.set(0, true)).rejects.toMatchObject({ code: expect.any(String) as string })
    })
  })

describe('frames of serial relay boards', () => {
  test("are those of the makers' leaflets", () => {
    expect([...encodeRelay(1, 'close')]).toEqual([0xa0, 0x01, 0x01, 0xa2])
    expect([...encodeRelay(1, 'open')]).toEqual([0xa0, 0x01, 0x00, 0xa1])
    expect([...encodeRelay(1, 'tell')]).toEqual([0xa0, 0x01, 0x05, 0xa6])
  })
  test('are understood where they are sound, and refused where they are not, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 255 }), fc.nat(255), (relay, code) => {
        expect(decodeRelay(encodeRelay(relay, code))).toEqual({ relay, code })
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => {
        try {
          const f = decodeRelay(bytes)
          expect([...encodeRelay(Math.max(1, f.relay), f.code)].slice(2, 3)).toEqual([bytes[2]])
        } catch (e) {
          expect(e).toMatchObject({ code: 'bad-frame' })
        }
      }),
    )
    expect(commandOf(0x77)).toBeUndefined()
  })
})

describe('an outlet with a guardian', () => {
  const outlet = (board: BoardSpec, more: Partial<OutletSpec> = {}): OutletSpec => ({
    board,
    outlet: 1,
    powerWhen: 'on',
    safe: 'powered',
    operationsAnHour: 3,
    within: 1000,
    ...more,
  })
  const folder = (): string => {
    const state = mkdtempSync(join(tmpdir(), 'power-test-'))
    open.push({
      [Symbol.asyncDispose]: () => Promise.resolve(rmSync(state, { recursive: true, force: true })),
    })
    return state
  }
  test('begins and ends in its safe state', async () => {
    const { board, spec } = await strip()
    const o = await openOutlet(outlet(spec), folder())
    expect(board.closed[0]).toBe(true)
    await o.power(false)
    expect(board.closed[0]).toBe(false)
    await o[Symbol.asyncDispose]()
    expect(board.closed[0]).toBe(true)
  })
  test('is wired the other way round where its rig says so', async () => {
    const { board, spec } = await strip()
    await using o = await openOutlet(outlet(spec, { powerWhen: 'off' }), folder())
    expect(board.closed[0]).toBe(false)
    await o.power(false)
    expect(board.closed[0]).toBe(true)
  })
  test('is not switched off more often than an hour allows, and always on again', async () => {
    const { board, spec } = await strip()
    const state = folder()
    await using o = await openOutlet(outlet(spec), state)
    for (let n = 0; n < 3; n++) {
      await o.power(false)
      await o.power(true)
    }
    await expect(o.power(false)).rejects.toMatchObject({ code: 'not-capable' })
    expect(board.closed[0]).toBe(true)
  })
  test('is left safe when the bench is killed', async () => {
    const { board, spec } = await strip()
    const script = join(folder(), 'bench.ts')
    const guardian = fileURLToPath(new URL('../../drivers/power/guardian.ts', import.meta.url))
    writeFileSync(
      script,
      `import { openOutlet } from '${guardian}'
const o = await openOutlet(${JSON.stringify(outlet(spec))}, '${folder()}')
await o.power(false)
process.send?.('off')
setInterval(() => {}, 1000)`,
    )
    const bench = fork(script, [], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    await once(bench, 'message')
    expect(board.closed[0]).toBe(false)
    const moved = new Promise<void>((resolve) => {
      board.onMove = () => resolve()
    })
    bench.kill('SIGKILL')
    await moved
    expect(board.closed[0]).toBe(true)
  })
  test('whose board is not there is no outlet', async () => {
    await expect(
      openOutlet(outlet({ kind: 'coils', host: '127.0.0.1', port: 1 }), folder()),
    ).rejects.toMatchObject({ code: 'rig-lacks' })
  })
})

test('operations count by outlet, for an hour, whatever the file holds', () => {
  const state = mkdtempSync(join(tmpdir(), 'power-test-'))
  try {
    writeFileSync(join(state, 'power-operations.json'), '{"a":[1,"x"],"b":')
    const a = operationLimit('a', 2, state)
    a.take(1_000_000)
    a.take(1_000_001)
    expect(() => a.take(1_000_002)).toThrow(/2 are allowed.*again in 60 min/)
    operationLimit('b', 2, state).take(1_000_002)
    a.take(1_000_000 + 3_600_001)
  } finally {
    rmSync(state, { recursive: true, force: true })
  }
})
