import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as fc from 'fast-check'
import type { Conn, SerialSettings } from '../../faces.ts'
import { connPair } from '../../wires/memory.ts'
import { rtuFrame, tcpAdu } from './client.ts'
import type { Hooks } from './hooks.ts'
import { memoryModel } from './model.ts'
import type { DataModel, Units } from './model.ts'
import { serveModbusRtu, serveModbusTcp } from './serve.ts'
import type { TcpOptions, Session } from './serve.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')
const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex')
const settings: SerialSettings = { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1 }
/** Longer than any silence and turnaround on this line. */
const aWhile = 100

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function tables(): DataModel {
  return memoryModel(
    { 'holding-registers': Uint16Array.from({ length: 100 }, (_, i) => i), coils: new Uint16Array(16) },
    { functions: [1, 3, 5, 6, 15, 16] },
  )
}

interface Bench {
  readonly client: Conn
  readonly session: Session
  /** Bytes that came, and how the connection ended. */
  readonly got: { bytes: Uint8Array[]; ended: string | undefined }
  /** Sends, lets time pass, and returns what came since. */
  ask(b: Uint8Array): Promise<string>
}

function bench(serve: (conn: Conn) => Session): Bench {
  const [near, far] = connPair('slave', 'master')
  const session = serve(near)
  const got: Bench['got'] = { bytes: [], ended: undefined }
  far.onBytes((b) => got.bytes.push(b))
  far.onEnd((how) => (got.ended = how))
  return {
    client: far,
    session,
    got,
    async ask(b) {
      got.bytes = []
      await far.send(b)
      await vi.advanceTimersByTimeAsync(aWhile)
      return hex(Buffer.concat(got.bytes))
    },
  }
}

const tcp = (units: Units = new Map([[1, tables()]]), options: TcpOptions = {}): Bench =>
  bench((conn) => serveModbusTcp(conn, units, options))
const rtu = (units: Units = new Map([[1, tables()]]), hooks?: Hooks): Bench =>
  bench((conn) => serveModbusRtu(conn, units, settings, hooks === undefined ? {} : { hooks }))

const read = '03 0000 0002'
const good = '03 04 0000 0001'

/** Malformed and edge probes; each must be answered as the specification says, and serving must go on. */
const probes: readonly [name: string, pdu: string, answer: string][] = [
  ['quantity 126', '03 0000 007e', '83 03'],
  ['quantity 0', '03 0000 0000', '83 03'],
  ['address past the map', '03 0064 0001', '83 02'],
  ['span past the map', '03 0060 0010', '83 02'],
  ['function 8', '08 0000 1234', '88 01'],
  ['unknown function', '65 01 02', 'e5 01'],
]

