import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

/** The products, and of which other one's files each may make use. */
const products = [
  { product: 'lvcap', uses: [] },
  // The reader can be an application of that platform.
  { product: 'han-logger', uses: ['lvcap'] },
] as const

/** A program that several can run in one process, and that a power cut ends, keeps to itself. */
describe.each(products)('every source file of $product', ({ product, uses }) => {
  const folder = join(import.meta.dirname, product)
  const sources = globSync('**/*.ts', { cwd: folder })
    .filter((f) => !f.endsWith('.test.ts') && f !== 'testing.ts')
    .map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8') }))
  const never: readonly [what: string, pattern: RegExp][] = [
    ['reads or hooks the process', /\bprocess\.(env|argv|exit|on|once|cwd|kill|stdin|stdout)\b/],
    ['keeps changeable state in the module', /^(export )?(let|var) /m],
    [
      'keeps a collection in the module',
      /^(export )?const \w+(: [^=]+)? = (new (Map|Set|WeakMap|WeakSet|EventEmitter)|\[\]|\{\})/m,
    ],
    ['writes to the console', /\bconsole\./],
    ['uses timers or fetches that no kernel can hold', /AbortSignal\.timeout|\bfetch\(|worker_threads/],
    ['lets the database tell the time', /datetime\(\s*'now'|random\(\)\s*\)/i],
    ['knows that it may be simulated or broken', /if \((virtual|defect|simulated)/i],
    ['leaves work behind', /TODO|FIXME|XXX/],
  ]
  for (const [what, pattern] of never) {
    test(`never ${what}`, () => {
      expect(sources.filter((s) => pattern.test(s.text)).map((s) => s.file)).toEqual([])
    })
  }

  test('imports nothing of ours but codecs, and of a product that it may be part of', () => {
    for (const { file, text } of sources) {
      const imports = [...text.matchAll(/from '([^']+)'/g)].map((m) => m[1] ?? '')
      const out = '../'.repeat(file.split(/[/\\]/).length)
      const outside = imports.filter((i) => i.startsWith(out))
      expect(
        outside.filter(
          (i) => !i.includes('drivers/protocols/') && !uses.some((u) => i.startsWith(`${out}${u}/`)),
        ),
        file,
      ).toEqual([])
    }
  })

  test('is at most 400 lines long', () => {
    expect(sources.filter((s) => s.text.split('\n').length > 401).map((s) => s.file)).toEqual([])
  })
})
