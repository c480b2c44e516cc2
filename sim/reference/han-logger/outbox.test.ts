import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { tempFolder } from '../lvcap/testing.ts'
import { openOutbox } from './outbox.ts'

const folder = tempFolder()
afterAll(() => folder.remove())
let made = 0
const fresh = (): string => join(folder.path, String(made++))

test('a number is given once, over restarts, and where nothing waits any more', () => {
  const disk = fresh()
  let box = openOutbox(disk)
  for (const payload of ['a', 'b']) box.keep({ sequence: box.next(), payload })
  box.done(1)
  box.done(2)
  box.close()
  box = openOutbox(disk)
  expect([box.size, box.next()]).toEqual([0, 3])
  box.close()
})

test('above its limit the oldest go, and only they', () => {
  const box = openOutbox(fresh())
  for (let n = 1; n <= 10; n++) box.keep({ sequence: box.next(), payload: String(n) })
  expect(box.trim(10)).toBe(0)
  expect(box.trim(7)).toBe(3)
  expect(box.after(0, 2).map((w) => w.sequence)).toEqual([4, 5])
  // One that went on its way before it was let go, and is acknowledged now.
  box.done(2)
  expect(box.size).toBe(7)
  box.close()
})

test('whatever is kept, acknowledged, let go and restarted, what waits is what a list would hold', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.record({ do: fc.constant('keep' as const) }),
          fc.record({ do: fc.constant('done' as const), n: fc.integer({ min: 0, max: 40 }) }),
          fc.record({ do: fc.constant('trim' as const), most: fc.integer({ min: 0, max: 10 }) }),
          fc.record({ do: fc.constant('restart' as const) }),
        ),
        { maxLength: 40 },
      ),
      fc.integer({ min: 0, max: 40 }),
      (steps, from) => {
        const disk = fresh()
        let box = openOutbox(disk)
        let list: number[] = []
        let last = 0
        for (const s of steps) {
          if (s.do === 'keep') {
            box.keep({ sequence: box.next(), payload: `p${++last}` })
            list.push(last)
          } else if (s.do === 'done') {
            box.done(s.n)
            list = list.filter((n) => n !== s.n)
          } else if (s.do === 'trim') {
            const over = Math.max(0, list.length - s.most)
            expect(box.trim(s.most)).toBe(over)
            list = list.slice(over)
          } else {
            box.close()
            box = openOutbox(disk)
          }
          expect(box.size).toBe(list.length)
          expect(box.next()).toBe(last + 1)
        }
        expect(box.after(from, 5)).toEqual(
          list
            .filter((n) => n > from)
            .slice(0, 5)
            .map((n) => ({ sequence: n, payload: `p${n}` })),
        )
        box.close()
      },
    ),
    { numRuns: 40 },
  )
})
