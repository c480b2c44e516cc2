/** What scenarios of budgets share: time in which the link's counters are looked at, and rows that no packing makes small. */
import type { Link, Stage } from '../../bench/index.ts'

/** Between two looks at the link, ms: what crosses between one and a period's end is not judged. */
const look = 1_000

export async function watched(link: Link, time: Stage['time'], ms: number): Promise<void> {
  const end = time.now() + ms
  link.counters()
  while (time.now() < end) {
    await time.pass(Math.min(look, end - time.now()))
    link.counters()
  }
}

/** Until a moment into the next period. */
export function untilPeriod(time: Stage['time'], per: number): number {
  return per - (time.now() % per) + 200
}

/** Some 90 bytes each, packed. */
export function rows(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, k) => {
    const n = from + k
    const noise = Array.from({ length: 8 }, (_, i) => Math.sin(n * 7919 + i * 104_729).toString()).join('')
    return `{"Timestamp":${1_500_000_000 + n},"Value":${n / 8},"ToStore":true,"n":${n},"note":"${noise}"}`
  })
}
