import { connect } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Json, Realm } from '../../drivers/faces.ts'
import { playRouter, type PlayedRouter } from './router.ts'

const realm: Realm = { name: 'router', address: '127.0.0.1', run: (f) => f(), bind: (f) => f }
const password = 'correct-horse'
let routers: PlayedRouter[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const r of routers) await r[Symbol.asyncDispose]()
  routers = []
})

async function make() {
  const told: { kind: string; data: Json }[] = []
  const orders: Json[] = []
  let resets = 0
  let now = 0
  const router = await playRouter({
    realm,
    port: 0,
    password,
    now: () => now,
    emit(kind, data) {
      told.push({ kind, data })
      return told.length
    },
    link: {
      order: (o) => void orders.push(o),
      counters: () => ({ peers: {}, 'carrier drops [1]': 3, 'down [s]': 0, 'resets [1]': 0 }),
      host: '10.0.0.10',
    },
    async resetComputer() {
      resets++
    },
  })
  routers.push(router)
  const url = `http://${router.address}:${router.port}`
  return { router, told, orders, url, resets: () => resets, pass: (ms: number) => void (now += ms) }
}

const basic = (p: string): string => `Basic ${Buffer.from(`admin:${p}`).toString('base64')}`

describe('the router', () => {
  test('lets in whoever has the password, by token or Basic, and nobody else', async () => {
    const { router, url, resets } = await make()
    const outcome = async (gives: 'right' | 'wrong' | 'none', asks: 'status' | 'reset-computer') =>
      (await router.visit({ name: 'v', gives, asks })) as { stage: string }
    expect(await outcome('right', 'status')).toMatchObject({ stage: 'inside', answer: { drops: 3 } })
    expect((await outcome('wrong', 'status')).stage).toBe('login')
    expect((await outcome('none', 'reset-computer')).stage).toBe('login')
    expect(resets()).toBe(0)
    expect((await outcome('right', 'reset-computer')).stage).toBe('inside')
    expect(resets()).toBe(1)
    const status = async (authorization: string): Promise<number> =>
      (await fetch(`${url}/api/addresses`, { headers: { authorization } })).status
    expect(await status(basic(password))).toBe(200)
    expect(await status(basic('guess'))).toBe(401)
    expect(await status('Bearer 00')).toBe(401)
    expect((await fetch(`${url}/`)).status).toBe(200)
    expect((await fetch(`${url}/api/nothing`, { headers: { authorization: basic(password) } })).status).toBe(
      404,
    )
  })

  test('whose modem hangs still shows its page, and passes nothing on until its power is cut', async () => {
    const { router, orders, told, url } = await make()
    const fault = router.inflict('modem')
    expect(orders).toEqual([{ do: 'router', state: 'frozen' }])
    expect((await fetch(`${url}/`)).status).toBe(200)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    fault.lift()
    await vi.advanceTimersByTimeAsync(25_000)
    expect(orders.slice(1)).toEqual([
      { do: 'router', state: 'off' },
      { do: 'router', state: 'works' },
    ])
    expect(told.filter((t) => t.kind === 'fault').map((t) => (t.data as { name: string }).name)).toEqual([
      'modem',
      'modem',
    ])
    expect(() => router.inflict('antenna')).toThrow(/freeze, modem/)
  })

  test('hears nobody for a minute after five wrong passwords', async () => {
    const { router, pass } = await make()
    const tryOut = async (gives: 'right' | 'wrong'): Promise<unknown> =>
      ((await router.visit({ name: 'v', gives, asks: 'status' })) as { stage: string }).stage
    for (let i = 0; i < 5; i++) expect(await tryOut('wrong')).toBe('login')
    expect(await tryOut('right')).toBe('locked')
    pass(60_000)
    expect(await tryOut('right')).toBe('inside')
  })

  test('answers any bytes without falling over', async () => {
    const { router, url } = await make()
    for (const body of ['', '{', '[]', '{"password":7}', 'x'.repeat(10_000)])
      expect([401, 413]).toContain((await fetch(`${url}/api/login`, { method: 'POST', body })).status)
    await new Promise<void>((done) => {
      const s = connect(router.port, router.address, () => s.end(Buffer.from([0, 255, 13, 10, 13, 10])))
      s.on('close', () => done())
      s.on('error', () => undefined)
      s.resume()
    })
    expect((await fetch(`${url}/`)).status).toBe(200)
  })

  test('that is frozen answers nothing and passes nothing, until its power is cut at its outlet', async () => {
    const { router, orders, told, url } = await make()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const fault = router.inflict('freeze')
    expect(orders.at(-1)).toEqual({ do: 'router', state: 'frozen' })
    const stuck = fetch(`${url}/api/status`).then(
      () => 'answered',
      () => 'broken',
    )
    const { status } = await fetch(`http://${router.outlet.address}:${router.outlet.port}/cycle`, {
      method: 'POST',
    })
    expect(status).toBe(202)
    expect(await stuck).toBe('broken')
    expect(orders.at(-1)).toEqual({ do: 'router', state: 'off' })
    vi.advanceTimersByTime(25_000)
    expect(orders.at(-1)).toEqual({ do: 'router', state: 'works' })
    expect(told.filter((t) => t.kind === 'fault').map((t) => (t.data as { phase: string }).phase)).toEqual([
      'on',
      'lifted',
    ])
    fault.lift()
    expect(orders.length).toBe(3)
    expect(() => router.inflict('melt')).toThrow(/there are: freeze/)
  })
})
