/** Modbus: the devices as slaves, judged by the oracle of the standard, and the client's side of the codec. */
import type { Conn, Wire } from '../../../drivers/faces.ts'
import { createMbapDecoder } from '../../../drivers/protocols/modbus/mbap.ts'
import { decodeResponse } from '../../../drivers/protocols/modbus/client.ts'
import type { Request } from '../../../drivers/protocols/modbus/client.ts'
import { streams } from '../../../drivers/random.ts'
import { devices } from '../../../sim/devices/index.ts'
import type { Device } from '../../../sim/faces.ts'
import { malformedTcp, rtuFrame, tcpFrame } from '../malformed.ts'
import { crcOf, documentedGridKey, expected, fits } from '../modbus-oracle.ts'
import type { Opened, Target } from '../target.ts'

/** A wire on which the fuzzer is every client, and which hands on what it is given at once. */
function fuzzedWire(): { wire: Wire; connect: () => Client } {
  let taker: ((c: Conn) => void) | undefined
  return {
    wire: {
      name: 'fuzz',
      can: new Set(['rst']),
      async open(f) {
        taker = f
        return { async [Symbol.asyncDispose]() {} }
      },
    },
    connect() {
      let heard: ((b: Uint8Array, at: number) => void) | undefined
      let gone: ((how: 'fin') => void) | undefined
      const client: Client = {
        sent: [],
        ended: false,
        give: (b, at) => heard?.(b, at),
        leave: () => gone?.('fin'),
      }
      taker?.({
        peer: 'fuzz:1',
        async send(b) {
          client.sent.push(Buffer.from(b))
          return 0
        },
        onBytes: (f) => (heard = f),
        onEnd: (f) => (gone = f),
        end: () => (client.ended = true),
      })
      return client
    },
  }
}

interface Client {
  sent: Buffer[]
  ended: boolean
  give(b: Uint8Array, at: number): void
  leave(): void
}

/** What a device is given; its clock stands still, which spares reckoning and makes inputs repeatable. */
async function started(device: Device): Promise<{ connect: () => Client }> {
  const { wire, connect } = fuzzedWire()
  let seq = 0
  await device.start(wire, { now: () => 1_800_000_000_000, random: streams(1), emit: () => ++seq })
  return { connect }
}

/** Answers in what was sent; throws where it is no Modbus/TCP. */
function tcpAnswers(sent: readonly Buffer[]): { transaction: number; pdu: Buffer }[] {
  const decoder = createMbapDecoder()
  const found: { transaction: number; pdu: Buffer }[] = []
  const all = Buffer.concat(sent)
  let taken = 0
  decoder.push(all, (b, start, end) => {
    taken += end - start
    found.push({
      transaction: Buffer.from(b).readUInt16BE(start),
      pdu: Buffer.from(b.subarray(start + 7, end)),
    })
  })
  if (taken !== all.length) throw new Error(`its answers are no Modbus/TCP: ${all.toString('hex')}`)
  return found
}

const goodTcp = tcpFrame(7, 1, Uint8Array.from([4, 0, 0, 0, 14]))
const goodRtu = rtuFrame(10, Uint8Array.from([3, 0, 29, 0, 1]))

const tcpExamples = (): Uint8Array[] => [
  goodTcp,
  tcpFrame(1, 1, Uint8Array.from([4, 0, 100, 0, 24])),
  tcpFrame(2, 1, Uint8Array.from([16, 3, 0xe8, 0, 2, 4, 0x6a, 0, 0, 0])),
  tcpFrame(3, 1, Uint8Array.from([43, 14, 1, 0])),
  tcpFrame(4, 255, Uint8Array.from([23, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 0])),
  Buffer.concat([goodTcp, goodTcp, goodTcp.subarray(0, 9)]),
]

const tcpSlave: Target = {
  name: 'modbus-tcp-slave',
  weight: 20,
  examples: tcpExamples,
  async open() {
    const { connect } = await started(devices['gridkey-mcu520'].make())
    let client = connect()
    return {
      feed(input) {
        // One stream in two pieces: a frame may end anywhere.
        const at = input.length >> 1
        client.give(input.subarray(0, at), 0)
        client.give(input.subarray(at), 0)
        tcpAnswers(client.sent)
        client.sent = []
        if (client.ended) {
          client.leave()
          client = connect()
        }
      },
      check() {
        client.leave()
        client = connect()
        client.give(goodTcp, 0)
        const [a] = tcpAnswers(client.sent)
        if (a?.transaction !== 7 || a.pdu.length !== 30)
          throw new Error('a good request has no answer any more')
        client.sent = []
      },
    }
  },
}

