/** The documentation is held to the code: commands, options, codes, tables, and the example scenario, which is run. */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import * as checks from '../bench/checks/index.ts'
import * as scenarioFace from '../bench/index.ts'
import { knownDefects } from '../bench/main/defects.ts'
import { virtualEpoch } from '../bench/main/job.ts'
import type { Job } from '../bench/main/job.ts'
import { startPool } from '../bench/main/pool.ts'
import { playClock } from '../bench/platforms/clock.ts'
import { enrolled } from '../bench/platforms/apps.ts'
import { loadCatalogue, shippedCatalogue } from '../bench/requirements/load.ts'
import { findScenarios, roles } from '../bench/scenario/load.ts'
import { exitCodes } from '../bench/verdicts/exit-code.ts'
import { errorCodes } from '../drivers/errors.ts'
import type { Host } from '../drivers/faces.ts'
import { devices } from '../sim/devices/index.ts'
import { makePki } from '../sim/reference/lvcap/pki.ts'
import { looks, states } from '../reports/model/states.ts'

const root = join(import.meta.dirname, '..')
const gridproof = join(root, 'bench/cli/gridproof.mjs')
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith('.md'))
    .map((f) => `docs/${f}`),
].sort()
const text = (page: string): string => readFileSync(join(root, page), 'utf8')

