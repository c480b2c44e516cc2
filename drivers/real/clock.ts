/** The bench clock of real time: it never steps, whatever is done to the machine's date. */
import type { Instant } from '../faces.ts'

/**
 * Milliseconds since 1970 with parts of a millisecond: the machine's date when the process started, and the
 * monotonic clock since. A change of the machine's date during a run does not show here.
 */
export const benchNow = (): Instant => performance.timeOrigin + performance.now()

/** Longest delay that Node's timers take (ms): 2^31 - 1. */
const longestTimer = 2_147_483_647

/** Below it a timer is too coarse, and turns of the event loop are counted off instead (ms). Ours. */
const fine = 1

/**
 * Calls `f` once `now` has reached `deadline` (ms), never before. Node's timers drop parts of a millisecond, and fire up to
 * 1 ms early or late (measured), so a timer brings it near, and the last part is waited for turn by turn: some CPU for at
 * most two milliseconds, and right to a few hundredths of one where the machine is idle. Returns what cancels it.
 */
export function atOrAfter(deadline: Instant, now: () => Instant, f: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  let turn: NodeJS.Immediate | undefined
  const look = (): void => {
    const left = deadline - now()
    if (left <= 0) f()
    else if (left <= fine) turn = setImmediate(look)
    // Drops the fraction: it fires at most 1 ms late then, which is left over.
    else timer = setTimeout(look, Math.min(Math.max(1, Math.floor(left - fine)), longestTimer))
  }
  // Never at once: whoever asks gets what cancels it first.
  if (deadline - now() <= fine) turn = setImmediate(look)
  else look()
  return () => {
    clearTimeout(timer)
    clearImmediate(turn)
  }
}

/** The monotonic clock that all threads of this process share (ms, from no particular origin). */
export const threadClock = (): number => Number(process.hrtime.bigint()) / 1e6
