/**
 * The PDU core of a Modbus slave: a request PDU in, a response PDU out. Checks run in the order of the state
 * diagrams of the Modbus Application Protocol V1.1b3 (MAP), section 6: function code (exception 1), quantity, value
 * and byte count (3), address range (2), execution (whatever the model answers, usually 4). A PDU whose length is
 * not what its function implies is exception 3, by the definition of that code in MAP section 7.
 */
import { identify } from './identify.ts'
import { exceptions, functions } from './model.ts'
import type { DataModel, Table } from './model.ts'

/** Largest PDU, MAP section 4.1. */
export const maxPdu = 253

/** Largest quantities, MAP sections 6.1 to 6.17. */
export const limits = {
  readBits: 2000,
  readRegisters: 125,
  writeBits: 1968,
  writeRegisters: 123,
  readWriteRead: 125,
  readWriteWrite: 121,
} as const

/**
 * Answers one PDU. Reads `bytes[start..end)`, writes the response at `out[at]`, where 253 bytes must be free, and
 * returns its length. 0 only for an empty PDU, which has no function code to answer with.
 */
export type Responder = (
  model: DataModel,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
) => number

/** A responder with its own scratch space: one for each wire. Nothing is allocated per request. */
export function createResponder(): Responder {
  const values = new Uint16Array(limits.readBits)

  function readBits(model: DataModel, table: Table, r: Request, out: Uint8Array, at: number): number {
    const quantity = r.word(3)
    if (r.length !== 5 || quantity < 1 || quantity > limits.readBits) return -exceptions.illegalValue
    const address = r.word(1)
    if (!spans(model, table, address, quantity)) return -exceptions.illegalAddress
    const refused = model.read(table, address, quantity, values)
    if (refused !== 0) return -refused
    const count = (quantity + 7) >> 3
    out[at + 1] = count
    out.fill(0, at + 2, at + 2 + count)
    for (let i = 0; i < quantity; i++) {
      if (values[i] !== 0) out[at + 2 + (i >> 3)] = (out[at + 2 + (i >> 3)] ?? 0) | (1 << (i & 7))
    }
    return 2 + count
  }

  function putRegisters(quantity: number, out: Uint8Array, at: number): number {
    out[at + 1] = quantity * 2
    for (let i = 0, to = at + 2; i < quantity; i++, to += 2) {
      const v = values[i] ?? 0
      out[to] = v >>> 8
      out[to + 1] = v & 0xff
    }
    return 2 + quantity * 2
  }

  function readRegisters(model: DataModel, table: Table, r: Request, out: Uint8Array, at: number): number {
    const quantity = r.word(3)
    if (r.length !== 5 || quantity < 1 || quantity > limits.readRegisters) return -exceptions.illegalValue
    const address = r.word(1)
    if (!spans(model, table, address, quantity)) return -exceptions.illegalAddress
    const refused = model.read(table, address, quantity, values)
    return refused === 0 ? putRegisters(quantity, out, at) : -refused
  }

  function writeOne(model: DataModel, table: Table, r: Request, out: Uint8Array, at: number): number {
    const value = r.word(3)
    if (r.length !== 5) return -exceptions.illegalValue
    if (table === 'coils' && value !== 0 && value !== 0xff00) return -exceptions.illegalValue
    const address = r.word(1)
    if (!writable(model, table, address, 1)) return -exceptions.illegalAddress
    values[0] = table === 'coils' ? value >>> 15 : value
    const refused = model.write?.(table, address, 1, values) ?? exceptions.illegalAddress
    return refused === 0 ? r.echo(5, out, at) : -refused
  }

  function writeMany(model: DataModel, table: Table, r: Request, out: Uint8Array, at: number): number {
    const quantity = r.word(3)
    const bits = table === 'coils'
    const count = bits ? (quantity + 7) >> 3 : quantity * 2
    const most = bits ? limits.writeBits : limits.writeRegisters
    if (r.length < 6 || quantity < 1 || quantity > most || r.byte(5) !== count || r.length !== 6 + count)
      return -exceptions.illegalValue
    const address = r.word(1)
    if (!writable(model, table, address, quantity)) return -exceptions.illegalAddress
    for (let i = 0; i < quantity; i++)
      values[i] = bits ? (r.byte(6 + (i >> 3)) >> (i & 7)) & 1 : r.word(6 + 2 * i)
    const refused = model.write?.(table, address, quantity, values) ?? exceptions.illegalAddress
    return refused === 0 ? r.echo(5, out, at) : -refused
  }

  function maskWrite(model: DataModel, r: Request, out: Uint8Array, at: number): number {
    if (r.length !== 7) return -exceptions.illegalValue
    const address = r.word(1)
    if (!writable(model, 'holding-registers', address, 1)) return -exceptions.illegalAddress
    let refused = model.read('holding-registers', address, 1, values)
    if (refused !== 0) return -refused
    // MAP 6.16: (current AND and_mask) OR (or_mask AND NOT and_mask)
    values[0] = ((values[0] ?? 0) & r.word(3)) | (r.word(5) & ~r.word(3) & 0xffff)
    refused = model.write?.('holding-registers', address, 1, values) ?? exceptions.illegalAddress
    return refused === 0 ? r.echo(7, out, at) : -refused
  }

  function readWrite(model: DataModel, r: Request, out: Uint8Array, at: number): number {
    const readQuantity = r.word(3)
    const writeQuantity = r.word(7)
    if (
      r.length < 10 ||
      readQuantity < 1 ||
      readQuantity > limits.readWriteRead ||
      writeQuantity < 1 ||
      writeQuantity > limits.readWriteWrite ||
      r.byte(9) !== writeQuantity * 2 ||
      r.length !== 10 + writeQuantity * 2
    )
      return -exceptions.illegalValue
    const readAt = r.word(1)
    const writeAt = r.word(5)
    if (
      !spans(model, 'holding-registers', readAt, readQuantity) ||
      !writable(model, 'holding-registers', writeAt, writeQuantity)
    )
      return -exceptions.illegalAddress
    // MAP 6.17: the write is done before the read
    for (let i = 0; i < writeQuantity; i++) values[i] = r.word(10 + 2 * i)
    let refused =
      model.write?.('holding-registers', writeAt, writeQuantity, values) ?? exceptions.illegalAddress
    if (refused === 0) refused = model.read('holding-registers', readAt, readQuantity, values)
    return refused === 0 ? putRegisters(readQuantity, out, at) : -refused
  }

  /** Length of the answer, or minus the exception code. */
  function execute(model: DataModel, fc: number, r: Request, out: Uint8Array, at: number): number {
    switch (fc) {
      case functions.readCoils:
        return readBits(model, 'coils', r, out, at)
      case functions.readDiscreteInputs:
        return readBits(model, 'discrete-inputs', r, out, at)
      case functions.readHoldingRegisters:
        return readRegisters(model, 'holding-registers', r, out, at)
      case functions.readInputRegisters:
        return readRegisters(model, 'input-registers', r, out, at)
      case functions.writeCoil:
        return writeOne(model, 'coils', r, out, at)
      case functions.writeRegister:
        return writeOne(model, 'holding-registers', r, out, at)
      case functions.writeCoils:
        return writeMany(model, 'coils', r, out, at)
      case functions.writeRegisters:
        return writeMany(model, 'holding-registers', r, out, at)
      case functions.maskWriteRegister:
        return maskWrite(model, r, out, at)
      case functions.readWriteRegisters:
        return readWrite(model, r, out, at)
      case functions.encapsulated:
        return identify(model, r, out, at)
      default:
        return -exceptions.illegalFunction
    }
  }

  const request = new Request()
  return (model, bytes, start, end, out, at) => {
    if (end <= start) return 0
    request.set(bytes, start, end)
    const fc = request.byte(0)
    const length = model.functions.has(fc)
      ? execute(model, fc, request, out, at)
      : -exceptions.illegalFunction
    if (length > 0) {
      out[at] = fc
      return length
    }
    out[at] = fc | 0x80
    out[at + 1] = -length
    return 2
  }
}

/** A view of one request PDU, set anew for each. Bytes past its end read as 0; lengths are checked by the caller. */
export class Request {
  length = 0
  #bytes: Uint8Array = new Uint8Array(0)
  #start = 0

  set(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes
    this.#start = start
    this.length = end - start
  }

  byte(i: number): number {
    return i < this.length ? (this.#bytes[this.#start + i] ?? 0) : 0
  }

  /** Big-endian, MAP section 4.2. */
  word(i: number): number {
    return (this.byte(i) << 8) | this.byte(i + 1)
  }

  /** Copies the first `n` bytes of the request, as the answers of writes do. */
  echo(n: number, out: Uint8Array, at: number): number {
    for (let i = 0; i < n; i++) out[at + i] = this.byte(i)
    return n
  }
}

function spans(model: DataModel, table: Table, address: number, quantity: number): boolean {
  return address + quantity <= 0x10000 && model.has(table, address, quantity)
}

function writable(model: DataModel, table: Table, address: number, quantity: number): boolean {
  return model.write !== undefined && spans(model, table, address, quantity)
}
