/** Each device, on a real wire, gets 500 malformed requests and answers each as the standard says (modbus-oracle.ts). */
import { connect } from 'node:net'
import { once } from 'node:events'
import { writeFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { SerialPort } from 'serialport'
import { expect, test } from 'vitest'
import { stream } from '../../drivers/random.ts'
import { ptyProvider } from '../../drivers/real/pty.ts'
import { devices } from '../../sim/devices/index.ts'
import { aloneKinds } from '../main/alone/kinds.ts'
import type { AloneKind } from '../main/alone/kinds.ts'
import { play } from '../main/alone/play.ts'
import { malformedRtu, malformedTcp, rtuFrame, tcpFrame } from './malformed.ts'
import type { MalformedCase } from './malformed.ts'
import { crcOf, documentedGridKey, documentedTc8, fits } from './modbus-oracle.ts'

const requests = 500
const seed = 20260101

/** Bytes as they come, to be taken in lengths. */
function inbox(): {
  push(b: Uint8Array): void
  end(): void
  take(n: number): Promise<Buffer>
  held(): number
} {
  let bytes = Buffer.alloc(0)
  const state = { ended: false }
  let wake = Promise.withResolvers<void>()
  const woken = (): void => {
    wake.resolve()
    wake = Promise.withResolvers()
  }
  return {
    push(b) {
      bytes = Buffer.concat([bytes, b])
      woken()
    },
    end() {
      state.ended = true
      woken()
    },
    held: () => bytes.length,
    async take(n) {
      while (bytes.length < n && !state.ended) await wake.promise
      const got = bytes.subarray(0, n)
      bytes = bytes.subarray(got.length)
      return got
    },
  }
}

const told = (c: MalformedCase): string => `${c.what}: ${Buffer.from(c.bytes).toString('hex')}`
/** Reads the frequency: a good request. */
const goodTcp = Uint8Array.from([4, 0, 12, 0, 2])
/** Reads the fault mode: a good request. */
const goodRtu = Uint8Array.from([3, 0, 29, 0, 1])

test(`the feeder monitor answers ${requests} malformed requests over TCP as the standard says, and good ones after each`, async () => {
  const kind = aloneKinds['gridkey'] as AloneKind
  const door = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const
  await using played = await play({ name: 'gridkey', kind, options: {}, door, seed: 1, onNews: () => {} })
  const port = Number(played.place.split(':')[1])
  const random = stream(seed, 'malformed/tcp')
  const dial = async () => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    const box = inbox()
    socket.on('data', (b) => box.push(b))
    socket.on('end', () => box.end())
    await once(socket, 'connect')
    return { socket, box }
  }
  const answer = async (box: ReturnType<typeof inbox>) => {
    const head = await box.take(6)
    if (head.length < 6) return undefined
    const body = await box.take(head.readUInt16BE(4))
    return {
      transaction: head.readUInt16BE(0),
      protocol: head.readUInt16BE(2),
      unit: body[0],
      pdu: body.subarray(1),
    }
  }
  let { socket, box } = await dial()
  const kinds = { silence: 0, close: 0, refuse: 0, answer: 0 }
  for (let i = 0; i < requests; i++) {
    const c = malformedTcp(documentedGridKey, random, i)
    socket.write(c.bytes)
    if (c.expect === 'close') {
      expect(await answer(box), told(c)).toBeUndefined()
      socket.destroy()
      ;({ socket, box } = await dial())
    } else if (c.expect !== 'silence') {
      const a = await answer(box)
      expect([a?.transaction, a?.protocol, a?.unit], told(c)).toEqual([i, 0, c.bytes[6]])
      expect(
        fits(c.expect, c.pdu, a?.pdu ?? new Uint8Array(0)),
        `${told(c)} got ${a?.pdu.toString('hex')}`,
      ).toBe(true)
    }
    kinds[typeof c.expect === 'string' ? c.expect : c.expect.is]++
    socket.write(tcpFrame(0xffff, 1, goodTcp))
    const good = await answer(box)
    expect([good?.transaction, good?.pdu.length], `after ${told(c)}`).toEqual([0xffff, 6])
  }
  socket.destroy()
  expect(Math.min(kinds.silence, kinds.close, kinds.answer)).toBeGreaterThan(5)
  expect(kinds.refuse).toBeGreaterThan(requests / 2)
})

