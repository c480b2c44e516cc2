/**
 * A reading as JSON, after figure 7.9 of the thesis (E. Grande, NTNU 2018). The figure has keys that stand twice, a comma
 * that trails, numbers as texts, and kW beside raw mA and 0.1 V. `mended` keeps its shape and names, with distinct keys,
 * numbers, and W, var, A, V, Wh, varh; `thesis` is the figure as it stands but for the comma, which no parser takes.
 */
import { wallTime } from '../../../drivers/protocols/dlms/datetime.ts'
import type { QuantityName } from '../../../drivers/protocols/han/quantities.ts'
import type { Reading } from '../../../drivers/protocols/han/reading.ts'
import type { JsonObject } from '../lvcap/env.ts'

export interface Envelope {
  /** `Logger_MAC`. */
  readonly logger: string
  /** Number of the reading, one more each; the reader never gives one twice. */
  readonly sequence: number
  /** When the list had arrived, ms since 1970. The meter's own clock is local time, and names an hour twice in October. */
  readonly arrived: number
}

const names: readonly (readonly [QuantityName, string])[] = [
  ['activePowerImport', 'ActiveImportPower'],
  ['activePowerExport', 'ActiveExportPower'],
  ['reactivePowerImport', 'ReactiveImportPower'],
  ['reactivePowerExport', 'ReactiveExportPower'],
  ['current1', 'CurrentL1'],
  ['current2', 'CurrentL2'],
  ['current3', 'CurrentL3'],
  ['voltage1', 'VoltageL1'],
  ['voltage2', 'VoltageL2'],
  ['voltage3', 'VoltageL3'],
  ['powerFactor', 'PowerFactor'],
  ['activeEnergyImport', 'CumulativeActiveImportEnergy'],
  ['activeEnergyExport', 'CumulativeActiveExportEnergy'],
  ['reactiveEnergyImport', 'CumulativeReactiveImportEnergy'],
  ['reactiveEnergyExport', 'CumulativeReactiveExportEnergy'],
]

/** `ActivePowerImport1` for what the figure has no name for. */
function nameOf(q: QuantityName): string {
  return names.find(([id]) => id === q)?.[1] ?? q.replace(/^./, (c) => c.toUpperCase())
}

export function mended(r: Reading, e: Envelope): JsonObject {
  const data: Record<string, number | string> = {}
  if (r.listVersion !== undefined) data['ListVersion'] = r.listVersion
  if (r.meterId !== undefined) data['MeterID'] = r.meterId
  if (r.meterType !== undefined) data['MeterType'] = r.meterType
  const clock = r.clock === undefined ? undefined : wallTime(r.clock)
  if (clock !== undefined) data['MeterClock'] = clock
  for (const [q, value] of Object.entries(r.values) as [QuantityName, number][]) data[nameOf(q)] = value
  return {
    Logger_MAC: e.logger,
    DataID: e.sequence,
    Timestamp: new Date(e.arrived).toISOString(),
    ...(r.list === undefined ? {} : { List: r.list }),
    data,
  }
}

/** A number as the thesis writes it: powers in kW with three decimals, the others in the meter's raw counts. */
function thesisNumber(q: QuantityName, value: number): string {
  if (q.includes('Power')) return (value / 1000).toFixed(3)
  if (q.startsWith('current')) return String(Math.round(value * 1000))
  if (q.startsWith('voltage')) return String(Math.round(value * 10))
  return String(value)
}

/** As text, since an object cannot hold a key twice. */
export function asInThesis(r: Reading, e: Envelope): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  const d = new Date(e.arrived)
  const stamp = [
    d.getUTCFullYear(),
    ...[d.getUTCMonth() + 1, d.getUTCDate(), d.getUTCHours(), d.getUTCMinutes(), d.getUTCSeconds()].map(two),
  ].join('-')
  const data: (readonly [string, string])[] = []
  if (r.listVersion !== undefined) data.push(['ListVersion', r.listVersion])
  if (r.meterId !== undefined) data.push(['MeterID', r.meterId])
  if (r.meterType !== undefined) data.push(['MeterType', r.meterType])
  for (const [q, name] of names) {
    const value = r.values[q]
    // The second key of each kind of power stands for export, under the name of import.
    if (value !== undefined) data.push([name.replace('ExportPower', 'ImportPower'), thesisNumber(q, value)])
  }
  const pairs = data.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(',')
  const head = `"Logger_MAC":${JSON.stringify(e.logger)},"DataID":"${e.sequence}","Timestamp":"${stamp}"`
  return `{${head},"data":{${pairs}}}`
}
