import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openOutlet } from '../../drivers/power/guardian.ts'
import { createRealWorld } from '../../drivers/real/world.ts'
import { mainsModel } from '../../sim/mains/index.ts'
import { playHttpPdu } from '../../sim/power/boards.ts'
import { place } from '../cli/testing.ts'
import type { Place } from '../cli/testing.ts'
import { buildRig } from './cast.ts'
import { labLacks } from './lab-cast.ts'
import type { LabRig } from './lab.ts'
import { isLab, readRig } from './schema.ts'

const text = (url: string): string => `name: table
describes: A platform on a table, whose power the bench has in hand.
time: real
platform: { kind: lab, maker: M, product: P, version: 1.0.0 }
power: { board: { kind: http, url: '${url}' }, outlet: 2, operationsAnHour: 2 }
`

function read(p: Place, t: string): LabRig {
  const file = join(p.path, 'table.yaml')
  writeFileSync(file, t)
  const rig = readRig(file)
  if (!isLab(rig)) throw new Error('it is no lab')
  return rig
}

test('the power of a lab is cut with --arm alone, comes back, and not too often within an hour', async () => {
  using p = place()
  await using strip = await playHttpPdu('127.0.0.1', 3)
  const file = read(p, text(strip.url))
  expect(labLacks(file, ['platform', 'mains'])).toEqual([expect.stringContaining('only with --arm')])
  expect(labLacks(file, ['platform', 'mains'], true)).toEqual([])
  const events: unknown[] = []
  {
    await using world = await createRealWorld({ seed: 1, state: p.state, addresses: 'given' })
    const options = {
      file,
      world,
      network: '',
      pki: '',
      makeDevice: () => {
        throw new Error('no device is asked for')
      },
      mains: mainsModel,
      openOutlet: (spec: Parameters<typeof openOutlet>[0]) => openOutlet(spec, p.state),
      defects: [],
      armed: { operations: join(p.path, 'operations.json') },
      emitAs: (src: string) => (kind: string, data: unknown) => events.push({ src, kind, data }),
    }
    await using rig = buildRig(options)
    const { mains, platform } = await rig.cast(['platform', 'mains'])
    expect(strip.closed).toEqual([false, true, false])
    expect(platform.can.has('durability')).toBe(true)
    expect(mains.can('durability')).toBe(true)
    expect(mains.can('points')).toBe(false)
    for (let n = 0; n < 2; n++) {
      const moved = new Promise<void>((resolve) => {
        strip.onMove = () => resolve()
      })
      await mains.cut()
      await moved
      expect(strip.closed).toEqual([false, false, false])
      await mains.restore()
      expect(strip.closed).toEqual([false, true, false])
    }
    await mains.cut()
    await expect(mains.restore()).rejects.toThrow(/2 are allowed/)
    expect(strip.closed).toEqual([false, true, false])
    await mains.cut().catch(() => undefined)
    expect(JSON.stringify(events)).toContain('the board has switched platform off')
  }
  // However it was left: at the end it has power.
  expect(strip.closed).toEqual([false, true, false])
})

test.each([
  ['a board of no kind', 'kind: magic', /kind/],
  ['an address that is none', "kind: http, url: 'ftp://x'", /http/],
])('%s is refused', (_, board, why) => {
  using p = place()
  expect(() => read(p, text('http://x').replace(/kind: http, url: '[^']*'/, board))).toThrow(why)
})
