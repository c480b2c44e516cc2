/**
 * Lints what may come out otherwise than when it was last clean: files that changed, and those that import them, near or
 * far, since rules that know types look through imports. The first time, and when a setting or a package changed, that is
 * everything. What was clean is remembered by content under node_modules/.cache, so it holds whatever branch comes next.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const root = join(import.meta.dirname, '..')
const cache = join(root, 'node_modules/.cache/lint.json')
const kinds = ['ts', 'mts', 'cts', 'tsx', 'js', 'mjs', 'cjs', 'jsx'].map((e) => `*.${e}`)

const digest = (...parts) => {
  const h = createHash('sha256')
  for (const p of parts) h.update(p).update('\0')
  return h.digest('base64url')
}
/** Nothing where it is not there. */
const read = (file) => {
  try {
    return readFileSync(join(root, file))
  } catch {
    return ''
  }
}

/** Files that are linted: those of git, and new ones that it would not ignore. Nothing outside a checkout. */
function listed() {
  try {
    const out = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z', '--', ...kinds], {
      cwd: root,
    })
    const all = new Set(String(out).split('\0'))
    return [...all].filter((f) => f !== '' && read(f) !== '')
  } catch {
    return undefined
  }
}

/** By file: a digest of all that its own result can come from. */
function digests(files) {
  const known = new Map()
  const look = (file) => {
    let k = known.get(file)
    if (k === undefined) {
      const text = read(file)
      const imports = [...String(text).matchAll(/\b(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)]
      const of = imports.map((m) => relative(root, join(root, dirname(file), m[1] ?? '')))
      known.set(file, (k = { own: digest(file, text), imports: file.endsWith('.json') ? [] : of }))
    }
    return k
  }
  const settings = ['.oxlintrc.json', 'tsconfig.json', 'package.json', 'package-lock.json', '.ci/lint.mjs']
  // Declarations that no file imports hold for all of them.
  const ambient = files.filter(
    (f) => f.endsWith('.d.ts') || /^declare (global|module)/m.test(String(read(f))),
  )
  const common = digest(process.version, ...[...settings, ...ambient].map(read))
  return new Map(
    files.map((file) => {
      const reached = new Set([file])
      for (const f of reached) for (const i of look(f).imports) reached.add(i)
      return [
        file,
        digest(common, ...[...reached].toSorted((a, b) => (a < b ? -1 : 1)).map((f) => look(f).own)),
      ]
    }),
  )
}

const files = listed()
const before = files === undefined ? new Map() : digests(files)
let clean = new Set()
try {
  clean = new Set(JSON.parse(readFileSync(cache, 'utf8')))
} catch {
  // None yet.
}
const due = [...before].filter(([, d]) => !clean.has(d)).map(([f]) => f)
if (files !== undefined && due.length === 0) {
  process.stdout.write(`Lint: nothing changed of ${files.length} files since they were clean.\n`)
  process.exit(0)
}
const { status, stdout } = spawnSync('oxlint', ['--type-aware', '--deny-warnings', ...due], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
  maxBuffer: 1 << 28,
  // A third less CPU for some memory: its type checker collects garbage less often.
  env: { GOGC: '400', ...process.env },
})
process.stdout.write(stdout)
const found = new Set([...String(stdout).matchAll(/^\s*,-\[(.+?):\d+:\d+\]/gm)].map((m) => m[1]))
if (files !== undefined && (status === 0 || found.size > 0)) {
  // Whoever writes while it runs has not been looked at.
  const after = digests(files)
  const kept = [...before].filter(([f, d]) => after.get(f) === d && !found.has(f)).map(([, d]) => d)
  mkdirSync(dirname(cache), { recursive: true })
  writeFileSync(cache, JSON.stringify(kept))
}
process.exit(status ?? 1)