describe('over TCP', () => {
  test.each(probes)('%s', async (_, pdu, answer) => {
    const b = tcp()
    expect(await b.ask(tcpAdu(5, 1, bytes(pdu)))).toBe(hex(tcpAdu(5, 1, bytes(answer))))
    expect(await b.ask(tcpAdu(6, 1, bytes(read)))).toBe(hex(tcpAdu(6, 1, bytes(good))))
  })

  test('protocol ID 7 is discarded', async () => {
    const b = tcp()
    const odd = tcpAdu(5, 1, bytes(read))
    odd[3] = 7
    expect(await b.ask(odd)).toBe('')
    expect(await b.ask(tcpAdu(6, 1, bytes(read)))).toBe(hex(tcpAdu(6, 1, bytes(good))))
    expect(b.session.counts).toEqual({ requests: 1, answers: 1, dropped: 1 })
  })

  test('a length field of 300 closes the connection, after what was asked before it', async () => {
    const b = tcp()
    const bad = tcpAdu(5, 1, bytes(read))
    bad[4] = 1
    bad[5] = 44
    expect(await b.ask(Buffer.concat([tcpAdu(4, 1, bytes(read)), bad]))).toBe(hex(tcpAdu(4, 1, bytes(good))))
    expect(b.got.ended).toBe('fin')
  })

  test('pipelined requests are answered in order, more than one buffer of them', async () => {
    const b = tcp()
    const ids = Array.from({ length: 500 }, (_, i) => i)
    const answers = await b.ask(Buffer.concat(ids.map((i) => tcpAdu(i, 1, bytes('03 0000 0050')))))
    const one = `03a0${Array.from({ length: 80 }, (_, i) => i.toString(16).padStart(4, '0')).join('')}`
    expect(answers).toBe(ids.map((i) => hex(tcpAdu(i, 1, bytes(one)))).join(''))
  })

  test('units 0 and 255 mean the only unit, or the one said to be direct; else they are unknown', async () => {
    for (const unit of [0, 255])
      expect(await tcp().ask(tcpAdu(1, unit, bytes(read)))).toBe(hex(tcpAdu(1, unit, bytes(good))))
    const two: Units = new Map([
      [1, memoryModel({ 'holding-registers': new Uint16Array(2).fill(0x1111) })],
      [2, memoryModel({ 'holding-registers': new Uint16Array(2).fill(0x2222) })],
    ])
    expect(await tcp(two).ask(tcpAdu(1, 255, bytes(read)))).toBe(hex(tcpAdu(1, 255, bytes('83 0b'))))
    expect(await tcp(two, { direct: 2 }).ask(tcpAdu(1, 255, bytes(read)))).toContain('22222222')
    expect(await tcp(two).ask(tcpAdu(1, 1, bytes(read)))).toContain('11111111')
  })

  test('an unknown unit is answered as a gateway does, or not at all', async () => {
    expect(await tcp().ask(tcpAdu(1, 9, bytes(read)))).toBe(hex(tcpAdu(1, 9, bytes('83 0b'))))
    expect(await tcp(undefined, { unknownUnit: 'silent' }).ask(tcpAdu(1, 9, bytes(read)))).toBe('')
  })

  test('with hooks that do nothing the bytes are the same', async () => {
    const stream = Buffer.concat([
      ...probes.map(([, pdu], i) => tcpAdu(i, 1, bytes(pdu))),
      tcpAdu(9, 7, bytes(read)),
    ])
    expect(await tcp(undefined, { hooks: {} }).ask(stream)).toBe(await tcp().ask(stream))
  })

  test('garbage is answered, discarded or closes the connection, and never throws', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 5 }),
        async (chunks) => {
          const b = tcp()
          for (const c of chunks) if (!b.got.ended) await b.ask(c)
          const next = tcp()
          expect(await next.ask(tcpAdu(6, 1, bytes(read)))).toBe(hex(tcpAdu(6, 1, bytes(good))))
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('over RTU', () => {
  test.each(probes)('%s', async (_, pdu, answer) => {
    const b = rtu()
    expect(await b.ask(rtuFrame(1, bytes(pdu)))).toBe(hex(rtuFrame(1, bytes(answer))))
    expect(await b.ask(rtuFrame(1, bytes(read)))).toBe(hex(rtuFrame(1, bytes(good))))
  })

  test('a wrong CRC is never answered, and the write in it is not done', async () => {
    const b = rtu()
    const bad = rtuFrame(1, bytes('06 0000 0bad'))
    bad[7] = (bad[7] ?? 0) ^ 1
    expect(await b.ask(bad)).toBe('')
    expect(await b.ask(rtuFrame(1, bytes(read)))).toBe(hex(rtuFrame(1, bytes(good))))
    expect(b.session.counts.dropped).toBe(1)
  })

  test('another unit is not answered', async () => {
    expect(await rtu().ask(rtuFrame(2, bytes(read)))).toBe('')
  })

  test('a broadcast write is done by every unit and never answered; a broadcast read is nothing', async () => {
    const both: Units = new Map([
      [1, tables()],
      [2, tables()],
    ])
    const b = rtu(both)
    expect(await b.ask(rtuFrame(0, bytes('06 0000 beef')))).toBe('')
    expect(await b.ask(rtuFrame(0, bytes(read)))).toBe('')
    for (const unit of [1, 2])
      expect(await b.ask(rtuFrame(unit, bytes('03 0000 0001')))).toBe(
        hex(rtuFrame(unit, bytes('03 02 beef'))),
      )
  })

  test('the answer keeps the silence of 3.5 characters, and no more', async () => {
    const b = rtu()
    await b.client.send(rtuFrame(1, bytes(read)))
    await vi.advanceTimersByTimeAsync(3)
    expect(b.got.bytes).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(b.got.bytes.length).toBe(1)
  })

  test('after garbage and a silence the next good frame is answered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400 }), async (garbage) => {
        const b = rtu()
        await b.ask(garbage)
        expect(await b.ask(rtuFrame(1, bytes(read)))).toBe(hex(rtuFrame(1, bytes(good))))
      }),
      { numRuns: 100 },
    )
  })
})

