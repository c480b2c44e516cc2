/**
 * What a meter reader sends, read: one JSON object for each list, in the shape of figure 7.9 of the HAN thesis with keys that
 * stand once, numbers for numbers, and W, var, A, V, Wh, varh. Another reader's names would go here.
 */
import type { Json } from '../../drivers/faces.ts'
import { payloadOf } from './observer.ts'

/** Name in the JSON to the meter's quantity, with its unit. */
const names: Readonly<Record<string, string>> = {
  ActiveImportPower: 'active_power_import [W]',
  ActiveExportPower: 'active_power_export [W]',
  ReactiveImportPower: 'reactive_power_import [var]',
  ReactiveExportPower: 'reactive_power_export [var]',
  CurrentL1: 'current1 [A]',
  CurrentL2: 'current2 [A]',
  CurrentL3: 'current3 [A]',
  VoltageL1: 'voltage1 [V]',
  VoltageL2: 'voltage2 [V]',
  VoltageL3: 'voltage3 [V]',
  PowerFactor: 'power_factor [1]',
  CumulativeActiveImportEnergy: 'active_energy_import [Wh]',
  CumulativeActiveExportEnergy: 'active_energy_export [Wh]',
  CumulativeReactiveImportEnergy: 'reactive_energy_import [varh]',
  CumulativeReactiveExportEnergy: 'reactive_energy_export [varh]',
}
/** What stands beside the quantities. */
const others = new Set(['ListVersion', 'MeterID', 'MeterType', 'MeterClock'])

/** A message as the evidence keeps it: its payload, and what is wrong with it as JSON. */
export function sourceText(text: string): { readonly payload: Json; readonly problems?: readonly string[] } {
  const payload = payloadOf(Buffer.from(text, 'utf8'))
  const problems = [...doubleKeys(text)].map((k) => `the key '${k}' stands twice`)
  const object = objectAt(payload)
  if (object === undefined || 'notJson' in object) problems.push('it is no JSON object')
  return problems.length === 0 ? { payload } : { payload, problems }
}

/** Keys that stand twice in one object of a JSON text; nothing for what is no JSON. */
export function doubleKeys(text: string): readonly string[] {
  const double: string[] = []
  const open: (Set<string> | undefined)[] = []
  // Strings with a colon behind them are keys; brackets in strings are none.
  for (const m of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g)) {
    const [token, string, colon] = m
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (string !== undefined && colon !== undefined) {
      const keys = open.at(-1)
      const key = string.slice(1, -1)
      if (keys?.has(key) === true) double.push(key)
      keys?.add(key)
    }
  }
  return double
}

function objectAt(j: Json | undefined): { readonly [k: string]: Json } | undefined {
  return typeof j === 'object' && j !== null && !Array.isArray(j)
    ? (j as { readonly [k: string]: Json })
    : undefined
}

/** One list as the reader tells it. */
export interface ReaderList {
  /** By quantity with its unit; a value that is no number is missing. */
  readonly values: ReadonlyMap<string, number>
  /** Names that mean nothing here, or are given twice in other words. */
  readonly unknown: readonly string[]
  /** Number of the reading: the same one again is a repetition. */
  readonly sequence: number | undefined
  /** When it says that the list arrived, ms since 1970. */
  readonly stamp: number | undefined
}

/** The list in a payload; nothing where it is none. */
export function readerList(payload: Json | undefined): ReaderList | undefined {
  const whole = objectAt(payload)
  const data = objectAt(whole?.['data'])
  if (whole === undefined || data === undefined) return undefined
  const values = new Map<string, number>()
  const unknown: string[] = []
  for (const [name, value] of Object.entries(data)) {
    if (others.has(name)) continue
    const quantity = Object.hasOwn(names, name) ? names[name] : undefined
    if (quantity === undefined) unknown.push(name)
    else if (typeof value === 'number') values.set(quantity, value)
  }
  const { DataID: id, Timestamp: at } = whole
  const stamp = typeof at === 'string' ? Date.parse(at) : Number.NaN
  return {
    values,
    unknown,
    sequence: typeof id === 'number' ? id : undefined,
    stamp: Number.isNaN(stamp) ? undefined : stamp,
  }
}
