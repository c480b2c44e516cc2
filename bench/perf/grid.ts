/** How long a year of the network of a pair takes: phasors and temperatures of both substations, in steps of ten minutes. */
import { performance } from 'node:perf_hooks'
import { readNetwork } from '../../sim/grid/personality.ts'
import { createGridTruth } from '../../sim/grid/truth.ts'

const step = 600_000
const steps = 365 * 144

export interface YearOfGrid {
  readonly seconds: number
  readonly steps: number
  /** °C, so that nobody can leave the work out. */
  readonly hottest: number
}

export function measureYear(): YearOfGrid {
  const began = Date.UTC(2026, 0, 1)
  const from = performance.now()
  const truth = createGridTruth(readNetwork('lv-pair'), { seed: 1, began, thermalStep: step })
  let hottest = Number.NEGATIVE_INFINITY
  for (let i = 1; i <= steps; i++)
    for (const side of ['a', 'b'] as const)
      hottest = Math.max(hottest, truth.thermal(side, began + i * step).hotSpot)
  return { seconds: (performance.now() - from) / 1000, steps, hottest }
}
