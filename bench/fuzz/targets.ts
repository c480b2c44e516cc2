/** Everything that is fuzzed. A decoder joins by a line in one of these lists. */
import type { Target } from './target.ts'
import { cliTargets } from './targets/cli.ts'
import { fileTargets } from './targets/files.ts'
import { meterTargets } from './targets/meter.ts'
import { modbusTargets } from './targets/modbus.ts'
import { peerTargets } from './targets/peer.ts'
import { textTargets } from './targets/text.ts'

export const targets: readonly Target[] = [
  ...modbusTargets,
  ...meterTargets,
  ...peerTargets,
  ...textTargets,
  ...fileTargets,
  ...cliTargets,
]
