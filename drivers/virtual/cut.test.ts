import { expect, test } from 'vitest'
import { runInChild } from './child.ts'

/** Cuts to try; 1,000 unless GRIDPROOF_CUTS says otherwise. */
const cuts = Number(process.env['GRIDPROOF_CUTS'] ?? 1000)

test(`${cuts} power cuts at random seams: nothing runs afterwards, peers hear nothing, the neighbour goes on`, async () => {
  const half = Math.ceil(cuts / 2)
  const parts = await Promise.all(
    [0, half].map((from) =>
      runInChild<{ places: Record<string, number>; wrong: string[] }>({
        module: new URL('cases/cut.case.ts', import.meta.url),
        arg: { from, count: half },
        kernel: { seed: 1, epoch: Date.UTC(2018, 0, 15) },
        within: 180_000,
      }),
    ),
  )
  expect(parts.flatMap((p) => p.wrong).slice(0, 10)).toEqual([])
  const places = new Set(parts.flatMap((p) => Object.keys(p.places)))
  if (cuts >= 1000)
    for (const seam of ['setTimeout', 'socket.write', 'sqlite run', 'fs appendFile'])
      expect([...places]).toContain(seam)
}, 200_000)
