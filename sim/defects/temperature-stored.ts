/** Defects of the temperature application that show only where its readings are to be stored. */
import type { TemperatureParts } from '../reference/lvcap/apps/temperature/main.ts'
import { listOf, type Defect } from './defect.ts'

export const temperatureStoredDefects: readonly Defect<TemperatureParts>[] = listOf<TemperatureParts>(
  'temperature-app',
  'defect',
  {
    'never-asks-to-store': [
      'Does not set ToStore, whatever its configuration says.',
      (p, reached) => ({
        ...p,
        compose: (topic, sample, stamp, config) => {
          if (config.toStore !== true) return p.compose(topic, sample, stamp, config)
          reached()
          return p.compose(topic, sample, stamp, { ...config, toStore: false })
        },
      }),
    ],
  },
)
