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

/** Several units on one line: one request at a time, those that are urgent before those that are not. */
export interface RegisterBus {
  /**
   * Reads a block of one unit within `ms` milliseconds of its turn. A coil is 0 or 1.
   * @throws LvcapError `refused` for an exception answer, `link` for anything else; then the line is opened anew.
   */
  read(unit: number, block: RegisterBlock, ms: number, urgent?: boolean): Promise<readonly number[]>
  /**
   * Writes one holding register (function 6) within `ms` milliseconds of its turn; resolves at the answer.
   * @throws LvcapError as `read`.
   */
  write(unit: number, address: number, value: number, ms: number, urgent?: boolean): Promise<void>
  close(): Promise<void>
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
  const line = makeLine(`${device.address}:${device.port}`, (client) =>
    client.connectTCP(device.address, { port: device.port }),
  )
  return linkOf(line, device.unit)
}

export function serialLink(device: SerialDevice): RegisterLink {
  return linkOf(serialOf(device), device.unit)
}

/** Units that share a serial line. */
export function serialBus(port: Omit<SerialDevice, 'unit'>): RegisterBus {
  const line = serialOf(port)
  const inTurn = queue()
  return {
    read: (unit, block, ms, urgent = false) => inTurn(urgent, () => reading(line, unit, block, ms)),
    write: (unit, address, value, ms, urgent = false) =>
      inTurn(urgent, async () => {
        await line.transact(unit, ms, `register ${address}`, (c) => c.writeRegister(address, value))
      }),
    close: () => line.close(),
    counts: () => line.counts(),
  }
}

function serialOf({ path, baudRate, dataBits, parity, stopBits }: Omit<SerialDevice, 'unit'>): Line {
  return makeLine(path, (client) => client.connectRTUBuffered(path, { baudRate, dataBits, parity, stopBits }))
}

function linkOf(line: Line, unit: number): RegisterLink {
  return {
    read: (block, ms) => reading(line, unit, block, ms),
    close: () => line.close(),
    counts: () => line.counts(),
  }
}

async function reading(
  line: Line,
  unit: number,
  block: RegisterBlock,
  ms: number,
): Promise<readonly number[]> {
  return line.transact(unit, ms, `registers from ${block.start}`, async (c) => {
    const words = await ask(c, block)
    if (words.length !== block.count)
      throw new LvcapError('link', `${line.where} answered ${words.length} values instead of ${block.count}.`)
    return words
  })
}

/** Runs one task at a time, in the order given, urgent ones first. */
function queue(): <T>(urgent: boolean, task: () => Promise<T>) => Promise<T> {
  const waiting: { readonly urgent: boolean; readonly start: () => void }[] = []
  let busy = false
  const next = (): void => {
    const i = waiting.findIndex((w) => w.urgent)
    const [first] = waiting.splice(Math.max(0, i), 1)
    busy = first !== undefined
    first?.start()
  }
  return async (urgent, task) => {
    if (busy) await new Promise<void>((resolve) => waiting.push({ urgent, start: resolve }))
    busy = true
    try {
      return await task()
    } finally {
      next()
    }
  }
}

/** A connection to one or several units, opened when it is needed. */
interface Line {
  readonly where: string
  /** One request: `what` it is about, for a message. */
  transact<T>(unit: number, ms: number, what: string, request: (c: Client) => Promise<T>): Promise<T>
  close(): Promise<void>
  counts(): { readonly opened: number; readonly open: number }
}

function makeLine(where: string, open: (client: Client) => Promise<void>): Line {
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
    return fresh
  }

  return {
    where,
    async transact(unit, ms, what, request) {
      const end = performance.now() + ms
      const left = (): number => Math.max(1, end - performance.now())
      try {
        // A serial port must be closed before it can be opened again.
        await within(left(), closing, () => new LvcapError('link', `${where} did not close in time.`))
        const c = client?.isOpen === true ? client : await opening(left())
        c.setID(unit)
        c.setTimeout(Math.ceil(left()))
        return await within(
          left(),
          request(c),
          () => new LvcapError('link', `${where} did not answer in time.`),
        )
      } catch (error) {
        if (isException(error)) {
          throw new LvcapError('refused', `${where} refused ${what}: ${textOf(error)}`, error)
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
