/**
 * What updates leave on the disk, in a folder of their own: the set of applications that is installed, the journal of an
 * update under way, its package, and what became of each one. Every file is there whole or as it was, whenever power goes.
 */
import { closeSync, openSync, readSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { appEntry } from '../config.ts'
import type { Json } from '../env.ts'
import { decisionFile, decisionFolder, decisionSchema, type Decision } from './decision.ts'
import { flushFolder, makeFolder, readJson, removeFile, replaceFile, type Flush } from '../sdk/disk.ts'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

const installedSchema = z.strictObject({
  /** Digest of the package that made it so. */
  by: sha256,
  apps: z.array(appEntry),
  /** Instances whose configuration it brought. */
  settings: z.array(z.string()),
})
/** What is installed, where an update has changed it. */
export type Installed = Readonly<z.infer<typeof installedSchema>>

const journalSchema = z.strictObject({
  package: sha256,
  /** `trying`: what it brings runs, or is to run, and has yet to prove itself. `returning`: it has not. */
  phase: z.enum(['trying', 'returning']),
})
export type Journal = Readonly<z.infer<typeof journalSchema>>

export interface UpdateStore {
  installed(): Installed | undefined
  /** From here on these are installed: the one step in which an update takes effect for good. */
  install(set: Installed): void
  journal(): Journal | undefined
  note(j: Journal): void
  endJournal(): void
  /** Copies a package to a place of its own, where nobody replaces it. */
  stage(file: string, digest: string): void
  staged(digest: string): string
  unstage(): void
  decision(digest: string): Decision | undefined
  decide(digest: string, d: Decision): void
}

/** Below `<disk>/updates`. Throws what `fs` throws. */
export function openUpdateStore(disk: string, flush: Flush): UpdateStore {
  const folder = join(disk, 'updates')
  const decided = decisionFolder(disk)
  const packages = join(folder, 'packages')
  makeFolder(decided, flush)
  makeFolder(packages, flush)
  const at = (name: string): string => join(folder, name)
  const write = (file: string, value: Json): void => replaceFile(file, JSON.stringify(value), { flush })
  const read = <T>(file: string, schema: z.ZodType<T>): T | undefined => {
    const r = schema.safeParse(readJson(file))
    return r.success ? r.data : undefined
  }
  return {
    installed: () => read(at('installed.json'), installedSchema),
    install: (set) => write(at('installed.json'), set as unknown as Json),
    journal: () => read(at('journal.json'), journalSchema),
    note: (j) => write(at('journal.json'), j),
    endJournal: () => removeFile(at('journal.json'), flush),
    stage(file, digest) {
      const aside = join(packages, `${digest}.new`)
      copy(file, aside, flush)
      renameSync(aside, join(packages, digest))
      flushFolder(packages, flush)
    },
    staged: (digest) => join(packages, digest),
    unstage() {
      for (const name of readdirSync(packages)) rmSync(join(packages, name), { force: true })
      flushFolder(packages, flush)
    },
    decision: (digest) => read(decisionFile(disk, digest), decisionSchema),
    decide: (digest, d) => write(decisionFile(disk, digest), d as unknown as Json),
  }
}

function copy(from: string, to: string, flush: Flush): void {
  const source = openSync(from, 'r')
  const target = openSync(to, 'w')
  try {
    const buffer = Buffer.alloc(65_536)
    for (let n = readSync(source, buffer); n > 0; n = readSync(source, buffer))
      for (let done = 0; done < n;) done += writeSync(target, buffer, done, n - done)
    flush(target)
  } finally {
    closeSync(source)
    closeSync(target)
  }
}
