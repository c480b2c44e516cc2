import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { appConfigSchema } from './app.ts'
import { brokerSchema, lineSchema, loggerSchema, modemSchema, webSchema } from './config.ts'

const folder = import.meta.dirname

test('README names every field of the configuration, and every event', () => {
  const readme = readFileSync(`${folder}/README.md`, 'utf8')
  const missing: string[] = []
  for (const schema of [loggerSchema, lineSchema, brokerSchema, modemSchema, webSchema, appConfigSchema])
    for (const key of Object.keys(schema.shape))
      if (!new RegExp(`[\`.\\]]${key}(\\[\\])?[\`.]`).test(readme)) missing.push(key)
  const events = new Set(
    globSync('**/*.ts', { cwd: folder })
      .filter((f) => !f.endsWith('.test.ts'))
      .flatMap((f) =>
        [...readFileSync(`${folder}/${f}`, 'utf8').matchAll(/event: '([\w-]+)'/g)].map((m) => m[1] ?? ''),
      ),
  )
  for (const e of events) if (!readme.includes(`\`${e}\``)) missing.push(e)
  expect(missing).toEqual([])
})
