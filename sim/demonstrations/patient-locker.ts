/**
 * Locks of uploads for the tus project's server in virtual time. Its own locker tries again at each turn of the event loop
 * while it waits: time stands still as long as anything is to be done, so that there it would never come to an end. This one
 * tries again each millisecond; all else is as theirs.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { ERRORS, type Lock, type Locker, type RequestRelease } from '@tus/server'

/** As theirs: so long for a lock, ms. */
const within = 30_000

export function patientLocker(): Locker {
  const held = new Map<string, RequestRelease>()
  return {
    newLock(id): Lock {
      return {
        async lock(signal, release) {
          const until = performance.now() + within
          for (;;) {
            const holder = held.get(id)
            if (holder === undefined) {
              held.set(id, release)
              return
            }
            if (signal.aborted || performance.now() > until) throw new LockTimeout()
            await holder()
            await pause(1)
          }
        },
        unlock() {
          held.delete(id)
          return Promise.resolve()
        },
      }
    },
  }
}

/** As theirs tells that it waited in vain. */
class LockTimeout extends Error {
  readonly status_code = ERRORS.ERR_LOCK_TIMEOUT.status_code
  readonly body = ERRORS.ERR_LOCK_TIMEOUT.body
}
