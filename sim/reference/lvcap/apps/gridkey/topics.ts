/** Topics of the measurements, below `sensor/data/<IID>/`. */
import { about } from './decode.ts'
import type { GridkeyConfig } from './config.ts'

/** As Appendix C, section 4, proposes (its `1s` being the interval), or as fielded in 2018. */
export function topicOf(quantity: string, c: GridkeyConfig): string {
  return c.topics === 'spec' ? specTopic(quantity, c.interval) : fieldedTopic(quantity, c.interval)
}

function specTopic(quantity: string, interval: number): string {
  const { kind, feeder, phase } = about(quantity)
  if (kind === 'frequency') return `Busbar/frequency/${interval}s/Hz`
  if (kind === 'voltage') return `Busbar/voltage/${interval}s/${pairOf(quantity).join('-')}_RMS`
  const name = kind === 'current' ? `L${phase}_RMS` : `L${phase}`
  return `Feeder${feeder}/${kind}/${interval}s/${name}`
}

/**
 * Voltage and current means are named as seen in 2018; the other quantities were not seen, and are named after them (ours).
 */
function fieldedTopic(quantity: string, interval: number): string {
  const { kind, feeder, phase } = about(quantity)
  const top = `gridkey-mcu520/${interval}`
  if (kind === 'frequency') return `${top}/busbar/frequency-mean`
  if (kind === 'voltage') {
    const [a = '', b = ''] = pairOf(quantity).map((x) => x.toLowerCase())
    return `${top}/busbar/${b === 'n' ? a : `${a}-${b}`}/voltage-mean`
  }
  return `${top}/feeder/${feeder}/l${phase}/${kind.replaceAll('_', '-')}-mean`
}

/** `busbar.l1n.voltage` is between L1 and N, `busbar.l1l2.voltage` between L1 and L2. */
function pairOf(quantity: string): string[] {
  const ends = quantity.split('.')[1] ?? ''
  return (ends.match(/l\d|n/g) ?? []).map((x) => x.toUpperCase())
}

/** Unit of a quantity, for metadata (API section 9.4). */
export function unitOf(quantity: string): string {
  const units = {
    voltage: 'V',
    frequency: 'Hz',
    current: 'A',
    power_factor: '1',
    real_power: 'W',
    reactive_power: 'var',
  } as const
  return units[about(quantity).kind]
}
