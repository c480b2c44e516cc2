import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { here, place } from '../cli/testing.ts'
import type { Place } from '../cli/testing.ts'
import { isGridproofError } from '../../drivers/errors.ts'
import { readRig } from '../rigs/schema.ts'
import { checkApps } from './app-options.ts'
import { shippedRigs } from './plan.ts'

let p: Place
beforeAll(() => void (p = place()))
afterAll(() => p[Symbol.dispose]())

const shipped = readFileSync(join(here, 'fixtures/rigs/virtual.yaml'), 'utf8')

/** What is said of the shipped rig with a part of it replaced. */
function said(
  from: string,
  to: string,
): { readonly message: string; readonly path: string; readonly line: string } {
  const text = shipped.replace(from, to)
  expect(text).not.toBe(shipped)
  const file = p.write('rigs/virtual.yaml', text)
  try {
    checkApps(readRig(file), file)
  } catch (e) {
    if (!isGridproofError(e)) throw e
    const line = text.split('\n')[(e.place?.line ?? 0) - 1] ?? ''
    return { message: e.message, path: e.place?.path ?? '', line: line.trim() }
  }
  throw new Error('it was taken')
}

describe('what a rig adds to the configuration of an app', () => {
  test('is taken where the app takes it, as in each rig of the project', () => {
    for (const { file } of shippedRigs()) expect(() => checkApps(readRig(file), file)).not.toThrow()
  })

  test.each([
    ['a register map of another kind of value', 'counts: 0', 'counts: first', 'roles.adam.app.map.counts'],
    ['a range that is none', "'14': [0, 760]", "'14': [760, 0]", 'roles.adam.app.map.ranges.14'],
    ['a unit that no line has', 'unit: 1\n', 'unit: 0\n', 'roles.adam.app.unit'],
  ])('is refused before anything starts: %s', (_, from, to, path) => {
    const r = said(from, to)
    expect(r.path).toBe(path)
    expect(r.line).toContain(to.trim())
  })

  test('is refused where the app knows no such field, with the nearest that it knows', () => {
    const r = said('    app:\n      unit: 1', '    app:\n      mpa: {}\n      unit: 1')
    expect(r).toMatchObject({ path: 'roles.adam.app.mpa', line: 'mpa: {}' })
    expect(r.message).toContain('map')
  })

  test('of another app is held against that one', () => {
    const meter = '    options: { personality: kamstrup-6841 }'
    expect(said(meter, `${meter}\n    app: { framing: mbus, key: abc }`).path).toBe('roles.meter2.app.key')
  })
})