/** Fenced code blocks of a page with their language. */
function blocks(page: string, language: string): string[] {
  return [...text(page).matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap((m) =>
    m[1] === language && m[2] !== undefined ? [m[2]] : [],
  )
}

/** Rows of the table whose first header cell is `first`, cells without surrounding backticks. */
function table(page: string, ...header: string[]): string[][] {
  const lines = text(page).split('\n')
  const cells = (line: string): string[] =>
    line
      .split('|')
      .slice(1, -1)
      .map((c) => c.trim().replace(/^`([^`]*)`$/, '$1'))
  const at = lines.findIndex((l) => l.startsWith('|') && header.every((h, i) => cells(l)[i] === h))
  if (at < 0) throw new Error(`${page} has no table that begins with ${header.join(', ')}`)
  const rows: string[][] = []
  for (const l of lines.slice(at + 2)) {
    if (!l.startsWith('|')) break
    rows.push(cells(l))
  }
  return rows
}

/** The first cells of a table's rows, in order of their text. */
const names = (page: string, ...header: string[]): string[] =>
  sorted(table(page, ...header).map((r) => (r[0] ?? '').replace(/\(.*/, '')))

const sorted = (list: readonly string[]): string[] => list.toSorted((a, b) => (a < b ? -1 : 1))

/** Fails with what is missing and what is too much. */
function same(documented: readonly string[], real: readonly string[], where: string): void {
  expect(
    {
      missing: real.filter((r) => !documented.includes(r)),
      'no longer there': documented.filter((d) => !real.includes(d)),
    },
    where,
  ).toEqual({ missing: [], 'no longer there': [] })
}

/** Lines of shell blocks that call gridproof, without their comments: `[page, words]`. */
const calls = pages.flatMap((page) =>
  blocks(page, 'sh')
    .flatMap((b) => b.split('\n'))
    .map((l) => l.replace(/\s+#.*$/, '').trim())
    .filter((l) => /^(npx )?gridproof\b/.test(l))
    .map((line): [string, string[]] => [page, line.replace(/^(npx )?gridproof\s*/, '').split(/\s+/)]),
)

/** What `--help` of a command tells: its options, and which of them take a value. */
interface Help {
  readonly options: ReadonlyMap<string, boolean>
  /** Options that take several values. */
  readonly takesMany: ReadonlySet<string>
  readonly takesArguments: boolean
}

let commands = new Map<string, Help>()
/** Of commands below a command that the pages call. */
const below = ['sim replay', 'sim fleet', 'sim link']
const inner = new Map<string, Help>()
let folder = ''

function cli(...args: string[]): Promise<{ code: number | null; out: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [gridproof, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    child.stdout.on('data', (b: Buffer) => (out += String(b)))
    child.stderr.on('data', (b: Buffer) => (out += String(b)))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out }))
  })
}

function helpOf(out: string): Help {
  const options = new Map<string, boolean>()
  for (const m of out.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)( <[^>]+>)?/gm))
    if (m[1] !== undefined) options.set(m[1], m[2] !== undefined)
  const takesMany = new Set(
    [...out.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+) <[^>]+\.\.\.>/gm)].map((m) => m[1] ?? ''),
  )
  return {
    options,
    takesMany,
    takesArguments: /^Usage: .*[[<]\w+(\.\.\.)?[\]>]$/m.test(out.replace(' [options]', '')),
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gridproof-docs-'))
  const { out } = await cli('--help')
  const list = out.slice(out.indexOf('Commands:'), out.indexOf('Examples:'))
  const names = [...list.matchAll(/^ {2}([a-z]+)/gm)].map((m) => m[1] ?? '').filter((n) => n !== 'help')
  const helps = await Promise.all(names.map(async (n) => helpOf((await cli(n, '--help')).out)))
  commands = new Map(
    names.map((n, i) => [n, helps[i] ?? { options: new Map(), takesMany: new Set(), takesArguments: false }]),
  )
  // Commands below a command: `sim replay`.
  for (const n of below) inner.set(n, helpOf((await cli(...n.split(' '), '--help')).out))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('commands in the documentation', () => {
  test('are there at all', () => {
    expect(calls.length).toBeGreaterThan(15)
    expect([...commands.keys()].length).toBeGreaterThanOrEqual(7)
  })

  test('exist, and so does each of their options', () => {
    for (const [page, words] of calls) {
      const where = `${page}: gridproof ${words.join(' ')}`
      const nested = inner.get(words.slice(0, 2).join(' '))
      const help = nested ?? commands.get(words[0] ?? '')
      expect(help, `${where}: no such command`).toBeDefined()
      for (let i = nested === undefined ? 1 : 2; i < words.length; i++) {
        const word = words[i] ?? ''
        if (!word.startsWith('--')) {
          expect(help?.takesArguments, `${where}: takes no '${word}'`).toBe(true)
          continue
        }
        const takesValue = help?.options.get(word)
        expect(takesValue, `${where}: no option ${word}`).toBeDefined()
        if (takesValue === true) {
          expect(words[++i], `${where}: ${word} needs a value`).toBeDefined()
          while (help?.takesMany.has(word) === true && words[i + 1]?.startsWith('--') === false) i++
        }
      }
    }
  })

  test('name every command somewhere', () => {
    expect(sorted([...new Set(calls.map(([, w]) => w[0] ?? ''))])).toEqual(sorted([...commands.keys()]))
  })

  const cheap = new Set(['requirements', 'rigs', 'scenarios', 'clean'])
  const performed = [...new Set(calls.filter(([, w]) => cheap.has(w[0] ?? '')).map(([, w]) => w.join(' ')))]
  test.each(performed)('gridproof %s works as written', async (line) => {
    const { code, out } = await cli(...line.split(' '))
    expect(code, out).toBe(0)
    expect(out).not.toBe('')
  })

  test('scenarios and defects that they name exist', () => {
    const ids = findScenarios(join(root, 'scenarios')).map((f) => f.id)
    const known = new Set(ids.flatMap((id) => [id, dirname(id)]))
    const defects = knownDefects()
    for (const [page, words] of calls) {
      const help = commands.get(words[0] ?? '')
      for (const [i, w] of words.entries()) {
        const before = words[i - 1] ?? ''
        const isValue = help?.options.get(before) === true
        if (i > 0 && ['run', 'prove'].includes(words[0] ?? '') && !w.startsWith('--') && !isValue)
          expect(known.has(w), `${page}: no scenario ${w}`).toBe(true)
        if (before === '--defect') expect(defects.has(w), `${page}: no defect ${w}`).toBe(true)
      }
    }
  })

  test('npm scripts that they name exist', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> }
    const own = new Set(['ci', 'cit'])
    for (const page of pages)
      for (const b of blocks(page, 'sh'))
        for (const m of b.matchAll(/\bnpm (?:run )?([a-z]+)/g))
          expect(own.has(m[1] ?? '') || Object.hasOwn(scripts, m[1] ?? ''), `${page}: npm ${m[1]}`).toBe(true)
  })
})

describe('tables in the documentation', () => {
  test('errors.md has every code of drivers/errors.ts with its meaning and exit code', () => {
    const rows = table('docs/errors.md', 'code', 'means')
    expect(rows.map((r) => [r[0], r[1]])).toEqual(Object.entries(errorCodes))
    // Where the command line turns codes into exit codes.
    const source = text('bench/cli/main.ts')
    const mapping = source.slice(source.indexOf('function exitCodeOf'))
    const exits = new Map<string, string>()
    for (const m of mapping.matchAll(/((?:\s*case '[a-z-]+':)+)\s*return (\d+)/g))
      for (const c of (m[1] ?? '').matchAll(/'([a-z-]+)'/g)) exits.set(c[1] ?? '', m[2] ?? '')
    expect(rows.map((r) => [r[0], r[3]])).toEqual(Object.keys(errorCodes).map((c) => [c, exits.get(c)]))
  })

  test('exit-codes.md has every code of the command line', () => {
    const rows = table('docs/exit-codes.md', 'name', 'code')
    expect(rows.map((r) => [r[0], Number(r[1])])).toEqual(Object.entries(exitCodes))
    for (const [, code] of Object.entries(exitCodes))
      expect(text('README.md')).toMatch(new RegExp(`Exit codes:.*\\b${code}\\b`))
  })

  test('a wrong command, a missing rig file and an unknown requirement end with 2', async () => {
    const ends = await Promise.all([cli('rum'), cli('run', '--rig', 'nowhere.yaml'), cli('run', 'no/such')])
    expect(ends.map((e) => e.code)).toEqual([exitCodes.usage, exitCodes.usage, exitCodes.usage])
  })

  test('dependencies.md has every dependency of package.json', () => {
    const own = JSON.parse(text('package.json')) as Record<
      'dependencies' | 'devDependencies' | 'optionalDependencies',
      Record<string, string>
    >
    same(
      names('docs/dependencies.md', 'package', 'for'),
      Object.keys(own.dependencies),
      'docs/dependencies.md',
    )
    for (const name of [...Object.keys(own.devDependencies), ...Object.keys(own.optionalDependencies)])
      expect(text('docs/dependencies.md'), name).toContain(`\`${name}\``)
    for (const v of Object.values(own.dependencies)) expect(v).toMatch(/^\d+\.\d+\.\d+$/)
    expect(text('.npmrc')).toContain('ignore-scripts=true')
  })

  test('the words of verdicts in the README are those of the reports', () => {
    const rows = table('README.md', '', 'word')
    expect(rows.map((r) => r[1])).toEqual([...states])
    for (const [sign, word] of rows) expect(sign).toBe(looks[word as keyof typeof looks].sign)
  })

  test('scenarios.md has every check and every role that a scenario may use', () => {
    const exported = Object.entries(checks).flatMap(([name, f]) => (typeof f === 'function' ? [name] : []))
    same(names('docs/scenarios.md', 'check', 'says'), exported, 'checks in docs/scenarios.md')
    for (const c of exported) expect(scenarioFace).toHaveProperty(c)
    const page = text('docs/scenarios.md')
    expect(
      roles.filter((r) => !page.includes(`\`${r}\``)),
      'roles that docs/scenarios.md lacks',
    ).toEqual([])
  })

  test('devices.md has every device and every fault', () => {
    const page = text('docs/devices.md')
    expect(table('docs/devices.md', 'device', 'role').map((r) => r[0])).toEqual(Object.keys(devices))
    const faults = [...page.matchAll(/^\| (`[a-z\d-]+`(?:, `[a-z\d-]+`)*) \|/gm)].flatMap((m) =>
      (m[1] ?? '').replaceAll('`', '').split(', '),
    )
    for (const [name, kind] of Object.entries(devices))
      for (const f of kind.make().faults) expect(faults, `${name}: ${f}`).toContain(f)
    const host = { name: 'any', can: new Set<never>() } as unknown as Host
    for (const f of playClock(host, Date.now, () => 0).faults) expect(faults, `clock: ${f}`).toContain(f)
  })

  test('rigs.md has every rig and profile of the project, and every field of a rig file', () => {
    const yaml = (kind: string): string[] =>
      sorted(
        readdirSync(join(root, 'fixtures', kind)).flatMap((f) =>
          f.endsWith('.yaml') ? [f.slice(0, -5)] : [],
        ),
      )
    same(names('docs/rigs.md', 'rig', 'time'), yaml('rigs'), 'rigs in docs/rigs.md')
    same(names('docs/rigs.md', 'profile', 'published'), yaml('profiles'), 'profiles in docs/rigs.md')
    const source = text('bench/rigs/schema.ts')
    const page = text('docs/rigs.md')
    for (const m of source.matchAll(/^ {2,4}(\w+)(?::|,$)/gm)) {
      const field = m[1] ?? ''
      if (field !== 'message')
        expect(page, `rigs.md says nothing of the field ${field}`).toMatch(
          new RegExp(`(?:\`|\\.)${field}(?:\`|\\.)`),
        )
    }
  })

  test("lab.md has every field of a lab's rig file", () => {
    const source = text('bench/rigs/lab.ts')
    const page = text('docs/lab.md')
    const schema = source.slice(source.indexOf('const door'), source.indexOf('type LabFile'))
    for (const m of schema.matchAll(/^ {2,8}(\w+):/gm)) {
      const field = m[1] ?? ''
      if (field !== 'message')
        expect(page, `lab.md says nothing of the field ${field}`).toMatch(
          new RegExp(`(?:\`|\\.)${field}(?:\`|\\.|\\[)`),
        )
    }
  })

  test('the README has the numbers of the catalogue', () => {
    const { counts, documents } = loadCatalogue(shippedCatalogue)
    expect(text('README.md')).toContain(`all ${counts.numbered.total} requirement IDs`)
    const said = documents.map((d) => d.counts.numbered.total).filter((n) => n > 0)
    for (const n of said) expect(text('README.md')).toMatch(new RegExp(`\\b${n} of\\b`))
  })

  test('the README has every folder of scenarios', () => {
    const folders = findScenarios(join(root, 'scenarios')).map((f) => f.id.split('/')[0] ?? '')
    same(names('README.md', 'scenarios', 'look at'), [...new Set(folders)], 'scenarios in the README')
  })

  test('links between pages, and files of the project that they name, exist', () => {
    for (const page of pages) {
      for (const m of text(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g))
        expect(existsSync(join(root, dirname(page), m[1] ?? '')), `${page}: ${m[1]}`).toBe(true)
      for (const m of text(page).matchAll(/`((?:drivers|sim|bench|reports|fixtures|docs|\.ci)\/[\w./-]+)`/g))
        expect(existsSync(join(root, m[1] ?? '')), `${page}: ${m[1]}`).toBe(true)
    }
  })
})

