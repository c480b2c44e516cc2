/**
 * Shards of one run made into one run: a folder of its own with all their evidence, whose log tells them in the order of
 * time. What does not belong together is refused.
 */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { GridproofError } from '../../drivers/errors.ts'
import type { Json } from '../../drivers/faces.ts'
import { insideRun } from '../../reports/model/paths.ts'
import { logWriter } from '../evidence/log.ts'
import { readLog } from '../evidence/read.ts'
import type { RunEnd, RunHeader, ScenarioStep } from '../evidence/schema.ts'
import type { Event } from '../faces.ts'
import { freshFolder } from './run.ts'

export interface Part {
  readonly folder: string
  readonly header: RunHeader
  readonly shard: NonNullable<RunHeader['shard']>
  /** Absent: it was cut short. */
  readonly end?: RunEnd
  /** Steps and notes. */
  readonly events: readonly Event[]
  readonly sha256: string
}

/** What every shard of a run has in common, in plain words. */
const common: readonly (readonly [words: string, of: (h: RunHeader) => unknown])[] = [
  ['list of scenarios', (h) => h.shard?.all],
  ['commit', (h) => h.commit],
  ['seed', (h) => h.seed],
  ['rig', (h) => h.rig],
  ['rig file', (h) => h.rigSha256],
  ['catalogue of requirements', (h) => h.revisions],
  ['length', (h) => (h.short ? 'short' : 'full')],
  ['load', (h) => h.load],
  ['subject', (h) => h.subject],
  ['operator, site or instruments', (h) => h.identity],
  ['version of Node', (h) => h.node],
]

/** Reads a shard's own log. Throws `usage` where the folder is none, or no shard. */
export function readPart(folder: string): Part {
  const path = join(folder, 'log.jsonl')
  if (!existsSync(path))
    throw new GridproofError('usage', `'${folder}' is no folder of a run: it has no log.jsonl`)
  const events = [...readLog(path)]
  const header = events[0]?.data as unknown as RunHeader | undefined
  if (events[0]?.kind !== 'run' || header?.format !== 'gridproof-run/1')
    throw new GridproofError('usage', `'${folder}' holds no run: its log does not begin with a header`)
  if (header.shard === undefined)
    throw new GridproofError(
      'usage',
      `'${folder}' is a whole run and no shard: there is nothing to merge it with`,
    )
  const last = events.at(-1)
  return {
    folder,
    header,
    shard: header.shard,
    ...(last?.kind === 'end' ? { end: last.data as unknown as RunEnd } : {}),
    events: events.filter((e) => e.kind === 'step' || e.kind === 'note'),
    sha256: createHash('sha256').update(readFileSync(path)).digest('hex'),
  }
}

/** Throws `usage` with a sentence for each reason why they do not make one run; gives them in their order. */
export function together(parts: readonly Part[]): readonly Part[] {
  const [first] = parts
  if (first === undefined) throw new GridproofError('usage', 'no shard is given')
  const reasons: string[] = []
  for (const p of parts.slice(1).filter((x) => x.folder !== first.folder)) {
    if (p.shard.of !== first.shard.of) {
      reasons.push(`'${p.folder}' is one of ${p.shard.of} shards, '${first.folder}' one of ${first.shard.of}`)
      continue
    }
    for (const [words, of] of common) {
      const [a, b] = [of(first.header), of(p.header)]
      if (!isDeepStrictEqual(a, b))
        reasons.push(`'${p.folder}' has another ${words} than '${first.folder}'${both(a, b)}`)
    }
  }
  const byIndex = Map.groupBy(parts, (p) => p.shard.index)
  for (const [i, list] of byIndex)
    if (list.length > 1)
      reasons.push(`shard ${i} is there ${list.length} times: ${list.map((p) => `'${p.folder}'`).join(', ')}`)
  const missing = Array.from({ length: first.shard.of }, (_, i) => i + 1).filter((i) => !byIndex.has(i))
  if (missing.length > 0)
    reasons.push(
      `shard ${missing.join(' and ')} of ${first.shard.of} ${missing.length === 1 ? 'is' : 'are'} missing`,
    )
  if (reasons.length > 0)
    throw new GridproofError('usage', `these shards do not make one run: ${[...new Set(reasons)].join('; ')}`)
  return parts.toSorted((a, b) => a.shard.index - b.shard.index)
}

/** ` (a1b2, c3d4)`, where it can be said in a few words. */
function both(a: unknown, b: unknown): string {
  const said = [a, b].map((x) => (typeof x === 'string' || typeof x === 'number' ? String(x) : undefined))
  return said.some((x) => x === undefined || x.length > 40) ? '' : ` (${said[1]}, ${said[0]})`
}

export interface Merged {
  readonly folder: string
  /** Writes the trailer; call once. None where a shard has none: it is told as cut short. */
  close(exitCode: number): void
}

/** Makes the merged run's folder in `out`: evidence as it stands in the shards, and a log of its own. */
export function merge(parts: readonly Part[], out: string): Merged {
  const [first] = parts
  if (first === undefined) throw new GridproofError('usage', 'no shard is given')
  const { shard, ...rest } = first.header
  const begun = parts.map((p) => p.header.started).toSorted()
  const folder = freshFolder(out, first.header.id)
  const header: RunHeader = {
    ...rest,
    id: basename(folder),
    started: begun[0] ?? first.header.started,
    scenarios: shard?.all ?? [],
    verifies: Object.assign({}, ...parts.map((p) => p.header.verifies)) as RunHeader['verifies'],
    merged: parts.map((p) => ({
      id: p.header.id,
      shard: `${p.shard.index}/${p.shard.of}`,
      sha256: p.sha256,
    })),
  }
  mkdirSync(join(folder, 'data'), { recursive: true })
  const log = logWriter(join(folder, 'log.jsonl'))
  log.append({ at: Date.parse(header.started), src: 'bench', kind: 'run', data: header as unknown as Json })
  const events = parts.flatMap((p) => p.events)
  for (const e of events.toSorted((a, b) => a.at - b.at))
    log.append({ at: e.at, src: e.src, kind: e.kind, data: e.data })
  for (const p of parts) copyEvidence(p, folder)
  return {
    folder,
    close(exitCode) {
      if (parts.every((p) => p.end !== undefined)) {
        const end: RunEnd = {
          outcome: parts.some((p) => p.end?.outcome === 'aborted') ? 'aborted' : 'finished',
          wallMs: Math.max(...parts.map((p) => p.end?.wallMs ?? 0)),
          exitCode,
        }
        log.append({
          at: Math.max(Date.parse(header.started), ...events.map((e) => e.at)),
          src: 'bench',
          kind: 'end',
          data: end as unknown as Json,
        })
      }
      log.close()
    },
  }
}

/** Logs that the shard names, every try; what it names outside its own folder is left alone. */
function copyEvidence(p: Part, to: string): void {
  for (const e of p.events) {
    const detail = (e.data as { readonly detail?: Partial<ScenarioStep> } | null)?.detail
    const file = typeof detail?.file === 'string' ? insideRun(detail.file) : undefined
    if (file === undefined || !existsSync(join(p.folder, file)) || existsSync(join(to, file))) continue
    mkdirSync(dirname(resolve(to, file)), { recursive: true })
    copyFileSync(join(p.folder, file), join(to, file))
  }
}
