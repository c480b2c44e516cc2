/** Defects of the GridKey application that show only while the platform's clock goes wrong. */
import type { GridkeyParts } from '../reference/lvcap/apps/gridkey/main.ts'
import { listOf, type Defect } from './defect.ts'

export const gridkeyClockDefects: readonly Defect<GridkeyParts>[] = listOf<GridkeyParts>(
  'gridkey-app',
  'defect',
  {
    'waits-for-a-plausible-clock': [
      'Publishes nothing while its clock is before the year 2000.',
      (p, reached) => ({
        ...p,
        arrange: (messages, k) => {
          if (Date.now() >= Date.UTC(2000)) return p.arrange(messages, k)
          reached()
          return []
        },
      }),
    ],
    'counts-the-seconds-of-the-monitor': [
      'Takes the time once, counts on by the monitor’s own seconds, and takes it again when it is off by ten.',
      (p, reached) => {
        let sequence = 0
        let taken: { readonly at: number; readonly sequence: number } | undefined
        return {
          ...p,
          judge: (reading, memory, now, config) => {
            sequence = reading.sequence ?? sequence
            return p.judge(reading, memory, now, config)
          },
          stamp: (now) => {
            const counted = taken === undefined ? Number.NaN : taken.at + 1000 * (sequence - taken.sequence)
            if (!(Math.abs(counted - now) < 10_000)) {
              taken = { at: now, sequence }
              return p.stamp(now)
            }
            if (Math.abs(counted - now) > 1_500) reached()
            return p.stamp(counted)
          },
        }
      },
    ],
  },
)
