/** The watchdog's program on this machine's own TCP. Nothing waits for time on the wall. */
import { createServer, type Server } from 'node:http'
import { connect, createServer as createTcp, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import type { Json } from '../env.ts'
import { keepFeeding } from './feed.ts'
import type { Input } from './machine.ts'
import { parts, run } from './main.ts'

const open: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const f of open.splice(0).toReversed()) await f()
})

async function listening(server: Server | ReturnType<typeof createTcp>): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** A port that nobody has. */
async function freePort(): Promise<number> {
  const server = createTcp()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((done) => void server.close(done))
  return port
}

const configOf = (port: number, other: number): Json => {
  const place = { address: '127.0.0.1', port: other }
  return {
    port,
    computer: { address: '127.0.0.1', relay: place },
    router: { page: place, relay: place, beyond: place },
  }
}

/** Runs it until the test is over; what it heard, and a wait for the next sign of life. */
async function start(): Promise<{ port: number; heard: Input[]; fed(): Promise<void>; log: Json[] }> {
  const port = await freePort()
  const term = new AbortController()
  const heard: Input[] = []
  const log: Json[] = []
  let told: () => void = () => {}
  const shipped = parts({})
  const over = run(
    {
      ...shipped,
      decide: (state, input, now, policy) => {
        if (input.kind !== 'tick') heard.push(input)
        if (input.kind === 'fed') told()
        return shipped.decide(state, input, now, policy)
      },
    },
    {
      name: 'watchdog',
      address: '127.0.0.1',
      disk: '',
      config: configOf(port, 1),
      defects: [],
      term: term.signal,
      log: (entry) => void log.push(entry),
      start: () => Promise.reject(new Error('it starts nothing')),
    },
  )
  open.push(async () => {
    term.abort()
    expect(await over).toBe(0)
  })
  const fed = (): Promise<void> => new Promise((resolve) => (told = resolve))
  return { port, heard, fed, log }
}

function dial(port: number, localAddress = '127.0.0.1'): Socket {
  const s = connect({ host: '127.0.0.1', port, localAddress })
  s.on('error', () => {})
  open.push(() => void s.destroy())
  return s
}

/** Until it listens: whoever calls before that is refused. */
async function dialUntilTaken(port: number): Promise<Socket> {
  for (;;) {
    const s = dial(port)
    const taken = await Promise.race([
      once(s, 'connect').then(() => true),
      once(s, 'close').then(() => false),
    ])
    if (taken) return s
  }
}

describe('the watchdog', () => {
  test('hears a line that says alive, in whatever pieces it comes, and takes nothing else for life', async () => {
    const w = await start()
    const s = await dialUntilTaken(w.port)
    s.write(Buffer.alloc(300_000, 0xff))
    s.write('\nalivement\nALIVE 1\n alive 1\n\n\0\0\n')
    s.write('ali')
    const first = w.fed()
    s.write('ve 1\n')
    await first
    expect(w.heard).toEqual([{ kind: 'fed' }])
    expect(w.log).toEqual([{ event: 'watchdog', hears: 'computer' }])
    const other = w.fed()
    const again = dial(w.port)
    again.end('alive')
    dial(w.port).write('alive 2\n')
    await other
    expect(w.heard).toHaveLength(2)
  })

  test.skipIf(process.platform !== 'linux')('hears the computer alone', async () => {
    const w = await start()
    await dialUntilTaken(w.port)
    const stranger = dial(w.port, '127.0.0.2')
    stranger.write('alive 1\n')
    stranger.resume()
    await once(stranger, 'close')
    const fed = w.fed()
    dial(w.port).write('alive 1\n')
    await fed
    expect(w.heard).toHaveLength(1)
  })

  test('pulls a relay, and knows one that does not do it', async () => {
    const asked: string[] = []
    let [status, body] = [202, '{"on":true,"for [s]":12.5}']
    const port = await listening(
      createServer((req, res) => {
        asked.push(`${req.method} ${req.url}`)
        res.writeHead(req.method === 'GET' ? 200 : status).end(body)
      }),
    )
    const relay = { address: '127.0.0.1', port }
    const p = parts({})
    await p.pull(relay)
    expect(await p.supply(relay)).toEqual({ on: true, forMs: 12_500 })
    expect(await p.answers(relay)).toBe(true)
    status = 404
    await expect(p.pull(relay)).rejects.toMatchObject({ code: 'link' })
    for (const wrong of ['', '[]', '{"on":1,"for [s]":1}', '{"on":true,"for [s]":-1}', '{"on":true', '\0']) {
      body = wrong
      await expect(p.supply(relay), wrong).rejects.toMatchObject({ code: 'link' })
    }
    expect(asked.slice(0, 3)).toEqual(['POST /cycle', 'GET /', 'GET /'])
    const nobody = { address: '127.0.0.1', port: await freePort() }
    expect(await p.answers(nobody)).toBe(false)
    await expect(p.pull(nobody)).rejects.toMatchObject({ code: 'link' })
  })
})

describe('whoever feeds it', () => {
  test('sends a line each time that life was shown, and none before the last question was answered', async () => {
    const lines: string[] = []
    let more: () => void = () => {}
    const port = await listening(
      createTcp((s) => {
        s.on('error', () => {})
        s.on('data', (b) => {
          lines.push(...String(b).split('\n').filter(Boolean))
          more()
        })
        open.push(() => void s.destroy())
      }),
    )
    let asked = 0
    let hangs: () => void = () => {}
    const hung = new Promise<void>((resolve) => (hangs = resolve))
    const feeding = keepFeeding({ address: '127.0.0.1', port, every: 0.001 }, '127.0.0.1', () => {
      asked++
      if (asked === 1) return Promise.resolve(false)
      if (asked === 2) return Promise.reject(new Error('not now'))
      if (asked < 5) return Promise.resolve(true)
      hangs()
      return new Promise(() => {})
    })
    open.push(() => feeding.stop())
    await hung
    while (lines.length < 2) await new Promise<void>((resolve) => (more = resolve))
    expect([asked, lines]).toEqual([5, ['alive 1', 'alive 2']])
  })
})
