import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { place, projectWith, scenarioText } from '../cli/testing.ts'
import type { Place } from '../cli/testing.ts'
import { GridproofError } from '../../drivers/errors.ts'
import { findScenarios, loadScenarios, nearest } from './load.ts'

/** A malformed scenario file: what stands in it, and what its refusal must say. */
interface Bad {
  readonly text: string
  readonly line: number
  /** Path of keys inside the scenario; nothing where the file could not be imported. */
  readonly path?: string
  readonly expected: string
}

const lineOf = (text: string, part: string): number => {
  const at = text.split('\n').findIndex((l) => l.includes(part))
  if (at < 0) throw new Error(`no line has ${part}`)
  return at + 1
}
/** A scenario that is good but for one part. */
const but = (o: Parameters<typeof scenarioText>[0], part: string, path: string, expected: string): Bad => {
  const text = scenarioText(o)
  return { text, line: lineOf(text, part), path, expected }
}

const bad: Readonly<Record<string, Bad>> = {
  'a-syntax-error': {
    text: 'export default {\n  title: [,\n}\n)\n',
    line: 3,
    expected: 'cannot be imported: ',
  },
  'typescript-that-needs-compiling': {
    text: 'enum Colour { Red }\nexport default Colour\n',
    line: 1,
    expected: 'enum is not supported',
  },
  'an-import-that-is-not-there': {
    text: "// first\nimport { x } from './gone.ts'\nexport default x\n",
    line: 2,
    expected: 'Cannot find module',
  },
  'a-package-that-is-not-there': {
    text: "import { x } from 'no-such-package-of-anybody'\nexport default x\n",
    line: 1,
    expected: 'Cannot find package',
  },
  'a-name-that-bench-does-not-export': {
    text: "import { nothing } from '../../bench/index.ts'\nexport default nothing\n",
    line: 1,
    expected: "does not provide an export named 'nothing'",
  },
  'a-throw-at-import': {
    text: "const f = () => {\n  throw new Error('woe')\n}\nexport default f()\n",
    line: 2,
    expected: 'cannot be imported: woe',
  },
  'no-default-export': {
    text: 'export const s = 1\n',
    line: 1,
    expected: 'expected a default export made by scenario({ ... })',
  },
  'no-object': { text: '\nexport default 7\n', line: 2, expected: 'expected object' },
  'no-title': {
    text: "export default {\n  verifies: ['M:0024'],\n}\n",
    line: 1,
    path: 'title',
    expected: 'expected string',
  },
  'a-title-that-is-no-sentence': but({ title: "'Short'" }, 'Short', 'title', 'a sentence of at least 10'),
  'an-unknown-role': but(
    { needs: "[\n    'platform',\n    'gridky',\n  ]" },
    'gridky',
    'needs.1',
    '"gridkey"',
  ),
  'no-role': but({ needs: '[]' }, 'needs:', 'needs', 'expected at least one role'),
  'a-horizon-without-unit': but({ horizon: "'24'" }, 'horizon:', 'horizon', 'expected a duration such as'),
  'a-horizon-of-nothing': but({ horizon: "'0 s'" }, 'horizon:', 'horizon', 'expected a duration such as'),
  'an-unknown-requirement': but({ verifies: "['M:0024', 'M:9999']" }, 'verifies:', 'verifies.1', 'M:9999'),
  'an-unknown-clause': but(
    { verifies: "[\n    'M:0024/one-hour',\n    'M:0024/for-ever',\n  ]" },
    'for-ever',
    'verifies.1',
    'for-ever',
  ),
  'nothing-to-verify': but({ verifies: '[]' }, 'verifies:', 'verifies', 'expected at least one requirement'),
  'an-unknown-defect': but(
    { catches: "{\n    'gridkey-app/skips-a-minut': 'M:0024/one-hour',\n  }" },
    'skips-a-minut',
    'catches.gridkey-app/skips-a-minut',
    'nearest: gridkey-app/skips-a-minute',
  ),
  'a-legal-variant-as-defect': but(
    { catches: "{ 'gridkey-app/jitters-a-little': 'M:0024/one-hour' }" },
    'jitters-a-little',
    'catches.gridkey-app/jitters-a-little',
    'expected a known defect',
  ),
  'catches-what-it-does-not-verify': but(
    { catches: "{\n    'gridkey-app/skips-a-minute': 'M:0023/every-minute',\n  }" },
    'skips-a-minute',
    'catches.gridkey-app/skips-a-minute',
    "'M:0023/every-minute' is not among what this scenario verifies",
  ),
  'short-longer-than-horizon': but(
    { more: "short: '1 min'," },
    'short:',
    'short',
    'no longer than the horizon',
  ),
  'prove-longer-than-horizon': but(
    { more: "prove: '1 min'," },
    'prove:',
    'prove',
    'no longer than the horizon',
  ),
  'prove-by-defect-longer-than-horizon': but(
    {
      catches: "{\n    'gridkey-app/skips-a-minute': 'M:0024/one-hour',\n  }",
      more: "prove: {\n    'gridkey-app/skips-a-minute': '1 min',\n    others: '1 s' },",
    },
    "skips-a-minute': '1 min'",
    'prove.gridkey-app/skips-a-minute',
    'no longer than the horizon',
  ),
  'prove-of-another-defect': but(
    {
      catches: "{ 'gridkey-app/skips-a-minute': 'M:0024/one-hour' }",
      more: "prove: {\n    'gridkey-app/drifts': '1 s',\n    others: '1 s' },",
    },
    "drifts': '1 s'",
    'prove.gridkey-app/drifts',
    'expected a defect that the scenario catches, or others',
  ),
  'prove-without-others': but({ more: 'prove: {},' }, 'prove:', 'prove', 'expected others'),
  'an-unknown-key': but({ more: "colour: 'blue'," }, 'colour:', 'colour', 'Unrecognized key: "colour"'),
  'no-run': {
    text: scenarioText().replace('async run(', 'async walk('),
    line: lineOf(scenarioText(), 'export default'),
    path: 'run',
    expected: 'expected a function',
  },
}

