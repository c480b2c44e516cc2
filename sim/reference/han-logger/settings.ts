/**
 * What is set on the configuration page: the fields of figure 7.7 of the thesis, how they are checked, kept over reboots
 * (the thesis used an EEPROM), and what they mean for the reader.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { textOf } from '../lvcap/errors.ts'
import { makeFolder, replaceFile } from '../lvcap/sdk/disk.ts'
import { type LineConfig, type LoggerConfig, LoggerError } from './config.ts'

/** How each maker's port is set: facts of KFM_001, Aidon v1.1A, Kamstrup HAN-NVE rev 3.1 and the Austrian P1. */
export const meterTypes = {
  configured: { label: 'As installed', line: {} },
  kaifa: {
    label: 'Kaifa',
    line: { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1, framing: 'hdlc' },
  },
  aidon: {
    label: 'Aidon',
    line: { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1, framing: 'hdlc' },
  },
  kamstrup: {
    label: 'Kamstrup (Norway)',
    line: {
      baudRate: 2400,
      dataBits: 8,
      parity: 'none',
      stopBits: 1,
      framing: 'hdlc',
      kamstrupEnergy: 10,
    },
  },
  'kamstrup-sweden': {
    label: 'Kamstrup (Sweden)',
    line: { baudRate: 2400, dataBits: 8, parity: 'none', stopBits: 1, framing: 'hdlc', kamstrupEnergy: 1 },
  },
  austria: {
    label: 'M-Bus frames (Austria)',
    line: { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1, framing: 'mbus' },
  },
} as const satisfies Record<string, { label: string; line: Partial<LineConfig> }>
export type MeterType = keyof typeof meterTypes

const text = (most: number) =>
  z
    .string()
    .max(most, `at most ${most} characters`)
    // A field of one line; a control character in it is a mistake or an attack.
    .regex(/^\P{Cc}*$/u, 'control characters are not allowed')
const needed = (most: number) => text(most).min(1, 'is needed')
const topic = text(200).regex(/^[^#+]*$/, 'a topic to publish on has no wildcards')

function isCertificates(pem: string): boolean {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  try {
    for (const one of found) void new X509Certificate(one).subject
  } catch {
    return false
  }
  return found.length > 0
}

/** Empty texts: not given. */
export const settingsSchema = z.strictObject({
  /** Of the access point's client; kept for a radio that the reader does not have. IEEE 802.11: an SSID has up to 32 bytes. */
  ssid: text(32).refine((s) => Buffer.byteLength(s) <= 32, 'at most 32 bytes'),
  wifiPassword: text(63),
  broker: needed(253).regex(
    /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+)$/,
    'expected a host name or an IP address',
  ),
  port: z
    .string()
    .regex(/^\d{1,5}$/, 'expected a number from 1 to 65535')
    .refine((p) => Number(p) >= 1 && Number(p) <= 65_535, 'expected a number from 1 to 65535'),
  clientId: needed(64),
  publishTopic: topic.min(1, 'is needed'),
  subscribeTopic: text(200),
  username: text(200),
  password: text(500),
  certificate: z
    .string()
    .max(30_000, 'at most 30000 characters')
    .refine((c) => c.trim() === '' || isCertificates(c), 'expected one or more certificates as PEM'),
  connectionKey: text(500),
  deviceId: text(64),
  /** Of each line, in their order. */
  meterTypes: z.array(z.enum(Object.keys(meterTypes) as [MeterType, ...MeterType[]])).max(8),
})
export type Settings = z.infer<typeof settingsSchema>

export const noSettings: Settings = {
  ssid: '',
  wifiPassword: '',
  broker: '',
  port: '8883',
  clientId: '',
  publishTopic: '',
  subscribeTopic: '',
  username: '',
  password: '',
  certificate: '',
  connectionKey: '',
  deviceId: '',
  meterTypes: [],
}

/** Never shown again. */
export const secrets = ['wifiPassword', 'password', 'connectionKey'] as const

/** The configuration that the installer gave, with what was set on the page. */
export function withSettings(given: LoggerConfig, s: Settings): LoggerConfig {
  const password = s.password === '' ? s.connectionKey : s.password
  return {
    ...given,
    id: s.deviceId === '' ? given.id : s.deviceId,
    lines: given.lines.map((line, i) => ({
      ...line,
      ...meterTypes[s.meterTypes[i] ?? 'configured'].line,
    })),
    broker: {
      host: s.broker,
      port: Number(s.port),
      clientId: s.clientId,
      topic: s.publishTopic,
      ...(s.subscribeTopic === '' ? {} : { subscribe: s.subscribeTopic }),
      ...(s.username === '' ? {} : { username: s.username }),
      ...(password === '' ? {} : { password }),
      ...(s.certificate.trim() === '' ? {} : { ca: s.certificate.trim() }),
      // The reader's own certificate is the installer's to give.
      ...(given.broker?.cert === undefined ? {} : { cert: given.broker.cert }),
      ...(given.broker?.key === undefined ? {} : { key: given.broker.key }),
    },
  }
}

/**
 * What was kept; undefined: nothing was ever.
 * @throws LoggerError where there is something that is no settings
 */
export function loadSettings(file: string): Settings | undefined {
  let content: string
  try {
    content = readFileSync(file, 'utf8')
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new LoggerError(`${file} cannot be read: ${textOf(e)}`)
  }
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch {
    // The parser's own words may show a piece of a password.
    throw new LoggerError(`${file} holds no settings`)
  }
  const fit = settingsSchema.safeParse(value)
  if (fit.success) return fit.data
  const where = fit.error.issues.map((i) => i.path.map(String).join('.')).join(', ')
  throw new LoggerError(`${file} holds no settings that fit: ${where}`)
}

/**
 * Keeps settings: they are on the disk when this returns, whole, and the old ones are until then.
 * @throws what the disk says
 */
export function keepSettings(file: string, s: Settings): void {
  makeFolder(dirname(file))
  replaceFile(file, JSON.stringify(s), { mode: 0o600 })
}
