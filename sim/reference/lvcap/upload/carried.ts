import type { Socket } from 'node:net'

/** Bytes that went and came, below TLS. */
export interface Carried {
  readonly sent: number
  readonly received: number
}

/** Counts what connections carry, the one below TLS of each: a TLS socket counts what it was given, not what TLS makes of it. */
export interface Tally {
  /** Those that have not ended yet. */
  readonly open: ReadonlySet<Socket>
  add(socket: Socket): void
  /** Of all since the start. */
  volume(): Carried
}

export function tally(): Tally {
  const open = new Set<Socket>()
  const past = { sent: 0, received: 0 }
  return {
    open,
    add(socket) {
      open.add(socket)
      socket.once('close', () => {
        open.delete(socket)
        past.sent += socket.bytesWritten
        past.received += socket.bytesRead
      })
    },
    volume() {
      let { sent, received } = past
      for (const s of open) {
        sent += s.bytesWritten
        received += s.bytesRead
      }
      return { sent, received }
    },
  }
}
