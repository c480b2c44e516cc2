import { describe, expect, test } from 'vitest'
import { lacksCached, probeDurable } from '../real/disk.ts'
import { runInChild } from './child.ts'

const probe = probeDurable()
const lacks = 'lacks' in probe ? probe.lacks : undefined

interface Seen {
  readonly can: boolean
  readonly seen: readonly { readonly kept: number; readonly found: number }[]
  readonly escapes: number
  readonly cache?: { readonly flushes: number; readonly kept: number; readonly lost: number }
}

interface Asked {
  readonly way: string
  readonly cuts: number
  readonly point?: string
  readonly cached?: true
  readonly mount?: string
}

const run = (asked: Asked): Promise<Seen> =>
  runInChild<never>({
    module: new URL('cases/durable.case.ts', import.meta.url),
    arg: { ...asked },
    kernel: { seed: 3, epoch: Date.UTC(2018, 0, 15) },
  })

describe.skipIf(lacks !== undefined)(
  `a disk that loses what was not flushed (${lacks ?? 'played here'})`,
  () => {
    test.concurrent.each(['full', 'flushed-file'])(
      'has all that a program had told to be kept, by %s, after each of 20 cuts',
      async (way) => {
        const r = await run({ way, cuts: 20 })
        expect(r).toMatchObject({ can: true, escapes: 0 })
        expect(r.seen).toHaveLength(20)
        for (const s of r.seen) expect(s.found).toBe(s.kept)
        expect(r.seen.at(-1)?.kept).toBeGreaterThan(150)
      },
    )
    test.concurrent.each(['normal', 'file'])('has lost it where it was kept by %s', async (way) => {
      const r = await run({ way, cuts: 3 })
      for (const s of r.seen) expect(s.found).toBeLessThan(s.kept)
    })
    test.each(['row', 'anything'])(
      'keeps it at cuts in the midst of the program too, at: %s',
      async (point) => {
        const r = await run({ way: 'full', cuts: 10, point })
        // One that was kept, and not yet told, is there too: the cut came in between.
        for (const s of r.seen) expect([s.kept, s.kept + 1]).toContain(s.found)
      },
    )
    test('does the same each time', async () => {
      expect(await run({ way: 'normal', cuts: 2 })).toEqual(await run({ way: 'normal', cuts: 2 }))
    })
  },
)

const noCache = lacksCached()

describe.skipIf(noCache !== undefined)(`a disk with a write cache (${noCache ?? 'played here'})`, () => {
  test.each([undefined, 'disk-flush'])(
    'has all that a program had told to be kept, at cuts at: %s',
    async (point) => {
      const r = await run({ way: 'full', cuts: 8, cached: true, ...(point === undefined ? {} : { point }) })
      expect(r).toMatchObject({ can: true, escapes: 0 })
      for (const s of r.seen) expect([s.kept, s.kept + 1]).toContain(s.found)
      // In the midst of a flush some of it is left and some not.
      if (point !== undefined) expect(r.cache?.lost).toBeGreaterThan(0)
    },
  )
  test('has lost it where barriers are off, and the same each time', async () => {
    const asked = { way: 'full', cuts: 5, cached: true, mount: 'barrier=0' } as const
    const [a, b] = [await run(asked), await run(asked)]
    expect(a.seen.some((s) => s.found < s.kept)).toBe(true)
    expect(a.seen).toEqual(b.seen)
  })
})
