/** What a meter of a dialect puts on the wire for a list: bytes, in the pieces in which they are sent. */
import type { Data } from '../../../drivers/protocols/dlms/axdr.ts'
import { cipher, ecbCipher } from '../../../drivers/protocols/dlms/ciphering.ts'
import { encodeDateTime } from '../../../drivers/protocols/dlms/datetime.ts'
import { encodeNotification } from '../../../drivers/protocols/dlms/notification.ts'
import { obisBytes } from '../../../drivers/protocols/dlms/obis.ts'
import {
  type MeterState,
  aidonBody,
  aidonForm,
  aidonSwedishBody,
  apduOf,
  envelopes,
  frameOf,
  kaifaBody,
  kaifaObisBody,
  kamstrupBody,
  kamstrupForm,
} from '../../../drivers/protocols/han/lists.ts'
import { encodeMbus } from '../../../drivers/protocols/mbus/link.ts'
import { segmentsOf } from '../../../drivers/protocols/mbus/transport.ts'
import type { QuantityName, QuantityUnit } from '../../../drivers/protocols/han/quantities.ts'
import type { MeterDialect, MeterPersonality } from './personality.ts'

/** Smallest steps of a dialect's registers, by unit; the energies' is the personality's. */
const steps: Readonly<Record<MeterDialect, Readonly<Partial<Record<QuantityUnit, number>>>>> = {
  kaifa: { A: 0.001, V: 0.1 },
  'kaifa-sweden': { A: 0.001, V: 0.1 },
  'kaifa-obis': { A: 0.001, V: 0.1 },
  'kaifa-ecb': { A: 0.001, V: 0.1 },
  aidon: { A: 0.1, V: 0.1 },
  'aidon-sweden': { A: 0.1, V: 0.1 },
  kamstrup: { A: 0.01, V: 1 },
  'kamstrup-old': { A: 0.01, V: 1 },
  austria: { A: 0.01, V: 0.1, '1': 0.001 },
}

/** The step in which a meter shows a quantity of that unit. */
export function stepOf(p: MeterPersonality, unit: QuantityUnit): number {
  return steps[p.dialect][unit] ?? (unit === 'Wh' || unit === 'varh' ? p.energy_step : 1)
}

const powers = [
  'activePowerImport',
  'activePowerExport',
  'reactivePowerImport',
  'reactivePowerExport',
] as const
const energies = [
  'activeEnergyImport',
  'activeEnergyExport',
  'reactiveEnergyImport',
  'reactiveEnergyExport',
] as const

/** What a list says, in its order. */
export function quantitiesIn(p: MeterPersonality, list: 1 | 2 | 3): readonly QuantityName[] {
  if (p.dialect === 'austria') return austrian.map(([, q]) => q)
  if (list === 1 && !p.dialect.startsWith('kamstrup')) return ['activePowerImport']
  const phases = (p.network === 'single' ? [1] : [1, 2, 3]) as readonly (1 | 2 | 3)[]
  const left = new Set<QuantityName>(p.dialect.startsWith('kaifa') ? [] : p.not_measured)
  const short: QuantityName[] = [
    ...powers,
    ...phases.map((n): QuantityName => `current${n}`),
    ...phases.map((n): QuantityName => `voltage${n}`),
    ...(p.dialect === 'aidon-sweden'
      ? phases.flatMap((n) => powers.map((q): QuantityName => `${q}${n}`))
      : []),
  ]
  return [...short, ...(list === 3 ? energies : [])].filter((q) => !left.has(q))
}

export interface FrameOptions {
  /** Of this message; ciphered dialects only. Whoever calls never uses one twice. */
  readonly invocationCounter: number
  /** As some Sagemcom do: all of a long message in one M-Bus frame whose length byte overflows. */
  readonly lengthOverflow: boolean
}

