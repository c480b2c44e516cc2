/** Folders that live as long as a command: keys above all, which never stand in a run's own folder. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makePki } from '../../sim/reference/lvcap/pki.ts'
import { enrolled } from '../platforms/reference.ts'
import { addressOf } from '../rigs/address.ts'
import type { RigFile } from '../rigs/schema.ts'

export interface Scratch extends Disposable {
  readonly folder: string
  /** Certificates and keys of the platform, its apps, the observer, and what an intruder would bring. */
  readonly pki: string
}

/** Makes the folder and issues the certificates: before any kernel, since keys are made by other threads. */
export function makeScratch(rig: RigFile): Scratch {
  const folder = mkdtempSync(join(tmpdir(), 'gridproof-'))
  const pki = join(folder, 'pki')
  makePki(pki, {
    apps: enrolled,
    ...(rig.network === 'own' ? {} : { addresses: [addressOf(rig.network, rig.platform.at)] }),
  })
  return {
    folder,
    pki,
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
