/** Configuration of the reader: its lines, where it sends, and how it keeps what it could not send yet. Described in README.md. */
import { z } from 'zod'
import type { Json } from '../lvcap/env.ts'
import { passwordPattern } from '../lvcap/maintenance/password.ts'

const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9A-Fa-f]{${2 * bytes}}$`), `expected ${2 * bytes} hexadecimal digits`)

export const lineSchema = z.strictObject({
  /** Serial port of the transceiver. */
  path: z.string().min(1),
  baudRate: z.int().min(50).max(1_000_000).default(2400),
  dataBits: z.union([z.literal(7), z.literal(8)]).default(8),
  parity: z.enum(['none', 'even', 'odd']).default('even'),
  stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
  /** How messages are framed: HDLC, or the link layer of M-Bus (Austria). */
  framing: z.enum(['hdlc', 'mbus']).default('hdlc'),
  /** Wh of one count of a Kamstrup energy register: 10 in Norway, 1 in Sweden. */
  kamstrupEnergy: z.union([z.literal(1), z.literal(10)]).default(10),
  /** A first M-Bus frame may have a length byte that overflowed (some Sagemcom). */
  lengthOverflow: z.boolean().default(true),
  /** Key of ciphered meters, and the one of their tags; never shown or logged. */
  key: hex(16).optional(),
  authenticationKey: hex(16).optional(),
  /**
   * Seconds of silence after which a message that has begun is given up: longer than the pause of 3 s that an E450 makes
   * inside a push. Ours.
   */
  silence: z.number().positive().max(60).default(5),
})
export type LineConfig = z.infer<typeof lineSchema>

export const brokerSchema = z.strictObject({
  host: z.string().min(1),
  port: z.int().min(1).max(65_535).default(8883),
  clientId: z.string().min(1).max(64),
  /** Topic to which readings go. */
  topic: z.string().min(1).max(200),
  username: z.string().optional(),
  password: z.string().optional(),
  /** Topic that is heard, and whose messages are noted in the log. */
  subscribe: z.string().min(1).max(200).optional(),
  /**
   * Files, or the PEM text itself: the authority that the broker's certificate must come from (those that Node knows, where
   * it is absent), and a certificate of the reader's own.
   */
  ca: z.string().min(1).optional(),
  cert: z.string().optional(),
  key: z.string().optional(),
})
export type BrokerConfig = z.infer<typeof brokerSchema>

const seconds = z.number().positive().max(3600)

/** A serial modem by which the broker is reached, as modem.ts speaks to it. Times are ours. */
export const modemSchema = z.strictObject({
  path: z.string().min(1),
  baudRate: z.int().min(300).max(1_000_000).default(115_200),
  dataBits: z.union([z.literal(7), z.literal(8)]).default(8),
  parity: z.enum(['none', 'even', 'odd']).default('none'),
  stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
  /** Seconds for the answer to a command, and to a call. */
  answerSeconds: seconds.default(5),
  connectSeconds: seconds.default(60),
  /** Seconds until the broker has answered, from the first command on: TLS takes a minute and a half at 300 baud. */
  sessionSeconds: seconds.default(300),
  /** Seconds of silence after which the broker is asked for a sign of life. */
  keepalive: z.int().min(10).max(3600).default(120),
})
export type ModemConfig = z.infer<typeof modemSchema>

/** The configuration page (web.ts). */
export const webSchema = z.strictObject({
  port: z.int().min(1).max(65_535).default(8443),
  /** IP address to listen on: that of the access point or of the local network. The machine's own, unless given. */
  address: z.string().min(1).optional(),
  /** The password's scrypt hash. There is no password that it could be shipped with. */
  password: z.string().regex(passwordPattern, 'expected scrypt:<N>:<r>:<p>:<salt>:<hash>'),
  /** Certificate and key, files; the reader makes its own where they are absent. */
  cert: z.string().min(1).optional(),
  key: z.string().min(1).optional(),
  lock: z
    .strictObject({
      /** Wrong passwords in a row, after which nobody is heard for a while. Ours. */
      after: z.int().min(1).max(100).default(5),
      seconds: z.number().positive().max(86_400).default(900),
    })
    .prefault({}),
  /** Seconds after which a log-in ends by itself. Ours. */
  sessionSeconds: z.number().positive().max(86_400).default(900),
})
export type WebConfig = z.infer<typeof webSchema>

export const loggerSchema = z.strictObject({
  /** Name of the reader; the thesis used the address of its radio (`Logger_MAC`, figure 7.9). */
  id: z.string().min(1).max(64),
  lines: z.array(lineSchema).min(1).max(8),
  /** Absent: readings are kept until there is one. */
  broker: brokerSchema.optional(),
  /** The broker is reached through it; absent: by the machine's own network. */
  modem: modemSchema.optional(),
  /** The page on which all this can be set; absent: there is none. */
  web: webSchema.optional(),
  /** A serial line for debugging, on which each reading is echoed as a line of text. */
  debug: lineSchema
    .pick({ path: true, baudRate: true, dataBits: true, parity: true, stopBits: true })
    .optional(),
  /** `mended`: figure 7.9 with distinct keys, numbers and base units. `thesis`: as it stands there. */
  form: z.enum(['mended', 'thesis']).default('mended'),
  outbox: z
    .strictObject({
      /** Readings kept for want of a way out; the oldest go first above it. A month of Norwegian lists is 1.3 million. Ours. */
      most: z.int().min(1).max(100_000_000).default(2_000_000),
      /** Sent and not acknowledged at a time. Ours. */
      window: z.int().min(1).max(1000).default(20),
    })
    .prefault({}),
  /** Seconds between tries to reach the broker. Ours. */
  retry: z.number().positive().max(3600).default(5),
})
export type LoggerConfig = z.infer<typeof loggerSchema>

export class LoggerError extends Error {
  override readonly name = 'LoggerError'
}

/** @throws LoggerError that says what does not fit */
export function readLoggerConfig(given: Json): LoggerConfig {
  const fit = loggerSchema.safeParse(given)
  if (fit.success) return fit.data
  throw new LoggerError(`the reader's configuration does not fit: ${z.prettifyError(fit.error)}`)
}
