import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Conn, SerialLine, Wire } from '../../drivers/faces.ts'
import { putCrc } from '../../drivers/protocols/modbus/crc.ts'
import { listenAtEmptyLine } from './commander.ts'

/** A line whose bytes the test gives. */
async function heardOf(chunks: readonly Uint8Array[]): Promise<readonly unknown[]> {
  let take: (b: Uint8Array, at: number) => void = () => undefined
  const conn: Conn = {
    send: () => Promise.resolve(0),
    onBytes: (f) => void (take = f),
    onEnd: () => undefined,
    end: () => undefined,
    peer: 'line',
  }
  const wire: Wire = {
    name: 'line',
    can: new Set(),
    open: async (f) => {
      f(conn)
      return { [Symbol.asyncDispose]: async () => undefined }
    },
  }
  const line: SerialLine = { wire, path: '', [Symbol.asyncDispose]: async () => undefined }
  const heard: unknown[] = []
  await using _ = await listenAtEmptyLine(line, (_kind, data) => heard.push(data))
  for (const c of chunks) take(c, 0)
  return heard
}

function frame(...bytes: readonly number[]): Uint8Array {
  const all = new Uint8Array(bytes.length + 2)
  all.set(bytes)
  putCrc(all, 0, bytes.length)
  return all
}

const write = frame(2, 6, 0, 17, 0xc1, 5)
const told = { alias: 'line.write', payload: { unit: 2, function: 6, address: 17, value: 0xc105 } }

test('at the end of an empty line reads and writes are told apart', async () => {
  expect(await heardOf([frame(1, 4, 0, 0, 0, 12), write, frame(3, 16, 0, 16, 0, 1, 2, 9, 0xe4)])).toEqual([
    { alias: 'line.read', payload: { unit: 1, function: 4, address: 0, value: 12 } },
    told,
    { alias: 'line.write', payload: { unit: 3, function: 16, address: 16, value: 0x09e4 } },
  ])
})

test('however a request is cut, and whatever noise came before, it is heard once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 7 }), async (noise, cut) => {
      // Noise that looks like the beginning of a long request hides what follows; this one does not.
      fc.pre(!noise.includes(16))
      const heard = await heardOf([noise, write.subarray(0, cut), write.subarray(cut)])
      expect(heard.filter((h) => JSON.stringify(h) === JSON.stringify(told))).toHaveLength(1)
    }),
  )
})

test('no bytes at all bring it down', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 4 }), async (chunks) => {
      for (const h of await heardOf(chunks)) expect(h).toHaveProperty('alias')
    }),
    { numRuns: 50 },
  )
})
