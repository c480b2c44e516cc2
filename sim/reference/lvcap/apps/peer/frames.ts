/**
 * What two Peer-to-Peer applications say to each other inside TLS: frames of four bytes of length (big end first) and so
 * many bytes of JSON. The protocol is ours, version 1.
 *
 * Each end begins with `hello` and `ask`. `ask` is answered at once with the latest value of each name, and from then on
 * each new value follows as it comes. `took` acknowledges all values up to a number; `beat` is a sign of life.
 */
import { z } from 'zod'
import { LvcapError } from '../../errors.ts'
import { dataName, longestName } from './config.ts'

/** The one version that there is. */
export const version = 1

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER)

const frame = z.discriminatedUnion('t', [
  z.object({
    t: z.literal('hello'),
    v: z.int().min(1).max(1_000_000),
    /** Names the sender's run: numbers of values begin anew with each. */
    run: z.string().regex(/^[0-9a-f]{16}$/),
  }),
  z.object({ t: z.literal('ask') }),
  z.object({
    t: z.literal('value'),
    name: z.string().max(longestName).regex(dataName),
    /** Counts the sender's values of this run, whatever their names. */
    n: count,
    /** The payload, character by character. */
    text: z.string(),
  }),
  z.object({ t: z.literal('took'), n: count }),
  z.object({ t: z.literal('beat') }),
])

export type Frame = z.infer<typeof frame>
export type Value = Extract<Frame, { readonly t: 'value' }>

const headLength = 4

/** The frame's bytes, or undefined where they would be more than `most`. */
export function encode(f: Frame, most: number): Buffer | undefined {
  const body = Buffer.from(JSON.stringify(f), 'utf8')
  if (body.length > most) return undefined
  const head = Buffer.alloc(headLength)
  head.writeUInt32BE(body.length)
  return Buffer.concat([head, body])
}

/** Cuts a stream of bytes into frames. */
export interface FrameReader {
  /**
   * Takes the next bytes and gives the frames that they complete. After an error nothing more is taken.
   * @throws LvcapError `protocol` for a frame that is too long, no JSON, or unknown.
   */
  push(bytes: Uint8Array): readonly Frame[]
  /** Bytes held of a frame that is not complete: never more than its announced length, and that never more than `most`. */
  held(): number
}

/** `most`: longest body in bytes. */
export function frameReader(most: number): FrameReader {
  let parts: Buffer[] = []
  let length = 0
  let broken = false

  /** The first `n` bytes of what is held, taken off. */
  const take = (n: number): Buffer => {
    const all = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts, length)
    parts = all.length > n ? [all.subarray(n)] : []
    length = all.length - n
    return all.subarray(0, n)
  }
  let wanted: number | undefined

  return {
    push(bytes) {
      if (broken || bytes.length === 0) return []
      parts.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
      length += bytes.length
      const out: Frame[] = []
      try {
        for (;;) {
          if (wanted === undefined) {
            if (length < headLength) break
            wanted = take(headLength).readUInt32BE()
            if (wanted > most)
              throw new LvcapError('protocol', `A frame of ${wanted} bytes; at most ${most}.`)
          }
          if (length < wanted) break
          out.push(decode(take(wanted)))
          wanted = undefined
        }
      } catch (error) {
        broken = true
        parts = []
        length = 0
        throw error
      }
      return out
    },
    held: () => length,
  }
}

/**
 * One frame's body.
 * @throws LvcapError `protocol`.
 */
export function decode(body: Uint8Array): Frame {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    throw new LvcapError('protocol', `A frame of ${body.length} bytes is no JSON in UTF-8.`, cause)
  }
  const r = frame.safeParse(value)
  if (r.success) return r.data
  const why = r.error.issues.map((i) => `${i.path.map(String).join('.') || '(top)'}: ${i.message}`)
  throw new LvcapError('protocol', `A frame does not fit: ${why.join('; ').slice(0, 300)}`, r.error)
}
