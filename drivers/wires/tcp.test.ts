import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { isGridproofError } from '../errors.ts'
import { wireContract } from './contract.ts'
import { connectTcp, listenTcp } from './tcp.ts'

const host = '127.0.0.1'

describe('a wire over TCP', () => {
  for (const c of wireContract)
    test(c.says, async () => {
      await using port = await listenTcp({ name: 'test/tcp', host, port: 0 })
      await using bench = {
        wire: port.wire,
        traits: new Set(['clients', 'fin', 'rst'] as const),
        connect: () => connectTcp({ name: 'client', host, port: port.port }),
        now: Date.now,
        async [Symbol.asyncDispose]() {},
      }
      await c.run(bench)
    })
})

describe('listenTcp', () => {
  test('knows its port before the wire is opened, and hands over a client that came before', async () => {
    await using port = await listenTcp({ name: 'test/tcp', host, port: 0 })
    expect(port.port).toBeGreaterThan(0)
    const client = connect({ host, port: port.port })
    await once(client, 'connect')
    client.write('early')
    const { promise, resolve } = Promise.withResolvers<string>()
    await port.wire.open((c) => {
      c.onBytes((b) => resolve(Buffer.from(b).toString()))
      expect(c.peer).toBe(`127.0.0.1:${client.localPort}`)
    })
    expect(await promise).toBe('early')
    client.destroy()
  })

  test('lets an ordinary socket see a reset as ECONNRESET, and an orderly end as end', async () => {
    await using port = await listenTcp({ name: 'test/tcp', host, port: 0 })
    let how: 'fin' | 'rst' = 'rst'
    await port.wire.open((c) => c.onBytes(() => c.end(how)))
    const reset = connect({ host, port: port.port })
    reset.write('x')
    const [e] = (await once(reset, 'error')) as [NodeJS.ErrnoException]
    expect(e.code).toBe('ECONNRESET')
    how = 'fin'
    const ended = connect({ host, port: port.port })
    ended.write('x')
    ended.resume()
    await once(ended, 'end')
  })

  test('answers nobody after a silent end, not even the end of its client', async () => {
    await using port = await listenTcp({ name: 'test/tcp', host, port: 0 })
    const silent = Promise.withResolvers<void>()
    await port.wire.open((c) =>
      c.onBytes((b) => {
        if (b[0] === 0x78) {
          c.end('silent')
          silent.resolve()
        } else void c.send(b)
      }),
    )
    const client = connect({ host, port: port.port, allowHalfOpen: true })
    let heard = 0
    for (const event of ['data', 'end', 'close', 'error']) client.on(event, () => heard++)
    client.write('x')
    await silent.promise
    client.end('more')
    await once(client, 'finish')
    // Another client's round trips turn the loop as often as the silent one would need.
    const other = connect({ host, port: port.port })
    for (let i = 0; i < 5; i++) {
      other.write('.')
      await once(other, 'data')
    }
    expect(heard).toBe(0)
    client.removeAllListeners()
    client.on('error', () => {})
    client.destroy()
    other.destroy()
  })

  test('says what to do when the port is taken', async () => {
    const other = createServer().listen(0, host)
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const e: unknown = await listenTcp({ name: 'gridkey/tcp', host, port }).catch((x: unknown) => x)
    other.close()
    expect(isGridproofError(e, 'rig-lacks')).toBe(true)
    expect(String(e)).toContain(`gridkey/tcp: cannot listen on 127.0.0.1:${port}: another program`)
  })

  test('refuses a port that is none, and an address that this machine has not', async () => {
    for (const port of [-1, 1.5, 65_536, Number.NaN]) {
      const e: unknown = await listenTcp({ name: 'x', host, port }).catch((x: unknown) => x)
      expect(isGridproofError(e, 'bad-value')).toBe(true)
    }
    // 192.0.2.0/24 is kept for documentation (RFC 5737): no machine has it.
    const e: unknown = await listenTcp({ name: 'x', host: '192.0.2.1', port: 0 }).catch((x: unknown) => x)
    expect(isGridproofError(e, 'rig-lacks')).toBe(true)
    expect(String(e)).toContain('this machine does not have the address')
  })

  test('does not lose bytes of a client that floods a device which does not listen yet', async () => {
    await using port = await listenTcp({ name: 'test/tcp', host, port: 0 })
    const flood = Buffer.alloc(3 * 1024 * 1024, 7)
    const got = Promise.withResolvers<number>()
    const opened = Promise.withResolvers<Parameters<Parameters<typeof port.wire.open>[0]>[0]>()
    await port.wire.open((c) => opened.resolve(c))
    const client = connect({ host, port: port.port })
    client.end(flood)
    const device = await opened.promise
    await once(client, 'connect')
    let n = 0
    device.onBytes((b) => {
      n += b.length
    })
    device.onEnd(() => got.resolve(n))
    expect(await got.promise).toBe(flood.length)
  })

  test('closes the port and every client when it is disposed', async () => {
    const port = await listenTcp({ name: 'test/tcp', host, port: 0 })
    await port.wire.open(() => {})
    const client = connect({ host, port: port.port })
    await once(client, 'connect')
    client.on('error', () => {})
    const closed = new Promise((done) => client.once('close', done))
    await port[Symbol.asyncDispose]()
    await port[Symbol.asyncDispose]()
    await closed
    await expect(connectTcp({ name: 'late', host, port: port.port })).rejects.toThrow('cannot connect')
  })
})
