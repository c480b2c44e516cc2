/**
 * Breakers that are real, behind the platform of a lab. The bench commands none itself, yet what it plays may lead the
 * platform to operate them: a transformer that is played as overloaded is one. So nothing is played to such a platform
 * unless the operator has said so with `--arm`, and then only until one breaker has operated too often within an hour.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import type { Instant, Json } from '../../drivers/faces.ts'
import type { LabRig } from './lab.ts'

/** What only listens. */
const harmless: ReadonlySet<string> = new Set(['platform', 'recorder'])

/** Why a scenario that needs these roles is not played here; nothing: it may be. */
export function unarmed(file: LabRig, needs: readonly string[], armed: boolean): string | undefined {
  if (file.switches !== 'real') return undefined
  const played = needs.filter((n) => !harmless.has(n))
  if (played.length === 0) return undefined
  if (!armed)
    return `the rig '${file.name}' has breakers that are real, and what is played to its platform (${played.join(', ')}) may move them: only with --arm`
  return countable(file)
    ? undefined
    : `operations of the real breakers of the rig '${file.name}' could not be counted: it needs points.marketplace, and topics.apps.alvin (or aliases alvin.l1.open_operations to alvin.l3.close_operations)`
}

/** Whether the breakers' own counters are seen at the marketplace. */
function countable(file: LabRig): boolean {
  const { apps, aliases } = file.topics
  const counters = ['l1', 'l2', 'l3'].flatMap((p) => [
    `alvin.${p}.open_operations`,
    `alvin.${p}.close_operations`,
  ])
  return (
    file.points.marketplace !== undefined &&
    (apps.alvin !== undefined || counters.every((c) => Object.hasOwn(aliases, c)))
  )
}

const hour = 3_600_000
const operation = z.object({ at: z.number(), phase: z.string(), as: z.enum(['commanded', 'counted']) })
type Operation = z.infer<typeof operation>

export interface OperationLimit {
  /** Why nothing more may be played within this hour; nothing: it may. */
  over(): string | undefined
  /** Something seen at the marketplace; why the run has to stop, where it has. */
  see(alias: string, payload: Json | undefined): string | undefined
}

/**
 * Counts what LoadSense commands, and what the breakers' own counters say, each breaker by itself. `file` holds the
 * operations of the scenarios before it in the same run.
 */
export function operationLimit(most: number, file: string, now: () => Instant): OperationLimit {
  let before = readOperations(file)
  const counters = new Map<string, number>()
  const over = (): string | undefined => {
    const at = now()
    before = before.filter((o) => o.at > at - hour)
    const sums = new Map<string, number>()
    for (const o of before) {
      const what = `breaker ${o.phase} was ${o.as === 'commanded' ? 'commanded' : 'operated'}`
      sums.set(what, (sums.get(what) ?? 0) + 1)
    }
    const [worst] = [...sums].filter(([, n]) => n > most)
    return worst === undefined
      ? undefined
      : `${worst[0]} ${worst[1]} times within an hour, and ${most} are allowed (operationsAnHour): the bench plays nothing more`
  }
  const add = (phase: string, as: Operation['as'], count: number): string | undefined => {
    for (let i = 0; i < count; i++) before.push({ at: now(), phase, as })
    writeFileSync(file, JSON.stringify(before))
    return over()
  }
  return {
    over,
    see(alias, payload) {
      const value = valueOf(payload)
      const command = /^loadsense\.control\.(l[123])$/.exec(alias)?.[1]
      if (command !== undefined) return typeof value === 'boolean' ? add(command, 'commanded', 1) : undefined
      const phase = /^alvin\.(l[123])\.(?:open|close)_operations$/.exec(alias)?.[1]
      if (phase === undefined || typeof value !== 'number') return undefined
      const last = counters.get(alias)
      counters.set(alias, value)
      // They are of 16 bits. One that has gone back was set anew.
      const more = last === undefined ? 0 : (value - last) & 0xffff
      return more > 0 && more < 0x8000 ? add(phase, 'counted', Math.min(more, most + 1)) : undefined
    },
  }
}

function valueOf(payload: Json | undefined): Json | undefined {
  return typeof payload === 'object' && payload !== null && 'Value' in payload ? payload['Value'] : undefined
}

/** None where there is no file yet. */
function readOperations(file: string): Operation[] {
  try {
    return z.array(operation).parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return []
  }
}