/** Bytes of the list, in pieces that are sent one right behind the other. */
export function framesOf(p: MeterPersonality, list: 1 | 2 | 3, s: MeterState, o: FrameOptions): Uint8Array[] {
  switch (p.dialect) {
    case 'kaifa':
    case 'kaifa-sweden': {
      const e = p.dialect === 'kaifa' ? envelopes.kaifa : envelopes.kaifaSweden
      return [frameOf(apduOf(kaifa(p, list, s), e, s.clock), e)]
    }
    case 'kaifa-obis': {
      const e = { ...envelopes.kaifa, dateTimeForm: 'absent' } as const
      return [frameOf(apduOf(kaifaObisBody(s, p.list_version), e, s.clock), e)]
    }
    case 'kaifa-ecb': {
      const e = envelopes.kaifa
      const apdu = apduOf(kaifa(p, list, s), e, s.clock)
      return [frameOf(ecbCipher(apdu, keyOf(p)), e)]
    }
    case 'aidon': {
      const body = aidonBody(list, s, {
        ...aidonForm,
        version: p.list_version,
        energyScaler: p.energy_step === 10 ? 1 : 0,
      })
      return [frameOf(apduOf(body, envelopes.aidon, s.clock), envelopes.aidon)]
    }
    case 'aidon-sweden':
      return [frameOf(apduOf(aidonSwedishBody(s), envelopes.aidon, s.clock), envelopes.aidon)]
    case 'kamstrup':
    case 'kamstrup-old': {
      const e = p.dialect === 'kamstrup' ? envelopes.kamstrup : envelopes.kamstrupOld
      const body = kamstrupBody(list === 3 ? 3 : 1, s, {
        ...kamstrupForm,
        version: p.list_version,
        energyStep: p.energy_step,
      })
      return [frameOf(apduOf(body, e, s.clock), e)]
    }
    case 'austria':
      break
  }
  return austria(p, s, o)
}

function kaifa(p: MeterPersonality, list: 1 | 2 | 3, s: MeterState): Data {
  return kaifaBody(list, s, {
    phases: p.network === 'single' ? 1 : 3,
    version: p.list_version,
    energy: p.energy_type,
  })
}

function keyOf(p: MeterPersonality): Uint8Array {
  if (p.cipher === undefined)
    throw new RangeError(`the dialect ${p.dialect} needs a key: 'cipher' in the personality`)
  return Buffer.from(p.cipher.encryption_key, 'hex')
}

/** Scale, unit and type of each object of the Austrian list, in its order (captures of a Kaifa MA309M). */
const austrian = [
  ['1.0.1.8.0', 'activeEnergyImport', 'double-long-unsigned', 0, 30],
  ['1.0.2.8.0', 'activeEnergyExport', 'double-long-unsigned', 0, 30],
  ['1.0.1.7.0', 'activePowerImport', 'double-long-unsigned', 0, 27],
  ['1.0.2.7.0', 'activePowerExport', 'double-long-unsigned', 0, 27],
  ['1.0.32.7.0', 'voltage1', 'long-unsigned', -1, 35],
  ['1.0.52.7.0', 'voltage2', 'long-unsigned', -1, 35],
  ['1.0.72.7.0', 'voltage3', 'long-unsigned', -1, 35],
  ['1.0.31.7.0', 'current1', 'long-unsigned', -2, 33],
  ['1.0.51.7.0', 'current2', 'long-unsigned', -2, 33],
  ['1.0.71.7.0', 'current3', 'long-unsigned', -2, 33],
  ['1.0.13.7.0', 'powerFactor', 'long-unsigned', -3, 255],
] as const

function austria(p: MeterPersonality, s: MeterState, o: FrameOptions): Uint8Array[] {
  const clock = encodeDateTime(s.clock)
  const value: Data[] = [{ type: 'octet-string', value: clock }]
  for (const [code, q, type, scaler, unit] of austrian) {
    value.push(
      { type: 'octet-string', value: obisBytes(code) },
      { type, value: Math.round((s.values[q] ?? 0) * 10 ** -scaler) },
      {
        type: 'structure',
        value: [
          { type: 'integer', value: scaler },
          { type: 'enum', value: unit },
        ],
      },
    )
  }
  value.push({ type: 'octet-string', value: Buffer.from(p.id, 'latin1') })
  const body: Data = { type: 'structure', value }
  // Bit 31: high priority, as captured; the id counts up with each push.
  const invoke = 0x80000000 + (o.invocationCounter & 0xffffff)
  const plain = encodeNotification({ invoke, dateTimeForm: 'plain', dateTime: clock, body })
  if (p.cipher === undefined)
    throw new RangeError(`the dialect austria needs keys: 'cipher' in the personality`)
  const apdu = cipher(
    plain,
    {
      systemTitle: Buffer.from(p.cipher.system_title, 'hex'),
      control: p.cipher.control,
      invocationCounter: o.invocationCounter,
    },
    {
      encryption: keyOf(p),
      ...(p.cipher.authentication_key === undefined
        ? {}
        : { authentication: Buffer.from(p.cipher.authentication_key, 'hex') }),
    },
  )
  // 252 bytes of APDU make a length of 257: one more than a byte can tell, as the Sagemcom of the captures does.
  const segments = o.lengthOverflow ? segmentsOf(apdu, 252) : segmentsOf(apdu)
  return segments.map((f) => encodeMbus(f, { lengthOverflow: o.lengthOverflow }))
}
