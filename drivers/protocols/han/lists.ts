/**
 * The lists that Norwegian and Swedish meters push, built from values: the way back of `reading.ts`. Element order,
 * types and scales: KFM_001 pages 2 to 4 (with the types that its meters really send), Aidon HAN v1.1A, Kamstrup HAN-NVE
 * rev 3.1, and captured frames.
 */
import { type Data, type IntegerType } from '../dlms/axdr.ts'
import { type CosemDateTime, encodeDateTime } from '../dlms/datetime.ts'
import { type DateTimeForm, encodeNotification, withLlc } from '../dlms/notification.ts'
import { obisBytes } from '../dlms/obis.ts'
import { encodeFrame } from '../hdlc/frame.ts'
import { type QuantityName, codeOf, unitOf } from './quantities.ts'

export interface MeterState {
  readonly meterId: string
  readonly meterType: string
  /** Scaled, in the units of `quantities.ts`. What a dialect can leave out is left out where it is not given. */
  readonly values: Readonly<Partial<Record<QuantityName, number>>>
  readonly clock: CosemDateTime
}

const text = (type: 'octet-string' | 'visible-string', t: string): Data => ({
  type,
  value: Buffer.from(t, 'latin1'),
})
const clockData = (t: CosemDateTime): Data => ({ type: 'octet-string', value: encodeDateTime(t) })

const powers = [
  'activePowerImport',
  'activePowerExport',
  'reactivePowerImport',
  'reactivePowerExport',
] as const
const currents = ['current1', 'current2', 'current3'] as const
const voltages = ['voltage1', 'voltage2', 'voltage3'] as const
const energies = [
  'activeEnergyImport',
  'activeEnergyExport',
  'reactiveEnergyImport',
  'reactiveEnergyExport',
] as const
const phasePowers = ([1, 2, 3] as const).flatMap((n) => powers.map((p): QuantityName => `${p}${n}`))

/** Counts of a register for a value: the nearest whole number of steps. */
function counts(value: number, step: number): number {
  return Math.round(step < 1 ? value * Math.round(1 / step) : value / step)
}

// --- Kaifa -----------------------------------------------------------------------------------------------------------

export interface KaifaForm {
  readonly phases: 1 | 3
  /** `KFM_001`. */
  readonly version: string
  /** The Swedish MA304T4 sends its energies as eight bytes. */
  readonly energy: 'double-long-unsigned' | 'long64-unsigned'
}

export const kaifaForm: KaifaForm = { phases: 3, version: 'KFM_001', energy: 'double-long-unsigned' }

const kaifaStep = { W: 1, var: 1, A: 0.001, V: 0.1, Wh: 1, varh: 1, '1': 1 } as const

function kaifaValue(s: MeterState, q: QuantityName): Data {
  return { type: 'double-long-unsigned', value: counts(s.values[q] ?? 0, kaifaStep[unitOf[q]]) }
}

/** The body of a Kaifa list. What is not given is sent as 0, as the meters do. */
export function kaifaBody(list: 1 | 2 | 3, s: MeterState, form: KaifaForm = kaifaForm): Data {
  if (list === 1) return { type: 'structure', value: [kaifaValue(s, 'activePowerImport')] }
  const lines = form.phases === 3 ? [...currents, ...voltages] : (['current1', 'voltage1'] as const)
  const value: Data[] = [
    text('octet-string', form.version),
    text('octet-string', s.meterId),
    text('octet-string', s.meterType),
    ...[...powers, ...lines].map((q) => kaifaValue(s, q)),
  ]
  if (list === 3) {
    value.push(clockData(s.clock))
    for (const q of energies) {
      const n = counts(s.values[q] ?? 0, 1)
      value.push(
        form.energy === 'long64-unsigned'
          ? { type: form.energy, value: BigInt(n) }
          : { type: form.energy, value: n },
      )
    }
  }
  return { type: 'structure', value }
}

