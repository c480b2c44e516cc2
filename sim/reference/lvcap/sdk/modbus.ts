/** Registers of a field device, by Modbus/TCP or Modbus RTU. A link is opened when it is needed, and again when it broke. */
import type { EventEmitter } from 'node:events'
import modbusSerial from 'modbus-serial'
import { LvcapError, textOf } from '../errors.ts'
import { within } from './schedule.ts'

// A CommonJS module: the class is its `default`, also at run time.
const ModbusRTU = modbusSerial.default
type Client = InstanceType<typeof ModbusRTU>

/**
 * Consecutive registers or coils: PDU addresses, so the first is 0. At most 125 registers (Modbus application protocol,
 * 6.3 and 6.4), 2000 coils (6.1).
 */
export interface RegisterBlock {
  readonly table: 'input' | 'holding' | 'coils'
  readonly start: number
  readonly count: number
}

/** Coils count from 0 as registers do: where both are kept side by side, coils come behind all registers. */
const firstCoil = 0x1_0000

/** Where a coil, or a register, is found among what was read. */
export function placeOf(table: RegisterBlock['table'], address: number): number {
  return table === 'coils' ? firstCoil + address : address
}

export interface RegisterLink {
  /**
   * Reads a block within `ms` milliseconds, opening included. A coil is 0 or 1.
   * @throws LvcapError `refused` for an exception answer, `link` for anything else; then the link is given up.
   */
  read(block: RegisterBlock, ms: number): Promise<readonly number[]>
  close(): Promise<void>
  /** How many times it was opened, and how many connections are open now. */
  counts(): { readonly opened: number; readonly open: number }
}

export interface TcpDevice {
  /** IP address or host name. */
  readonly address: string
  readonly port: number
  readonly unit: number
}

export interface SerialDevice {
  readonly path: string
  readonly baudRate: number
  readonly dataBits: 7 | 8
  readonly parity: 'none' | 'even' | 'odd'
  readonly stopBits: 1 | 2
  readonly unit: number
}

export function tcpLink(device: TcpDevice): RegisterLink {
  return makeLink(`${device.address}:${device.port}`, device.unit, (client) =>
    client.connectTCP(device.address, { port: device.port }),
  )
}

export function serialLink(device: SerialDevice): RegisterLink {
  const { path, unit, baudRate, dataBits, parity, stopBits } = device
  return makeLink(path, unit, (client) =>
    client.connectRTUBuffered(path, { baudRate, dataBits, parity, stopBits }),
  )
}

function makeLink(where: string, unit: number, open: (client: Client) => Promise<void>): RegisterLink {
  let client: Client | undefined
  let closing: Promise<void> = Promise.resolve()
  let opened = 0

  const discard = (): void => {
    const old = client
    client = undefined
    if (old !== undefined) closing = Promise.all([closing, closed(old)]).then(() => {})
  }

  const opening = async (ms: number): Promise<Client> => {
    const fresh = new ModbusRTU()
    fresh.on('error', () => {})
    fresh.on('close', () => {
      if (client === fresh) client = undefined
    })
    client = fresh
    const connecting = open(fresh)
    // modbus-serial takes its own listeners off at close; an error of the port after that would end the program.
    const port: EventEmitter | undefined = Reflect.get(fresh, '_port')
    port?.on('error', () => {})
    await within(ms, connecting, () => new LvcapError('link', `${where} was not reached in time.`))
    opened++
    fresh.setID(unit)
    return fresh
  }

  return {
    async read(block, ms) {
      const end = performance.now() + ms
      const left = (): number => Math.max(1, end - performance.now())
      try {
        // A serial port must be closed before it can be opened again.
        await within(left(), closing, () => new LvcapError('link', `${where} did not close in time.`))
        const c = client?.isOpen === true ? client : await opening(left())
        c.setTimeout(Math.ceil(left()))
        const words = await within(
          left(),
          ask(c, block),
          () => new LvcapError('link', `${where} did not answer in time.`),
        )
        if (words.length !== block.count) {
          throw new LvcapError('link', `${where} answered ${words.length} values instead of ${block.count}.`)
        }
        return words
      } catch (error) {
        if (isException(error)) {
          throw new LvcapError(
            'refused',
            `${where} refused registers from ${block.start}: ${textOf(error)}`,
            error,
          )
        }
        // Its answer may still come, and would be taken for the answer to the next request.
        discard()
        if (error instanceof LvcapError) throw error
        throw new LvcapError('link', `${where}: ${textOf(error)}`, error)
      }
    },
    async close() {
      discard()
      await closing
    },
    counts: () => ({ opened, open: client?.isOpen === true ? 1 : 0 }),
  }
}

async function ask(c: Client, { table, start, count }: RegisterBlock): Promise<readonly number[]> {
  if (table === 'input') return (await c.readInputRegisters(start, count)).data
  if (table === 'holding') return (await c.readHoldingRegisters(start, count)).data
  // Whole bytes arrive, so the last of them may have bits to spare.
  const { data } = await c.readCoils(start, count)
  return data.length < count ? [] : data.slice(0, count).map(Number)
}

/** Closes a client for good: a socket is destroyed, a serial port closed. Never rejects. */
function closed(client: Client): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => resolve()
    try {
      const port: unknown = Reflect.get(client, '_port')
      const isSocket = typeof port === 'object' && port !== null && 'destroy' in port
      if (isSocket) client.destroy(done)
      else if (client.isOpen) client.close(done)
      else resolve()
    } catch {
      resolve()
    }
  })
}

/** Modbus exceptions carry `modbusCode`. */
function isException(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'modbusCode' in error
}
