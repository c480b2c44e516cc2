/**
 * Work at fixed intervals that start when the configuration arrives (API section 8.3.1). The schedule is absolute: the
 * k-th due time follows from the start alone, so that lateness of one does not move the next.
 */

export interface Schedule {
  /** Milliseconds between two due times. */
  readonly interval: number
  /** Milliseconds before a due time at which its preparation begins; at most half the interval is used. */
  readonly ahead: number
  /** Milliseconds from the start to the k-th due time, k from 1. */
  due(k: number, interval: number): number
}

export interface Work<T> {
  /** An empty tray for due time k. */
  tray(k: number): T
  /** Fills the tray; has `ms` milliseconds. Never rejects: what failed is missing. */
  prepare(k: number, ms: number, tray: T): Promise<void>
  /** At due time k, with what lies on the tray by then. */
  perform(k: number, tray: T): void
  /** Due times that were missed altogether because the program did not get to run. */
  missed(from: number, to: number): void
}

/** Starts now. The returned function stops it; resolves when no work of it runs any more. */
export function onSchedule<T>(schedule: Schedule, work: Work<T>): () => Promise<void> {
  const start = performance.now()
  const ahead = Math.min(schedule.ahead, schedule.interval / 2)
  const dueAt = (k: number): number => start + schedule.due(k, schedule.interval)
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let preparing: Promise<unknown> = Promise.resolve()

  const at = (when: number, f: () => void): void => {
    timer = setTimeout(f, Math.max(0, when - performance.now()))
  }

  const next = (k: number): void => {
    if (stopped) return
    const now = performance.now()
    let to = k
    while (dueAt(to) < now) to++
    if (to > k) work.missed(k, to - 1)
    at(dueAt(to) - ahead, () => prepare(to))
  }

  const prepare = (k: number): void => {
    const tray = work.tray(k)
    const left = Math.max(0, dueAt(k) - performance.now())
    preparing = work.prepare(k, left, tray)
    at(dueAt(k), () => {
      work.perform(k, tray)
      next(k + 1)
    })
  }

  next(1)
  return async () => {
    stopped = true
    clearTimeout(timer)
    await preparing
  }
}

/** The promise's value, or a rejection with `late` after `ms` milliseconds. */
export function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), ms)
    promise.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error instanceof Error ? error : new Error(String(error)))
      },
    )
  })
}