/** The list of the Swedish MA304H4PSE: 18 pairs of code and value. */
export function kaifaObisBody(s: MeterState, version = 'KFM_001'): Data {
  const pair = (code: string, d: Data): Data[] => [{ type: 'octet-string', value: obisBytes(code) }, d]
  return {
    type: 'structure',
    value: [
      ...pair('1.0.0.2.129', text('octet-string', version)),
      ...pair('0.0.96.1.0', text('octet-string', s.meterId)),
      ...pair('0.0.96.1.7', text('octet-string', s.meterType)),
      ...[...powers, ...currents, ...voltages].flatMap((q) => pair(`1.0.${codeOf[q]}.0`, kaifaValue(s, q))),
      ...pair('0.0.1.0.0', clockData(s.clock)),
      ...energies.flatMap((q) => pair(`1.0.${codeOf[q]}.0`, kaifaValue(s, q))),
    ],
  }
}

// --- Aidon -----------------------------------------------------------------------------------------------------------

export interface AidonForm {
  /** `AIDON_V0001`. */
  readonly version: string
  /** Power of ten of the energies, Wh: 1 in Norway, 0 in Sweden. */
  readonly energyScaler: 0 | 1
}

export const aidonForm: AidonForm = { version: 'AIDON_V0001', energyScaler: 1 }

/** Type, power of ten and unit code by unit. */
function aidonRegister(q: QuantityName, form: AidonForm): readonly [IntegerType, number, number] {
  switch (unitOf[q]) {
    case 'A':
      return ['long', -1, 33]
    case 'V':
      return ['long-unsigned', -1, 35]
    case 'Wh':
      return ['double-long-unsigned', form.energyScaler, 30]
    case 'varh':
      return ['double-long-unsigned', form.energyScaler, 32]
    case 'var':
      return ['double-long-unsigned', 0, 29]
    case 'W':
      return ['double-long-unsigned', 0, 27]
    case '1':
      break
  }
  throw new RangeError(`Aidon's lists have no ${q}`)
}

function aidonObject(code: string, ...d: Data[]): Data {
  return { type: 'structure', value: [{ type: 'octet-string', value: obisBytes(code) }, ...d] }
}

function aidonValues(s: MeterState, form: AidonForm, names: readonly QuantityName[]): Data[] {
  return names.flatMap((q) => {
    const v = s.values[q]
    if (v === undefined) return []
    const [type, scaler, unit] = aidonRegister(q, form)
    const scale: Data = {
      type: 'structure',
      value: [
        { type: 'integer', value: scaler },
        { type: 'enum', value: unit },
      ],
    }
    return [aidonObject(`1.0.${codeOf[q]}.0`, { type, value: counts(v, 10 ** scaler) }, scale)]
  })
}

/** The body of an Aidon list; quantities that are not given (6525: the second current) are not sent. */
export function aidonBody(list: 1 | 2 | 3, s: MeterState, form: AidonForm = aidonForm): Data {
  if (list === 1) return { type: 'array', value: aidonValues(s, form, ['activePowerImport']) }
  const value: Data[] = [
    aidonObject('1.1.0.2.129', text('visible-string', form.version)),
    aidonObject('0.0.96.1.0', text('visible-string', s.meterId)),
    aidonObject('0.0.96.1.7', text('visible-string', s.meterType)),
    ...aidonValues(s, form, [...powers, ...currents, ...voltages]),
  ]
  if (list === 3) value.push(aidonObject('0.0.1.0.0', clockData(s.clock)), ...aidonValues(s, form, energies))
  return { type: 'array', value }
}

/** The one list of Aidon's Swedish meters: the clock first, powers of each phase, energies in Wh. */
export function aidonSwedishBody(s: MeterState): Data {
  const form: AidonForm = { ...aidonForm, energyScaler: 0 }
  return {
    type: 'array',
    value: [
      aidonObject('0.0.1.0.0', clockData(s.clock)),
      ...aidonValues(s, form, [...powers, ...currents, ...voltages, ...phasePowers, ...energies]),
    ],
  }
}

// --- Kamstrup --------------------------------------------------------------------------------------------------------

