/** Lists of a smart meter, as lines for a person: those that a device sends, and those that a listener hears. */
import type { Json } from '../../../drivers/faces.ts'
import { type QuantityName, unitOf } from '../../../drivers/protocols/han/quantities.ts'

/** A list that a device says it has sent. */
export interface SentList {
  readonly list: number
  readonly bytes: number
  readonly tookMs: number
  readonly clock: string | undefined
  /** To how many it went. */
  readonly to: number
  readonly values: Readonly<Partial<Record<QuantityName, number>>>
  /** A fault has damaged it. */
  readonly damaged: boolean
}

function object(v: Json | undefined): Readonly<Record<string, Json>> | undefined {
  return typeof v === 'object' && v !== null && !Array.isArray(v)
    ? (v as Readonly<Record<string, Json>>)
    : undefined
}

/** `activePowerImport` of `active_power_import [W]`. */
function quantityNamed(truth: string): QuantityName | undefined {
  const name = truth.replace(/ \[.*$/, '').replaceAll(/_([a-z])/g, (_, c: string) => c.toUpperCase())
  return Object.hasOwn(unitOf, name) ? (name as QuantityName) : undefined
}

/** What a meter's event (`said`, or a note of one that a fault damaged) tells of a list; undefined: it is of none. */
export function listOf(data: Json): SentList | undefined {
  const d = object(data)
  const said = object(d?.['asked'])
  const of = said ?? d
  const [list, bytes, took] = [of?.['list'], of?.['bytes'], of?.['took_ms']]
  if (typeof list !== 'number' || typeof bytes !== 'number' || typeof took !== 'number') return undefined
  const values: Partial<Record<QuantityName, number>> = {}
  for (const [name, answer] of Object.entries(object(d?.['answers']) ?? {})) {
    const q = quantityNamed(name)
    const value = Array.isArray(answer) ? (answer as readonly Json[])[0] : undefined
    if (q !== undefined && typeof value === 'number') values[q] = value
  }
  const [clock, to] = [of?.['clock'], of?.['to']]
  return {
    list,
    bytes,
    tookMs: took,
    clock: typeof clock === 'string' ? clock : undefined,
    to: typeof to === 'number' ? to : 0,
    values,
    damaged: said === undefined,
  }
}

/** Short names of electricity meters: P+ is taken from the grid, P- fed into it. */
const groups: readonly (readonly [string, readonly QuantityName[]])[] = [
  ['P+', ['activePowerImport']],
  ['P-', ['activePowerExport']],
  ['Q+', ['reactivePowerImport']],
  ['Q-', ['reactivePowerExport']],
  ['PF', ['powerFactor']],
  ['I', ['current1', 'current2', 'current3']],
  ['U', ['voltage1', 'voltage2', 'voltage3']],
  ['A+', ['activeEnergyImport']],
  ['A-', ['activeEnergyExport']],
  ['R+', ['reactiveEnergyImport']],
  ['R-', ['reactiveEnergyExport']],
]
const grouped = new Set(groups.flatMap(([, names]) => names))

const figure = (v: number): string => String(Number(v.toFixed(3)))

/** `P+ 1320 W  I 5.4 1.2 0.1 A  U 239.8 0 238.9 V`; what has no short name is counted. */
export function valuesText(values: Readonly<Partial<Record<QuantityName, number>>>): string {
  const parts = groups.flatMap(([short, names]) => {
    const there = names.filter((q) => values[q] !== undefined)
    const [first] = there
    if (first === undefined) return []
    const unit = unitOf[first]
    return [`${short} ${there.map((q) => figure(values[q] ?? 0)).join(' ')}${unit === '1' ? '' : ` ${unit}`}`]
  })
  const more = Object.keys(values).filter((q) => !grouped.has(q as QuantityName)).length
  if (more > 0) parts.push(`and ${more} more`)
  return parts.join('  ')
}

/** The list as columns: which, bytes, time on its line. */
export function listColumns(list: number | undefined, bytes: number, tookMs: number | undefined): string {
  const took = tookMs === undefined ? '' : `${Math.round(tookMs)} ms`
  return `List ${list ?? '-'} ${`${bytes} B`.padStart(6)} ${took.padStart(8)}`
}

/** One line for a list that was sent. */
export function sentText(l: SentList): string {
  const to = l.to === 0 ? '  (nobody listens)' : l.to === 1 ? '' : `  (to ${l.to})`
  const what = l.damaged ? 'damaged by a fault' : valuesText(l.values)
  return `${listColumns(l.list, l.bytes, l.tookMs)}  ${what}${to}`
}
