/**
 * COSEM data in A-XDR (DLMS UA 1000-2 Ed. 9, 9.5, type `Data`; IEC 61334-6): a tag, then the value, big-endian.
 * Decoding takes any bytes: it throws `DlmsError`, never anything else, and its work is bounded by the input's length.
 */

/** Bytes that are not what the standard asks. `at`: where in the APDU. */
export class DlmsError extends Error {
  override readonly name = 'DlmsError'
  readonly at: number
  constructor(message: string, at: number) {
    super(`${message} (byte ${at})`)
    this.at = at
  }
}

/** Integers of fixed size: tag, bytes, signed. */
const integers = {
  'double-long': [5, 4, true],
  'double-long-unsigned': [6, 4, false],
  integer: [15, 1, true],
  long: [16, 2, true],
  unsigned: [17, 1, false],
  'long-unsigned': [18, 2, false],
  enum: [22, 1, false],
} as const

/** Byte strings: `octet-string` 9, `visible-string` 10, `utf8-string` 12; `bcd` is one byte; the dates have a fixed size. */
const strings = { 'octet-string': 9, 'visible-string': 10, 'utf8-string': 12 } as const
const fixed = { bcd: [13, 1], 'date-time': [25, 12], date: [26, 5], time: [27, 4] } as const

export type IntegerType = keyof typeof integers
export type StringType = keyof typeof strings
export type FixedType = keyof typeof fixed

export type Data =
  | { readonly type: 'null-data' | 'dont-care' }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: IntegerType | 'float32' | 'float64'; readonly value: number }
  | { readonly type: 'long64' | 'long64-unsigned'; readonly value: bigint }
  | { readonly type: StringType | FixedType; readonly value: Uint8Array }
  /** `bits` bits, the first one the highest of the first byte. */
  | { readonly type: 'bit-string'; readonly bits: number; readonly value: Uint8Array }
  | { readonly type: 'array' | 'structure'; readonly value: readonly Data[] }
  | { readonly type: 'compact-array'; readonly of: Description; readonly value: readonly Data[] }

/** What a compact array's elements are, written once before all of them. */
export type Description =
  | { readonly type: Exclude<Data['type'], 'array' | 'structure' | 'compact-array'> }
  | { readonly type: 'structure'; readonly of: readonly Description[] }
  | { readonly type: 'array'; readonly count: number; readonly of: Description }

/** Deeper nesting than any object of a meter has. */
const maxDepth = 16
/** A description can name many elements by few bytes: no meter sends more than this. */
const maxElements = 65_536

const byTag = new Map<number, Data['type']>([
  [0, 'null-data'],
  [1, 'array'],
  [2, 'structure'],
  [3, 'boolean'],
  [4, 'bit-string'],
  [19, 'compact-array'],
  [20, 'long64'],
  [21, 'long64-unsigned'],
  [23, 'float32'],
  [24, 'float64'],
  [255, 'dont-care'],
])
for (const [type, [tag]] of Object.entries(integers)) byTag.set(tag, type as IntegerType)
for (const [type, tag] of Object.entries(strings)) byTag.set(tag, type as StringType)
for (const [type, [tag]] of Object.entries(fixed)) byTag.set(tag, type as FixedType)
const tagOf = new Map([...byTag].map(([tag, type]) => [type, tag]))

/** A place in bytes; every read is checked against the end. */
export class Cursor {
  readonly bytes: Uint8Array
  readonly view: DataView
  at: number
  readonly end: number
  /** Elements of compact arrays read so far. */
  elements = 0

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = at
    this.end = end
  }

  get left(): number {
    return this.end - this.at
  }

  /** Moves over `n` bytes and returns where they began. */
  skip(n: number, what: string): number {
    if (n > this.left) throw new DlmsError(`${what} needs ${n} bytes and ${this.left} are left`, this.at)
    const from = this.at
    this.at += n
    return from
  }

  byte(what: string): number {
    return this.bytes[this.skip(1, what)] ?? 0
  }

  take(n: number, what: string): Uint8Array {
    const from = this.skip(n, what)
    return this.bytes.slice(from, from + n)
  }

  /** A length: one byte below 80, else 8n and n bytes (A-XDR 6.10). */
  length(what: string): number {
    const at = this.at
    const first = this.byte(what)
    if (first < 0x80) return first
    const n = first & 0x7f
    if (n === 0 || n > 4) throw new DlmsError(`${what}: a length of ${n} bytes`, at)
    let value = 0
    for (let i = 0; i < n; i++) value = value * 256 + this.byte(what)
    return value
  }
}

