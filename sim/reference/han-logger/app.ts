/**
 * The reader as an application of an LV-CAP platform: each value of each list as a Scalar on the Data Marketplace (API 9.1),
 * from where whoever may take it sends it on. Without an outbox and a broker of its own: those are the platform's matter.
 */
import { z } from 'zod'
import type { QuantityName } from '../../../drivers/protocols/han/quantities.ts'
import { unitOf } from '../../../drivers/protocols/han/quantities.ts'
import type { Reading } from '../../../drivers/protocols/han/reading.ts'
import { errno, scalar, topics, unixSeconds } from '../lvcap/api.ts'
import { parseConfig } from '../lvcap/config.ts'
import { wallClock, type Json, type JsonObject, type ProgramEnv } from '../lvcap/env.ts'
import { type AppContext, type Operation, runApp, type SdkParts, sdkParts } from '../lvcap/sdk/app.ts'
import { lineSchema } from './config.ts'
import { keepOpen, type Port } from './ports.ts'
import { createLineReceiver, type LineReceiver, type ReadList, readList } from './receive.ts'

/** ContainerConfig. */
export const appConfigSchema = z.strictObject({
  lines: z.array(lineSchema).min(1).max(8),
  /** Quantities that are published; all that come, where it is absent. */
  quantities: z.array(z.enum(Object.keys(unitOf) as [QuantityName, ...QuantityName[]])).optional(),
  /** Whether Data Storage is asked to keep them. */
  toStore: z.boolean().optional(),
  /** Seconds without a list after which an error is told, once. A meter that sends hourly needs more. Ours. */
  staleAfter: z.number().positive().max(86_400).default(60),
})
export type AppConfig = z.infer<typeof appConfigSchema>

export interface HanAppParts extends SdkParts {
  read: ReadList
  /** Topic below `sensor/data/<IID>/`: `<asset>/<parameter group>/<time>/<parameter>` (API 4.4). `line` counts from 1. */
  topic(quantity: QuantityName, line: number): string
}

export function parts(_config: Json): HanAppParts {
  return {
    ...sdkParts(),
    read: readList,
    // The meter sets the pace: `push` stands where others name their interval.
    topic: (quantity, line) => `Meter${line}/${quantity}/push/${unitOf[quantity]}`,
  }
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}

export async function run(p: HanAppParts, env: ProgramEnv): Promise<number> {
  return runApp(p, env, (given, context) => operate(p, given, context))
}

function operate(p: HanAppParts, given: JsonObject, context: AppContext): Operation {
  const config = parseConfig(appConfigSchema, given, 'the configuration of the HAN reader')
  const wanted = config.quantities === undefined ? undefined : new Set<string>(config.quantities)
  const ports: Port[] = []
  const receivers: LineReceiver[] = []
  const timers = new Map<string, NodeJS.Timeout>()
  const after = (name: string, ms: number, f: () => void): void => {
    clearTimeout(timers.get(name))
    timers.set(name, setTimeout(f, ms))
  }
  for (const [i, line] of config.lines.entries()) {
    const watch = (): void =>
      after(`stale ${i}`, config.staleAfter * 1000, () =>
        context.error(errno.port, `No list from ${line.path} for ${config.staleAfter} s.`),
      )
    const publish = (r: Reading): void => {
      watch()
      const stamp = unixSeconds(wallClock())
      for (const [quantity, value] of Object.entries(r.values) as [QuantityName, number][]) {
        if (wanted !== undefined && !wanted.has(quantity)) continue
        context.publish({
          topic: `${topics.sensor(context.config.iid)}/${p.topic(quantity, i + 1)}`,
          payload: scalar(stamp, value, true, config.toStore),
          qos: 1,
          retain: false,
        })
      }
    }
    const receiver = createLineReceiver(line, publish, p.read)
    receivers.push(receiver)
    watch()
    ports.push(
      keepOpen(line, context.log, {
        bytes(chunk) {
          receiver.push(chunk)
          after(`silence ${i}`, line.silence * 1000, () => receiver.silent())
        },
        lost() {
          receiver.silent()
          context.error(errno.port, `The port ${line.path} is gone.`)
        },
      }),
    )
  }
  return {
    gauges: () => ({
      lists: receivers.reduce((n, r) => n + r.stats.messages, 0),
      rejected: receivers.reduce((n, r) => n + Object.values(r.stats.rejected).reduce((a, b) => a + b, 0), 0),
    }),
    async stop() {
      for (const t of timers.values()) clearTimeout(t)
      await Promise.all(ports.map((x) => x.close()))
    },
  }
}
