/**
 * Captures of a HAN port: what came, byte for byte, with its instants, as JSON lines. A header, then a line for each chunk.
 * They are raw: whatever is altered in a frame breaks its check sequence, and a capture is there to show why a reader fails.
 * So they hold the meter's number, and only their owner can read them.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { z } from 'zod'
import { GridproofError, messageOf } from '../../../drivers/errors.ts'
import type { Instant, SerialSettings } from '../../../drivers/faces.ts'

const settings = z.strictObject({
  baudRate: z.int().positive(),
  dataBits: z.union([z.literal(7), z.literal(8)]),
  parity: z.enum(['none', 'even', 'odd']),
  stopBits: z.union([z.literal(1), z.literal(2)]),
})

const header = z.strictObject({
  format: z.literal('gridproof-capture/1'),
  begun: z.iso.datetime(),
  from: z.string(),
  /** Of a serial line; null: it came over TCP. */
  line: settings.nullable(),
})

const chunk = z.strictObject({
  /** ms since 1970, when it arrived: with its last byte. */
  at: z.number().nonnegative(),
  hex: z.string().regex(/^(?:[0-9a-f]{2})+$/i, 'expected pairs of hexadecimal digits'),
})

export interface Chunk {
  readonly at: Instant
  readonly bytes: Uint8Array
}

export interface Capture {
  readonly from: string
  readonly line: SerialSettings | undefined
  readonly chunks: readonly Chunk[]
}

export interface CaptureWriter {
  /** Throws `rig-broke` where the disk takes no more. */
  put(b: Uint8Array, at: Instant): void
  close(): void
}

/** Makes the file, readable by its owner alone. Throws `usage` where one is there already, or none can be made. */
export function createCapture(
  file: string,
  about: { readonly begun: Instant; readonly from: string; readonly line: SerialSettings | undefined },
): CaptureWriter {
  let fd: number
  try {
    fd = openSync(file, 'wx', 0o600)
  } catch (e) {
    const there = (e as NodeJS.ErrnoException).code === 'EEXIST'
    throw new GridproofError(
      'usage',
      there
        ? `${file} is there already: take another name, or remove it`
        : `cannot record to ${file}: ${messageOf(e)}`,
      { cause: e },
    )
  }
  const write = (o: object): void => {
    try {
      writeSync(fd, `${JSON.stringify(o)}\n`)
    } catch (e) {
      throw new GridproofError('rig-broke', `cannot record to ${file}: ${messageOf(e)}`, { cause: e })
    }
  }
  write({
    format: 'gridproof-capture/1',
    begun: new Date(about.begun).toISOString(),
    from: about.from,
    line: about.line ?? null,
  })
  return {
    put: (b, at) => write({ at: Number(at.toFixed(3)), hex: Buffer.from(b).toString('hex') }),
    close: () => closeSync(fd),
  }
}

/** Reads a capture. A last line that was cut short is left out. Throws `bad-file` with its line. */
export function readCapture(file: string): Capture {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (e) {
    throw new GridproofError('bad-file', `cannot read ${file}: ${messageOf(e)}`, { cause: e })
  }
  const lines = text.split('\n')
  // What stands behind the last end of line was being written when the recorder ended.
  lines.pop()
  const [first, ...rest] = lines
  if (first === undefined) throw bad(file, 1, 'it is empty')
  const h = fit(file, 1, first, header)
  let last = 0
  const chunks = rest.map((line, i) => {
    const c = fit(file, i + 2, line, chunk)
    if (c.at < last) throw bad(file, i + 2, 'it came before the line above')
    last = c.at
    return { at: c.at, bytes: Uint8Array.from(Buffer.from(c.hex, 'hex')) }
  })
  return { from: h.from, line: h.line ?? undefined, chunks }
}

function bad(file: string, line: number, why: string): GridproofError {
  return new GridproofError('bad-file', `${file}, line ${line}: ${why}; is it a capture of gridproof listen?`)
}

function fit<T>(file: string, line: number, text: string, schema: z.ZodType<T>): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw bad(file, line, 'it is no JSON')
  }
  const r = schema.safeParse(value)
  if (!r.success) throw bad(file, line, z.prettifyError(r.error))
  return r.data
}
