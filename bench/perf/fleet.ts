/** How many smart meters one process streams over TCP at their real cadence, and how late their lists are. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { benchNow } from '../../drivers/real/clock.ts'
import { createFleet } from '../../sim/devices/meter/fleet.ts'
import { meterSchema } from '../../sim/devices/meter/personality.ts'
import { readPersonality } from '../../sim/devices/personality.ts'
import { serveFleet } from '../main/fleet/serve.ts'
import type { FleetFigures } from '../main/fleet/serve.ts'
import { waitedForCore } from './calm.ts'

/** p99 on an idle core, ms. */
export const latenessBarMs = 5

/** Of a window of time. */
export interface FleetWindow {
  readonly figures: FleetFigures
  readonly seconds: number
  /** Share of a core that the process took. */
  readonly cpu: number
  /** ms for which its thread was ready and had no core; undefined where the system does not tell. */
  readonly waitedMs: number | undefined
}

export interface FleetRun {
  readonly windows: readonly FleetWindow[]
  /** That in which it waited least for a core: chosen by the machine, not by the result. */
  readonly calmest: FleetWindow
}

/** As long as the meters' spread, so that each has sent once. */
const windowMs = 2000

export async function measureFleet(count: number, windows: number): Promise<FleetRun> {
  const fleet = createFleet({
    personalities: [readPersonality('kaifa-ma304h3e', meterSchema)],
    count,
    seed: 1,
    spreadMs: windowMs,
    start: benchNow(),
  })
  await using serving = await serveFleet({ fleet, host: '127.0.0.1', port: 0, portEach: false })
  const client = fork(fileURLToPath(new URL('fleet-client.ts', import.meta.url)), [
    String(serving.port),
    String(count),
  ])
  try {
    await once(client, 'message')
    // Code warms up: each meter has sent once or more.
    await pass(3 * windowMs)
    const all: FleetWindow[] = []
    for (let i = 0; i < windows; i++) {
      serving.restart()
      const [cpu, waited, from] = [process.cpuUsage(), waitedForCore(), benchNow()]
      await pass(windowMs)
      const used = process.cpuUsage(cpu)
      const after = waitedForCore()
      const seconds = (benchNow() - from) / 1000
      all.push({
        figures: { ...serving.figures },
        seconds,
        cpu: (used.user + used.system) / 1e6 / seconds,
        waitedMs: waited === undefined || after === undefined ? undefined : after - waited,
      })
    }
    const [calmest = all[0]] = all.toSorted((a, b) => (a.waitedMs ?? 0) - (b.waitedMs ?? 0))
    if (calmest === undefined) throw new RangeError('one window at the least')
    return { windows: all, calmest }
  } finally {
    client.disconnect()
    await once(client, 'exit')
  }
}

const pass = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))
