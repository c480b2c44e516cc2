/** The role of the scripted apps against apps of paper: what the bench concludes from what they say and how they go. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Conn, Json, Wire } from '../../drivers/faces.ts'
import { playScripted, scriptedApps } from './scripted.ts'

interface Paper {
  readonly conn: Conn
  readonly orders: Json[]
  say(event: string, more?: object): void
  raw(text: string): void
  go(): void
}

function paper(): Paper {
  const orders: Json[] = []
  let bytes: (b: Uint8Array, at: number) => void = () => {}
  let end: (how: 'fin') => void = () => {}
  const raw = (text: string): void => bytes(Buffer.from(text), 0)
  return {
    orders,
    raw,
    conn: {
      peer: 'paper',
      send: async (b) => {
        orders.push(JSON.parse(Buffer.from(b).toString('utf8')) as Json)
        return 0
      },
      onBytes: (f) => void (bytes = f),
      onEnd: (f) => void (end = f),
      end: () => end('fin'),
    },
    say: (event, more = {}) => raw(`${JSON.stringify({ event, ...more })}\n`),
    go: () => end('fin'),
  }
}

const first = scriptedApps.first.iid

async function stage() {
  let open: (c: Conn) => void = () => {}
  const wire: Wire = {
    name: 'paper',
    can: new Set(),
    open: async (f) => {
      open = f
      return { [Symbol.asyncDispose]: async () => {} }
    },
  }
  const seen: { alias: string; payload: { readonly [k: string]: Json } }[] = []
  const played = await playScripted({
    wire,
    now: () => Date.now(),
    run: (f) => f(),
    emit: (_, data) => seen.push(data as unknown as (typeof seen)[number]),
  })
  const join = (): Paper => {
    const p = paper()
    open(p.conn)
    p.say('started', { iid: first, apid: 'x' })
    return p
  }
  const last = (event: string) => seen.findLast((s) => s.alias === `scripted.first.${event}`)?.payload
  return { role: played.role, join, last, seen, open: (c: Conn) => open(c) }
}

beforeEach(() => void vi.useFakeTimers({ now: 0 }))
afterEach(() => void vi.useRealTimers())

test('counts requests that were left unanswered, also over a restart, and not those that only just came', async () => {
  const s = await stage()
  const a = s.join()
  for (let k = 0; k < 3; k++) {
    a.say('asked')
    vi.advanceTimersByTime(10_000)
  }
  a.say('asked')
  a.say('stop-asked')
  expect(s.last('stopped')).toMatchObject({ by: 'stop', 'unanswered [1]': 3, 'unanswered in a row [1]': 3 })
  a.go()
  const b = s.join()
  // The word at a start answers no request.
  b.say('tells', { status: 1, as: first })
  b.say('asked')
  vi.advanceTimersByTime(10_000)
  b.go()
  expect(s.last('stopped')).toMatchObject({ by: 'end', 'unanswered [1]': 1, 'unanswered in a row [1]': 4 })
})

test('begins to count anew after an answer, which an unknown code is not', async () => {
  const s = await stage()
  const a = s.join()
  a.say('asked')
  vi.advanceTimersByTime(10_000)
  a.say('tells', { status: 77, as: first })
  a.say('asked')
  vi.advanceTimersByTime(10_000)
  a.say('stop-asked')
  expect(s.last('stopped')).toMatchObject({ 'unanswered in a row [1]': 2 })
  a.say('tells', { status: 1, as: first })
  a.go()
  expect(s.last('ended')).toMatchObject({ 'unanswered in a row [1]': 0 })
})

test('tells two that run at once from one that came back after its line was left hanging', async () => {
  const s = await stage()
  const old = s.join()
  s.join()
  const n = (old.orders.at(-1) as { n: number }).n
  old.say('pong', { n })
  await vi.advanceTimersByTimeAsync(5_000)
  expect(s.last('twice')).toEqual({ runs: [1, 2] })

  const t = await stage()
  t.join()
  t.join()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(t.last('twice')).toBeUndefined()
  expect(t.last('lost')).toMatchObject({ run: 1 })
})

test('gives each start its behaviour: those queued first, then the lasting one', async () => {
  const s = await stage()
  s.role.app('first').behave({ silent: 'always' }, { crashesAtStart: true })
  const orders = [s.join(), s.join()].map((p) => p.orders[0])
  expect(orders).toEqual([
    { order: 'behave', behaviour: { crashesAtStart: true } },
    { order: 'behave', behaviour: { silent: 'always' } },
  ])
})

test('whatever comes over a line ends no more than that line', async () => {
  const s = await stage()
  const p = paper()
  s.open(p.conn)
  for (const text of ['{"event"\n', '[]\n', 'null\n', '{"event":"started","iid":"nobody"}\n', '\u0000\n'])
    expect(() => p.raw(text)).not.toThrow()
  const good = s.join()
  good.raw('{"event":5}\n')
  good.say('asked')
  expect(s.last('asked')).toEqual({ run: 1 })
})
