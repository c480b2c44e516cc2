/** Configuration of the reader: its lines, where it sends, and how it keeps what it could not send yet. Described in README.md. */
import { z } from 'zod'
import type { Json } from '../lvcap/env.ts'

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
  /** Files: the authority that the broker's certificate must come from; and a certificate of the reader's own. */
  ca: z.string().min(1),
  cert: z.string().optional(),
  key: z.string().optional(),
})
export type BrokerConfig = z.infer<typeof brokerSchema>

export const loggerSchema = z.strictObject({
  /** Name of the reader; the thesis used the address of its radio (`Logger_MAC`, figure 7.9). */
  id: z.string().min(1).max(64),
  lines: z.array(lineSchema).min(1).max(8),
  /** Absent: readings are kept until there is one. */
  broker: brokerSchema.optional(),
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
