/**
 * Whether this machine left the process alone: how long its threads were ready and had no core, window by window. Timing is
 * judged where they had one; elsewhere it would be that of the machine's other work.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { benchNow } from '../../drivers/real/clock.ts'

const windowMs = 250
/** Of a window: what all threads together may have waited, unless told. Ours. */
const calmShare = 0.004
/** Linux counts in /proc in hundredths of a second (USER_HZ), whatever the kernel was built with. */
const tickMs = 10

/** ms that the threads of a process (this one unless given) have waited for a core (Linux: schedstat, second figure, ns). */
export function waitedForCore(pid = 'self'): number | undefined {
  try {
    let ns = 0
    for (const t of readdirSync(`/proc/${pid}/task`))
      ns += Number(readFileSync(`/proc/${pid}/task/${t}/schedstat`, 'utf8').split(' ')[1])
    return Number.isFinite(ns) ? ns / 1e6 : undefined
  } catch {
    return undefined
  }
}

/**
 * What the machine's cores have worked, and were kept from by their host (`steal`), since it started, less what processes
 * `pids` and their threads have: the work of others. In ms of one core; undefined where the system does not tell.
 */
export function othersWorked(pids: readonly string[]): number | undefined {
  try {
    // What an interrupt takes counts as the time of the process that it came upon.
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (
      readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
    )
      .split(/\s+/)
      .slice(1)
      .map(Number)
    let ticks = user + nice + system + irq + softirq + steal
    for (const pid of pids) {
      // After the name in brackets, which may hold anything; fields 14 and 15 of proc(5): utime, stime.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      ticks -= Number(fields[11]) + Number(fields[12])
    }
    return Number.isFinite(ticks) ? ticks * tickMs : undefined
  } catch {
    return undefined
  }
}

export interface Calm {
  /** Nothing is known of windows that have not ended. */
  was(at: number): boolean
  /** Share of the windows that were calm; undefined where the system does not tell. */
  readonly share: number | undefined
  stop(): void
}

/** `share`: who wakes up very often waits a little each time, on an idle machine too. */
export function watchCalm(share = calmShare): Calm {
  const windows: { from: number; to: number; calm: boolean }[] = []
  let last = { at: benchNow(), waited: waitedForCore() }
  const look = (): void => {
    const next = { at: benchNow(), waited: waitedForCore() }
    if (last.waited !== undefined && next.waited !== undefined) {
      const waited = next.waited - last.waited
      windows.push({ from: last.at, to: next.at, calm: waited <= share * (next.at - last.at) })
    }
    last = next
  }
  const timer = setInterval(look, windowMs)
  return {
    was: (at) => windows.some((w) => w.calm && w.from <= at && at < w.to),
    get share() {
      return windows.length === 0 ? undefined : windows.filter((w) => w.calm).length / windows.length
    },
    stop() {
      clearInterval(timer)
      look()
    },
  }
}

/** The value below which that share of them lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
