/** A bench that starts a family of processes, says who they are, and waits to be killed. For the tests of hosts. */
import { writeSync } from 'node:fs'
import { createRealWorld } from '../world.ts'

const state = process.argv[2] ?? ''
const world = await createRealWorld({ seed: 1, state })
const host = await world.host({ name: 'edge', address: '10.0.0.1' })
const pids: number[] = []
host.onLog((_, said) => {
  if (typeof said === 'object' && said !== null && 'pid' in said) pids.push(Number(said['pid']))
  // hog, family, child and grandchild
  if (pids.length === 4) writeSync(1, `${JSON.stringify({ disk: host.disk, pids })}\n`)
})
const entry = 'drivers/real/testing/programs.ts'
await host.start('hog', { entry, config: { way: 'hog' }, defects: [] })
await host.start('family', { entry, config: { way: 'family' }, defects: [] })
await world.pass(1_000_000_000)
