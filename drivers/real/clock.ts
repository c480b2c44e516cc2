/** The bench clock of real time: it never steps, whatever is done to the machine's date. */
import type { Instant } from '../faces.ts'

/**
 * Milliseconds since 1970 with parts of a millisecond: the machine's date when the process started, and the
 * monotonic clock since. A change of the machine's date during a run does not show here.
 */
export const benchNow = (): Instant => performance.timeOrigin + performance.now()

/** Longest delay that Node's timers take (ms): 2^31 - 1. */
const longestTimer = 2_147_483_647

/**
 * Calls `f` once `now` has reached `deadline` (ms), never before. Node's timers drop parts of a millisecond and fire
 * up to 1 ms early (measured), so the clock is asked again when one fires. Returns what cancels it.
 */
export function atOrAfter(deadline: Instant, now: () => Instant, f: () => void): () => void {
  let timer: NodeJS.Timeout
  const arm = (): void => {
    const left = Math.ceil(deadline - now())
    timer = setTimeout(
      () => {
        if (now() >= deadline) f()
        else arm()
      },
      Math.min(Math.max(left, 0), longestTimer),
    )
  }
  arm()
  return () => clearTimeout(timer)
}

/** The monotonic clock that all threads of this process share (ms, from no particular origin). */
export const threadClock = (): number => Number(process.hrtime.bigint()) / 1e6
