import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inputOf } from './mutate.ts'
import { fuzz, portions } from './run.ts'
import { targets } from './targets.ts'
import { targets as faulty } from './testing/faulty.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fuzz-test-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('each target', () => {
  test.each(targets.map((t) => [t.name, t] as const))('%s takes its examples', async (name, t) => {
    const opened = await t.open(join(folder, name))
    const examples = t.examples()
    expect(examples.length + (t.make === undefined ? 0 : 1)).toBeGreaterThan(0)
    for (const e of examples) opened.feed(e)
    opened.check?.()
  })

  test('has a name of its own', () => {
    expect(new Set(targets.map((t) => t.name)).size).toBe(targets.length)
  })

  test('gets the same inputs for the same seed, others for another, and seldom one twice', () => {
    for (const t of targets) {
      const examples = t.examples()
      const hex = (seed: number, n: number): string =>
        Buffer.from(inputOf(seed, t, examples, n)).toString('hex')
      const some = Array.from({ length: 40 }, (_, n) => hex(1, n))
      expect(Array.from({ length: 40 }, (_, n) => hex(1, n))).toEqual(some)
      expect(Array.from({ length: 40 }, (_, n) => hex(2, n))).not.toEqual(some)
      expect(new Set(some).size, t.name).toBeGreaterThan(20)
    }
  })
})

test('a fault of each kind is found, told with its input, and does not end the run', async () => {
  const table = new URL('testing/faulty.ts', import.meta.url)
  const kinds = Object.fromEntries(
    await Promise.all(
      faulty.map(async (t) => {
        const work = [{ target: t.name, from: 0, to: 128 }]
        const { findings } = await fuzz({ seed: 1, work, folder, table, hangMs: 1000 })
        return [t.name, findings] as const
      }),
    ),
  )
  const { throws = [], forgets = [], hangs = [], dies = [], well = [] } = kinds
  expect(throws.length).toBeGreaterThan(3)
  expect(throws[0]?.what).toContain('TypeError')
  expect(forgets.map((f) => f.input)).toEqual([63, 127])
  expect(hangs[0]?.what).toContain('hangs: no end within 1 s')
  expect(dies[0]?.what).toContain('the thread ended with 9')
  expect(well).toEqual([])
  // The input told is the one that does it.
  const [hanging] = hangs
  const t = faulty.find((x) => x.name === 'hangs')
  if (t === undefined || hanging === undefined) throw new Error('nothing hangs')
  expect(inputOf(1, t, t.examples(), hanging.input).length % 7).toBe(6)
})

test('inputs are shared out by weight, every target comes early, and none is left out', () => {
  const work = portions(targets, 100_000)
  const count = work.reduce((a, s) => a + s.to - s.from, 0)
  expect(Math.abs(count - 100_000)).toBeLessThan(100)
  expect(new Set(work.slice(0, 2 * targets.length).map((s) => s.target)).size).toBe(targets.length)
})

async function main(...args: string[]): Promise<{ code: number; out: string }> {
  const child = spawn(process.execPath, [
    join(import.meta.dirname, 'main.ts'),
    '--out',
    join(folder, 'out'),
    ...args,
  ])
  let out = ''
  child.stdout.on('data', (b: Buffer) => (out += b.toString()))
  child.stderr.on('data', (b: Buffer) => (out += b.toString()))
  const [code] = (await once(child, 'close')) as [number]
  return { code, out }
}

test('the command prints its seed, plays one input again, and refuses nonsense', async () => {
  const [whole, one, wrong, unknown] = await Promise.all([
    main('--inputs', '500', '--seed', '3'),
    main('--seed', '3', '--target', 'modbus-tcp-slave', '--input', '70'),
    main('--seed', 'x'),
    main('--target', 'nix'),
  ])
  expect(whole.code, whole.out).toBe(0)
  expect(whole.out).toMatch(/^seed 3: \d+ inputs for \d+ targets/)
  expect(whole.out).toMatch(/0 findings \(seed 3\)\n$/)
  expect(one.out).toContain('seed 3: 7 inputs for 1 targets')
  expect(one.code).toBe(0)
  expect([wrong.code, unknown.code]).toEqual([2, 2])
  expect(unknown.out).toContain('there are: modbus-tcp-slave, ')
})
