import { describe, expect, test } from 'vitest'
import type { Reading } from '../../../drivers/protocols/han/reading.ts'
import { framesOf } from '../../devices/meter/frames.ts'
import { meterSchema } from '../../devices/meter/personality.ts'
import { readPersonality } from '../../devices/personality.ts'
import { figure, kaifa } from '../../defects/cases/han-reader.case.ts'
import { lineSchema } from './config.ts'
import { createLineReceiver } from './receive.ts'

function receive(bytes: readonly Uint8Array[], config: object = {}) {
  const readings: Reading[] = []
  const receiver = createLineReceiver(lineSchema.parse({ path: '/dev/x', ...config }), (r) =>
    readings.push(r),
  )
  for (const b of bytes) receiver.push(b)
  return { readings, receiver }
}

const ciphered = ['kaifa-ma309m', 'kaifa-ma110m-tinetz', 'kaifa-ma105h2e-ecb'] as const

describe.each(ciphered)('the ciphered lists of %s', (name) => {
  const p = readPersonality(name, meterSchema)
  const frames = framesOf(
    p,
    2,
    { ...figure, meterId: p.id, meterType: p.model },
    { invocationCounter: 7, lengthOverflow: false },
  )
  const framing = p.dialect === 'austria' ? 'mbus' : 'hdlc'
  const key = p.cipher?.encryption_key ?? ''

  test('are read with the key', () => {
    const { readings, receiver } = receive(frames, { framing, key })
    expect(readings.map((r) => r.values.activePowerImport)).toEqual([604])
    expect(receiver.stats.rejected).toEqual({})
  })

  test.each([undefined, 'f'.repeat(32)])(
    'give nothing with the key %s, and are counted as refused',
    (wrong) => {
      const { readings, receiver } = receive(frames, {
        framing,
        ...(wrong === undefined ? {} : { key: wrong }),
      })
      expect(readings).toEqual([])
      expect(Object.values(receiver.stats.rejected).reduce((a, b) => a + b, 0)).toBeGreaterThan(0)
      expect(receiver.stats.messages).toBe(0)
    },
  )
})

test('after a byte that was lost, at most the damaged list is missing', () => {
  const all = [1, 2, 3, 4].map((n) => Buffer.from(kaifa(1, n)))
  for (let at = 0; at < 41; at++) {
    const damaged = Buffer.concat([all[1]!.subarray(0, at), all[1]!.subarray(at + 1)])
    const { readings } = receive([all[0]!, damaged, all[2]!, all[3]!])
    // Of the two flags either may go: the neighbour's does for it.
    const whole = at === 0 || at === 40
    expect(readings.map((r) => r.values.activePowerImport)).toEqual(whole ? [1, 2, 3, 4] : [1, 3, 4])
  }
})

test('what has begun is given up in silence, and is no part of what comes then', () => {
  const { readings, receiver } = receive([kaifa(2).subarray(0, 60)])
  receiver.silent()
  receiver.push(kaifa(1, 5))
  expect(readings.map((r) => r.values.activePowerImport)).toEqual([5])
})
