import { globSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { appConfigSchema } from './app.ts'
import { brokerSchema, lineSchema, loggerSchema, modemSchema, webSchema } from './config.ts'

const folder = import.meta.dirname
const sources = globSync('**/*.ts', { cwd: folder })
  .filter((f) => !f.endsWith('.test.ts'))
  .map((f) => ({ file: relative('.', f), text: readFileSync(`${folder}/${f}`, 'utf8') }))

/** A program that several can run in one process, and that a power cut ends, keeps to itself. */
describe('every source file of the product', () => {
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

  test('imports nothing of the bench: the codecs, and the platform whose app it can be', () => {
    for (const { file, text } of sources) {
      const imports = [...text.matchAll(/from '([^']+)'/g)].map((m) => m[1] ?? '')
      const depth = file.split('/').length - 1
      const outside = imports.filter((i) => i.startsWith('../'.repeat(depth + 1)))
      expect(
        outside.filter(
          (i) => !i.includes('drivers/protocols/') && !i.startsWith(`${'../'.repeat(depth + 1)}lvcap/`),
        ),
        file,
      ).toEqual([])
    }
  })

  test('is at most 400 lines long', () => {
    expect(sources.filter((s) => s.text.split('\n').length > 401).map((s) => s.file)).toEqual([])
  })
})

test('README names every field of the configuration, and every event', () => {
  const readme = readFileSync(`${folder}/README.md`, 'utf8')
  const missing: string[] = []
  for (const schema of [loggerSchema, lineSchema, brokerSchema, modemSchema, webSchema, appConfigSchema])
    for (const key of Object.keys(schema.shape))
      if (!new RegExp(`[\`.\\]]${key}(\\[\\])?[\`.]`).test(readme)) missing.push(key)
  const events = new Set(
    sources.flatMap(({ text }) => [...text.matchAll(/event: '([\w-]+)'/g)].map((m) => m[1] ?? '')),
  )
  for (const e of events) if (!readme.includes(`\`${e}\``)) missing.push(e)
  expect(missing).toEqual([])
})
