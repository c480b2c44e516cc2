/** How long a day of the pair at full detail takes: both platforms with all their apps, devices, breakers, the network. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** s of wall time. Ours. */
export const pairGoalS = 30

const root = join(import.meta.dirname, '../..')
const url = (path: string): string => pathToFileURL(join(root, path)).href

/**
 * How often the meshing app reads a breaker's voltages, currents and status: once a minute, as M:0030 asks (the rest of its
 * values are always read so), or every 10 s, as fielded in 2018.
 */
export type BreakerRate = 60 | 10

const scenario = (seconds: BreakerRate): string => `
import { always, scenario } from '${url('bench/index.ts')}'
import { everything, winterEvening } from '${url('scenarios/meshing/_pair.ts')}'
export default scenario({
  title: 'A day of the pair, to be timed',
  verifies: ['M:0042'],
  needs: everything,
  catches: {},
  horizon: '24 h',
  async run({ platform, platform2, network, automation, time, check }) {
    check(always({ src: 'network', kind: 'seen', select: 'network.a' }, () => true, { id: 'told', limit: 'anything', verifies: ['M:0042'] }))
    for (const p of [platform, platform2])
      await p.ask('operator', { do: 'change', app: 'meshing', config: { fastInterval: ${seconds} } })
    const end = time.now() + time.horizon
    await winterEvening({ network, automation, time }, 0)
    await time.pass(end - time.now())
  },
})
`

export interface PairDay {
  readonly wall: number
  readonly cpu: number
  readonly events: number
}

export function measurePairDay(rate: BreakerRate): PairDay {
  const folder = mkdtempSync(join(tmpdir(), 'gridproof-pair-'))
  try {
    mkdirSync(join(folder, 'scenarios', 'pair'), { recursive: true })
    writeFileSync(join(folder, 'scenarios', 'pair', 'day.ts'), scenario(rate))
    const out = join(folder, 'out')
    const args = ['run', 'pair/day', '--scenarios', join(folder, 'scenarios'), '--out', out]
    spawnSync(process.execPath, [join(root, 'bench/cli/gridproof.mjs'), ...args], { stdio: 'ignore' })
    const log = readFileSync(join(out, 'latest', 'data', 'pair.day.jsonl'), 'utf8').trimEnd()
    const last = JSON.parse(log.slice(log.lastIndexOf('\n') + 1)) as {
      readonly seq: number
      readonly data: { readonly wallMs: number; readonly cpuMs: number }
    }
    return { wall: last.data.wallMs / 1000, cpu: last.data.cpuMs / 1000, events: last.seq }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
