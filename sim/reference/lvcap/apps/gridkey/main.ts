/** The GridKey sensor application (Appendix C): the feeder monitor's measurements by Modbus/TCP, one message each. */
import { errno } from '../../api.ts'
import type { Json, ProgramEnv } from '../../env.ts'
import { runApp } from '../../sdk/app.ts'
import { tcpLink } from '../../sdk/modbus.ts'
import { commonParts, operateSensor, type SensorParts } from '../../sdk/sensor.ts'
import { readConfig, type GridkeyConfig } from './config.ts'
import { blocks, decode, judge, type Memory, type Reading } from './decode.ts'
import { topicOf, unitOf } from './topics.ts'

export type GridkeyParts = SensorParts<GridkeyConfig, Reading, Memory | undefined>

export function parts(_config: Json): GridkeyParts {
  return { ...commonParts<GridkeyConfig>(), decode, judge, topic: topicOf }
}

export async function run(p: GridkeyParts, env: ProgramEnv): Promise<number> {
  return runApp(
    p,
    env,
    operateSensor<GridkeyConfig, Reading, Memory | undefined>(p, {
      readConfig,
      blocks,
      link: tcpLink,
      linkErrno: errno.noDevice,
      unitOf,
    }),
  )
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}