export interface KamstrupForm {
  /** `Kamstrup_V0001`. */
  readonly version: string
  /** Wh for one count: 10 in Norway, 1 in Sweden. */
  readonly energyStep: 1 | 10
  /** What stands for phases that a meter has not: nothing, or null-data in both places (seen in Sweden). */
  readonly missing: 'left out' | 'null'
}

export const kamstrupForm: KamstrupForm = { version: 'Kamstrup_V0001', energyStep: 10, missing: 'left out' }

function kamstrupPair(s: MeterState, form: KamstrupForm, q: QuantityName): Data[] {
  const v = s.values[q]
  if (v === undefined) return form.missing === 'null' ? [{ type: 'null-data' }, { type: 'null-data' }] : []
  const unit = unitOf[q]
  const step = unit === 'A' ? 0.01 : unit === 'Wh' || unit === 'varh' ? form.energyStep : 1
  const type = unit === 'V' ? 'long-unsigned' : 'double-long-unsigned'
  return [
    { type: 'octet-string', value: obisBytes(`1.1.${codeOf[q]}.0`) },
    { type, value: counts(v, step) },
  ]
}

/** The body of a Kamstrup list: 1, every ten seconds; 3, with the energies, once an hour. */
export function kamstrupBody(list: 1 | 3, s: MeterState, form: KamstrupForm = kamstrupForm): Data {
  const pair = (code: string, d: Data): Data[] => [{ type: 'octet-string', value: obisBytes(code) }, d]
  const value: Data[] = [
    text('visible-string', form.version),
    ...pair('1.1.0.0.5', text('visible-string', s.meterId)),
    ...pair('1.1.96.1.1', text('visible-string', s.meterType)),
    ...[...powers, ...currents, ...voltages].flatMap((q) => kamstrupPair(s, form, q)),
  ]
  if (list === 3) {
    value.push(...pair('0.1.1.0.0', clockData(s.clock)), ...energies.flatMap((q) => kamstrupPair(s, form, q)))
  }
  return { type: 'structure', value }
}

// --- Frames ----------------------------------------------------------------------------------------------------------

/** How a maker's meters put a body on the wire. */
export interface Envelope {
  readonly destination: readonly number[]
  readonly source: readonly number[]
  readonly control: number
  readonly invoke: number
  readonly dateTimeForm: DateTimeForm
}

export const envelopes = {
  /** Norway. The Swedish MA304H4 and H4D have the source `00 01`. */
  kaifa: {
    destination: [0x01],
    source: [0x02, 0x01],
    control: 0x10,
    invoke: 0x40000000,
    dateTimeForm: 'tagged',
  },
  kaifaSweden: {
    destination: [0x01],
    source: [0x00, 0x01],
    control: 0x10,
    invoke: 0x40000000,
    dateTimeForm: 'tagged',
  },
  aidon: {
    destination: [0x41],
    source: [0x08, 0x83],
    control: 0x13,
    invoke: 0x40000000,
    dateTimeForm: 'absent',
  },
  kamstrup: { destination: [0x2b], source: [0x21], control: 0x13, invoke: 0, dateTimeForm: 'plain' },
  /** Firmware of 2017. */
  kamstrupOld: { destination: [0x2b], source: [0x21], control: 0x13, invoke: 0, dateTimeForm: 'tagged' },
} as const satisfies Record<string, Envelope>

/** The data-notification of a body. */
export function apduOf(body: Data, e: Envelope, clock: CosemDateTime): Uint8Array {
  const dateTime = e.dateTimeForm === 'absent' ? undefined : encodeDateTime(clock)
  return encodeNotification({ invoke: e.invoke, dateTimeForm: e.dateTimeForm, dateTime, body })
}

/** An APDU, plain or ciphered, as one HDLC frame. @throws RangeError where it is longer than a frame */
export function frameOf(apdu: Uint8Array, e: Envelope): Uint8Array {
  return encodeFrame({
    segmented: false,
    destination: Uint8Array.from(e.destination),
    source: Uint8Array.from(e.source),
    control: e.control,
    information: withLlc(apdu),
  })
}
