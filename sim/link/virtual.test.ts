/** The link under the kernel: programs that know nothing of it meet it. */
import { beforeAll, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { runInChild } from '../../drivers/virtual/child.ts'

const stories = [
  ...['echo', 'transfer', 'reset', 'refused', 'redirect', 'forgotten', 'down', 'cut', 'inbound'].map(
    (name) => [name, 1] as const,
  ),
  ['transfer', 1] as const,
  ['transfer', 2] as const,
]
let told: readonly { result: Json; escapes: Json[]; hash: string }[] = []

beforeAll(async () => {
  told = await runInChild({
    module: new URL('cases/virtual.case.ts', import.meta.url),
    arg: stories,
    kernel: { seed: 1, epoch: Date.UTC(2018, 0, 15) },
  })
})

/** The `nth` telling of a story. */
function tell(story: string, nth = 0): Json {
  const at = stories.flatMap(([name], i) => (name === story ? [i] : []))[nth]
  const r = told[at ?? -1]
  expect(r?.escapes, story).toEqual([])
  return r?.result ?? null
}

test('connecting, an answer and the end each take the round trip that the link gives them', () => {
  expect(tell('echo')).toEqual(['80 connect', '1080 hello', '2080 end', '2080 close'])
})

test('a stream crosses a link that drops once a minute byte for byte, and the same seed gives the same trace', () => {
  const first = tell('transfer') as { drops: number }
  expect(first).toMatchObject({ n: 300_000, ended: true, same: true })
  expect(first.drops).toBeGreaterThan(4)
  const hashes = told.flatMap((t, n) => (stories[n]?.[0] === 'transfer' ? [t.hash] : []))
  expect(hashes[1]).toBe(hashes[0])
  expect(hashes[2]).not.toBe(hashes[0])
})

test('a reset between two bytes is heard at both ends, and no byte behind it arrives', () => {
  const { heard, far } = tell('reset') as { heard: string[]; far: string[] }
  expect(heard.slice(1)).toEqual(['10 ECONNRESET', '10 close'])
  expect(far).toEqual(['0 abc', '0 ECONNRESET', '0 close'])
})

test('a connection is refused by a server that does not listen, and by a link that is told to', () => {
  const refused = ['20 ECONNREFUSED', '20 close']
  expect(tell('refused')).toMatchObject({ heard: refused, second: refused, third: ['20 connect'] })
})

test('a link leads connections to somebody else', () => {
  expect(tell('redirect')).toEqual(['0 connect', '0 not me', '0 end', '0 close'])
})

test('of a connection that the network forgot the host learns after 924.6 s, and its peer never', () => {
  const { heard, far } = tell('forgotten') as { heard: string[]; far: string[] }
  expect(heard).toEqual(['0 connect', '1124600 ETIMEDOUT', '1124600 close'])
  expect(far).toEqual([])
})

test('without a carrier a connection is tried for 127 s, and one that is given up before is forgotten', () => {
  expect(tell('down')).toMatchObject({
    heard: ['127000 ETIMEDOUT', '127000 close'],
    second: ['60000 close'],
  })
})

test('what a host had not sent when its power went never arrives, and nobody is told', () => {
  const r = tell('cut') as { before: number; after: number; far: string[] }
  expect(r.before).toBeGreaterThan(10_000)
  expect(r.after).toBeGreaterThanOrEqual(r.before)
  expect(r.after).toBeLessThan(25_000)
  expect(r.far).toEqual([])
})

test('a peer reaches the host from outside where the link lets it', () => {
  expect(tell('inbound')).toEqual(['0 connect', '0 welcome', '0 end', '0 close'])
})
