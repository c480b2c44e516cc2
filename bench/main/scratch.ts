/** Folders that live as long as a command: keys above all, which never stand in a run's own folder. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { GridproofError } from '../../drivers/errors.ts'
import { clearLeftovers, openLedger } from '../../drivers/real/ledger.ts'
import type { Cleared } from '../../drivers/real/ledger.ts'
import { mosquittoLacks } from '../../sim/reference/lvcap/marketplace/mosquitto-programs.ts'
import { makePki } from '../../sim/reference/lvcap/pki.ts'
import { enrolled, intruderApp, withSessions } from '../platforms/apps.ts'
import { centreName, uploadApp } from '../platforms/centre.ts'
import { commsApp, managementName } from '../platforms/management.ts'
import { platformNames } from '../platforms/peer-parties.ts'
import { addressOf } from '../rigs/address.ts'
import { isLab } from '../rigs/schema.ts'
import type { RigFile } from '../rigs/schema.ts'

/** Programs that the platform of a rig needs and this machine has not, with how to get them. */
export function lacksOf(rig: RigFile): readonly string[] {
  return !isLab(rig) && rig.platform.broker === 'mosquitto' ? mosquittoLacks() : []
}

export interface Scratch extends Disposable {
  /** Certificates and keys of the platform, its apps, the observer, and what an intruder would bring. */
  readonly pki: string
  /** The same names with other certificates and keys, in a folder of their own. */
  otherPki(): string
  /** Where disks of virtual hosts are made: in memory where the system has such a place, for speed. */
  readonly disks: string
  /** What was left behind by a bench that was killed, and has been undone now. */
  readonly cleared: readonly Cleared[]
}

/**
 * Undoes what dead benches left, makes the folders, and issues the certificates: before any kernel, since keys are
 * made by other threads. Everything stands in the ledger, so that the next start undoes it if this process is killed.
 * Throws `rig-lacks` where a program that the rig needs is not installed.
 */
export function makeScratch(rig: RigFile): Scratch {
  const lacks = lacksOf(rig)
  if (lacks.length > 0)
    throw new GridproofError('rig-lacks', `the rig '${rig.name}' cannot run here: ${lacks.join('; ')}`)
  const cleared = clearLeftovers()
  const ledger = openLedger()
  const own = ledger.folder('run')
  const issue = (folder: string): string => {
    const pki = join(own, folder)
    // A lab's platform has certificates of its own.
    if (isLab(rig)) return pki
    makePki(pki, {
      apps: enrolled,
      revoked: [intruderApp.revoked],
      // Whoever is called shows the certificate with which it calls.
      platforms: [...Object.values(platformNames), centreName, managementName, commsApp.apid],
      impersonated: [uploadApp.apid, commsApp.apid],
      ...(rig.platform.broker === 'mosquitto' ? { withSessions } : {}),
      ...(rig.network === 'own'
        ? {}
        : {
            addresses: [rig.platform.at, rig.roles.platform2?.at, rig.roles.cloud?.at]
              .filter((at) => at !== undefined)
              .map((at) => addressOf(rig.network, at)),
          }),
    })
    return pki
  }
  const pki = issue('pki')
  const disks =
    rig.time === 'virtual' && existsSync('/dev/shm')
      ? ledger.folder('disks', '/dev/shm')
      : ledger.folder('disks')
  const leave = (): void => void ledger.close()
  process.once('exit', leave)
  return {
    pki,
    otherPki: () => issue('pki-again'),
    disks,
    cleared: cleared.filter((c) => c.outcome === 'undone'),
    [Symbol.dispose]() {
      process.off('exit', leave)
      ledger.close()
    },
  }
}
