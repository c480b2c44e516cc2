/**
 * What outlasts a restart: the lock-out, the operations of the day, the last of them, and how the breakers stood. An
 * operation is one closing or opening of this end, of all its phases together.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { textOf } from '../../errors.ts'
import { makeFolder, replaceFile } from '../../sdk/disk.ts'

const state = z.enum(['open', 'closed'])

const schema = z.strictObject({
  /** Why the automation is locked out, since when (Unix seconds), and the `letIn` of the configuration then. */
  lockedOut: z.strictObject({ why: z.string(), at: z.number(), letIn: z.string() }).nullable(),
  /** Unix seconds. */
  lastOperation: z.number().nullable(),
  /** UTC, `2017-11-06`. */
  day: z.string(),
  operations: z.int().nonnegative(),
  commanded: state,
  /** As they were last read. */
  states: z.tuple([state.nullable(), state.nullable(), state.nullable()]),
})
export type Kept = z.infer<typeof schema>

export const nothingKept: Kept = {
  lockedOut: null,
  lastOperation: null,
  day: '',
  operations: 0,
  commanded: 'open',
  states: [null, null, null],
}

/** Phases of one operation follow each other within so many seconds. Ours. */
const oneOperation = 10

/** The UTC day of an instant in Unix seconds. */
export const dayOf = (t: number): string => new Date(t * 1000).toISOString().slice(0, 10)

export const operationsOn = (kept: Kept, now: number): number =>
  kept.day === dayOf(now) ? kept.operations : 0

/** One operation more. */
export function operated(kept: Kept, at: number): Kept {
  return { ...kept, lastOperation: at, day: dayOf(at), operations: operationsOn(kept, at) + 1 }
}

/** A breaker has moved, and nobody here had told it to: an operation of its own, unless it goes with the one before. */
export function moved(kept: Kept, at: number): Kept {
  const same = kept.lastOperation !== null && Math.abs(at - kept.lastOperation) <= oneOperation
  return same ? { ...kept, lastOperation: Math.max(at, kept.lastOperation ?? at) } : operated(kept, at)
}

export function lockedOut(kept: Kept, why: string, at: number, letIn: string): Kept {
  return { ...kept, lockedOut: { why, at, letIn } }
}

/** A text that is new in the configuration ends a lock-out. */
export function letIn(kept: Kept, text: string): Kept {
  const ends = kept.lockedOut !== null && text !== '' && text !== kept.lockedOut.letIn
  return ends ? { ...kept, lockedOut: null } : kept
}

export interface KeptFile {
  /**
   * What was kept. Nothing, where there is no file. A file that cannot be read may have held a lock-out: then there is one.
   */
  load(now: number, letIn: string): Kept
  /** Flushed to the disk when it returns. Throws what the file system throws. */
  save(kept: Kept): void
}

export function keptFile(disk: string): KeptFile {
  const folder = join(disk, 'loadsense')
  const file = join(folder, 'kept.json')
  return {
    load(now, text) {
      let found: string
      try {
        found = readFileSync(file, 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return nothingKept
        return lockedOut(nothingKept, `what was kept cannot be read: ${textOf(error)}`, now, text)
      }
      try {
        return schema.parse(JSON.parse(found))
      } catch {
        return lockedOut(nothingKept, 'what was kept cannot be read', now, text)
      }
    },
    save(kept) {
      makeFolder(folder)
      replaceFile(file, JSON.stringify(kept))
    },
  }
}
