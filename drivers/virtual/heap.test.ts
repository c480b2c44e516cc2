import { array, assert, integer, property, tuple } from 'fast-check'
import { expect, test } from 'vitest'
import { Entry, Heap } from './heap.ts'

const entry = (due: number, tie: number, seq: number): Entry<string> =>
  new Entry<string>(due, tie, seq, undefined, () => {}, undefined, true)
const arbitrary = array(tuple(integer({ min: 0, max: 5 }), integer({ min: -2, max: 2 })), {
  maxLength: 200,
})

function drained(h: Heap<string>): Entry<string>[] {
  const out: Entry<string>[] = []
  for (let e = h.pop(); e !== undefined; e = h.pop()) out.push(e)
  return out
}

const order = (a: Entry<string>, b: Entry<string>): number => a.due - b.due || a.tie - b.tie || a.seq - b.seq

test('entries come by due time, then by tie, then in the order of arming', () => {
  assert(
    property(arbitrary, (list) => {
      const h = new Heap<string>()
      const all = list.map(([due, tie], seq) => entry(due, tie, seq))
      for (const e of all) h.push(e)
      expect(drained(h)).toEqual(all.toSorted(order))
    }),
  )
})

test('a filtered heap keeps the order of what is left', () => {
  assert(
    property(arbitrary, (list) => {
      const h = new Heap<string>()
      const all = list.map(([due, tie], seq) => entry(due, tie, seq))
      for (const e of all) h.push(e)
      h.filter((e) => e.seq % 3 !== 0)
      expect(h.size).toBe(all.filter((e) => e.seq % 3 !== 0).length)
      expect(drained(h)).toEqual(all.filter((e) => e.seq % 3 !== 0).toSorted(order))
      expect(all.every((e) => !e.queued)).toBe(true)
    }),
  )
})
