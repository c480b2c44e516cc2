/** Damage to examples, seeded: the same seed, target and number make the same input, on any machine. */
import { stream } from '../../drivers/random.ts'
import type { Random } from '../../drivers/random.ts'
import type { Target } from './target.ts'

/** Longest input, bytes. */
const longest = 70_000

const whole = (random: Random, n: number): number => Math.floor(random() * n)
const pick = <T>(random: Random, from: readonly T[]): T | undefined => from[whole(random, from.length)]

/** Numbers at which things tend to break. */
const edges = [0, 1, 2, 3, 4, 7, 8, 10, 13, 16, 32, 34, 92, 125, 126, 127, 128, 200, 247, 253, 254, 255]

const usualWords = [
  'null', 'true', 'false', '0', '-1', '1e999', '-0', '9007199254740993', '0x10', 'NaN', '""', '"', "'", '\\', '\\u0000',
  '\\ud800', '{', '}', '[', ']', '[[[[[[[[', '{"a":{"a":{"a":', ',', ':', ': ', '\n', '\r\n', '\t', '  ', '- ', '&a ', '*a', '<<: *a',
  '!!js', '!!binary ', '|', '>', '---\n', '%', '#', '__proto__', 'constructor', 'toString', '\u0000', '\ufeff', '\u2028', '😀', '/', '../', '*', '+', '$SYS',
  '2026-11-21T10:00:00Z', '0000-00-00', '60 s', '±', '%s',
] // prettier-ignore

type Change = (b: Buffer, random: Random, t: Examples) => Buffer

interface Examples {
  readonly all: readonly Uint8Array[]
  readonly words: readonly string[]
}

const cutAt = (b: Buffer, random: Random): number => whole(random, b.length + 1)
const insert = (b: Buffer, at: number, what: Uint8Array): Buffer =>
  Buffer.concat([b.subarray(0, at), what, b.subarray(at)])
/** A part of it, short for the most part. */
function part(b: Buffer, random: Random): [number, number] {
  const from = cutAt(b, random)
  const length = random() < 0.8 ? 1 + whole(random, 16) : whole(random, b.length + 1)
  return [from, Math.min(b.length, from + length)]
}

const changes: readonly Change[] = [
  (b, random) => {
    const at = whole(random, b.length || 1)
    if (at < b.length) b[at] = (b[at] ?? 0) ^ (1 << whole(random, 8))
    return b
  },
  (b, random) => {
    const at = whole(random, b.length || 1)
    if (at < b.length) b[at] = pick(random, edges) ?? 0
    return b
  },
  (b, random) => {
    const at = whole(random, b.length || 1)
    if (at < b.length) b[at] = whole(random, 256)
    return b
  },
  (b, random) =>
    insert(
      b,
      cutAt(b, random),
      Uint8Array.from({ length: 1 + whole(random, 8) }, () => whole(random, 256)),
    ),
  (b, random, t) => insert(b, cutAt(b, random), Buffer.from(pick(random, t.words) ?? '', 'utf8')),
  (b, random, t) => {
    const [from, to] = part(b, random)
    return Buffer.concat([
      b.subarray(0, from),
      Buffer.from(pick(random, t.words) ?? '', 'utf8'),
      b.subarray(to),
    ])
  },
  (b, random) => {
    const [from, to] = part(b, random)
    return Buffer.concat([b.subarray(0, from), b.subarray(to)])
  },
  (b, random) => {
    const [from, to] = part(b, random)
    return insert(b, cutAt(b, random), b.subarray(from, to))
  },
  (b, random) => b.subarray(0, cutAt(b, random)),
  (b, random, t) => {
    const other = Buffer.from(pick(random, t.all) ?? [])
    const [from, to] = part(other, random)
    return insert(b, cutAt(b, random), other.subarray(from, to))
  },
  (b, random) => {
    const [from, to] = part(b, random)
    const piece = b.subarray(from, Math.min(to, from + 32))
    return insert(b, from, Buffer.concat(Array.from({ length: 1 + whole(random, 200) }, () => piece)))
  },
]

/** Input number `n` of a target. */
export function inputOf(
  seed: number,
  target: Target,
  examples: readonly Uint8Array[],
  n: number,
): Uint8Array {
  const random = stream(seed, `${target.name}/${n}`)
  if (target.make !== undefined) return target.make(random)
  if (examples.length === 0 || random() < 0.03)
    return Uint8Array.from({ length: whole(random, 300) }, () => whole(random, 256))
  const words = [...usualWords, ...(target.words ?? [])]
  let b: Buffer = Buffer.from(pick(random, examples) ?? [])
  for (let left = 1 + whole(random, random() < 0.7 ? 3 : 20); left > 0; left--) {
    const change = pick(random, changes)
    if (change !== undefined) b = change(b, random, { all: examples, words })
    if (b.length > longest) b = b.subarray(0, longest)
  }
  return b
}
