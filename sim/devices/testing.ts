/** What tests of Modbus devices share: a device on a wire in memory, with a client and the events it emitted. */
import { streams } from '../../drivers/random.ts'
import type { Conn, Instant, Json } from '../../drivers/faces.ts'
import { decodeResponse, encodeRequest, rtuFrame, tcpAdu } from '../../drivers/protocols/modbus/client.ts'
import type { Request, Response } from '../../drivers/protocols/modbus/client.ts'
import { memoryWire } from '../../drivers/wires/memory.ts'
import type { Device, DeviceEnv, Kind } from '../faces.ts'

export interface Emitted {
  readonly kind: Kind
  readonly data: Json
  readonly at: Instant
}

export interface Client {
  readonly conn: Conn
  /** Bytes that have come and not been taken. */
  take(): Uint8Array
  readonly ended: string | undefined
}

export interface Played<D extends Device> extends AsyncDisposable {
  readonly device: D
  readonly events: Emitted[]
  connect(): Client
}

/** Starts a device on a memory wire. `now` is the clock; vitest's fake timers drive Date.now. */
export async function play<D extends Device>(
  device: D,
  seed = 1,
  now: () => Instant = Date.now,
): Promise<Played<D>> {
  const events: Emitted[] = []
  const env: DeviceEnv = {
    now,
    random: streams(seed),
    emit: (kind, data) => events.push({ kind, data, at: now() }),
  }
  const line = memoryWire({ now })
  await device.start(line.wire, env)
  return {
    device,
    events,
    connect() {
      const conn = line.connect()
      let got: Uint8Array[] = []
      const client = {
        conn,
        ended: undefined as string | undefined,
        take() {
          const all = Buffer.concat(got)
          got = []
          return all
        },
      }
      conn.onBytes((b) => got.push(b))
      conn.onEnd((how) => (client.ended = how))
      return client
    },
    [Symbol.asyncDispose]: () => device[Symbol.asyncDispose](),
  }
}

/** What came back to a request over TCP; undefined where nothing did. `wait` lets things happen. */
export async function askTcp(
  c: Client,
  r: Request,
  wait: () => Promise<unknown>,
  unit = 1,
): Promise<Response | undefined> {
  c.take()
  await c.conn.send(tcpAdu(7, unit, encodeRequest(r)))
  await wait()
  const adu = c.take()
  return adu.length === 0 ? undefined : decodeResponse(r, adu.subarray(7))
}

/** As `askTcp`, over RTU. */
export async function askRtu(
  c: Client,
  r: Request,
  wait: () => Promise<unknown>,
  unit = 10,
): Promise<Response | undefined> {
  c.take()
  await c.conn.send(rtuFrame(unit, encodeRequest(r)))
  await wait()
  const frame = c.take()
  return frame.length === 0 ? undefined : decodeResponse(r, frame.subarray(1, -2))
}
