import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { createCrossing, type Crossing, type LinkState } from './crossing.ts'

describe('what lies between two modems', () => {
  let state: LinkState
  let told: { readonly [k: string]: Json }[]
  let crossing: Crossing
  let first: Socket
  let second: Socket
  const closing: (() => void)[] = []

  const pair = async (): Promise<readonly [Socket, Socket]> => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [
      [Socket],
      unknown,
    ]
    for (const s of [near, far]) s.on('error', () => undefined)
    closing.push(() => {
      near.destroy()
      far.destroy()
      server.close()
    })
    return [near, far]
  }
  const hears = async (s: Socket, text: string): Promise<void> => {
    let got = ''
    while (got.length < text.length) got += String((await once(s, 'data'))[0])
    expect(got).toBe(text)
  }

  beforeEach(async () => {
    state = { held: false, delay: 0 }
    told = []
    crossing = createCrossing(
      (_, data) => told.push((data as { payload: { readonly [k: string]: Json } }).payload),
      () => state,
    )
    const [a, here] = await pair()
    const [b, there] = await pair()
    first = a
    second = b
    crossing.join(here, there, 'direct')
  })
  afterEach(() => {
    crossing.close()
    for (const f of closing.splice(0)) f()
  })

  test('brings bytes and ends both ways, and tells what passed', async () => {
    first.write('forth')
    await hears(second, 'forth')
    second.write('back!')
    await hears(first, 'back!')
    first.end()
    await once(second.resume(), 'end')
    second.end()
    await expect
      .poll(() => told.at(-1))
      .toMatchObject({ when: 'over', 'forth [B]': 5, 'back [B]': 5, 'in clear': [] })
  })

  test('holds everything without a carrier, and brings it in its order afterwards', async () => {
    state = { held: true, delay: 0 }
    const heard: Buffer[] = []
    second.on('data', (b: Buffer) => heard.push(b))
    first.write('one ')
    first.write('two')
    first.end()
    // What passes without a carrier would have come before this.
    second.write('x')
    await expect.poll(() => first.bytesWritten).toBe(7)
    expect(heard).toEqual([])
    state = { held: false, delay: 0 }
    crossing.turn()
    await once(second, 'end')
    expect(Buffer.concat(heard).toString()).toBe('one two')
  })

  test('tells both ends of a reset, and of a silence one of them nothing', async () => {
    crossing.silence('first')
    await new Promise((resolve) => second.resume().once('close', resolve))
    expect(first.destroyed).toBe(false)
    first.write('into the void')
    await expect.poll(() => told.at(-1)).toMatchObject({ when: 'over', 'forth [B]': 0 })
  })

  test('finds words in clear, also where they are cut in two', async () => {
    first.write('{"Time')
    await hears(second, '{"Time')
    first.write('stamp":1}')
    await hears(second, 'stamp":1}')
    expect(told).toContainEqual(expect.objectContaining({ when: 'in-clear', 'in clear': ['Timestamp'] }))
  })
})
