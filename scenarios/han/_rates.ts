/** The same meter at one baud rate after the other: what was sent at each is judged by itself. */
import { listsArrive } from '../../bench/index.ts'
import type { Cast, Stage } from '../../bench/index.ts'

/** Time at each rate, ms: lists at 300 baud take up to 5.8 s. */
const least = 12_000

export async function throughRates(
  { reader, cloud, time, check }: Cast<'reader' | 'meter' | 'cloud'> & Stage,
  requirement: string,
  rates: readonly number[],
): Promise<void> {
  const each = Math.max(least, time.horizon / rates.length)
  for (const baudRate of rates) {
    check(
      listsArrive(cloud.readings, {
        id: `baud-${baudRate}`,
        baud: baudRate,
        // What is said last at 300 baud is some seconds on its way.
        within: '6 s',
        verifies: [`${requirement}/baud-${baudRate}`],
      }),
    )
    await reader.rewire({
      meter: {
        line: { baudRate, dataBits: 8, parity: 'even', stopBits: 1 },
        // A meter that is still sending leaves the next list out.
        cadence: {
          list_1: { every: '2 s' },
          list_2: { every: '10 s' },
          list_3: { every: '30 s', at: '10 s' },
        },
      },
    })
    await time.pass(each)
  }
}
