/** Every way to break the reference platform on purpose, and every legal variant of it. */
import { GridproofError } from '../../drivers/errors.ts'
import type { HostSetting } from '../faces.ts'
import type { LoggerParts } from '../reference/han-logger/main.ts'
import type { GridkeyParts } from '../reference/lvcap/apps/gridkey/main.ts'
import type { LoadSenseParts } from '../reference/lvcap/apps/loadsense/main.ts'
import type { CommsParts } from '../reference/lvcap/apps/comms/main.ts'
import type { DtrParts } from '../reference/lvcap/apps/dtr/main.ts'
import type { PredictorParts } from '../reference/lvcap/apps/predictor/main.ts'
import type { PeerParts } from '../reference/lvcap/apps/peer/main.ts'
import type { RecorderParts } from '../reference/lvcap/apps/recorder/main.ts'
import type { TemperatureParts } from '../reference/lvcap/apps/temperature/main.ts'
import type { MeshingParts } from '../reference/lvcap/apps/meshing/main.ts'
import type { MaintenanceParts } from '../reference/lvcap/maintenance/main.ts'
import type { ManagerParts } from '../reference/lvcap/manager/main.ts'
import type { MarketplaceParts } from '../reference/lvcap/marketplace/main.ts'
import type { UploadParts } from '../reference/lvcap/upload/engine.ts'
import type { StorageParts } from '../reference/lvcap/storage/main.ts'
import type { WatchdogParts } from '../reference/lvcap/watchdog/main.ts'
import type { UploadServerParts } from '../servers/uploads/main.ts'
import { adamDefects } from './adam.ts'
import type { Defect } from './defect.ts'
import { commsDefects } from './comms.ts'
import { dtrDefects } from './dtr.ts'
import { environmentDefects } from './environment.ts'
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
import { feedingDefects, watchdogDefects } from './watchdog.ts'
import { dataServerDefects } from './data-server.ts'
import type { DataServerParts } from './data-server.ts'
import { uploadServerDefects } from './upload-server.ts'

export type { AppId, Defect } from './defect.ts'
export { mutations } from './mutations.ts'
export { survivorOf } from './survivors.ts'

export type AnyDefect =
  | Defect<GridkeyParts>
  | Defect<TemperatureParts>
  | Defect<RecorderParts>
  | Defect<MaintenanceParts>
  | Defect<StorageParts>
  | Defect<MarketplaceParts>
  | Defect<ManagerParts>
  | Defect<LoggerParts>
  | Defect<UploadParts>
  | Defect<CommsParts>
  | Defect<PeerParts>
  | Defect<MeshingParts>
  | Defect<PredictorParts>
  | Defect<DtrParts>
  | Defect<LoadSenseParts>
  | Defect<WatchdogParts>
  | Defect<UploadServerParts>
  | Defect<HostSetting>
  | Defect<DataServerParts>

/** Defects and variants. Mutations come from `mutations(seed, n)`. */
export const defects: readonly AnyDefect[] = [
  ...gridkeyDefects,
  ...gridkeyClockDefects,
  ...temperatureDefects,
  ...adamDefects,
  ...temperatureStoredDefects,
  ...marketplaceDefects,
  ...managerDefects,
  ...lifecycleDefects,
  ...sdkDefects,
  ...outlineDefects,
  ...temperatureSdkDefects,
  ...recorderDefects,
  ...maintenanceDefects,
  ...storageDefects,
  ...storagePowerDefects,
  ...recorderPowerDefects,
  ...managerPowerDefects,
  ...managerUpdateDefects,
  ...hanDefects,
  ...uploadDefects,
  ...uploadServerDefects,
  ...dataServerDefects,
  ...commsDefects,
  ...meshingDefects,
  ...predictorDefects,
  ...dtrDefects,
  ...loadSenseDefects,
  ...peerDefects,
  ...watchdogDefects,
  ...feedingDefects,
  ...environmentDefects,
]

/**
 * The defect, variant or mutation of an ID.
 * @throws GridproofError `no-such`.
 */
export function defectOf(id: string): AnyDefect | Defect<object> {
  const found = defects.find((d) => d.id === id) ?? mutationOf(id)
  if (found === undefined) throw new GridproofError('no-such', `there is no defect '${id}'`)
  return found
}
