/** Makes whoever comes to a platform of a rig when that one stands: the laptop, advisers, LoadSense as played, an intruder. */
import { GridproofError } from '../../drivers/errors.ts'
import type { Host, Json } from '../../drivers/faces.ts'
import type { Feeders } from '../../sim/faces.ts'
import type { Advisers, Automation, Clock, Commander, Intruder, Laptop, Platform } from '../faces.ts'
import { playAdvisers } from '../platforms/advisers.ts'
import { automationApps, intruderApp } from '../platforms/apps.ts'
import type { speakersFor } from '../platforms/apps.ts'
import { makeAutomation } from '../platforms/automation.ts'
import { playClock } from '../platforms/clock.ts'
import { makeCommander } from '../platforms/commander.ts'
import { makeIntruder } from '../platforms/intruder.ts'
import { makeLaptop } from '../platforms/laptop.ts'
import type { PlayedPeers } from '../platforms/peers.ts'
import { publisherApid } from '../platforms/storage.ts'
import type { Setting } from './setting.ts'

/** The two platforms of a pair: `a` calls, `b` is called. */
export interface Ends {
  readonly a: Platform | undefined
  readonly b: Platform | undefined
}

/** Tells the link between two platforms where these are. */
export function meetPeers(s: Setting, peers: PlayedPeers, ends: Ends): void {
  peers.meet({
    doors: { a: s.door(ends.a), b: s.door(ends.b) },
    operate: async (at, request) => (await ends[at]?.ask('operator', request)) ?? null,
  })
}

export function automationOf(s: Setting, ends: Ends, network: Feeders | undefined): Automation {
  if (network === undefined) throw new GridproofError('bad-value', 'automation needs the network too')
  return makeAutomation({
    sides: (['a', 'b'] as const).flatMap((side) => {
      const of = ends[side]
      const host = of?.hosts[0]
      return of === undefined || host === undefined
        ? []
        : [{ side, host, operate: (request: Json) => of.ask('operator', request) }]
    }),
    predictor: automationApps.predictor.iid,
    network,
    realm: s.bench,
    emit: s.o.emitAs('automation'),
    now: () => s.o.world.now(),
  })
}

export function clockOf(s: Setting, host: Host | undefined): Clock {
  if (host === undefined)
    throw new GridproofError('rig-lacks', `the clock of the platform's host is not ours to set`)
  return s.faulty(playClock(host, () => s.o.world.now(), s.o.emitAs('clock')))
}

export function laptopAt(s: Setting, platform: Platform | undefined, password: string): Laptop | undefined {
  const entry = s.file.roles.laptop
  if (entry === undefined) return undefined
  return makeLaptop({
    address: s.door(platform).address,
    port: entry.port,
    pki: s.o.pki,
    realm: s.realm('laptop', entry.at),
    emit: s.o.emitAs('laptop'),
    password,
  })
}

export function advisersAt(
  s: Setting,
  platform: Platform | undefined,
  speakers: NonNullable<ReturnType<typeof speakersFor>>,
): Advisers {
  return s.keep(
    playAdvisers({
      door: s.door(platform),
      realm: s.realm('advisers', s.file.roles.advisers?.at ?? 0),
      emit: s.o.emitAs('advisers'),
      now: () => s.o.world.now(),
      topics: s.file.platform.topics,
      speakers,
      obeys: automationApps.loadsense.iid,
    }),
  )
}

export function commanderAt(s: Setting, platform: Platform | undefined, host: Host): Commander {
  return s.keep(
    makeCommander({
      door: s.door(platform),
      host,
      realm: s.realm('commander', s.file.roles.commander?.at ?? 0),
      emit: s.o.emitAs('commander'),
      now: () => s.o.world.now(),
    }),
  )
}

export function intruderAt(s: Setting, platform: Platform | undefined): Intruder {
  return makeIntruder({
    door: { ...s.door(platform), name: intruderApp.claims },
    realm: s.realm('intruder', s.file.roles.intruder?.at ?? 0),
    emit: s.o.emitAs('intruder'),
    own: intruderApp.apid,
    installed: publisherApid,
    revoked: intruderApp.revoked,
  })
}
