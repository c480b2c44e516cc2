/** The port of a device, which a fault may close and open again: while it is closed, clients are refused. */
import type { Conn, Wire } from '../../../drivers/faces.ts'

export interface Port extends AsyncDisposable {
  open(): Promise<void>
  /** Closes it now, and everything that is connected; the returned function opens it again. */
  shut(): () => void
}

/** `trouble` is told where it cannot be opened again. */
export function createPort(wire: Wire, serve: (c: Conn) => void, trouble: (e: unknown) => void): Port {
  let held: AsyncDisposable | undefined
  let over = false
  let closed = 0
  let work: Promise<void> = Promise.resolve()

  /** One change at a time: a port must be closed before it can be opened. */
  const settle = (): void => {
    work = work.then(async () => {
      const wanted = closed === 0 && !over
      if (wanted && held === undefined) held = await wire.open(serve)
      if (!wanted && held !== undefined) {
        const old = held
        held = undefined
        await old[Symbol.asyncDispose]()
      }
    })
    work.catch(trouble)
  }

  return {
    async open() {
      settle()
      await work
    },
    shut() {
      closed++
      settle()
      return () => {
        closed--
        settle()
      }
    },
    async [Symbol.asyncDispose]() {
      over = true
      settle()
      await work.catch(() => undefined)
    },
  }
}
