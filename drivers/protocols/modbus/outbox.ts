/** Work to be done in order, each piece a time after the one before. Uses Node's ordinary timers, and none at 0 ms. */
export interface Outbox {
  /** Runs `work` after `delayMs`, once everything posted before it has run. At 0 ms and idle: at once. */
  post(delayMs: number, work: () => void): void
  /** As `post`, but ahead of what waits; from within running work. */
  next(delayMs: number, work: () => void): void
  clear(): void
}

export function createOutbox(): Outbox {
  let waiting: { delayMs: number; work: () => void }[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  let running = false

  const drain = (): void => {
    while (timer === undefined && !running) {
      const job = waiting[0]
      if (job === undefined) return
      if (job.delayMs <= 0) {
        waiting.shift()
        running = true
        try {
          job.work()
        } finally {
          running = false
        }
      } else {
        // timers take whole milliseconds and cut off the rest: never early
        timer = setTimeout(() => {
          timer = undefined
          job.delayMs = 0
          drain()
        }, Math.ceil(job.delayMs))
      }
    }
  }

  return {
    post(delayMs, work) {
      waiting.push({ delayMs, work })
      drain()
    },
    next(delayMs, work) {
      waiting.unshift({ delayMs, work })
      drain()
    },
    clear() {
      waiting = []
      clearTimeout(timer)
      timer = undefined
    },
  }
}
