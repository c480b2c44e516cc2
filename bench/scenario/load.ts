/** Scenario files: found, imported, and refused with file and line before anything starts. */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import { duration } from '../../drivers/units.ts'
import type { Roles, Scenario } from '../faces.ts'
import { ownName } from './own-name.ts'

export interface LoadedScenario {
  /** Path under the scenarios folder without extension, with `/`: `capture/every-minute`. */
  readonly id: string
  readonly file: string
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string
  readonly scenario: Scenario
}

/** What must be known to tell a good scenario from a bad one. */
export interface ScenarioContext {
  /** Clause references that a text such as `M:0022` or `M:0022/voltage` stands for; throws `no-such`. */
  clausesOf(reference: string): readonly string[]
  /** Defect IDs that `catches` may name. */
  readonly defects: ReadonlySet<string>
}

const roleNames = {
  platform: true,
  gridkey: true,
  thermocouple: true,
  platform2: true,
  peers: true,
  gridkey2: true,
  thermocouple2: true,
  alvin: true,
  alvin2: true,
  network: true,
  automation: true,
  adam: true,
  intruder: true,
  clock: true,
  recorder: true,
  laptop: true,
  scripted: true,
  storage: true,
  storage2: true,
  meter: true,
  meter2: true,
  reader: true,
  cloud: true,
  modem: true,
  installer: true,
  centre: true,
  management: true,
  link: true,
  link2: true,
  mqtt: true,
  tus: true,
  uploads: true,
  mains: true,
  watchdog: true,
  cache: true,
  advisers: true,
  commander: true,
  forecaster: true,
} as const satisfies Record<keyof Roles, true>

/** The roles that a scenario may ask for. */
export const roles = Object.keys(roleNames) as readonly (keyof Roles)[]

const durationText = z
  .string()
  .refine(isDuration, { message: 'expected a duration such as 24 h, 90 s or 250 ms' })

const shape = z.strictObject({
  title: z.string().min(10, 'expected a sentence of at least 10 characters'),
  verifies: z.array(z.string()),
  needs: z.array(z.enum(roles as [keyof Roles, ...(keyof Roles)[]])).min(1, 'expected at least one role'),
  catches: z.record(z.string(), z.string()),
  horizon: durationText,
  short: durationText.optional(),
  prove: z.union([durationText, z.record(z.string(), durationText)]).optional(),
  resumable: z.literal(true).optional(),
  demonstrates: z.strictObject({ package: z.string().min(1), check: z.string().min(1) }).optional(),
  run: z.custom<Scenario['run']>((v) => typeof v === 'function', 'expected a function'),
})

function isDuration(text: string): boolean {
  try {
    return duration(text) > 0
  } catch {
    return false
  }
}

