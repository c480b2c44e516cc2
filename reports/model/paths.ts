/** Paths inside a run's folder. Names come out of logs, so none may lead outside. */
import { createHash } from 'node:crypto'
import { posix } from 'node:path'

/** A path from a log, made relative to the run's folder; undefined where it would leave it. */
export function insideRun(path: string): string | undefined {
  if (path === '' || path.includes('\0') || path.includes('\\') || posix.isAbsolute(path)) return undefined
  const normal = posix.normalize(path)
  return normal === '.' || normal === '..' || normal.startsWith('../') ? undefined : normal
}

/** Where the page of a scenario stands: `data/capture/gridkey-every-minute.html`. Unusual names are spelt by code. */
export function pageOf(scenario: string): string {
  const segments = scenario.split('/').map((s) => {
    const plain = s.replace(/[^A-Za-z0-9._-]/g, (c) => `_${c.charCodeAt(0).toString(16)}_`)
    return plain === '' || /^\.+$/.test(plain) ? `_${plain.length}_` : plain
  })
  const path = segments.join('/')
  const short =
    path.length <= 160
      ? path
      : `${path.slice(0, 80).replaceAll('/', '_')}-${createHash('sha256').update(scenario).digest('hex').slice(0, 16)}`
  return `data/${short}.html`
}

/** The way from one page to another file of the run's folder. */
export function wayTo(page: string, file: string): string {
  return posix.relative(posix.dirname(page), file)
}
