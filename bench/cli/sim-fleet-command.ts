/** The work of `gridproof sim fleet`. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { GridproofError } from '../../drivers/errors.ts'
import type { Json } from '../../drivers/faces.ts'
import { benchNow } from '../../drivers/real/clock.ts'
import { duration } from '../../drivers/units.ts'
import { createFleet } from '../../sim/devices/meter/fleet.ts'
import { meterSchema } from '../../sim/devices/meter/personality.ts'
import { readPersonality } from '../../sim/devices/personality.ts'
import { serveFleet } from '../main/fleet/serve.ts'
import type { FleetFigures } from '../main/fleet/serve.ts'
import { exitCodes } from '../verdicts/exit-code.ts'
import { hostAndPort } from './door.ts'
import { onStop } from './on-stop.ts'
import type { FleetCommandOptions } from './sim-fleet.ts'

/** Performs the command and returns its exit code. */
export async function performFleet(o: FleetCommandOptions): Promise<number> {
  const { host, port } = hostAndPort(o.tcp)
  const [spreadMs, everyMs] = [duration(o.spread), duration(o.every)]
  const forMs = o.for === undefined ? undefined : duration(o.for)
  if (spreadMs < 0 || spreadMs > 10_000) throw new GridproofError('usage', '--spread takes 0 s to 10 s')
  if (everyMs < 100 || everyMs > 2 ** 31 - 1 || (forMs ?? 0) > 2 ** 31 - 1)
    throw new GridproofError('usage', '--every and --for take 100 ms to 24 d')
  if (o.portEach === true && port !== 0 && port + o.count > 65_536)
    throw new GridproofError('usage', `from port ${port} on there is no room for ${o.count} ports`)
  const [first, ...rest] = o.personality.map((name) =>
    readPersonality(
      (name.includes('/') || name.endsWith('.yaml')) && existsSync(name) ? resolve(name) : name,
      meterSchema,
    ),
  )
  if (first === undefined) throw new GridproofError('usage', '--personality needs a name')
  const fleet = createFleet({
    personalities: [first, ...rest],
    count: o.count,
    seed: o.seed,
    spreadMs,
    start: benchNow(),
  })
  const put = (text: string): void => void process.stdout.write(`${text}\n`)
  const { promise: stopped, resolve: stop } = Promise.withResolvers<number>()
  const forget = onStop(() => stop(exitCodes.aborted))
  const timers: NodeJS.Timeout[] = []
  try {
    await using serving = await serveFleet({ fleet, host, port, portEach: o.portEach === true })
    const place = `${host.includes(':') ? `[${host}]` : host}:${serving.port}`
    if (o.json === true) put(JSON.stringify({ what: 'ready', place, meters: o.count }))
    else
      put(
        `${o.count} meters at ${place}${o.portEach === true ? ' and the ports behind it' : ', one for each connection'}; Ctrl-C ends it.`,
      )
    let cpu = process.cpuUsage()
    let since = benchNow()
    const tell = (): void => {
      const now = benchNow()
      const used = process.cpuUsage(cpu)
      const share = (used.user + used.system) / 1000 / (now - since)
      if (o.json === true)
        put(
          JSON.stringify({
            what: 'figures',
            cpu: share,
            seconds: (now - since) / 1000,
            ...(serving.figures as unknown as Record<string, Json>),
          }),
        )
      else put(figuresText(serving.figures, (now - since) / 1000, share))
      cpu = process.cpuUsage()
      since = now
      serving.restart()
    }
    timers.push(setInterval(tell, everyMs))
    if (forMs !== undefined) timers.push(setTimeout(() => stop(exitCodes.ok), forMs))
    const code = await stopped
    tell()
    return code
  } finally {
    for (const t of timers) clearTimeout(t)
    forget()
  }
}

/** For a person. `cpu`: share of a core. */
export function figuresText(f: FleetFigures, seconds: number, cpu: number): string {
  const odd = [
    ...(f.untaken > 0 ? [`${f.untaken} lists not fetched in time`] : []),
    ...(f.refused > 0 ? [`${f.refused} connections beyond the last meter`] : []),
  ]
  const late = `late by ${f.lateness.p50.toFixed(1)} ms (half of them), ${f.lateness.p99.toFixed(1)} ms (p99), ${f.lateness.most.toFixed(1)} ms (most)`
  return [
    `${f.connected} connected, ${Math.round(f.lists / seconds)} lists/s, ${Math.round(f.bytes / seconds / 1000)} kB/s`,
    ...(f.lateness.count === 0 ? [] : [late]),
    `${Math.round(cpu * 100)} % of a core`,
    ...odd,
  ].join('; ')
}
