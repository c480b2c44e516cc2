import { expect, test } from 'vitest'
import { differingStretch, firstDifference, Trace } from './trace.ts'
import { placeOf } from './tripwire.ts'

const bytes = Buffer.from('abc')
const fill = (t: Trace, n: number, odd = -1): Trace => {
  for (let i = 0; i < n; i++) {
    const b = i === odd ? Buffer.from('abd') : bytes
    t.delivered('bytes', i, 1, 0, b, b.length, 'a -> b', 'x.ts:1:1')
  }
  return t
}

test('equal deliveries have equal traces, and one changed byte is found within its stretch', () => {
  const a = fill(new Trace(), 5000).summary()
  expect(fill(new Trace(), 5000).summary()).toEqual(a)
  const b = fill(new Trace(), 5000, 3000).summary()
  expect(b.hash).not.toBe(a.hash)
  expect(differingStretch(a, a)).toBeUndefined()
  expect(differingStretch(a, b)).toEqual({ from: 2048, to: 3072 })
  const window = { from: 2048, to: 3072 }
  const lines = [fill(new Trace({ window }), 5000), fill(new Trace({ window }), 5000, 3000)].map(
    (t) => t.summary().lines,
  )
  const d = firstDifference(lines[0] ?? [], lines[1] ?? [])
  expect(d?.step).toBe(3000)
  expect(d?.context).toHaveLength(2 + 2 * 3)
  expect(d?.first).toContain('616263')
  expect(d?.second).toContain('616264')
})

test('a later time, another channel, another direction and another length all show', () => {
  const base = new Trace()
  base.delivered('bytes', 1, 1, 0, undefined, 3, '', undefined)
  const { hash } = base.summary()
  for (const [kind, at, id, way, n] of [
    ['fin', 1, 1, 0, 3],
    ['bytes', 1.5, 1, 0, 3],
    ['bytes', 1, 2, 0, 3],
    ['bytes', 1, 1, 1, 3],
    ['bytes', 1, 1, 0, 4],
  ] as const) {
    const t = new Trace()
    t.delivered(kind, at, id, way, undefined, n, '', undefined)
    expect(t.summary().hash).not.toBe(hash)
  }
})

test('a run that stops early differs', () => {
  expect(differingStretch(fill(new Trace(), 1500).summary(), fill(new Trace(), 1400).summary())).toEqual({
    from: 1024,
    to: 2048,
  })
})

test('large deliveries are hashed whole', () => {
  const [a, b] = [0, 1].map((last) => {
    const big = Buffer.alloc(200_000)
    big[199_999] = last
    const t = new Trace()
    t.delivered('bytes', 1, 1, 0, big, big.length, '', undefined)
    return t.summary().hash
  })
  expect(a).not.toBe(b)
})

test('a place is the first frame outside the kernel and Node', () => {
  const root = new URL('../../', import.meta.url)
  const stack = [
    'Error: place',
    `    at hit (${root.href}drivers/virtual/tripwire.ts:90:1)`,
    '    at AsyncHook.emitInitNative (node:internal/async_hooks:207:43)',
    '    at Object.<anonymous> (node:fs:1:1)',
    `    at async read (${root.href}sim/reference/app.ts:12:5)`,
  ].join('\n')
  expect(placeOf(stack)).toBe('sim/reference/app.ts:12:5')
  expect(placeOf('Error\n    at node:internal/x:1:1')).toBe('unknown place')
  expect(placeOf(`Error\n    at ${root.pathname}node_modules/a/b.js:3:4`)).toBe('node_modules/a/b.js:3:4')
})
