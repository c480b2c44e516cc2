/** Opens a board by what a rig file says of it. */
import type { BoardSpec, PowerBoard } from './board.ts'
import { openCoilRelay } from './coil-relay.ts'
import { openHttpPdu } from './http-pdu.ts'
import { openSerialRelay } from './serial-relay.ts'

/** Throws `rig-lacks` where it is not reached. `within`: how long an answer may take, ms. */
export async function openBoard(spec: BoardSpec, within?: number): Promise<PowerBoard> {
  const more = within === undefined ? {} : { within }
  if (spec.kind === 'serial-relay') return openSerialRelay({ ...spec, ...more })
  if (spec.kind === 'coils') return openCoilRelay({ ...spec, ...more })
  return openHttpPdu({ ...spec, ...more })
}
