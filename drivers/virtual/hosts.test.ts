import { expect, test } from 'vitest'
import type { Json } from '../faces.ts'
import { runInChild } from './child.ts'

const tell = async <T>(story: string, more: Record<string, Json> = {}): Promise<T> => {
  const { result, escapes } = await runInChild<{ result: Json; escapes: Json[] }>({
    module: new URL('cases/hosts.case.ts', import.meta.url),
    arg: { story, ...more },
    kernel: { seed: 1, epoch: Date.UTC(2018, 0, 15) },
  })
  if (story !== 'wrongOwner') expect(escapes).toEqual([])
  return result as T
}

test('a program that throws, rejects, exits or returns ends with its code, and the bench goes on', async () => {
  const { codes, logs } = await tell<{ codes: Json; logs: string[] }>('ends')
  expect(codes).toEqual({
    timer: 1,
    tick: 1,
    microtask: 1,
    rejection: 1,
    main: 1,
    exit: 7,
    none: 3,
    term: 5,
    killed: 'KILL',
  })
  expect(logs).toEqual(Array.from({ length: 5 }, () => 'on purpose'))
})

test('what the bench itself throws is a fault of the run', async () => {
  await expect(tell('fault')).rejects.toThrow(/of the bench/)
})

test('peers of a cut host hear nothing until their own time-out; peers of a killed program hear it end', async () => {
  const { cut, kill } = await tell<{
    cut: { ended: string; heard: string[] }
    kill: { ended: string; heard: string[] }
  }>('peers')
  expect(cut.ended).toBe('cut')
  // One answer, then nothing: 'two' was sent at 2 s, and the peer's own time-out of 30 s comes after it.
  expect(cut.heard).toEqual(['0 one', '32000 timeout'])
  expect(kill.ended).toBe('KILL')
  expect(kill.heard).toEqual(['0 one', '1000 end', '1000 close'])
})

test('a connection from before a power cut is reset when its peer sends to the restored host', async () => {
  const r = await tell<{ quiet: string[]; heard: string[]; second: string[] }>('restored')
  expect(r.quiet).toEqual([])
  expect(r.heard).toEqual(['20000 ECONNRESET', '20000 close'])
  expect(r.second).toEqual(['1 hello'])
})

test('what hangs says nothing and has not ended, and power brings it back', async () => {
  const r = await tell<Record<string, Json>>('hangs')
  expect(r).toEqual({
    unknown: false,
    hung: { ended: null, logged: 0, beside: true, said: [] },
    back: { ended: 'cut', other: 'cut', first: ['64000 ECONNRESET', '64000 close'], second: ['connect'] },
    whole: true,
    still: 0,
    again: true,
  })
})

test('TCP gives up unacknowledged bytes after 924.6 s, and a connection after 127 s', async () => {
  const r = await tell<{ heard: string[]; second: string[] }>('givesUp')
  expect(r.heard).toEqual(['924600 ETIMEDOUT', '924600 close'])
  expect(r.second).toEqual(['127000 ETIMEDOUT', '127000 close'])
})

test('a carrier that is down holds what is in flight, in order, and new connections until it is up', async () => {
  const r = await tell<{ heard: string[]; second: string[] }>('carrier')
  expect(r.heard).toEqual(['100 1', '10000 23'])
  expect(r.second).toEqual(['10300 connect'])
})

test('a step moves Date alone; ppm moves Date and timers', async () => {
  const [step, ppm] = await tell<{ a: Record<string, number>; b: Record<string, number> }[]>('skew')
  expect(step?.b).toEqual({ ticks: 11, lastAt: 11_000, lastDate: 11_000 })
  expect(step?.a).toEqual({ ticks: 11, lastAt: 11_000, lastDate: 3_611_000 })
  // 100,000 ppm fast: from 2 s on a second of the host's takes 909.1 ms.
  expect(ppm?.b?.['ticks']).toBe(11)
  expect(ppm?.a?.['ticks']).toBe(12)
  expect(ppm?.a?.['lastAt']).toBe(11_091)
  expect(ppm?.a?.['lastDate']).toBe(12_050)
})

