/** Makes the watchdogs of a rig's platform: before it, since it is told of them; they begin beside it when it stands. */
import { GridproofError } from '../../drivers/errors.ts'
import type { PlayedLink } from '../platforms/link.ts'
import type { PlayedMains } from '../platforms/mains.ts'
import { playWatchdog } from '../platforms/watchdog.ts'
import type { PlayedWatchdog } from '../platforms/watchdog.ts'
import type { Setting } from './setting.ts'

/** Throws `bad-value` for a scenario that does not ask for what they have in hand. */
export async function startWatchdog(
  s: Setting,
  link: PlayedLink | undefined,
  mains: PlayedMains | undefined,
): Promise<PlayedWatchdog> {
  const entry = s.file.roles.watchdog
  if (entry === undefined) throw s.lacks('watchdog')
  if (link === undefined || mains === undefined)
    throw new GridproofError('bad-value', 'the watchdog needs link and mains too: ask for them')
  return s.keep(
    await playWatchdog({
      host: await s.o.world.host({ name: 'watchdog', address: s.address(entry.at) }),
      port: entry.port,
      relay: s.realm('relay', entry.relay.at),
      beyond: s.realm('beyond', entry.beyond.at),
      link,
      mains,
      defects: s.o.defects,
      now: () => s.o.world.now(),
      emitAs: (src) => s.o.emitAs(src),
    }),
  )
}
