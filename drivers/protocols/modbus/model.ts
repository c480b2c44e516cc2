/**
 * What a Modbus unit is made of, seen from the protocol: four tables, and functions that it supports.
 * Source of every number here: Modbus Application Protocol V1.1b3 (MAP), sections 4.3 to 7.
 */

export type Table = 'coils' | 'discrete-inputs' | 'input-registers' | 'holding-registers'

/** Exception codes, MAP section 7. 0 is ours: no exception. */
export const exceptions = {
  none: 0,
  illegalFunction: 1,
  illegalAddress: 2,
  illegalValue: 3,
  deviceFailure: 4,
  acknowledge: 5,
  busy: 6,
  memoryParity: 8,
  gatewayPath: 10,
  gatewayTarget: 11,
} as const

/** Function codes that the core knows, MAP section 6. */
export const functions = {
  readCoils: 1,
  readDiscreteInputs: 2,
  readHoldingRegisters: 3,
  readInputRegisters: 4,
  writeCoil: 5,
  writeRegister: 6,
  writeCoils: 15,
  writeRegisters: 16,
  maskWriteRegister: 22,
  readWriteRegisters: 23,
  encapsulated: 43,
} as const

/**
 * A unit's data. The core checks function, length and quantity, then asks `has`, then reads or writes. Values are
 * one element each: 0..65535 for registers, 0 or 1 for bits. `read` and `write` return an exception code, 0 for done.
 * Arrays that are handed over belong to the core, and are only valid during the call.
 */
export interface DataModel {
  /** Function codes that this unit supports; any other is exception 1. */
  readonly functions: ReadonlySet<number>
  /** Whether every address from `address` on, `quantity` of them, exists; if not, exception 2. */
  has(table: Table, address: number, quantity: number): boolean
  /** Fills `into[0..quantity)`. */
  read(table: Table, address: number, quantity: number, into: Uint16Array): number
  /** Takes `values[0..quantity)`, all or none. Absent: every write is exception 2. */
  write?(table: Table, address: number, quantity: number, values: Uint16Array): number
  /** Objects of function 43/14 by ID, each at most 245 bytes of UTF-8; 0 to 2 (vendor, product, revision) are mandatory there. */
  readonly identity?: ReadonlyMap<number, string>
}

/** Units behind one wire, by unit ID (serial: 1..247). */
export type Units = ReadonlyMap<number, DataModel>

/** Plain tables in memory, each from address 0. For tests and for devices without side effects. */
export function memoryModel(
  tables: Partial<Record<Table, Uint16Array>>,
  more: { functions?: Iterable<number>; identity?: ReadonlyMap<number, string> } = {},
): DataModel {
  return {
    functions: new Set(more.functions ?? Object.values(functions)),
    ...(more.identity === undefined ? {} : { identity: more.identity }),
    has: (table, address, quantity) => address + quantity <= (tables[table]?.length ?? 0),
    read(table, address, quantity, into) {
      const from = tables[table]
      if (from === undefined) return exceptions.illegalAddress
      for (let i = 0; i < quantity; i++) into[i] = from[address + i] ?? 0
      return exceptions.none
    },
    write(table, address, quantity, values) {
      const to = tables[table]
      if (to === undefined) return exceptions.illegalAddress
      for (let i = 0; i < quantity; i++) to[address + i] = values[i] ?? 0
      return exceptions.none
    },
  }
}