test('loopback is the host of whoever asks, and errors are those of Node', async () => {
  const r = await tell<{ said: string[]; errors: string[] }>('loopback')
  expect(r.said.toSorted()).toEqual(['10.0.0.1', '10.0.0.2'])
  expect(r.errors).toEqual(
    [
      // 127.0.0.1 of another host is out of reach.
      'connect ECONNREFUSED',
      'connect ECONNREFUSED',
      'connect ECONNREFUSED',
      'getaddrinfo ENOTFOUND',
      'listen EADDRINUSE',
    ].toSorted(),
  )
})

test('a reader that stops makes the sender wait, and nothing is lost', async () => {
  const r = await tell<{ stalled: number; written: number; read: number }>('pressure')
  expect(r.stalled).toBeLessThan(6_000_000)
  expect(r).toMatchObject({ written: 20_000_000, read: 20_000_000 })
})

test('a reset is heard as ECONNRESET, and a half-open connection carries on', async () => {
  const r = await tell<{ heard: string[]; half: string[] }>('reset')
  expect(r.heard).toEqual(['0 ECONNRESET', '0 close'])
  expect(r.half).toEqual(['after the end', 'close'])
})

test('a socket used by another owner is an escape', async () => {
  expect(await tell('wrongOwner')).toEqual(['a socket of bench written by device'])
})

test('crossing a face switches the owner, for methods, callbacks and what comes back', async () => {
  expect(await tell('binding')).toEqual({
    seen: [
      'method: device',
      'callback: bench',
      'lift given: device',
      'lift returned, secret: device',
      'after an await: device',
      'late callback: bench',
      'caller: bench',
    ],
    value: 'value',
    frozen: 1,
  })
})

test('a killed or cut program leaves no lock behind, and its open transaction is gone', async () => {
  expect(await tell('locks')).toEqual([{ rows: 1 }, { rows: 2 }, { rows: 3 }])
})

test('a cut program that forgives every error and tries again without a pause does nothing, and does not hang the run', async () => {
  const r = await tell<{ atCut: string; after: string; connections: number }>('stubborn')
  expect(r.atCut).toBe('49 rows, 100 octets, 49 logs')
  expect(r.after).toBe(r.atCut)
  // SYNs sent before the cut are answered by the peer; none is sent after it.
  expect(r.connections).toBeLessThanOrEqual(49)
})

test('a signal is handled in the midst of a run', async () => {
  expect(await tell('signal')).toBe('stopped')
})

test('time-outs of an HTTP server are virtual', async () => {
  const heard = await tell<string[]>('slowRequest')
  expect(heard[0]).toMatch(/ HTTP\/1\.1 408 Request Timeout$/)
  const at = Number(heard[0]?.split(' ')[0])
  expect(at).toBeGreaterThanOrEqual(60_000)
  expect(at).toBeLessThanOrEqual(120_000)
})

test("a program's own contexts follow its timers, and the onread option works", async () => {
  expect(await tell('contexts')).toEqual(['immediate one', 'timer one', '0123', '4567', '89'])
})

test('hosts due at the same instant take turns by seed, each in its own order', async () => {
  const plain = await tell<string[]>('ties')
  expect(plain).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2', 'd1', 'd2'])
  const orders = await Promise.all(
    [1, 2, 3, 4].map((seed) => tell<string[]>('ties', { seed, shuffle: true })),
  )
  expect(new Set(orders.map((o) => o.join())).size).toBeGreaterThan(1)
  for (const o of orders)
    for (const name of 'abcd') expect(o.indexOf(`${name}1`)).toBeLessThan(o.indexOf(`${name}2`))
})

test('a run that can never settle says so', async () => {
  await expect(tell('deadlock')).rejects.toThrow(/deadlock after .* nothing is left that could happen/)
  await expect(tell('spinning')).rejects.toThrow(/no end of immediates after 0 ms/)
  await expect(tell('unreferenced')).rejects.toThrow(/deadlock after .* only unreferenced timers are left/)
})
