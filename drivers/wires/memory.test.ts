import { describe, test } from 'vitest'
import { wireContract } from './contract.ts'
import { memoryWire } from './memory.ts'

describe('a wire in memory', () => {
  for (const c of wireContract)
    test(c.says, async () => {
      const m = memoryWire()
      await using bench = {
        wire: m.wire,
        traits: new Set(['clients', 'fin', 'rst'] as const),
        connect: async () => m.connect(),
        now: Date.now,
        async [Symbol.asyncDispose]() {},
      }
      await c.run(bench)
    })
})
