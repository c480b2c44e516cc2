/**
 * What a meter says, out of its data-notification: the lists of Kaifa (values by position, without codes or scalers),
 * Aidon (a structure for each object, with scaler and unit), Kamstrup (code, value, code, value ... without scalers), and
 * the push lists of other makers. Values come out scaled, with their units.
 */
import { Cursor, type Data, DlmsError, readData } from '../dlms/axdr.ts'
import { type CosemDateTime, dateTimeSize, decodeDateTime } from '../dlms/datetime.ts'
import {
  type DataNotification,
  type NotificationHead,
  decodeNotification,
  decodeNotificationHead,
} from '../dlms/notification.ts'
import { obisBytes, obisText } from '../dlms/obis.ts'
import { type QuantityName, quantityOf, unitNames } from './quantities.ts'

export type Dialect =
  | 'kaifa'
  | 'kaifa-obis'
  | 'aidon'
  | 'kamstrup'
  | 'iskra'
  | 'push-list'
  | 'obis'
  | 'unknown'

export interface Item {
  /** `1.0.1.7.0.255`. */
  readonly obis: string
  /** As it stands in the message. */
  readonly raw: number | bigint | string
  /** Scaled; a text stays what it is. */
  readonly value: number | string
  /** As the message says it, or as the dialect has it; undefined: nobody says. */
  readonly unit: string | undefined
}

export interface Reading {
  readonly dialect: Dialect
  /** 1: power alone; 2: the short list; 3: with the energies of the hour. Undefined where the dialect has no lists. */
  readonly list: 1 | 2 | 3 | undefined
  readonly listVersion: string | undefined
  readonly meterId: string | undefined
  readonly meterType: string | undefined
  /** The clock inside the list, else the one in the message's head. */
  readonly clock: CosemDateTime | undefined
  /** W, var, A, V, Wh, varh, power factor 1. */
  readonly values: Readonly<Partial<Record<QuantityName, number>>>
  readonly items: readonly Item[]
}

export interface ReadingOptions {
  /** Wh for one count of a Kamstrup energy register: 10 in Norway (rev 3.1), 1 in Sweden; nothing on the wire tells. */
  readonly kamstrupEnergy?: 1 | 10
}

interface Entry {
  readonly obis: Uint8Array
  readonly data: Data
  readonly scaler?: number
  readonly unit?: string
}

const positionsShort = ['1.0.1.7.0', '1.0.2.7.0', '1.0.3.7.0', '1.0.4.7.0', '1.0.31.7.0', '1.0.32.7.0']
const positionsLong = [
  ...positionsShort.slice(0, 5),
  '1.0.51.7.0',
  '1.0.71.7.0',
  '1.0.32.7.0',
  '1.0.52.7.0',
  '1.0.72.7.0',
]
const positionsHour = ['0.0.1.0.0', '1.0.1.8.0', '1.0.2.8.0', '1.0.3.8.0', '1.0.4.8.0']
const positionsHead = ['1.1.0.2.129', '0.0.96.1.0', '0.0.96.1.7']

/** Kaifa's lists by the number of their elements (KFM_001, pages 2 to 4). */
const kaifaLists: Readonly<Record<number, { readonly list: 1 | 2 | 3; readonly codes: readonly string[] }>> =
  {
    1: { list: 1, codes: ['1.0.1.7.0'] },
    9: { list: 2, codes: [...positionsHead, ...positionsShort] },
    13: { list: 2, codes: [...positionsHead, ...positionsLong] },
    14: { list: 3, codes: [...positionsHead, ...positionsShort, ...positionsHour] },
    18: { list: 3, codes: [...positionsHead, ...positionsLong, ...positionsHour] },
  }

/** The list of an Iskra AM550 in Slovenia, by position; after the currents come energies by tariff. */
const iskraCodes = [
  '0.0.42.0.0',
  '0.0.96.1.0',
  ...positionsShort.slice(0, 4),
  ...positionsLong.slice(-3),
  '1.0.31.7.0',
  '1.0.51.7.0',
  '1.0.71.7.0',
]

