/** What scenarios of the pair with all its apps share: who plays, how loads are, and how it comes to a mesh. */
import {
  commandedOnRecord,
  type Cast,
  type Check,
  type Event,
  type Series,
  type Stage,
} from '../../bench/index.ts'

/** Everything of both substations. */
export const everything = [
  'platform',
  'platform2',
  'gridkey',
  'gridkey2',
  'thermocouple',
  'thermocouple2',
  'alvin',
  'alvin2',
  'network',
  'automation',
] as const
export type Everything = (typeof everything)[number]

/**
 * From a mild winter day at that hour on: A has more to carry this evening than its transformer bears, B has room. The apps
 * are commissioned once they have readings of a minute: LoadSense then knows all that it needs, and meshes. Resolves 75 s
 * after the start at the latest.
 */
export async function winterEvening(
  { network, automation, time }: Pick<Cast<Everything> & Stage, 'network' | 'automation' | 'time'>,
  hour: number,
): Promise<void> {
  network.always({
    hour,
    loads: { a: { profile: 'winter-weekday', scale: 6.3 } },
    ambient: { constant: 12 },
  })
  // Readings come once a minute; ratings want a temperature.
  await time.pass('62 s')
  await automation.remember()
}

/** At these roles the apps of substation B, whose breakers are the ones that are open as a rule. */
export const atB = { breakers: 'alvin2', initially: 'open' } as const

/** No breaker at B is operated but at LoadSense's command, and each command is on record. */
export function onCommand(platform2: Cast<Everything>['platform2'], id: string, verifies: string): Check {
  const commands = platform2.watch('marketplace', 'loadsense2.control.*')
  const records = platform2.watch('marketplace', 'meshing2.operation.*')
  return commandedOnRecord(commands, records, { ...atB, id, side: 'b', verifies: [verifies] })
}

/** Whether an event of `network.b` or `network.a` tells of three contacts that stand so. */
export function allStand(how: 'open' | 'closed'): (e: Event) => boolean {
  return (e) => {
    const d = e.data as { readonly payload?: { readonly closed?: readonly boolean[] } } | null
    const closed = d?.payload?.closed
    return closed !== undefined && closed.length === 3 && closed.every((c) => c === (how === 'closed'))
  }
}

export const networkAt = (side: 'a' | 'b'): Series => ({
  src: 'network',
  kind: 'seen',
  select: `network.${side}`,
})
