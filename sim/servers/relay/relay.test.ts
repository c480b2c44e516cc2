import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createRelay, pipeBoth, type Relay } from './relay.ts'

describe('a relay', () => {
  let relay: Relay
  let server: Server
  const clients: Socket[] = []

  beforeEach(async () => {
    relay = createRelay(pipeBoth)
    server = createServer((s) => relay.take(s)).listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(async () => {
    for (const c of clients.splice(0)) c.destroy()
    relay.drop()
    server.close()
    await once(server, 'close')
  })

  const call = async (greeting: string): Promise<Socket> => {
    const s = connect((server.address() as AddressInfo).port, '127.0.0.1')
    s.on('error', () => {})
    clients.push(s)
    await once(s, 'connect')
    s.write(greeting)
    return s
  }
  const hears = async (s: Socket, text: string): Promise<void> => {
    let got = ''
    while (got.length < text.length) {
      const [b] = (await once(s, 'data')) as [Buffer]
      got += b.toString('latin1')
    }
    expect(got).toBe(text)
  }
  const ends = async (s: Socket): Promise<void> => {
    s.resume()
    if (!s.closed) await once(s, 'close')
  }

  test('joins the two ends of a pair, and brings bytes both ways and the end of one to the other', async () => {
    const a = await call('LVRELAY/1 pair-1 platform-a\n')
    const b = await call('LVRELAY/1 pair-1 platform-b\nfirst')
    await Promise.all([hears(a, 'READY\nfirst'), hears(b, 'READY\n')])
    a.write('to b')
    await hears(b, 'to b')
    b.destroy()
    await ends(a)
  })

  test('joins neither two ends of one name nor those of different pairs', async () => {
    const old = await call('LVRELAY/1 pair-1 platform-a\n')
    const other = await call('LVRELAY/1 pair-2 platform-b\n')
    const again = await call('LVRELAY/1 pair-1 platform-a\n')
    await ends(old)
    const b = await call('LVRELAY/1 pair-1 platform-b\n')
    await Promise.all([hears(again, 'READY\n'), hears(b, 'READY\n')])
    expect(relay.waiting()).toEqual(['pair-2 platform-b'])
    expect(other.bytesRead).toBe(0)
  })

  test('ends the old line of both where one end comes anew: the other is told by its end', async () => {
    const a = await call('LVRELAY/1 p platform-a\n')
    const b = await call('LVRELAY/1 p platform-b\n')
    await Promise.all([hears(a, 'READY\n'), hears(b, 'READY\n')])
    await call('LVRELAY/1 p platform-a\n')
    await Promise.all([ends(a), ends(b)])
  })

  test('forgets who hung up while it waited', async () => {
    const a = await call('LVRELAY/1 p platform-a\n')
    a.end()
    await ends(a)
    await call('LVRELAY/1 p platform-b\n')
    await expect.poll(() => relay.waiting()).toEqual(['p platform-b'])
  })

  for (const [what, greeting] of [
    ['another protocol', 'GET / HTTP/1.1\r\n'],
    ['a greeting that does not end', 'x'.repeat(200)],
    ['a name that is none', 'LVRELAY/1 p ../../a\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\n'],
  ] as const)
    test(`hangs up on ${what}`, async () => {
      await ends(await call(greeting))
    })
})
