/** Paths inside a run's folder. Names come out of logs, so none may lead outside. */
import { createHash } from 'node:crypto'
import { posix } from 'node:path'

/** A path from a log, made relative to the run's folder; undefined where it would leave it. */
export function insideRun(path: string): string | undefined {
  if (path === '' || path.includes('\0') || path.includes('\\') || posix.isAbsolute(path)) return undefined
  const normal = posix.normalize(path)
  return normal === '.' || normal === '..' || normal.startsWith('../') ? undefined : normal
}

/** Where the page of a scenario stands: beside its log where that has a plain name in data/, else by its id. */
export function pageOf(scenario: string, log: string | undefined): string {
  const plain = log === undefined ? undefined : /^(data\/[A-Za-z0-9@._/-]{1,160})\.jsonl$/.exec(log)?.[1]
  if (plain !== undefined) return `${plain}.html`
  const name = scenario
    .replaceAll('/', '.')
    .replace(/[^A-Za-z0-9@._-]/g, (c) => `_${c.charCodeAt(0).toString(16)}_`)
  const digest = createHash('sha256').update(scenario).digest('hex').slice(0, 16)
  return `data/${name.length <= 160 && !name.startsWith('.') ? name : `${name.slice(0, 80)}-${digest}`}.html`
}

/** The way from one page to another file of the run's folder. */
export function wayTo(page: string, file: string): string {
  return posix.relative(posix.dirname(page), file)
}