/** Malformed requests, each answer judged by the standard. */
const tcpOracle: Target = {
  name: 'modbus-tcp-oracle',
  weight: 20,
  examples: () => [],
  // What is made is the whole case: its bytes are a frame of transaction 1.
  make: (random) => malformedTcp(documentedGridKey, random, 1).bytes,
  async open() {
    const { connect } = await started(devices['gridkey-mcu520'].make())
    let client = connect()
    const feed: Opened['feed'] = (input) => {
      client.give(input, 0)
      const frame = Buffer.from(input)
      const length = frame.readUInt16BE(4)
      const answers = tcpAnswers(client.sent)
      const ended = client.ended
      client.leave()
      client = connect()
      if (length < 2 || length > 254) {
        if (!ended || answers.length > 0) throw new Error('framing was lost, and the connection did not end')
        return
      }
      const pdu = frame.subarray(7)
      const unit = frame[6] ?? 0
      const wanted =
        unit === 0 || unit === 1 || unit === 255
          ? expected(documentedGridKey, pdu)
          : ({ is: 'refuse', code: 11 } as const)
      const [a] = answers
      if (frame.readUInt16BE(2) !== 0) {
        if (a !== undefined) throw new Error('another protocol was answered')
      } else if (a === undefined || answers.length > 1 || !fits(wanted, pdu, a.pdu))
        throw new Error(`expected ${JSON.stringify(wanted)}, not ${a?.pdu.toString('hex') ?? 'silence'}`)
    }
    return { feed }
  },
}

const rtuSlave: Target = {
  name: 'modbus-rtu-slave',
  weight: 15,
  examples: () => [
    goodRtu,
    rtuFrame(10, Uint8Array.from([4, 0, 0, 0, 30])),
    rtuFrame(10, Uint8Array.from([6, 0, 29, 0, 2])),
    rtuFrame(10, Uint8Array.from([16, 0, 29, 0, 1, 2, 0, 0])),
    rtuFrame(0, Uint8Array.from([6, 0, 29, 0, 1])),
    Buffer.concat([goodRtu, goodRtu]),
  ],
  async open() {
    const { connect } = await started(devices['thermocouple-tc8'].make({ turnaround_ms: 0 }))
    let client = connect()
    let at = 0
    const judge = (): Buffer[] => {
      const sent = client.sent
      client.sent = []
      for (const f of sent)
        if (
          f.length < 5 ||
          f.length > 256 ||
          f[0] !== 10 ||
          crcOf(f.subarray(0, -2)) !== f.readUInt16LE(f.length - 2)
        )
          throw new Error(`it sent what is no frame: ${f.toString('hex')}`)
      return sent
    }
    return {
      feed(input) {
        at += 1000
        client.give(input, at)
        judge()
      },
      check() {
        // What is held of the last input ends with the silence before.
        at += 1000
        client.give(goodRtu, at)
        if (judge().at(-1)?.length !== 7) throw new Error('a good request has no answer any more')
        client.leave()
        client = connect()
      },
    }
  },
}

const asked: readonly Request[] = [
  { fc: 4, address: 0, quantity: 14 },
  { fc: 1, address: 0, quantity: 9 },
  { fc: 16, address: 0, values: [1, 2] },
  { fc: 43, code: 1, object: 0 },
]

const clientSide: Target = {
  name: 'modbus-client',
  weight: 8,
  examples: () => [
    Uint8Array.from([4, 28, ...Array.from({ length: 28 }, (_, i) => i)]),
    Uint8Array.from([1, 2, 0xff, 1]),
    Uint8Array.from([16, 0, 0, 0, 2]),
    Uint8Array.from([0x84, 2]),
    Uint8Array.from([43, 14, 1, 0x81, 0, 0, 2, 0, 2, 65, 66, 1, 1, 67]),
  ],
  open: () => ({
    feed(input) {
      for (const r of asked) decodeResponse(r, input)
    },
  }),
}

export const modbusTargets: readonly Target[] = [tcpSlave, tcpOracle, rtuSlave, clientSide]
