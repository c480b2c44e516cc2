/**
 * What the predictor has learnt, on its own disk (I:0088: non-volatile), and history that is brought along at
 * commissioning: `import/*.csv` in its folder, with lines `time,circuit,amps`.
 */
import { readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { LvcapError, textOf } from '../../errors.ts'
import { makeFolder, replaceFile } from '../../sdk/disk.ts'
import { circuits, type Circuit } from './config.ts'
import type { KeptHalfHour } from './history.ts'
import { halfHour } from './predict.ts'

export type KeptLoads = Readonly<Record<Circuit, readonly KeptHalfHour[]>>

/** Half-hours of a circuit in the file: no configuration has more (8 weeks and a day, and two). */
const mostKept = 8 * 336 + 50
const kept = z
  .array(z.tuple([z.int().nonnegative().multipleOf(halfHour), z.number(), z.number().positive().max(1e6)]))
  .max(mostKept)
const file = z.strictObject({
  format: z.literal('load-history/1'),
  circuits: z.strictObject({ transformer: kept, feeder: kept }),
})

const name = 'history.json'

/**
 * What was saved last; nothing where nothing was.
 * @throws LvcapError `disk` where it cannot be read or is not what was saved; it then lies aside, as `history.damaged.json`.
 */
export function loadKept(folder: string): KeptLoads | undefined {
  const path = join(folder, name)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new LvcapError('disk', `The history cannot be read: ${textOf(cause)}`, cause)
  }
  try {
    return file.parse(JSON.parse(text)).circuits
  } catch (cause) {
    renameSync(path, join(folder, 'history.damaged.json'))
    throw new LvcapError('disk', `${path} is damaged, and lies aside: the history begins anew.`, cause)
  }
}

/**
 * Saved when this returns: written aside, flushed, and renamed. A crash at any moment leaves the last one or this one.
 * @throws LvcapError `disk`.
 */
export function saveKept(folder: string, loads: KeptLoads): void {
  try {
    makeFolder(folder)
    replaceFile(join(folder, name), `${JSON.stringify({ format: 'load-history/1', circuits: loads })}\n`)
  } catch (cause) {
    throw new LvcapError('disk', `The history cannot be saved: ${textOf(cause)}`, cause)
  }
}

/** The mean of one half-hour, from a file. */
export interface ImportedHalfHour {
  readonly circuit: Circuit
  readonly start: number
  readonly amps: number
}

/** Bytes of one file at most: many years of both circuits. Ours. */
const mostBytes = 16 * 2 ** 20
/** A at most: more than any low-voltage circuit carries. Ours. */
const mostAmps = 100_000

/** Names of the files to import, in their order. */
export function importFiles(folder: string): readonly string[] {
  try {
    return readdirSync(join(folder, 'import'))
      .filter((f) => f.endsWith('.csv'))
      .sort()
  } catch {
    return []
  }
}

/** @throws LvcapError `config`, with file and line of what does not fit: a file is taken whole or not at all. */
export function readImport(folder: string, csv: string, now: number): readonly ImportedHalfHour[] {
  const path = join(folder, 'import', csv)
  if (statSync(path).size > mostBytes)
    throw new LvcapError('config', `${csv} is longer than ${mostBytes} bytes; nothing of it is taken.`)
  return rowsOf(readFileSync(path, 'utf8'), csv, now)
}

/**
 * Lines `time,circuit,amps` under that header: Unix seconds of a half-hour's beginning, `transformer` or `feeder`, and the
 * half-hour's mean. A half-hour stands there once for each circuit, and none that is not over at `now` (Unix seconds).
 * @throws LvcapError `config`.
 */
export function rowsOf(text: string, csv: string, now: number): readonly ImportedHalfHour[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  while (lines.at(-1) === '') lines.pop()
  const refuse = (line: number, why: string): never => {
    throw new LvcapError('config', `${csv}, line ${line}: ${why}; nothing of the file is taken.`)
  }
  if (lines[0] !== 'time,circuit,amps') refuse(1, 'expected the header time,circuit,amps')
  const seen = new Set<string>()
  return lines.slice(1).map((line, i) => {
    const [, time = '', name = '', amps = ''] =
      /^(\d{1,11}),([a-z]{1,20}),(\d{1,9}(?:\.\d{1,12})?)$/.exec(line) ??
      refuse(i + 2, 'expected time,circuit,amps')
    const start = Number(time)
    const circuit = circuits.find((c) => c === name) ?? refuse(i + 2, `there is no circuit '${name}'`)
    if (start % halfHour !== 0) refuse(i + 2, `${time} is not the beginning of a half-hour`)
    if (start + halfHour > now) refuse(i + 2, `the half-hour ${time} is not over yet`)
    if (Number(amps) > mostAmps) refuse(i + 2, `${amps} A is more than any circuit carries`)
    const key = `${circuit} ${start}`
    if (seen.has(key)) refuse(i + 2, `the half-hour ${time} stands there twice`)
    seen.add(key)
    return { circuit, start, amps: Number(amps) }
  })
}