function text(d: Data): string | undefined {
  const isText = d.type === 'octet-string' || d.type === 'visible-string' || d.type === 'utf8-string'
  if (!isText || d.value.length === 0) return undefined
  const t = Buffer.from(d.value).toString('latin1')
  return /^[\u0020-\u007e]*$/.test(t) ? t : undefined
}

function isObis(d: Data | undefined): d is Data & { readonly value: Uint8Array } {
  return d?.type === 'octet-string' && d.value.length === 6
}

function isList(d: Data | undefined): d is Extract<Data, { readonly type: 'array' | 'structure' }> {
  return d?.type === 'array' || d?.type === 'structure'
}

/** Scaler and unit: a structure of an integer and an enum. */
function scalerOf(d: Data | undefined): { scaler: number; unit: string } | undefined {
  if (d?.type !== 'structure') return undefined
  const [s, u] = d.value
  if (d.value.length !== 2 || s?.type !== 'integer' || u?.type !== 'enum') return undefined
  return { scaler: s.value, unit: unitNames[u.value] ?? `unit ${u.value}` }
}

/** Code, value and perhaps scaler and unit, one behind the other; null-data fills places and is passed over. */
function flat(elements: readonly Data[]): Entry[] {
  const entries: Entry[] = []
  for (let i = 0; i < elements.length; i++) {
    const d = elements[i]
    const value = elements[i + 1]
    if (isList(d) && isObis(d.value[0])) entries.push(...flat(d.value))
    else if (isObis(d) && value !== undefined && value.type !== 'null-data') {
      const scale = scalerOf(elements[i + 2])
      entries.push({ obis: d.value, data: value, ...scale })
      i += scale === undefined ? 1 : 2
    }
  }
  return entries
}

/** A push list: first the objects (class, code, attribute, index), then their values in the same order. */
function pushList(elements: readonly Data[]): Entry[] | undefined {
  const [head, ...values] = elements
  if (!isList(head) || head.value.length === 0) return undefined
  const codes: Uint8Array[] = []
  for (const o of head.value) {
    if (!isList(o) || o.value.length !== 4 || !isObis(o.value[1])) return undefined
    codes.push(o.value[1].value)
  }
  // The list may stand for itself as the first of the values: then it is that value.
  const all = values.length === codes.length ? values : [head, ...values]
  if (all.length !== codes.length) return undefined
  return codes.flatMap((obis, i) => {
    const data = all[i]
    return data === undefined || isList(data) ? [] : [{ obis, data }]
  })
}

function byPosition(codes: readonly string[], elements: readonly Data[]): Entry[] {
  return codes.flatMap((code, i) => {
    const data = elements[i]
    return data === undefined ? [] : [{ obis: obisBytes(code), data }]
  })
}

/** Scale of a dialect that sends no scaler: by the second group of the code (7 now, 8 sum) and its quantity. */
type Scale = Readonly<Partial<Record<string, number>>>
/** Currents in mA, voltages in 0.1 V (captures against readings; KFM_001 says other units). */
const kaifaScale: Scale = { A: 0.001, V: 0.1 }
/** Currents in 0.01 A, voltages in V, energies in 10 Wh (Kamstrup HAN-NVE rev 3.1). */
const kamstrupScale = (energy: 1 | 10): Scale => ({ A: 0.01, Wh: energy, varh: energy })
/** Voltages in 0.1 V, currents in 0.01 A. */
const iskraScale: Scale = { A: 0.01, V: 0.1 }

/** A decimal factor applied without a binary error where it divides: 2402 by 0.1 is 240.2. */
function scaled(raw: number, factor: number): number {
  return factor < 1 ? raw / Math.round(1 / factor) : raw * factor
}