describe('the scenario in scenarios.md', () => {
  /** A project of its own, with the example in its place, and everything else as it is. */
  function place(): string {
    for (const d of ['bench', 'drivers', 'sim', 'fixtures', 'node_modules'])
      symlinkSync(join(root, d), join(folder, d))
    copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
    const file = join(folder, 'scenarios/capture/no-reply.ts')
    mkdirSync(dirname(file), { recursive: true })
    const [example] = blocks('docs/scenarios.md', 'ts')
    writeFileSync(file, example ?? '')
    return file
  }

  test('fits its types, passes on the healthy platform, and fails on each platform that it claims to catch', async () => {
    expect(text('docs/scenarios.md')).toContain('`scenarios/capture/no-reply.ts`')
    const file = place()
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        compilerOptions: { typeRoots: [join(root, 'node_modules/@types')] },
        include: ['scenarios'],
      }),
    )
    const types = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
      encoding: 'utf8',
    })
    expect(types.stdout).toBe('')

    const { default: example } = (await import(file)) as { default: { catches: Record<string, string> } }
    const pki = join(folder, 'pki')
    makePki(pki, { apps: enrolled, addresses: ['10.77.0.10'], algorithm: 'ed25519' })
    const rigFile = join(root, 'fixtures/rigs/virtual.yaml')
    const job = (defect?: string): Job => ({
      id: defect ?? '',
      scenario: 'capture/no-reply',
      file,
      rigFile,
      rigSha256: createHash('sha256').update(readFileSync(rigFile)).digest('hex'),
      seed: 1,
      horizonMs: 600_000,
      fullHorizonMs: 600_000,
      log: join(folder, `${(defect ?? 'healthy').replaceAll('/', '.')}.jsonl`),
      pki,
      disks: folder,
      defects: defect === undefined ? [] : [defect],
      drain: 'sync',
      epoch: virtualEpoch,
      commit: 'unknown',
      subject: { kind: 'reference', maker: 'Gridproof', product: 'reference', version: '0' },
    })
    const trouble: string[] = []
    const pool = startPool({
      jobs: [job(), ...Object.keys(example.catches).map(job)],
      workers: 2,
      onTrouble: (_, said) => void trouble.push(said),
    })
    onTestFinished(() => pool.stop())
    const done = await pool.finished
    expect(trouble).toEqual([])
    expect(done.length).toBe(1 + Object.keys(example.catches).length)
    const tripped = new Set<string>()
    for (const d of done) {
      expect(d.record.trouble, d.job.id).toBeUndefined()
      expect(d.record.end?.world.escapes, d.job.id).toEqual([])
      const failed = d.record.checks.filter((c) => c.result.verdict === 'fail')
      if (d.job.id === '') {
        expect(d.record.checks.map((c) => c.result.verdict)).toEqual(['pass', 'pass'])
        continue
      }
      expect(d.reached).toContain(d.job.id)
      for (const c of failed) tripped.add(c.id)
      const target = example.catches[d.job.id] ?? ''
      expect(
        failed.flatMap((c) => c.verifies),
        d.job.id,
      ).toContain(target)
    }
    expect(sorted([...tripped])).toEqual(['flow', 'values'])
  })
})
