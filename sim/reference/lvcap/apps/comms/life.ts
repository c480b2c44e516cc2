/**
 * Signs of life on the disk, by which the next boot knows when this one ended (OpenLV S:006). Two files in turn: power may
 * go while one is written, and the other is good. What ended in good order is marked so.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { makeFolder, readJson, type Flush } from '../../sdk/disk.ts'

const sign = z.looseObject({
  n: z.int(),
  /** The platform's start, ms since 1970. */
  started: z.number(),
  /** ms since 1970. */
  at: z.number(),
  closed: z.boolean(),
})
export type Sign = Readonly<z.infer<typeof sign>>

export interface Life {
  /** The last sign before this program began. */
  readonly before: Sign | undefined
  mark(at: number, closed: boolean): void
}

export function openLife(folder: string, started: number, flush: Flush): Life {
  makeFolder(folder, flush)
  const files = [0, 1].map((i) => join(folder, `life-${i}.json`))
  const signs = files.flatMap((f) => {
    const r = sign.safeParse(readJson(f))
    return r.success ? [r.data] : []
  })
  const before = signs.toSorted((a, b) => a.n - b.n).at(-1)
  let n = before?.n ?? 0
  return {
    before,
    mark(at, closed) {
      n++
      const fd = openSync(files[n % 2] ?? '', 'w')
      try {
        writeSync(fd, JSON.stringify({ n, started, at, closed }))
        flush(fd)
      } finally {
        closeSync(fd)
      }
    },
  }
}

/** From when to when the platform was away, as far as its own signs tell. */
export interface Away {
  readonly started: number
  readonly lastSign: number
  readonly restored: number
}

/** Undefined: it was not away without good order, or only this application was. */
export function awayBy(before: Sign | undefined, started: number, now: number): Away | undefined {
  if (before === undefined || before.closed || before.started === started) return undefined
  return { started, lastSign: before.at, restored: now }
}