function itemOf(e: Entry, scale: Scale | undefined): Item | undefined {
  const obis = obisText(e.obis)
  const d = e.data
  if (d.type === 'long64' || d.type === 'long64-unsigned')
    return numberItem(obis, e, d.value, Number(d.value), scale)
  if (typeof (d as { value?: unknown }).value === 'number')
    return numberItem(obis, e, (d as { value: number }).value, (d as { value: number }).value, scale)
  if (!('value' in d) || !(d.value instanceof Uint8Array)) return undefined
  const raw = text(d) ?? Buffer.from(d.value).toString('hex')
  return { obis, raw, value: raw, unit: undefined }
}

function numberItem(obis: string, e: Entry, raw: number | bigint, n: number, scale: Scale | undefined): Item {
  if (e.scaler !== undefined) return { obis, raw, value: scaled(n, 10 ** e.scaler), unit: e.unit }
  if (scale === undefined) return { obis, raw, value: n, unit: undefined }
  const unit = quantityOf(e.obis)?.unit
  return { obis, raw, value: scaled(n, (unit === undefined ? undefined : scale[unit]) ?? 1), unit }
}

/** 0.0.1.0.0 and Kamstrup's 0.1.1.0.0. */
function isClock(e: Entry): boolean {
  return e.obis[0] === 0 && e.obis[2] === 1 && e.obis[3] === 0
}

function clockOf(b: Uint8Array | undefined): CosemDateTime | undefined {
  return b?.length === dateTimeSize ? decodeDateTime(b) : undefined
}

interface Shape {
  readonly dialect: Dialect
  readonly entries: readonly Entry[]
  /** Undefined: values without a scaler stay as they are, and their unit is not known. */
  readonly scale: Scale | undefined
  readonly list?: 1 | 2 | 3 | undefined
  readonly listVersion?: string | undefined
}

/** Which list it is, by what stands in it. */
function listOf(entries: readonly Entry[]): 1 | 2 | 3 {
  if (entries.some((e) => quantityOf(e.obis)?.unit === 'Wh')) return 3
  return entries.length === 1 ? 1 : 2
}

function shapeOf(body: Data, options: ReadingOptions): Shape {
  if (!isList(body)) return { dialect: 'unknown', entries: [], scale: {} }
  const elements = body.value
  const kaifa = kaifaLists[elements.length]
  const first = elements[0]
  if (kaifa !== undefined && body.type === 'structure' && first !== undefined) {
    const version = text(first)
    if ((kaifa.list === 1 && first.type === 'double-long-unsigned') || version?.startsWith('K') === true)
      return {
        dialect: 'kaifa',
        entries: byPosition(kaifa.codes, elements),
        scale: kaifaScale,
        list: kaifa.list,
        listVersion: version,
      }
  }
  if (first?.type === 'visible-string' && text(first)?.startsWith('Kamstrup') === true) {
    const entries = flat(elements.slice(1))
    // Kamstrup's first list is the one of every ten seconds: not power alone, though it is called List 1.
    const list = listOf(entries) === 3 ? 3 : 1
    return {
      dialect: 'kamstrup',
      entries,
      scale: kamstrupScale(options.kamstrupEnergy ?? 10),
      list,
      listVersion: text(first),
    }
  }
  if (first !== undefined && text(first)?.startsWith('ISK') === true && elements.length >= iskraCodes.length)
    return { dialect: 'iskra', entries: byPosition(iskraCodes, elements), scale: iskraScale }
  const pushed = pushList(elements)
  if (pushed !== undefined) {
    const iskra = pushed.some((e) => text(e.data)?.startsWith('ISK') === true)
    return { dialect: 'push-list', entries: pushed, scale: iskra ? iskraScale : undefined }
  }
  const entries = flat(elements)
  if (entries.length === 0) return { dialect: 'unknown', entries, scale: {} }
  const version = entries.find((e) => e.obis[2] === 0 && e.obis[3] === 2 && e.obis[4] === 129)
  const listVersion = version === undefined ? undefined : text(version.data)
  if (listVersion?.startsWith('KFM') === true)
    return { dialect: 'kaifa-obis', entries, scale: kaifaScale, list: listOf(entries), listVersion }
  // Aidon's messages have no date-time in the head and are one array; its List 1 has no version.
  if (body.type === 'array')
    return { dialect: 'aidon', entries, scale: {}, list: listOf(entries), listVersion }
  return { dialect: 'obis', entries, scale: {}, listVersion }
}

