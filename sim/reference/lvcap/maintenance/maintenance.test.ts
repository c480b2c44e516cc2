import { readFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { request, type RequestOptions } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../env.ts'
import { makePki } from '../pki.ts'
import { freePort, tempFolder, testHost, type TestHost } from '../testing.ts'
import { afterTry, lockedFor, unlocked, type Lock } from './lock.ts'
import { hashPassword, verifyPassword } from './password.ts'

/** The least cost that is taken: tests are no place to burn time. */
const cost = { n: 1024, r: 8, p: 1 }

describe('a password', () => {
  const stored = hashPassword('correct horse battery', cost)

  test('is known again, and nothing else is taken for it', async () => {
    expect(await verifyPassword('correct horse battery', stored)).toBe(true)
    for (const p of ['', 'correct', 'Correct horse battery', 'correct horse battery ', stored])
      expect(await verifyPassword(p, stored), p).toBe(false)
  })

  test('is known however it is composed: é is é', async () => {
    expect(await verifyPassword('cafe\u0301', hashPassword('caf\u00e9', cost))).toBe(true)
  })

  test('never stands in its hash, which is another each time', () => {
    expect(stored).not.toContain('horse')
    expect(hashPassword('correct horse battery', cost)).not.toBe(stored)
  })

  test('is not admitted by what is no hash, or by parameters that scrypt does not take', async () => {
    const [, , , , salt, hash] = stored.split(':')
    for (const bad of [
      '',
      'x',
      'scrypt:1024:8:1',
      `scrypt:1023:8:1:${salt}:${hash}`,
      `scrypt:1024:8:0:${salt}:${hash}`,
    ])
      expect(await verifyPassword('correct horse battery', bad), bad).toBe(false)
  })
})

describe('the lock against guessing', () => {
  const policy = { after: 5, seconds: 900 }

  test('closes at the fifth wrong password in a row, for a quarter of an hour, and then begins anew', () => {
    let lock: Lock = unlocked
    for (let i = 0; i < 4; i++) lock = afterTry(lock, false, 1_000, policy)
    expect(lockedFor(lock, 1_000)).toBe(0)
    lock = afterTry(lock, false, 1_000, policy)
    expect(lockedFor(lock, 1_000)).toBe(900)
    expect(lockedFor(lock, 900_999)).toBe(1)
    expect(lockedFor(lock, 901_000)).toBe(0)
    expect(lockedFor(afterTry(lock, false, 901_000, policy), 901_000)).toBe(0)
  })

  test('forgets what was wrong before a right one', () => {
    let lock: Lock = unlocked
    for (const right of [false, false, false, false, true, false]) lock = afterTry(lock, right, 0, policy)
    expect(lock.wrong).toBe(1)
  })

  test('hears at most `after` wrong passwords in any span of its length', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300_000 }), { maxLength: 200 }), (gaps) => {
        let lock: Lock = unlocked
        let now = 0
        const heard: number[] = []
        for (const gap of gaps) {
          now += gap
          if (lockedFor(lock, now) > 0) continue
          heard.push(now)
          lock = afterTry(lock, false, now, policy)
        }
        // Of each six in a row, the last came when the lock after the fifth at the latest had run out.
        heard.forEach((at, i) => {
          const sixth = heard[i + 5]
          if (sixth !== undefined && i % 5 === 0) expect(sixth - (heard[i + 4] ?? 0)).toBeGreaterThan(899_000)
          expect(at).toBeGreaterThanOrEqual(0)
        })
      }),
    )
  })
})

