import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as tlsConnect } from 'node:tls'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createRelay, pipeBoth } from '../../../../servers/relay/relay.ts'
import { makePki, platformImpostors } from '../../pki.ts'
import { eventually, freePort, tempFolder } from '../../testing.ts'
import type { Road } from './config.ts'
import { createLink } from './link.ts'
import { travel } from './road.ts'
import { judgePartner, materialOf, secure } from './secure.ts'
import { createInbox, createOutbox, type Outbox } from './values.ts'

interface End {
  readonly outbox: Outbox
  readonly told: readonly string[]
  say(name: string, text: string): void
  tells(what: string | RegExp): Promise<void>
  close(): Promise<void>
}

/** Two ends of the link on loopback, with certificates of one authority. */
describe('the link between two platforms', () => {
  const folder = tempFolder()
  const pki = join(folder.path, 'pki')
  const open: End[] = []
  const servers: Server[] = []
  const sockets = new Set<Socket>()

  beforeAll(() => {
    makePki(pki, { apps: [], algorithm: 'ed25519', platforms: ['platform-a', 'platform-b'] })
    return () => folder.remove()
  })
  afterEach(async () => {
    for (const s of sockets) s.destroy()
    await Promise.all(open.splice(0).map((e) => e.close()))
    for (const s of servers.splice(0)) s.close()
  })

  const serve = async (take: (s: Socket) => void): Promise<number> => {
    const server = createServer((s) => {
      sockets.add(s)
      s.on('error', () => {})
      take(s)
    }).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  const end = (
    platform: string,
    partner: string,
    road: Road,
    more: { shows?: string; run?: string } = {},
  ): End => {
    const told: string[] = []
    const waits = new Set<() => void>()
    const tell = (what: string): void => {
      told.push(what)
      for (const w of waits) w()
    }
    const outbox = createOutbox(8)
    const material = materialOf(pki, more.shows ?? platform)
    const link = createLink(
      {
        secure: (s, as) => secure(s, as, material, 2_000),
        judge: ({ peer }) => judgePartner(peer, partner, Date.now(), []),
        isNew: (inbox, value) => inbox.isNew(value),
        answers: () => true,
        isDead: (silent) => silent > 300,
      },
      {
        run: more.run ?? `000000000000000${platform.at(-1)}`,
        heartbeat: 0.1,
        handshake: 2,
        maxFrame: 10_000,
      },
      { outbox, inbox: createInbox(100) },
      {
        heard: () => {},
        value: (v) => tell(`value ${v.name}=${v.text}`),
        joined: () => tell('joined'),
        left: (why) => tell(`left: ${why}`),
        refused: (reason, who) => tell(`refused ${reason} ${who}`),
        trouble: (text) => tell(`trouble ${text}`),
        tooLong: (name) => tell(`too long ${name}`),
      },
    )
    const stop = travel({ road, platform, address: '127.0.0.1', handshake: 2, pause: () => 20 }, link)
    const e: End = {
      outbox,
      told,
      say(name, text) {
        outbox.put(name, text)
        link.flush()
      },
      tells: (what) =>
        eventually(String(what), (resolve) => {
          let from = 0
          const look = (): void => {
            for (; from < told.length; from++) {
              const t = told[from] ?? ''
              if (typeof what === 'string' ? t === what : what.test(t)) return resolve()
            }
          }
          waits.add(look)
          look()
        }),
      close: stop,
    }
    open.push(e)
    return e
  }
  const pair = async (): Promise<{ a: End; b: End; port: number }> => {
    const port = await freePort()
    const b = end('platform-b', 'platform-a', { listen: { port } })
    const a = end('platform-a', 'platform-b', { connect: { address: '127.0.0.1', port } })
    await Promise.all([a.tells('joined'), b.tells('joined')])
    return { a, b, port }
  }

  test('brings values both ways, as they are', async () => {
    const { a, b } = await pair()
    a.say('hot_spot', '{"Value":98.0}')
    b.say('voltage/l1', '{ "Value" : 230.10 }')
    await Promise.all([
      b.tells('value hot_spot={"Value":98.0}'),
      a.tells('value voltage/l1={ "Value" : 230.10 }'),
    ])
  })

  test('answers at once, at a connection, with what was said before it', async () => {
    const port = await freePort()
    const a = end('platform-a', 'platform-b', { connect: { address: '127.0.0.1', port } })
    a.say('hot_spot', '1')
    a.say('hot_spot', '2')
    const b = end('platform-b', 'platform-a', { listen: { port } })
    await b.tells('value hot_spot=2')
    expect(b.told).not.toContain('value hot_spot=1')
  })

  test('goes through a relay that sees no word of it, and comes back when the relay does', async () => {
    let seen = ''
    const relay = createRelay((x, y) => {
      for (const s of [x, y]) s.on('data', (bytes: Buffer) => (seen += bytes.toString('latin1')))
      pipeBoth(x, y)
    })
    const port = await serve((s) => relay.take(s))
    const road = (as: 'server' | 'client'): Road => ({ relay: { address: '127.0.0.1', port, pair: 'p', as } })
    const a = end('platform-a', 'platform-b', road('client'))
    const b = end('platform-b', 'platform-a', road('server'))
    a.say('hot_spot', '{"Value":"told in private"}')
    await b.tells(/told in private/)
    expect(seen.length).toBeGreaterThan(500)
    expect(seen).not.toMatch(/private|hot_spot|hello/)
    relay.drop()
    await Promise.all([a.tells(/^left/), b.tells(/^left/)])
    b.say('voltage/l1', '230')
    await a.tells('value voltage/l1=230')
    // The answer brings the hot spot again: it is known.
    expect(b.told.filter((t) => t.startsWith('value'))).toHaveLength(1)
  })

  for (const is of platformImpostors.filter((i) => i !== 'revoked')) {
    test(`says nothing to one who calls with a certificate that is ${is}, nor to one who is called`, async () => {
      const { b, port } = await pair()
      const caller = end(
        'x',
        'platform-b',
        { connect: { address: '127.0.0.1', port } },
        { shows: `intruder/platform-a-${is}` },
      )
      await b.tells(new RegExp(`^refused ${is === 'wrong-name' ? 'wrong-name' : is}`))
      expect(b.told).not.toContainEqual(expect.stringMatching(/^left/))
      expect(caller.told).not.toContain('joined')

      const other = await freePort()
      end('y', 'platform-a', { listen: { port: other } }, { shows: `intruder/platform-b-${is}` })
      const a = end('platform-a', 'platform-b', { connect: { address: '127.0.0.1', port: other } })
      await a.tells(/^refused/)
      expect(a.told).not.toContain('joined')
    })
  }

  test('says nothing to one who shows no certificate, or speaks no TLS', async () => {
    const { b, port } = await pair()
    const got: Buffer[] = []
    const bare = tlsConnect({ host: '127.0.0.1', port, rejectUnauthorized: false })
    bare.on('error', () => {})
    bare.on('data', (x: Buffer) => got.push(x))
    await once(bare, 'close')
    await b.tells(/^refused no-certificate/)
    const plain = connect(port, '127.0.0.1')
    plain.on('error', () => {})
    plain.write('GET / HTTP/1.1\r\n\r\n')
    plain.resume()
    await once(plain, 'close')
    await b.tells(/^trouble No TLS/)
    expect(got).toEqual([])
    expect(b.told).not.toContainEqual(expect.stringMatching(/^left/))
  })

  test('is found to be half-open by both ends, and made anew', async () => {
    const port = await freePort()
    let held = false
    const through = await serve((s) => {
      const up = connect(port, '127.0.0.1')
      up.on('error', () => {})
      sockets.add(up)
      const carry = !held
      s.on('data', (x) => void (carry && held ? undefined : up.write(x)))
      up.on('data', (x) => void (carry && held ? undefined : s.write(x)))
    })
    const b = end('platform-b', 'platform-a', { listen: { port } })
    const a = end('platform-a', 'platform-b', { connect: { address: '127.0.0.1', port: through } })
    await Promise.all([a.tells('joined'), b.tells('joined')])
    held = true
    await Promise.all([a.tells('left: the partner fell silent'), b.tells('left: the partner fell silent')])
    a.say('hot_spot', '1')
    await b.tells('value hot_spot=1')
  })

  test('ends at what it does not understand, and stands again', async () => {
    const { a, b, port } = await pair()
    const mad = tlsConnect({
      host: '127.0.0.1',
      port,
      ...materialOf(pki, 'platform-a'),
      rejectUnauthorized: false,
    })
    mad.on('error', () => {})
    mad.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]))
    mad.resume()
    await once(mad, 'close')
    await b.tells(/^trouble A frame of 4294967295 bytes/)
    a.say('hot_spot', '1')
    await b.tells('value hot_spot=1')
  })

  test('does not send what is longer than a frame may be', async () => {
    const { a, b } = await pair()
    a.say('hot_spot', 'x'.repeat(20_000))
    a.say('voltage/l1', '1')
    await Promise.all([a.tells('too long hot_spot'), b.tells('value voltage/l1=1')])
  })
})