function readInteger(c: Cursor, type: IntegerType): number {
  const [, size, signed] = integers[type]
  const at = c.skip(size, type)
  if (size === 1) return signed ? c.view.getInt8(at) : c.view.getUint8(at)
  if (size === 2) return signed ? c.view.getInt16(at) : c.view.getUint16(at)
  return signed ? c.view.getInt32(at) : c.view.getUint32(at)
}

/** A value whose type is known: behind its tag, or inside a compact array. */
function readValue(c: Cursor, type: Data['type'], depth: number): Data {
  switch (type) {
    case 'null-data':
    case 'dont-care':
      return { type }
    case 'boolean':
      return { type, value: c.byte(type) !== 0 }
    case 'float32':
      return { type, value: c.view.getFloat32(c.skip(4, type)) }
    case 'float64':
      return { type, value: c.view.getFloat64(c.skip(8, type)) }
    case 'long64':
      return { type, value: c.view.getBigInt64(c.skip(8, type)) }
    case 'long64-unsigned':
      return { type, value: c.view.getBigUint64(c.skip(8, type)) }
    case 'octet-string':
    case 'visible-string':
    case 'utf8-string':
      return { type, value: c.take(c.length(type), type) }
    case 'bcd':
    case 'date-time':
    case 'date':
    case 'time':
      return { type, value: c.take(fixed[type][1], type) }
    case 'bit-string': {
      const bits = c.length(type)
      return { type, bits, value: c.take(Math.ceil(bits / 8), type) }
    }
    case 'array':
    case 'structure': {
      const at = c.at
      const count = c.length(type)
      // Each element has at least its tag.
      if (count > c.left) throw new DlmsError(`${type} of ${count} elements in ${c.left} bytes`, at)
      const value: Data[] = []
      for (let i = 0; i < count; i++) value.push(readData(c, depth + 1))
      return { type, value }
    }
    case 'compact-array':
      return readCompact(c, depth)
    case 'double-long':
    case 'double-long-unsigned':
    case 'integer':
    case 'long':
    case 'unsigned':
    case 'long-unsigned':
    case 'enum':
      break
  }
  return { type, value: readInteger(c, type) }
}

/** One `Data` at the cursor. */
export function readData(c: Cursor, depth = 0): Data {
  const at = c.at
  const tag = c.byte('data')
  const type = byTag.get(tag)
  if (type === undefined) throw new DlmsError(`no data type has the tag ${tag}`, at)
  if (depth > maxDepth) throw new DlmsError(`data nested deeper than ${maxDepth}`, at)
  return readValue(c, type, depth)
}

function readDescription(c: Cursor, depth: number): Description {
  const at = c.at
  const type = byTag.get(c.byte('type description'))
  if (type === undefined || type === 'compact-array' || depth > maxDepth)
    throw new DlmsError('no such type description', at)
  if (type === 'structure') {
    const count = c.length(type)
    if (count > c.left) throw new DlmsError(`${count} element types in ${c.left} bytes`, at)
    return { type, of: Array.from({ length: count }, () => readDescription(c, depth + 1)) }
  }
  if (type === 'array') {
    const count = c.view.getUint16(c.skip(2, 'array of a type description'))
    return { type, count, of: readDescription(c, depth + 1) }
  }
  return { type }
}

function readDescribed(c: Cursor, d: Description, depth: number): Data {
  // Elements can be of no size at all (null-data): their number is bounded here.
  if (++c.elements > maxElements) throw new DlmsError(`more than ${maxElements} elements`, c.at)
  if (d.type === 'structure') return { type: d.type, value: d.of.map((e) => readDescribed(c, e, depth + 1)) }
  if (d.type === 'array')
    return { type: d.type, value: Array.from({ length: d.count }, () => readDescribed(c, d.of, depth + 1)) }
  return readValue(c, d.type, depth)
}

function readCompact(c: Cursor, depth: number): Data {
  const of = readDescription(c, depth + 1)
  const size = c.length('compact-array')
  const from = c.skip(size, 'compact-array')
  const inner = new Cursor(c.bytes, from, from + size)
  inner.elements = c.elements
  const value: Data[] = []
  while (inner.left > 0) {
    const before = inner.at
    value.push(readDescribed(inner, of, depth + 1))
    if (inner.at === before) throw new DlmsError('a compact array whose elements have no size', before)
  }
  c.elements = inner.elements
  return { type: 'compact-array', of, value }
}

/** Reads bytes that are one `Data` and nothing else. @throws DlmsError */
export function decodeData(b: Uint8Array): Data {
  const c = new Cursor(b)
  const d = readData(c)
  if (c.left > 0) throw new DlmsError(`${c.left} bytes too many`, c.at)
  return d
}

