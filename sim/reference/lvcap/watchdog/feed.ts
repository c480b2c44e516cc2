/** Feeds the watchdog from the computer: a line over the inner network each time that life was shown. */
import { connect, type Socket } from 'node:net'
import type { FeedSettings } from './config.ts'

/** How long a connection may take, ms. Ours. */
const connectWithin = 5_000

/**
 * At each interval `alive` is asked, and where it answers true a line is sent. Where it does not answer, nothing is: the
 * next question waits for its answer. Connections are made anew when they end.
 */
export function keepFeeding(to: FeedSettings, from: string, alive: () => Promise<boolean>): { stop(): void } {
  let socket: Socket | undefined
  let asking = false
  let count = 0
  const dial = (): Socket => {
    const s = connect({ host: to.address, port: to.port, localAddress: from })
    s.setTimeout(connectWithin, () => {
      if (s.connecting) s.destroy()
    })
    s.on('error', () => {})
    s.on('close', () => {
      if (socket === s) socket = undefined
    })
    s.resume()
    return s
  }
  const feed = async (): Promise<void> => {
    if (asking) return
    asking = true
    try {
      if (!(await alive())) return
    } finally {
      asking = false
    }
    socket ??= dial()
    // What is not taken would only be stale when it is.
    if (socket.writableLength < 1_000) socket.write(`alive ${++count}\n`)
  }
  const timer = setInterval(() => {
    feed().catch(() => {})
  }, to.every * 1_000)
  return {
    stop() {
      clearInterval(timer)
      socket?.destroy()
    },
  }
}
