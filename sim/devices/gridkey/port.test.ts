import { createServer, connect } from 'node:net'
import { expect, test } from 'vitest'
import { listenTcp } from '../../../drivers/wires/tcp.ts'
import { createPort } from './port.ts'

const knock = (port: number): Promise<string> =>
  new Promise((resolve) => {
    const s = connect({ host: '127.0.0.1', port })
    s.on('connect', () => resolve('connected'))
    s.on('error', (e: NodeJS.ErrnoException) => resolve(e.code ?? 'error'))
    s.on('close', () => s.destroy())
  })

test('a port that is shut refuses, and serves again when it is opened, at the same number', async () => {
  await using tcp = await listenTcp({ name: 'gridkey/tcp', host: '127.0.0.1', port: 0 })
  const troubles: unknown[] = []
  await using port = createPort(
    tcp.wire,
    (c) => c.end('fin'),
    (e) => troubles.push(e),
  )
  await port.open()
  expect(await knock(tcp.port)).toBe('connected')
  const again = port.shut()
  const later = port.shut()
  await port.open()
  expect(await knock(tcp.port)).toBe('ECONNREFUSED')
  again()
  await port.open()
  expect(await knock(tcp.port), 'the second fault still holds it').toBe('ECONNREFUSED')
  later()
  await port.open()
  expect(await knock(tcp.port)).toBe('connected')
  expect(troubles).toEqual([])
})

test('where the port was taken meanwhile, it is told and nothing breaks', async () => {
  await using tcp = await listenTcp({ name: 'gridkey/tcp', host: '127.0.0.1', port: 0 })
  const troubles: unknown[] = []
  const port = createPort(
    tcp.wire,
    () => {},
    (e) => troubles.push(e),
  )
  await port.open()
  const again = port.shut()
  await port.open()
  const thief = createServer().listen(tcp.port, '127.0.0.1')
  await new Promise((resolve) => thief.once('listening', resolve))
  again()
  await expect(port.open()).rejects.toThrow(/another program has this port/)
  expect(troubles.length).toBeGreaterThan(0)
  await new Promise((resolve) => thief.close(resolve))
})
