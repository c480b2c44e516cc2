/**
 * What meters on the HAN port tell, by the groups C.D of its OBIS code (DLMS UA 1000-1, 7.5: medium electricity), with
 * the unit that values have here once they are scaled.
 */

export const quantities = {
  '1.7': ['activePowerImport', 'W'],
  '2.7': ['activePowerExport', 'W'],
  '3.7': ['reactivePowerImport', 'var'],
  '4.7': ['reactivePowerExport', 'var'],
  '13.7': ['powerFactor', '1'],
  '31.7': ['current1', 'A'],
  '51.7': ['current2', 'A'],
  '71.7': ['current3', 'A'],
  '32.7': ['voltage1', 'V'],
  '52.7': ['voltage2', 'V'],
  '72.7': ['voltage3', 'V'],
  '21.7': ['activePowerImport1', 'W'],
  '22.7': ['activePowerExport1', 'W'],
  '23.7': ['reactivePowerImport1', 'var'],
  '24.7': ['reactivePowerExport1', 'var'],
  '41.7': ['activePowerImport2', 'W'],
  '42.7': ['activePowerExport2', 'W'],
  '43.7': ['reactivePowerImport2', 'var'],
  '44.7': ['reactivePowerExport2', 'var'],
  '61.7': ['activePowerImport3', 'W'],
  '62.7': ['activePowerExport3', 'W'],
  '63.7': ['reactivePowerImport3', 'var'],
  '64.7': ['reactivePowerExport3', 'var'],
  '1.8': ['activeEnergyImport', 'Wh'],
  '2.8': ['activeEnergyExport', 'Wh'],
  '3.8': ['reactiveEnergyImport', 'varh'],
  '4.8': ['reactiveEnergyExport', 'varh'],
} as const

type Key = keyof typeof quantities

export type QuantityName = (typeof quantities)[Key][0]
export type QuantityUnit = (typeof quantities)[Key][1]

const keys = Object.keys(quantities) as Key[]

/** Units by name, for those who go the other way. */
export const unitOf = Object.fromEntries(keys.map((k) => quantities[k])) as Readonly<
  Record<QuantityName, QuantityUnit>
>

/** `1.7` by name. */
export const codeOf = Object.fromEntries(keys.map((k) => [quantities[k][0], k])) as Readonly<
  Record<QuantityName, Key>
>

/** The quantity of an OBIS code of electricity (A = 0 or 1) without a tariff (E = 0), or undefined. */
export function quantityOf(
  obis: Uint8Array,
): { readonly name: QuantityName; readonly unit: QuantityUnit } | undefined {
  if ((obis[0] ?? 0) > 1 || obis[4] !== 0) return undefined
  const key = `${obis[2]}.${obis[3]}`
  if (!Object.hasOwn(quantities, key)) return undefined
  const [name, unit] = quantities[key as Key]
  return { name, unit }
}

/** Units of the scaler-unit pair (DLMS UA 1000-1, 4.3.2, table of `unit_enum`). */
export const unitNames: Readonly<Record<number, string>> = {
  8: '°',
  27: 'W',
  28: 'VA',
  29: 'var',
  30: 'Wh',
  31: 'VAh',
  32: 'varh',
  33: 'A',
  35: 'V',
  44: 'Hz',
  255: '1',
}