const files = Object.fromEntries(Object.entries(bad).map(([name, b]) => [`bad/${name}`, b.text]))

describe('a malformed scenario file', () => {
  let p: Place
  let project = ''
  beforeAll(() => {
    p = place()
    project = projectWith(p.path, { ...files, 'good/quiet': scenarioText() })
    // Tells of each process that the command starts.
    p.write(
      'spy.mjs',
      `import { ChildProcess } from 'node:child_process'
       import { appendFileSync } from 'node:fs'
       const spawn = ChildProcess.prototype.spawn
       ChildProcess.prototype.spawn = function (o) {
         appendFileSync(process.env.STARTED, o.args.join(' ') + '\\n')
         return spawn.call(this, o)
       }`,
    )
  })
  afterAll(() => p[Symbol.dispose]())
  const run = async (id: string) => {
    const started = join(p.path, `started-${id.replace('/', '-')}`)
    const done = await p.run(['run', id], {
      project,
      env: { STARTED: started, NODE_OPTIONS: `--import=${join(p.path, 'spy.mjs')}` },
    })
    return { ...done, started: existsSync(started) ? readFileSync(started, 'utf8') : '' }
  }

  for (const [name, b] of Object.entries(bad))
    test.concurrent(`${name.replaceAll('-', ' ')}: refused with file, line and what was expected`, async () => {
      const { code, out, err, started } = await run(`bad/${name}`)
      const path = b.path === undefined ? '' : ` (${b.path})`
      expect(err).toContain(`gridproof: project/scenarios/bad/${name}.ts:${b.line}${path}: `)
      expect(err).toContain(b.expected)
      expect(err.trimEnd().split('\n')).toHaveLength(1)
      expect({ code, out, started }).toEqual({ code: 2, out: '', started: '' })
    })

  test('leaves nothing: no run, no temporary folder, no ledger', () => {
    expect(existsSync(join(p.path, 'runs'))).toBe(false)
    expect(p.left()).toEqual([])
  })

  test('does not keep a good one beside it from running', async () => {
    const { code, err, started } = await run('good/quiet')
    expect(err).not.toContain('gridproof:')
    expect(code).toBe(0)
    expect(started).toContain('worker.ts')
  })
})

describe('the scenarios folder', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'scenarios-test-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const context = { clausesOf: () => [], defects: new Set<string>() }
  const refusal = async (f: () => unknown): Promise<GridproofError> => {
    try {
      await f()
    } catch (e) {
      if (e instanceof GridproofError) return e
      throw e
    }
    throw new Error('it was not refused')
  }

  test('that holds nothing is refused, since a run of nothing would pass', async () => {
    const e = await refusal(() => loadScenarios(folder, [], context))
    expect(e.message).toContain('expected at least one scenario')
    expect(e.code).toBe('bad-file')
  })

  test('that is not there is refused', async () => {
    const e = await refusal(() => findScenarios(join(folder, 'gone')))
    expect(e.message).toMatch(/cannot be read: ENOENT/)
  })

  test('gives scenarios by path, and leaves out tests and what begins with _', async () => {
    for (const name of ['b.ts', 'a.ts', '_shared.ts', 'a.test.ts', 'notes.md'])
      writeFileSync(join(folder, name), '')
    expect(findScenarios(folder).map((s) => s.id)).toEqual(['a', 'b'])
  })

  test('may not hold a name that could become another one in a file name', async () => {
    writeFileSync(join(folder, 'a.b.ts'), '')
    const e = await refusal(() => findScenarios(folder))
    expect(e.place?.file).toContain('a.b.ts')
    expect(e.message).toContain('lower-case letters, digits and -')
    rmSync(join(folder, 'a.b.ts'))
  })

  test('a pattern that fits nothing is told with all that there is', async () => {
    const e = await refusal(() => loadScenarios(folder, ['c'], context))
    expect(e.code).toBe('usage')
    expect(e.message).toBe("no scenario matches 'c'; there are: a, b")
  })
})

describe('the nearest names to a wrong one', () => {
  test('come first, and at most three', () => {
    const names = ['gridkey', 'thermocouple', 'intruder', 'platform']
    expect(nearest('gridky', names)).toMatch(/^'gridky' is unknown; nearest: gridkey, [^,]+, [^,]+$/)
  })
  test('are none where there is none', () => {
    expect(nearest('x', [])).toBe("'x' is unknown, and none exists")
  })
})
