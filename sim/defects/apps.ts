/** Which modules of the reference platform can be wrapped, and with what. */
import * as hanLogger from '../reference/han-logger/main.ts'
import * as gridkey from '../reference/lvcap/apps/gridkey/main.ts'
import * as loadsense from '../reference/lvcap/apps/loadsense/main.ts'
import * as dtr from '../reference/lvcap/apps/dtr/main.ts'
import * as predictor from '../reference/lvcap/apps/predictor/main.ts'
import * as meshing from '../reference/lvcap/apps/meshing/main.ts'
import * as peer from '../reference/lvcap/apps/peer/main.ts'
import * as recorder from '../reference/lvcap/apps/recorder/main.ts'
import * as comms from '../reference/lvcap/apps/comms/main.ts'
import * as upload from '../reference/lvcap/apps/upload/main.ts'
import * as temperature from '../reference/lvcap/apps/temperature/main.ts'
import type { Json, ProgramEnv } from '../reference/lvcap/env.ts'
import * as maintenance from '../reference/lvcap/maintenance/main.ts'
import * as marketplace from '../reference/lvcap/marketplace/main.ts'
import * as platform from '../reference/lvcap/platform.ts'
import * as storage from '../reference/lvcap/storage/main.ts'
import * as watchdog from '../reference/lvcap/watchdog/main.ts'
import * as uploadServer from '../servers/uploads/main.ts'
import * as scripted from '../apps/scripted/main.ts'
import type { ProgramModule } from '../../drivers/faces.ts'
import { adamDefects } from './adam.ts'
import type { AppId, Defect } from './defect.ts'
import { commsDefects } from './comms.ts'
import { dtrDefects } from './dtr.ts'
import { gridkeyClockDefects } from './gridkey-clock.ts'
import { gridkeyDefects } from './gridkey.ts'
import { hanDefects } from './han.ts'
import { lifecycleDefects } from './lifecycle.ts'
import { managerDefects } from './manager.ts'
import { loadSenseDefects } from './loadsense.ts'
import { maintenanceDefects } from './maintenance.ts'
import { marketplaceDefects } from './marketplace.ts'
import { meshingDefects } from './meshing.ts'
import { mutationOf } from './mutations.ts'
import { outlineDefects } from './outline.ts'
import { predictorDefects } from './predictor.ts'
import { managerPowerDefects, recorderPowerDefects, storagePowerDefects } from './power.ts'
import { peerDefects } from './peer.ts'
import { recorderDefects } from './recorder.ts'
import { storageDefects } from './storage.ts'
import { sdkDefects, temperatureSdkDefects } from './sdk.ts'
import { temperatureStoredDefects } from './temperature-stored.ts'
import { temperatureDefects } from './temperature.ts'
import { managerUpdateDefects } from './updates.ts'
import { uploadDefects } from './upload.ts'
import { uploadServerDefects } from './upload-server.ts'
import { feedingDefects, watchdogDefects } from './watchdog.ts'

/** A module in parts. */
interface Module<P extends object> {
  parts(config: Json): P
  run(parts: P, env: ProgramEnv): Promise<number>
}

export interface Wrappable {
  readonly id: AppId
  readonly defects: readonly { readonly id: string }[]
  /** Runs the module with the defects of these IDs; `reached` is called with the ID of each that comes to bear, and what a mutation changed. */
  run(env: ProgramEnv, ids: readonly string[], reached: (id: string, what?: string) => void): Promise<number>
}

function wrappable<P extends object>(id: AppId, module: Module<P>, defects: readonly Defect<P>[]): Wrappable {
  return {
    id,
    defects,
    run(env, ids, reached) {
      const wrapped = ids.reduce((parts, one) => {
        const defect = defects.find((d) => d.id === one)
        if (defect !== undefined) return defect.wrap(parts, () => reached(one))
        // A mutation keeps the shape of the parts: it replaces one function by another.
        return { ...parts, ...mutationOf(one)?.wrap(parts, (what) => reached(one, what)) }
      }, module.parts(env.config))
      return module.run(wrapped, env)
    },
  }
}

/** Programs without parts that we know, which run as they are; imported beforehand for the same reason. */
export const others: ReadonlyMap<string, ProgramModule> = new Map([['sim/apps/scripted/main.ts', scripted]])

/** By module path from the project's root. Imported beforehand: a program that loads modules late has no place in virtual time. */
export const wrappables: ReadonlyMap<string, Wrappable> = new Map([
  [
    'sim/reference/lvcap/platform.ts',
    wrappable('container-manager', platform, [
      ...managerDefects,
      ...lifecycleDefects,
      ...managerPowerDefects,
      ...managerUpdateDefects,
      ...feedingDefects,
    ]),
  ],
  ['sim/reference/lvcap/marketplace/main.ts', wrappable('marketplace', marketplace, marketplaceDefects)],
  [
    'sim/reference/lvcap/apps/gridkey/main.ts',
    wrappable('gridkey-app', gridkey, [
      ...gridkeyDefects,
      ...gridkeyClockDefects,
      ...sdkDefects,
      ...outlineDefects,
    ]),
  ],
  ['sim/reference/lvcap/apps/predictor/main.ts', wrappable('predictor-app', predictor, predictorDefects)],
  ['sim/reference/lvcap/apps/dtr/main.ts', wrappable('dtr-app', dtr, dtrDefects)],
  ['sim/reference/lvcap/apps/upload/main.ts', wrappable('upload-app', upload, uploadDefects)],
  ['sim/reference/lvcap/apps/comms/main.ts', wrappable('comms-app', comms, commsDefects)],
  ['sim/servers/uploads/main.ts', wrappable('upload-server', uploadServer, uploadServerDefects)],
  ['sim/reference/han-logger/main.ts', wrappable('han-logger', hanLogger, hanDefects)],
  ['sim/reference/lvcap/apps/loadsense/main.ts', wrappable('loadsense-app', loadsense, loadSenseDefects)],
  [
    'sim/reference/lvcap/storage/main.ts',
    wrappable('data-storage', storage, [...storageDefects, ...storagePowerDefects]),
  ],
  ['sim/reference/lvcap/watchdog/main.ts', wrappable('watchdog', watchdog, watchdogDefects)],
  ['sim/reference/lvcap/maintenance/main.ts', wrappable('maintenance', maintenance, maintenanceDefects)],
  ['sim/reference/lvcap/apps/meshing/main.ts', wrappable('meshing-app', meshing, meshingDefects)],
  ['sim/reference/lvcap/apps/peer/main.ts', wrappable('peer-app', peer, peerDefects)],
  [
    'sim/reference/lvcap/apps/recorder/main.ts',
    wrappable('csv-recorder', recorder, [...recorderDefects, ...recorderPowerDefects]),
  ],
  [
    'sim/reference/lvcap/apps/temperature/main.ts',
    wrappable('temperature-app', temperature, [
      ...temperatureDefects,
      ...temperatureSdkDefects,
      ...adamDefects,
      ...temperatureStoredDefects,
    ]),
  ],
])
