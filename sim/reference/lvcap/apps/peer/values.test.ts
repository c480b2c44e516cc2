import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Value } from './frames.ts'
import { createInbox, createOutbox, type Outbox } from './values.ts'

const drain = (box: Outbox): readonly string[] => {
  const out: string[] = []
  for (let v = box.next(); v !== undefined; v = box.next()) out.push(`${v.name}=${v.text}`)
  return out
}

describe('what waits for the partner', () => {
  test('goes out only after it has asked, and then the latest of each name in the order of their coming', () => {
    const box = createOutbox(10)
    for (const [name, text] of [
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
    ] as const)
      box.put(name, text)
    expect(drain(box)).toEqual([])
    box.asked()
    expect(drain(box)).toEqual(['b=1', 'a=2'])
    box.put('a', '3')
    box.put('a', '4')
    expect(drain(box)).toEqual(['a=4'])
  })

  test('is no backlog after an outage, and nothing of before it is lost that is still the latest', () => {
    const box = createOutbox(10)
    box.asked()
    box.put('a', '1')
    drain(box)
    box.rejoin()
    for (let i = 2; i <= 100; i++) box.put('a', String(i))
    expect(drain(box)).toEqual([])
    box.asked()
    expect(drain(box)).toEqual(['a=100'])
  })

  test('is never more than the window under way', () => {
    const box = createOutbox(2)
    box.asked()
    for (const name of ['a', 'b', 'c', 'd']) box.put(name, '1')
    expect(drain(box)).toEqual(['a=1', 'b=1'])
    box.took(1)
    expect(drain(box)).toEqual(['c=1'])
    box.took(3)
    expect(drain(box)).toEqual(['d=1'])
    expect(box.counts()).toEqual({ waiting: 0, underWay: 1 })
  })

  test('is forgotten with its name', () => {
    const box = createOutbox(2)
    box.put('a', '1')
    box.put('b', '1')
    box.prune((name) => name === 'b')
    box.asked()
    expect(drain(box)).toEqual(['b=1'])
  })
})

describe('what the partner sent', () => {
  const value = (name: string, n: number, stamp = 7): Value => ({
    t: 'value',
    name,
    n,
    text: JSON.stringify({ Timestamp: stamp, Value: 1 }),
  })

  test('counts once, whatever an answer repeats, until the partner begins anew', () => {
    const box = createInbox(10)
    box.begins('1')
    expect([1, 2, 2, 1, 3].map((n) => box.isNew(value('a', n)))).toEqual([true, true, false, false, true])
    expect(box.isNew(value('b', 1))).toBe(true)
    box.begins('1')
    expect(box.isNew(value('a', 3))).toBe(false)
    box.begins('2')
    expect(box.isNew(value('a', 1, 8))).toBe(true)
  })

  test('is not repeated by a partner that begins anew with what it has stored, nor taken back by it', () => {
    const box = createInbox(10)
    box.begins('1')
    box.isNew(value('a', 5, 70))
    box.begins('2')
    expect(box.isNew({ ...value('a', 1), text: '{ "Value": 1, "Timestamp": 70 }' })).toBe(false)
    expect(box.isNew(value('a', 2, 60))).toBe(true)
    box.begins('3')
    expect(box.isNew(value('a', 1, 50))).toBe(false)
    expect(box.isNew(value('a', 2, 61))).toBe(true)
  })

  test('passes each name in order, over any outages', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.constant('outage'), fc.constant('heals')), {
          maxLength: 60,
        }),
        (story) => {
          const out = createOutbox(4)
          const box = createInbox(10)
          box.begins('1')
          out.asked()
          let up = true
          const put = new Map<string, number>()
          const got = new Map<string, number[]>()
          story.forEach((step, i) => {
            if (step === 'outage') {
              up = false
              out.rejoin()
            } else if (step === 'heals' && !up) {
              up = true
              out.asked()
            } else if (step !== 'heals') {
              put.set(step, i)
              out.put(step, String(i))
            }
            for (let v = up ? out.next() : undefined; v !== undefined; v = out.next()) {
              if (box.isNew(v)) got.set(v.name, [...(got.get(v.name) ?? []), Number(v.text)])
              out.took(v.n)
            }
          })
          out.rejoin()
          out.asked()
          for (let v = out.next(); v !== undefined; v = out.next()) {
            if (box.isNew(v)) got.set(v.name, [...(got.get(v.name) ?? []), Number(v.text)])
            out.took(v.n)
          }
          for (const [name, last] of put) {
            const list = got.get(name) ?? []
            expect(list.at(-1)).toBe(last)
            expect(list).toEqual([...new Set(list)].sort((a, b) => a - b))
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})
