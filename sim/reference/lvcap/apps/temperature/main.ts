/** The temperature sensor application: thermocouples behind a Modbus RTU module, one message for each input (M:0027). */
import { errno } from '../../api.ts'
import type { Json, ProgramEnv } from '../../env.ts'
import { runApp } from '../../sdk/app.ts'
import { serialLink } from '../../sdk/modbus.ts'
import { commonParts, operateSensor, type SensorParts } from '../../sdk/sensor.ts'
import { readConfig, type TemperatureConfig } from './config.ts'
import { blocks, decode, judge, type Memory, type Reading } from './decode.ts'
import { topicOf } from './topics.ts'

export type TemperatureParts = SensorParts<TemperatureConfig, Reading, Memory>

export function parts(_config: Json): TemperatureParts {
  return { ...commonParts<TemperatureConfig>(), decode, judge, topic: topicOf }
}

export async function run(p: TemperatureParts, env: ProgramEnv): Promise<number> {
  const link = (c: TemperatureConfig): ReturnType<typeof serialLink> =>
    serialLink({ ...c.serial, unit: c.unit })
  return runApp(
    p,
    env,
    operateSensor<TemperatureConfig, Reading, Memory>(p, {
      readConfig,
      blocks,
      link,
      linkErrno: errno.port,
      unitOf: () => '°C',
    }),
  )
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}
