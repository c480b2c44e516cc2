/** How true a feeder monitor is taken to be. */
import type { Quantity } from './map.ts'
import type { GridKeyPersonality } from './personality.ts'

/** Half-width of the legal band about a true value, in the quantity's own unit. */
export function accuracyOf(p: GridKeyPersonality, q: Quantity, value: number): number {
  const a = p.accuracy
  const size = Math.abs(value)
  const least = 0.1 * p.rated_current
  switch (q.measure) {
    case 'voltage':
      return a.voltage * size
    case 'frequency':
      return a.frequency
    case 'power_factor':
      return a.power_factor
    case 'current':
      return a.current * Math.max(size, least)
    case 'real_power':
    case 'reactive_power':
      return a[q.measure] * Math.max(size, least * p.grid.voltage)
  }
  return 0
}
