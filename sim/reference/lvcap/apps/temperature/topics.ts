/** Topics of the temperatures, below `sensor/data/<IID>/`. No document gives them. */
import type { TemperatureConfig } from './config.ts'

/**
 * `spec`: `<asset>/<parameter group>/<time>/<parameter>` of API section 4.4, for instance `TopOil/temperature/60s/C`.
 * `openlv-2018`: one level, after the fielded `outside_temperature`; the other two names are ours.
 */
export function topicOf(quantity: string, c: TemperatureConfig): string {
  const input = quantity.split('.')[0] ?? quantity
  if (c.topics === 'openlv-2018') return input === 'ambient' ? 'outside_temperature' : `${input}_temperature`
  const asset = input
    .split('_')
    .map((w) => w.charAt(0).toUpperCase() + w.slice(1))
    .join('')
  return `${asset}/temperature/${c.interval}s/C`
}
