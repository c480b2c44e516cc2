import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Json } from '../faces.ts'
import { runInChild } from './child.ts'
import { compareTraces, type TraceOptions, type TraceSummary } from './trace.ts'
import type { Escape } from './tripwire.ts'

const epoch = Date.UTC(2018, 0, 15)
const preload = new URL('cases/preload.ts', import.meta.url)

const run = <T extends Json>(file: string, arg: Json, seed = 1, trace: TraceOptions = {}): Promise<T> =>
  runInChild<T>({
    module: new URL(`cases/${file}`, import.meta.url),
    arg,
    kernel: { seed, epoch, trace },
    nodeArgs: ['--import', preload.href],
  })

/** The text of the line that a place names. */
function lineAt(place: string): string {
  const m = /^(.*):(\d+):\d+$/.exec(place)
  if (m?.[1] === undefined) return `no place: ${place}`
  const text = readFileSync(new URL(`../../${m[1]}`, import.meta.url), 'utf8')
  return text.split('\n')[Number(m[2]) - 1] ?? ''
}

describe('what escapes from virtual time is caught, with its place named', async () => {
  const found = await run<Record<string, Json>>('escapes.case.ts', { what: 'escaping' })
  test.each(Object.entries(found))('%s', (_name, escapes) => {
    const list = escapes as unknown as Escape[]
    expect(list.length).toBeGreaterThan(0)
    expect(list.some((e) => lineAt(e.where).includes('// escapes'))).toBe(true)
  })
})

describe('what JavaScript can ask of clocks, files and threads is virtual, and nothing escapes', async () => {
  const found = await run<Record<string, Json>>('escapes.case.ts', { what: 'virtual' })
  test.each(Object.entries(found))('%s', (_name, result) => {
    expect(result).toEqual({ said: true, escapes: [] })
  })
})

test('chance repeats with the seed, and differs with another', async () => {
  const [a, b, c] = await Promise.all([
    run<{ said: string; escapes: Json }>('escapes.case.ts', { what: 'chance' }),
    run<{ said: string; escapes: Json }>('escapes.case.ts', { what: 'chance' }),
    run<{ said: string; escapes: Json }>('escapes.case.ts', { what: 'chance' }, 2),
  ])
  expect(a).toEqual(b)
  expect(a.escapes).toEqual([])
  for (const [i, part] of a.said.split(' ').entries()) if (i < 7) expect(part).not.toBe(c.said.split(' ')[i])
})

describe('a real Math.random, which no hook can see, is caught by running twice', () => {
  const compare = (arg: Json): ReturnType<typeof compareTraces> =>
    compareTraces(async (o) => (await run<Json>('random.case.ts', arg, 1, o)) as unknown as TraceSummary)

  test('where it goes into a delay, the first difference names the line that armed the timer', async () => {
    const d = await compare({ into: 'delay', random: 'real' })
    expect(lineAt(/at (\S+)$/.exec(d?.first ?? '')?.[1] ?? '')).toContain('// diverges by delay')
    expect(d?.context.length).toBeGreaterThanOrEqual(4)
  })

  test('where it goes into bytes, the first difference shows both and names the line that sent them', async () => {
    const d = await compare({ into: 'bytes', random: 'real' })
    expect(d?.first).not.toBe(d?.second)
    expect(lineAt(/from (\S+)$/.exec(d?.first ?? '')?.[1] ?? '')).toContain('// diverges by bytes')
  })

  test('the virtual one makes no difference', async () => {
    expect(await compare({ into: 'delay', random: 'virtual' })).toBeUndefined()
  })
})