/** Length as A-XDR writes it. */
export function lengthBytes(n: number): readonly number[] {
  if (n < 0x80) return [n]
  if (n < 0x100) return [0x81, n]
  if (n < 0x10000) return [0x82, n >>> 8, n & 0xff]
  return [0x84, n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff]
}

function integerBytes(type: IntegerType, value: number): readonly number[] {
  const [, size, signed] = integers[type]
  const span = 2 ** (8 * size)
  const low = signed ? -span / 2 : 0
  if (!Number.isInteger(value) || value < low || value >= low + span)
    throw new RangeError(`${type} goes from ${low} to ${low + span - 1}, not ${value}`)
  const unsigned = value < 0 ? value + span : value
  return Array.from({ length: size }, (_, i) => Math.floor(unsigned / 256 ** (size - 1 - i)) % 256)
}

function eightBytes(put: (v: DataView) => void): readonly number[] {
  const b = new Uint8Array(8)
  put(new DataView(b.buffer))
  return [...b]
}

function writeValue(out: number[], d: Data): void {
  switch (d.type) {
    case 'null-data':
    case 'dont-care':
      return
    case 'boolean':
      out.push(d.value ? 1 : 0)
      return
    case 'float32':
      out.push(...eightBytes((v) => v.setFloat32(0, d.value)).slice(0, 4))
      return
    case 'float64':
      out.push(...eightBytes((v) => v.setFloat64(0, d.value)))
      return
    case 'long64':
    case 'long64-unsigned':
      if (BigInt.asIntN(64, d.value) !== d.value && BigInt.asUintN(64, d.value) !== d.value)
        throw new RangeError(`${d.type} has 64 bits`)
      out.push(...eightBytes((v) => v.setBigUint64(0, BigInt.asUintN(64, d.value))))
      return
    case 'octet-string':
    case 'visible-string':
    case 'utf8-string':
      out.push(...lengthBytes(d.value.length), ...d.value)
      return
    case 'bcd':
    case 'date-time':
    case 'date':
    case 'time':
      if (d.value.length !== fixed[d.type][1]) throw new RangeError(`${d.type} has ${fixed[d.type][1]} bytes`)
      out.push(...d.value)
      return
    case 'bit-string':
      if (d.value.length !== Math.ceil(d.bits / 8))
        throw new RangeError(`${d.bits} bits in ${d.value.length} bytes`)
      out.push(...lengthBytes(d.bits), ...d.value)
      return
    case 'array':
    case 'structure':
      out.push(...lengthBytes(d.value.length))
      for (const e of d.value) writeData(out, e)
      return
    case 'compact-array': {
      writeDescription(out, d.of)
      const inner: number[] = []
      for (const e of d.value) writeDescribed(inner, d.of, e)
      out.push(...lengthBytes(inner.length), ...inner)
      return
    }
    case 'double-long':
    case 'double-long-unsigned':
    case 'integer':
    case 'long':
    case 'unsigned':
    case 'long-unsigned':
    case 'enum':
      out.push(...integerBytes(d.type, d.value))
  }
}

function writeDescription(out: number[], d: Description): void {
  out.push(tagOf.get(d.type) ?? 0)
  if (d.type === 'structure') {
    out.push(...lengthBytes(d.of.length))
    for (const e of d.of) writeDescription(out, e)
  } else if (d.type === 'array') {
    out.push(d.count >>> 8, d.count & 0xff)
    writeDescription(out, d.of)
  }
}

function writeDescribed(out: number[], of: Description, d: Data): void {
  if (d.type !== of.type) throw new RangeError(`a compact array of ${of.type} holds no ${d.type}`)
  if ((of.type === 'structure' || of.type === 'array') && (d.type === 'structure' || d.type === 'array')) {
    const types = of.type === 'structure' ? of.of : Array.from({ length: of.count }, () => of.of)
    if (types.length !== d.value.length)
      throw new RangeError(`${d.value.length} elements where the description has ${types.length}`)
    for (const [i, t] of types.entries()) writeDescribed(out, t, d.value[i] ?? { type: 'null-data' })
    return
  }
  writeValue(out, d)
}

/** Appends a value with its tag. @throws RangeError for a value that its type cannot hold */
export function writeData(out: number[], d: Data): void {
  out.push(tagOf.get(d.type) ?? 0)
  writeValue(out, d)
}

/** A value's bytes. @throws RangeError for a value that its type cannot hold */
export function encodeData(d: Data): Uint8Array {
  const out: number[] = []
  writeData(out, d)
  return Uint8Array.from(out)
}