describe('the service', () => {
  const folder = tempFolder()
  const pki = join(folder.path, 'pki')
  const password = 'a right good password'
  let host: TestHost
  let port: number
  beforeAll(async () => {
    makePki(pki, { apps: ['a_b_1.0'] })
    port = await freePort()
    host = testHost(folder.path)
    await host.start('maintenance', {
      entry: 'sim/reference/lvcap/maintenance/main.ts',
      defects: [],
      config: {
        port,
        pki,
        address: '127.0.0.1',
        password: hashPassword(password, cost),
        lock: { after: 5, seconds: 900 },
        sessionSeconds: 60,
        apps: [{ apid: 'a_b_1.0', iid: 'a_b_01' }],
      },
    })
    await host.logged((l) => l.entry['event'] === 'maintenance-listening', 'the service')
  })
  afterAll(async () => {
    await host.stop()
    folder.remove()
  })

  const ask = (
    method: string,
    path: string,
    body?: Json,
    more: RequestOptions = {},
  ): Promise<{ readonly status: number; readonly body: { readonly [k: string]: Json } }> =>
    new Promise((resolve, reject) => {
      const r = request(
        {
          host: '127.0.0.1',
          port,
          servername: 'maintenance',
          ca: readFileSync(join(pki, 'ca.crt')),
          agent: false,
          method,
          path,
          ...more,
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (t: string) => (text += t))
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as never }),
          )
        },
      )
      r.on('error', reject)
      r.end(body === undefined ? '' : JSON.stringify(body))
    })
  const bearer = (token: unknown): RequestOptions => ({
    headers: { authorization: `Bearer ${String(token)}` },
  })

  test('tells nothing before log-in, not even what there is', async () => {
    for (const path of ['/state', '/', '/nothing', '/logout'])
      expect(await ask('GET', path)).toEqual({ status: 401, body: { Message: 'Log in first.' } })
    expect((await ask('GET', '/state', undefined, bearer('x'))).status).toBe(401)
  })

  test('lets the engineer in, and out', async () => {
    const { status, body } = await ask('POST', '/login', { Password: password })
    expect(status).toBe(200)
    const state = await ask('GET', '/state', undefined, bearer(body['Token']))
    expect(state.body['Apps']).toEqual([{ apid: 'a_b_1.0', iid: 'a_b_01' }])
    expect((await ask('GET', '/nothing', undefined, bearer(body['Token']))).status).toBe(404)
    expect((await ask('POST', '/logout', undefined, bearer(body['Token']))).status).toBe(200)
    expect((await ask('GET', '/state', undefined, bearer(body['Token']))).status).toBe(401)
  })

  test('speaks no plain HTTP, and says so in its log', async () => {
    await expect(
      new Promise((resolve, reject) => {
        plainRequest({ host: '127.0.0.1', port, path: '/state', agent: false }, resolve)
          .on('error', reject)
          .end()
      }),
    ).rejects.toThrow()
    await host.logged(
      (l) => l.entry['event'] === 'maintenance-refused' && l.entry['reason'] === 'plain-tcp',
      'it',
    )
  })

  test('outlives noise, and bodies of any kind', async () => {
    await new Promise<void>((resolve) => {
      const s = connect(port, '127.0.0.1', () => s.end(Buffer.from([1, 2, 3, 255])))
      s.on('error', () => {})
      s.on('close', () => resolve())
    })
    expect((await ask('POST', '/login', 'x'.repeat(10_000)).catch(() => ({ status: 413 }))).status).toBe(413)
    expect((await ask('GET', '/state')).status).toBe(401)
  })

  // The last one: afterwards nobody is heard any more.
  test('hears five of many guesses made at once, then nobody, and logs no password', async () => {
    const guesses = await Promise.all(
      Array.from({ length: 30 }, (_, n) => ask('POST', '/login', { Password: `guess-${n}` })),
    )
    const statuses = guesses.map((g) => g.status)
    expect(statuses.filter((s) => s === 401)).toHaveLength(4)
    expect(statuses.filter((s) => s === 429)).toHaveLength(26)
    expect((await ask('POST', '/login', { Password: password })).status).toBe(429)
    const log = JSON.stringify(host.logs)
    expect(log).not.toContain('guess-')
    expect(log).not.toContain(password)
  })
})
