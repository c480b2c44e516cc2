/**
 * The bench's own line to a scripted app: a TCP connection beside the platform, one line of JSON for each order and each
 * report. Its end tells the bench that the app is gone, whatever the platform says of it.
 */
import { createConnection } from 'node:net'
import type { Json } from '../../../drivers/faces.ts'
import { orderSchema, type Order } from './behaviour.ts'

export interface Control {
  /** Reports to the bench. */
  say(event: string, more?: { readonly [k: string]: Json }): void
  /** The behaviour for this run, which the bench gives as its first order. Rejects if the bench is not there. */
  readonly first: Promise<Extract<Order, { order: 'behave' }>>
  /** Later orders. */
  onOrder(f: (o: Order) => void): void
  /** Resolves when the bench has gone. */
  readonly gone: Promise<void>
  /** Resolves when everything said has been handed over; the connection is closed then. */
  close(): Promise<void>
}

/** Longest order in characters; more is no order. Ours. */
const longest = 65_536

export function openControl(at: { readonly address: string; readonly port: number }): Control {
  const socket = createConnection({ host: at.address, port: at.port })
  const first = Promise.withResolvers<Extract<Order, { order: 'behave' }>>()
  const gone = Promise.withResolvers<void>()
  first.promise.catch(() => undefined)
  let listener: ((o: Order) => void) | undefined
  let told = false
  let text = ''
  const say = (event: string, more: { readonly [k: string]: Json } = {}): void => {
    if (!socket.destroyed) socket.write(`${JSON.stringify({ event, ...more })}\n`)
  }
  const take = (line: string): void => {
    let order: Order
    try {
      order = orderSchema.parse(JSON.parse(line))
    } catch (e) {
      say('refused', { why: e instanceof Error ? e.message : String(e), line: line.slice(0, 200) })
      return
    }
    if (order.order === 'ping') say('pong', { n: order.n })
    else if (!told && order.order === 'behave') {
      told = true
      first.resolve(order)
    } else listener?.(order)
  }
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    text += chunk
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end)
      text = text.slice(end + 1)
      take(line)
    }
    if (text.length > longest) text = ''
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    first.reject(new Error(`the bench does not answer at ${at.address}:${at.port}`))
    gone.resolve()
  })
  return {
    say,
    first: first.promise,
    onOrder: (f) => void (listener = f),
    gone: gone.promise,
    async close() {
      if (socket.destroyed) return
      await new Promise<void>((resolve) => {
        socket.once('close', () => resolve())
        socket.end(() => socket.destroy())
      })
    },
  }
}