/** The values of a notification. Never throws: a body that nothing is known of gives `unknown` and no items. */
export function readingOf(n: DataNotification, options: ReadingOptions = {}): Reading {
  return readingFrom(shapeOf(n.body, options), n)
}

function readingFrom(shape: Shape, n: Pick<DataNotification, 'dateTime'>): Reading {
  const items: Item[] = []
  const values: Partial<Record<QuantityName, number>> = {}
  let clock = clockOf(n.dateTime)
  for (const e of shape.entries) {
    if (isClock(e) && 'value' in e.data && e.data.value instanceof Uint8Array) {
      clock = clockOf(e.data.value) ?? clock
      continue
    }
    const item = itemOf(e, shape.scale)
    if (item === undefined) continue
    items.push(item)
    const q = quantityOf(e.obis)
    if (q !== undefined && item.unit !== undefined && typeof item.value === 'number')
      values[q.name] = item.value
  }
  const find = (...codes: string[]): string | undefined => {
    for (const c of codes) {
      const found = items.find((i) => i.obis === `${c}.255`)
      if (found !== undefined) return String(found.value)
    }
    return undefined
  }
  return {
    dialect: shape.dialect,
    list: shape.list,
    listVersion: shape.listVersion,
    // 0.0.96.1.0 is the meter's number, 1.1.0.0.5 Kamstrup's; 0.0.42.0.0 the logical device's name.
    meterId: find('0.0.96.1.0', '1.1.0.0.5', '0.0.96.1.1', '0.0.42.0.0'),
    meterType: find('0.0.96.1.7', '1.1.96.1.1'),
    clock,
    values,
    items,
  }
}

/**
 * A Sagemcom XT211 names its objects by bare descriptors (class, code, attribute) where data is due, which no reader of
 * A-XDR data gets through: `02 02`, once with one more `02`, then the descriptor, then the value.
 */
function readDescriptors(apdu: Uint8Array, head: NotificationHead): Reading {
  const c = new Cursor(apdu, head.bodyAt)
  const expect = (...bytes: number[]): void => {
    for (const b of bytes)
      if (c.byte('descriptor list') !== b) throw new DlmsError('not a descriptor list', c.at - 1)
  }
  expect(2, 2, 0x16)
  c.byte('descriptor list')
  expect(1)
  const count = c.length('descriptor list')
  const entries: Entry[] = []
  for (let i = 0; i < count; i++) {
    expect(2, 2)
    if (c.bytes[c.at] === 2) c.skip(1, 'descriptor')
    c.skip(2, 'class')
    const obis = c.take(6, 'OBIS code')
    c.skip(1, 'attribute')
    entries.push({ obis, data: readData(c) })
  }
  return readingFrom({ dialect: 'obis', entries, scale: {} }, head)
}

/**
 * The values of an APDU.
 * @throws DlmsError where it is no data-notification, or its body cannot be read
 */
export function readApdu(apdu: Uint8Array, options: ReadingOptions = {}): Reading {
  let head: NotificationHead
  let reason: unknown
  try {
    return readingOf(decodeNotification(apdu), options)
  } catch (e) {
    if (!(e instanceof DlmsError)) throw e
    reason = e
    head = decodeNotificationHead(apdu)
  }
  try {
    return readDescriptors(apdu, head)
  } catch (e) {
    throw e instanceof DlmsError ? reason : e
  }
}