describe('hooks', () => {
  const with_ = (hooks: Hooks): Bench => tcp(undefined, { hooks })
  const request = tcpAdu(5, 1, bytes(read))
  const whole = hex(tcpAdu(5, 1, bytes(good)))

  test('drop, ignore and exception', async () => {
    expect(await with_({ answering: () => ({ drop: true }) }).ask(request)).toBe('')
    expect(await with_({ asked: () => ({ ignore: true }) }).ask(request)).toBe('')
    expect(await with_({ asked: () => ({ exception: 6 }) }).ask(request)).toBe(
      hex(tcpAdu(5, 1, bytes('83 06'))),
    )
  })

  test('wrong unit, wrong transaction, wrong protocol, cut short', async () => {
    expect(await with_({ answering: () => ({ unit: 9 }) }).ask(request)).toBe(hex(tcpAdu(5, 9, bytes(good))))
    expect(await with_({ answering: () => ({ transaction: 6 }) }).ask(request)).toBe(
      hex(tcpAdu(6, 1, bytes(good))),
    )
    expect((await with_({ answering: () => ({ protocol: 7 }) }).ask(request)).slice(4, 8)).toBe('0007')
    expect(await with_({ answering: () => ({ cut: 9 }) }).ask(request)).toBe(whole.slice(0, 18))
    const b = rtu(undefined, { answering: () => ({ unit: 9, crcFlip: 0x0100 }) })
    const odd = rtuFrame(9, bytes(good))
    odd[odd.length - 1] = (odd.at(-1) ?? 0) ^ 1
    expect(await b.ask(rtuFrame(1, bytes(read)))).toBe(hex(odd))
  })

  test('pieces leave with their gaps, and the next answer waits for the last', async () => {
    let shaped = 0
    const b = with_({ answering: () => (shaped++ === 0 ? { pieces: [3, 4], gapMs: 10 } : undefined) })
    await b.client.send(Buffer.concat([request, tcpAdu(6, 1, bytes(read))]))
    await vi.advanceTimersByTimeAsync(9)
    expect(b.got.bytes.map((p) => p.length)).toEqual([3])
    await vi.advanceTimersByTimeAsync(1)
    expect(b.got.bytes.map((p) => p.length)).toEqual([3, 4])
    await vi.advanceTimersByTimeAsync(10)
    expect(hex(Buffer.concat(b.got.bytes))).toBe(whole + hex(tcpAdu(6, 1, bytes(good))))
  })

  test('a delay holds what comes behind it; the model is read when the delay is over', async () => {
    const data = new Uint16Array(2)
    const b = tcp(new Map([[1, memoryModel({ 'holding-registers': data })]]), {
      hooks: { asked: (a) => (a.transaction === 5 ? { delayMs: 50 } : undefined) },
    })
    await b.client.send(Buffer.concat([request, tcpAdu(6, 1, bytes(read))]))
    await vi.advanceTimersByTimeAsync(49)
    expect(b.got.bytes).toEqual([])
    data.fill(0x7777)
    await vi.advanceTimersByTimeAsync(1)
    expect(hex(Buffer.concat(b.got.bytes))).toBe(
      hex(tcpAdu(5, 1, bytes('03 04 77777777'))) + hex(tcpAdu(6, 1, bytes('03 04 77777777'))),
    )
  })

  test('the connection can be reset on a request, and nothing is answered after', async () => {
    const b = with_({ asked: () => ({ end: 'rst' }) })
    await b.ask(Buffer.concat([request, request]))
    expect(b.got.ended).toBe('rst')
    expect(b.session.counts.answers).toBe(0)
  })

  test('`answered` sees request and response; not of what was dropped', async () => {
    const seen: string[] = []
    const b = with_({
      answering: (a) => (a.transaction === 6 ? { drop: true } : undefined),
      answered: (a, response) => seen.push(`${a.fc} ${a.address} ${a.quantity} ${hex(response)}`),
    })
    await b.ask(Buffer.concat([request, tcpAdu(6, 1, bytes(read))]))
    expect(seen).toEqual(['3 0 2 030400000001'])
  })
})
