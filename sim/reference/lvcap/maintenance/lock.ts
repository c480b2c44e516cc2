/** Guessing is stopped: after so many wrong passwords in a row nobody is heard for a while. A pure machine. */

export interface Lock {
  /** Wrong passwords in a row. */
  readonly wrong: number
  /** Until when nobody is heard, in ms of the same clock as `now`. */
  readonly until: number
}

export interface LockPolicy {
  readonly after: number
  readonly seconds: number
}

export const unlocked: Lock = { wrong: 0, until: Number.NEGATIVE_INFINITY }

/** Seconds for which nobody is heard any more, rounded up; 0: not locked. */
export function lockedFor(lock: Lock, now: number): number {
  return Math.max(0, Math.ceil((lock.until - now) / 1_000))
}

/** The lock after a password was tried at `now`, when it was not locked. */
export function afterTry(lock: Lock, right: boolean, now: number, policy: LockPolicy): Lock {
  if (right) return unlocked
  const wrong = lock.wrong + 1
  // When it opens again the count begins anew.
  return wrong < policy.after ? { ...lock, wrong } : { wrong: 0, until: now + policy.seconds * 1_000 }
}