const pty = ptyProvider()
const lacks = 'lacks' in pty ? pty.lacks : undefined

test.skipIf(lacks !== undefined)(
  `the thermocouple module answers ${requests} malformed requests on a pty as the standard says, and good ones after each${lacks === undefined ? '' : ` (skipped: ${lacks})`}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'malformed-'))
    try {
      // A faster line than the module's own, so that the test is over soon.
      const personality = join(folder, 'fast.yaml')
      const own = readFileSync(join(import.meta.dirname, '../../fixtures/personalities/tc8.yaml'), 'utf8')
      writeFileSync(personality, own.replace(/baud_rate: \d+/, 'baud_rate: 115200'))
      const kind: AloneKind = {
        ...(aloneKinds['thermocouple'] as AloneKind),
        make: () =>
          devices['thermocouple-tc8'].make({ personality, silence_ms: silenceMs, turnaround_ms: 1 }),
      }
      const door = { kind: 'pty' } as const
      const options = { personality }
      await using played = await play({ name: 'tc8', kind, options, door, seed: 1, onNews: () => {} })
      await ask(played.place.split(',')[0] ?? '')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)

/** Silence that ends a frame, ms, as this test sets it; twice that is waited. */
const silenceMs = 6
const charMs = 10_000 / 115_200

async function ask(path: string): Promise<void> {
  const random = stream(seed, 'malformed/rtu')
  const port = new SerialPort({ path, baudRate: 115_200 })
  await once(port, 'open')
  const box = inbox()
  port.on('data', (b: Buffer) => box.push(b))
  const kinds = { silence: 0, close: 0, refuse: 0, answer: 0 }
  let again = 0
  const answer = async (length: number | undefined): Promise<Buffer> => {
    const head = await box.take(3)
    const rest = length ?? ((head[1] ?? 0) & 0x80 ? 2 : 5)
    return Buffer.concat([head, await box.take(rest + 3 - head.length)])
  }
  for (let i = 0; i < requests; i++) {
    const c = malformedRtu(documentedTc8, random)
    port.write(c.bytes)
    if (typeof c.expect === 'string') {
      await after(c.bytes.length * charMs + 2 * silenceMs)
      expect(box.held(), told(c)).toBe(0)
    } else {
      const frame = await answer(c.expect.is === 'refuse' ? 2 : c.expect.length)
      expect(frame[0], told(c)).toBe(10)
      expect(frame.readUInt16LE(frame.length - 2), told(c)).toBe(crcOf(frame.subarray(0, -2)))
      expect(fits(c.expect, c.pdu, frame.subarray(1, -2)), `${told(c)} got ${frame.toString('hex')}`).toBe(
        true,
      )
    }
    kinds[typeof c.expect === 'string' ? c.expect : c.expect.is]++
    // A machine that stalls joins two frames to one, which a device has to drop: then the good one comes again.
    const good = answer(4)
    for (let tries = 0; tries < 3; tries++) {
      port.write(rtuFrame(10, goodRtu))
      if ((await Promise.race([good, after(400, undefined)])) !== undefined) break
      again++
    }
    const frame = await Promise.race([good, after(400, undefined)])
    expect([frame?.length, frame?.[1]], `after ${told(c)}`).toEqual([7, 3])
  }
  await new Promise<void>((done) => port.close(() => done()))
  expect(again).toBeLessThan(requests / 5)
  expect(kinds.silence).toBeGreaterThan(50)
  expect(kinds.refuse).toBeGreaterThan(requests / 3)
  expect(kinds.answer).toBeGreaterThan(5)
}