/** Every scenario file under a folder, sorted by ID. Tests and files that start with `_` are left out. */
export function findScenarios(folder: string): readonly { id: string; file: string }[] {
  let names: string[]
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch (e) {
    throw new GridproofError('bad-file', `the scenarios folder cannot be read: ${messageOf(e)}`, {
      cause: e,
      place: { file: folder },
    })
  }
  const found = names
    .filter(
      (n) => n.endsWith('.ts') && !n.endsWith('.test.ts') && !(n.split(sep).at(-1) ?? '').startsWith('_'),
    )
    .map((n) => ({ id: n.slice(0, -3).split(sep).join('/'), file: join(folder, n) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  // IDs become names of files, with dots for slashes: two must never become one.
  const odd = found.find((f) => !/^[a-z0-9-]+(\/[a-z0-9-]+)*$/.test(f.id))
  if (odd !== undefined)
    throw new GridproofError(
      'bad-file',
      'expected a path of lower-case letters, digits and -; a file that is no scenario begins with _',
      { place: { file: shownAs(odd.file) } },
    )
  return found
}

/** A path as a person at this place would write it. */
function shownAs(file: string): string {
  return relative(process.cwd(), file) || file
}

/**
 * Imports and checks one scenario file.
 * Throws `bad-file` with file, line, path and what was expected.
 */
export async function loadScenario(
  id: string,
  file: string,
  context: ScenarioContext,
): Promise<LoadedScenario> {
  const shown = shownAs(file)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (e) {
    throw new GridproofError('bad-file', `cannot be read: ${messageOf(e)}`, {
      cause: e,
      place: { file: shown },
    })
  }
  let module: { default?: unknown }
  try {
    using _ = ownName()
    module = (await import(pathToFileURL(file).href)) as { default?: unknown }
  } catch (e) {
    const line = lineOfImportError(e, file, text)
    throw new GridproofError('bad-file', `cannot be imported: ${messageOf(e).split('\n')[0]}`, {
      cause: e,
      place: { file: shown, ...(line === undefined ? {} : { line }) },
    })
  }
  const refuse = (path: string, message: string): never => {
    throw new GridproofError('bad-file', message, {
      place: { file: shown, line: lineOfKey(text, path, valueAt(module.default, path)), path },
    })
  }
  if (module.default === undefined) refuse('', 'expected a default export made by scenario({ ... })')
  const parsed = shape.safeParse(module.default)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const path = [
      ...(issue?.path ?? []),
      ...(issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []),
    ]
    return refuse(path.map(String).join('.'), issue?.message ?? 'does not fit')
  }
  const s = module.default as Scenario
  if (s.verifies.length === 0 && s.demonstrates === undefined)
    refuse('verifies', 'expected at least one requirement ID')
  const verified = new Set<string>()
  for (const [i, reference] of s.verifies.entries()) {
    try {
      for (const c of context.clausesOf(reference)) verified.add(c)
    } catch (e) {
      refuse(`verifies.${i}`, messageOf(e))
    }
  }
  for (const [defect, reference] of Object.entries(s.catches)) {
    if (!context.defects.has(defect))
      refuse(`catches.${defect}`, `expected a known defect: ${nearest(defect, context.defects)}`)
    let clauses: readonly string[] = []
    try {
      clauses = context.clausesOf(reference)
    } catch (e) {
      refuse(`catches.${defect}`, messageOf(e))
    }
    if (!clauses.some((c) => verified.has(c)))
      refuse(`catches.${defect}`, `'${reference}' is not among what this scenario verifies`)
  }
  const lengths: readonly (readonly [path: string, text: string])[] = [
    ['short', s.short ?? s.horizon],
    ...(typeof s.prove === 'object'
      ? Object.entries(s.prove).map(([id, text]) => [`prove.${id}`, text] as const)
      : ([['prove', s.prove ?? s.horizon]] as const)),
  ]
  for (const [path, text] of lengths) {
    const id = path.slice('prove.'.length)
    if (path.startsWith('prove.') && id !== 'others' && !Object.hasOwn(s.catches, id))
      refuse(
        path,
        `expected a defect that the scenario catches, or others: ${nearest(id, Object.keys(s.catches))}`,
      )
    if (duration(text) > duration(s.horizon)) refuse(path, 'expected a duration no longer than the horizon')
  }
  if (typeof s.prove === 'object' && !Object.hasOwn(s.prove, 'others'))
    refuse('prove', 'expected others, the length for all that is not named')
  return { id, file, sha256: createHash('sha256').update(text).digest('hex'), scenario: s }
}

/** Loads every scenario of these folders whose ID matches one of the patterns (none: all). */
export async function loadScenarios(
  folders: string | readonly string[],
  patterns: readonly string[],
  context: ScenarioContext,
): Promise<readonly LoadedScenario[]> {
  const found = (typeof folders === 'string' ? [folders] : folders).flatMap(someScenarios)
  const twice = found.find((f, i) => found.findIndex((g) => g.id === f.id) < i)
  if (twice !== undefined)
    throw new GridproofError('bad-file', `expected an ID of its own: another folder has '${twice.id}' too`, {
      place: { file: shownAs(twice.file) },
    })
  // What shows defects of others would only be in the way of judging a platform: it is run by name.
  const named = patterns.some((p) => /^(\.\/)?(scenarios\/)?demonstrations(\/|$)/.test(p))
  const wanted = found.filter(
    (f) =>
      (patterns.length === 0 || patterns.some((p) => matches(f.id, p))) &&
      (named || !f.id.startsWith('demonstrations/')),
  )
  for (const p of patterns)
    if (!found.some((f) => matches(f.id, p)))
      throw new GridproofError(
        'usage',
        `no scenario matches '${p}'; there are: ${found.map((f) => f.id).join(', ')}`,
      )
  const loaded: LoadedScenario[] = []
  for (const f of wanted) loaded.push(await loadScenario(f.id, f.file, context))
  return loaded
}

/** Every scenario of a folder. A run of nothing would pass: throws `bad-file` where there is none. */
function someScenarios(folder: string): readonly { id: string; file: string }[] {
  const found = findScenarios(folder)
  if (found.length > 0) return found
  throw new GridproofError('bad-file', 'expected at least one scenario in this folder', {
    place: { file: shownAs(folder) },
  })
}

/** A pattern is an ID, the begin of one up to a `/`, or a text with `*`. */
function matches(id: string, pattern: string): boolean {
  const p = pattern.replace(/^(\.\/)?scenarios\//, '').replace(/\.ts$/, '')
  if (id === p || id.startsWith(`${p.replace(/\/$/, '')}/`)) return true
  if (!p.includes('*')) return false
  const re = new RegExp(`^${p.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*')}$`)
  return re.test(id)
}

/**
 * The line on which the last key of a path first stands as `key:`, `'key':` or `key(`, from the default export on; of
 * an element of a list the line on which it stands. The line of the export where neither is found.
 */
export function lineOfKey(text: string, path: string, value: unknown): number {
  const keys = path.split('.').filter((k) => !/^\d+$/.test(k))
  const lines = text.split('\n')
  const begin = Math.max(
    0,
    lines.findIndex((l) => l.includes('export default')),
  )
  const as = (key: string): RegExp => new RegExp(`(?:^|[\\s{,'"])${escaped(key)}['"]?\\s*[:(]`)
  // The same key may stand in several places: what is looked for stands below the first key of the path.
  const above = keys[0]
  const from = above === undefined ? -1 : lines.findIndex((l, n) => n >= begin && as(above).test(l))
  for (const key of [path.replace(/^[^.]*\./, ''), ...keys.toReversed()]) {
    if (key === '' || /^\d+$/.test(key)) continue
    const re = as(key)
    let at = lines.findIndex((l, n) => n >= Math.max(begin, from) && re.test(l))
    if (at < 0) at = lines.findIndex((l) => re.test(l))
    if (at < 0) continue
    if (!/\.\d+$/.test(path) || typeof value !== 'string') return at + 1
    const element = new RegExp(`['"\`]${escaped(value)}['"\`]`)
    return (
      Math.max(
        at,
        lines.findIndex((l, n) => n >= at && element.test(l)),
      ) + 1
    )
  }
  return begin + 1
}

/** What stands at a path, if anything does. */
function valueAt(o: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (v, key) => (typeof v === 'object' && v !== null ? (v as Record<string, unknown>)[key] : undefined),
      o,
    )
}

/** For use inside a regular expression. */
function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** The line that an import failed on: where the error says, or where the file names what was not found. */
function lineOfImportError(e: unknown, file: string, text: string): number | undefined {
  const said = e instanceof Error ? `${e.message}\n${e.stack ?? ''}` : ''
  const m = new RegExp(`${escaped(file)}:(\\d+)`).exec(said)
  if (m?.[1] !== undefined) return Number(m[1])
  const missing = /Cannot find (?:module|package) '([^']+)'/.exec(said)?.[1]
  if (missing === undefined) return undefined
  const at = text.split('\n').findIndex((l) => {
    const from = /(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/.exec(l)?.[1]
    return from !== undefined && (from === missing || resolve(dirname(file), from) === missing)
  })
  return at < 0 ? undefined : at + 1
}

/** The names nearest to a wrong one, for an error message. */
export function nearest(wrong: string, names: Iterable<string>): string {
  const scored = [...names].map((n) => ({ n, d: distance(wrong, n) })).sort((a, b) => a.d - b.d)
  const best = scored.slice(0, 3).map((x) => x.n)
  return best.length === 0
    ? `'${wrong}' is unknown, and none exists`
    : `'${wrong}' is unknown; nearest: ${best.join(', ')}`
}

/** Edit distance by Levenshtein. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      )
    row = next
  }
  return row[b.length] ?? 0
}
