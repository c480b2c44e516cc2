/**
 * Downloads (OpenLV M:0077, S:008): fetched by range into a file beside, which goes on at the byte where it broke off,
 * whatever broke it off; installed under its name in one step when all of it is there and its digest is right.
 */
import { closeSync, openSync, renameSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { LvcapError } from '../../errors.ts'
import {
  flushFolder,
  makeFolder,
  readJson,
  removeFile,
  replaceFile,
  sha256OfFile,
  type Flush,
} from '../../sdk/disk.ts'
import type { Line, Reply } from '../../upload/line.ts'
import { Refused } from '../../upload/send.ts'

const job = z.looseObject({
  id: z.string().regex(/^[\w-][\w.-]{0,99}$/),
  kind: z.enum(['software', 'configuration']),
  name: z.string().regex(/^[\w-][\w.-]{0,99}$/),
  size: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  path: z.string().regex(/^\/[\w./-]*$/),
})
/** Something to fetch, as the server names it. */
export type Job = Readonly<z.infer<typeof job>>

/** The server's list. Undefined where it is none; what in it is no job is passed over. */
export function readJobs(body: Uint8Array): readonly Job[] | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    return undefined
  }
  const list = z.looseObject({ jobs: z.array(z.unknown()) }).safeParse(value)
  if (!list.success) return undefined
  return list.data.jobs.flatMap((one) => {
    const r = job.safeParse(one)
    return r.success ? [r.data] : []
  })
}

/** How downloads are done, in parts. */
export interface DownloadParts {
  /** Where the bytes stand until all are there. */
  partOf(folder: string, j: Job): string
  /** Whether bytes that were fetched for `noted` go on as this job. */
  isSame(noted: { readonly sha256: string }, j: Job): boolean
  /** Whether it is fetched now. `broken`: bytes of it were there when the program began. */
  fetches(j: Job, broken: boolean): boolean
  /** From which byte it goes on; `have` are there. */
  resumeAt(have: number, j: Job): number
  /** Headers of the next request: bytes `from` up to before `to` of the file that had this ETag. */
  range(from: number, to: number, etag: string | undefined): Readonly<Record<string, string>>
  /** From which byte an answer's body counts. Undefined: it is of no use. */
  startOf(begun: Omit<Reply, 'body'>, asked: number): number | undefined
  isRight(sha256: string, j: Job): boolean
  /** Flushes the bytes of a download to the disk itself. */
  flushPart(fd: number): void
  rename(part: string, target: string): void
}

export const soundDownloads: Omit<DownloadParts, 'flushPart'> = {
  partOf: (folder, j) => join(folder, 'coming', `${j.id}.part`),
  isSame: (noted, j) => noted.sha256 === j.sha256,
  fetches: () => true,
  resumeAt: (have) => have,
  range: (from, to, etag) => ({
    range: `bytes=${from}-${to - 1}`,
    ...(etag === undefined ? {} : { 'if-range': etag }),
  }),
  startOf({ status, headers }, asked) {
    if (status === 200) return 0
    if (status !== 206) return undefined
    const m = /^bytes (\d{1,15})-\d{1,15}\/(?:\d{1,15}|\*)$/.exec(headers['content-range'] ?? '')
    return m !== null && Number(m[1]) === asked ? asked : undefined
  },
  isRight: (sha256, j) => sha256 === j.sha256,
  rename: (part, target) => renameSync(part, target),
}

export interface Downloads {
  /** Whether it is there as this job has it. */
  has(j: Job): boolean
  /** Whether the server has been told. */
  isTold(j: Job): boolean
  told(j: Job): void
  /** One attempt: resolves when it is installed. Rejects where the link, the server or the digest does not let it. */
  get(line: Line, j: Job): Promise<void>
}

const noted = z.looseObject({ sha256: z.string(), etag: z.string().optional() })
const state = z.record(z.string(), z.looseObject({ sha256: z.string(), told: z.boolean() }))

/** @param folder of its own. Throws what `fs` throws. */
export function openDownloads(p: DownloadParts, folder: string, piece: number, flush: Flush): Downloads {
  const coming = join(folder, 'coming')
  makeFolder(coming, flush)
  const stateFile = join(folder, 'installed.json')
  const read = state.safeParse(readJson(stateFile))
  const installed = new Map(Object.entries(read.success ? read.data : {}))
  /** Those that have been looked at since the program began. */
  const seen = new Set<string>()

  const targetOf = (j: Job): string => join(folder, 'downloads', j.kind, j.name)
  const note = (j: Job, told: boolean): void => {
    installed.set(j.id, { sha256: j.sha256, told })
    replaceFile(stateFile, JSON.stringify(Object.fromEntries(installed)), { flush })
  }
  const noteOf = (j: Job): string => join(coming, `${j.id}.json`)
  const drop = (j: Job): void => {
    rmSync(p.partOf(folder, j), { force: true })
    removeFile(noteOf(j), flush)
  }

  const install = (j: Job, part: string): void => {
    const target = targetOf(j)
    makeFolder(dirname(target), flush)
    p.rename(part, target)
    flushFolder(dirname(target), flush)
    note(j, false)
    removeFile(noteOf(j), flush)
  }

  return {
    has(j) {
      if (installed.get(j.id)?.sha256 === j.sha256) return true
      // Power may have gone between the renaming and the note of it.
      if (sizeOf(targetOf(j)) !== j.size || sha256OfFile(targetOf(j)) !== j.sha256) return false
      note(j, false)
      return true
    },
    isTold: (j) => installed.get(j.id)?.told === true,
    told: (j) => note(j, true),
    async get(line, j) {
      const part = p.partOf(folder, j)
      const before = noted.safeParse(readJson(noteOf(j)))
      const first = !seen.has(j.id)
      seen.add(j.id)
      if (!p.fetches(j, first && before.success)) return
      if (before.success && !p.isSame(before.data, j)) drop(j)
      let etag = before.success && p.isSame(before.data, j) ? before.data.etag : undefined
      makeFolder(dirname(part), flush)
      let have = p.resumeAt(sizeOf(part) ?? 0, j)
      if (have > j.size) have = 0
      const fd = openSync(part, 'a')
      try {
        if (have < (sizeOf(part) ?? 0)) truncateSync(part, have)
        if (!before.success || etag === undefined)
          replaceFile(noteOf(j), JSON.stringify({ sha256: j.sha256 }), { flush })
        while (have < j.size) {
          const from = have
          const to = Math.min(j.size, from + piece)
          try {
            const begin = (begun: Omit<Reply, 'body'>): ((b: Uint8Array) => void) | undefined => {
              const start = p.startOf(begun, from)
              if (start === undefined) return undefined
              if (start < have) {
                truncateSync(part, start)
                have = start
              }
              const now = begun.headers['etag']
              if (now !== undefined && now !== etag) {
                etag = now
                replaceFile(noteOf(j), JSON.stringify({ sha256: j.sha256, etag: now }), { flush })
              }
              return (b) => {
                for (let n = 0; n < b.length;) n += writeSync(fd, b, n)
                have += b.length
              }
            }
            const r = await line.ask('GET', j.path, p.range(from, to, etag), undefined, begin, to - from)
            if (p.startOf(r, from) === undefined) throw new Refused(r)
          } finally {
            p.flushPart(fd)
          }
        }
        p.flushPart(fd)
      } finally {
        closeSync(fd)
      }
      if (!p.isRight(sha256OfFile(part), j)) {
        drop(j)
        throw new LvcapError('link', `${j.name} did not arrive as the server has it, and is fetched anew.`)
      }
      install(j, part)
    },
  }
}

function sizeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size
}
