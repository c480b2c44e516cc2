/** What a `net.Socket` holds in virtual time, and how its stream and the end of its connection meet. */
import type { Kernel } from './kernel.ts'
import type { End, Receiver } from './link.ts'
import type { Owner } from './owner.ts'
import { type Bag, systemError } from './patch.ts'

/** What the network tells a socket. */
export interface SocketFace extends Receiver {
  failed(e: Error): void
}

export type Done = (e?: Error | null) => void

/** Where Node keeps the `onread` option. */
export interface ReadSymbols {
  readonly buffer: symbol
  readonly callback: symbol
  readonly generate: symbol
}

/** A socket's own state in virtual time. */
export class VirtualSocket implements SocketFace {
  readonly kernel: Kernel
  readonly socket: Bag
  readonly owner: Owner
  end: End | undefined
  local: Bag = {}
  remote: Bag = {}
  private reading = false
  private readonly waiting: (Buffer | null)[] = []
  private roomFor: Done | undefined

  private readonly symbols: ReadSymbols

  constructor(kernel: Kernel, socket: Bag, owner: Owner, symbols: ReadSymbols) {
    this.symbols = symbols
    this.kernel = kernel
    this.socket = socket
    this.owner = owner
  }

  opened(): void {
    const { socket, end } = this
    if (socket['destroyed'] || end === undefined) return
    socket['connecting'] = false
    this.local['port'] = end.port
    socket['_unrefTimer']()
    socket['emit']('connect')
    socket['emit']('ready')
    if (!socket['isPaused']()) socket['read'](0)
  }

  failed(e: Error): void {
    this.socket['destroy'](e)
  }

  bytes(b: Buffer): void {
    this.socket['_unrefTimer']()
    if (!this.reading || this.waiting.length > 0) this.waiting.push(b)
    else this.hand(b)
  }

  fin(): void {
    if (this.reading && this.waiting.length === 0) this.over()
    else {
      this.waiting.push(null)
      // Nobody may be reading yet: a socket that is not paused reads on its own.
      if (!this.socket['isPaused']()) this.socket['read'](0)
    }
  }

  broken(code: 'ECONNRESET' | 'ETIMEDOUT'): void {
    const { socket } = this
    if (socket['connecting']) {
      this.failed(
        systemError('ECONNREFUSED', -111, 'connect', {
          address: String(this.remote['address']),
          port: Number(this.remote['port']),
        }),
      )
      return
    }
    socket['destroy'](systemError(code, code === 'ECONNRESET' ? -104 : -110, 'read'))
  }

  room(): void {
    const done = this.roomFor
    this.roomFor = undefined
    done?.()
  }

  /** The stream wants bytes. */
  read(): void {
    // While it connects, this says that it will want them: the stream does not ask twice.
    this.reading = true
    while (this.reading) {
      const b = this.waiting.shift()
      if (b === undefined) return
      if (b === null) this.over()
      else this.hand(b)
    }
  }

  write(b: Uint8Array, done: Done): void {
    const { end, kernel, socket } = this
    if (end === undefined) {
      done(Object.assign(new Error('Socket is closed'), { code: 'ERR_SOCKET_CLOSED' }))
      return
    }
    if (!kernel.seam(this.owner, 'socket.write')) return
    const asker = kernel.current()
    if (asker !== this.owner) {
      kernel.seam(asker, 'socket.write')
      if (asker.top !== this.owner.top)
        kernel.tripwire.hit(`a socket of ${this.owner.key} written by ${asker.key}`)
    }
    socket['_unrefTimer']()
    if (end.send(b)) done()
    else this.roomFor = done
  }

  get unread(): boolean {
    return this.waiting.some((b) => b !== null)
  }

  private hand(b: Buffer): void {
    const { socket } = this
    this.end?.taken(b.length)
    const into = socket[this.symbols.buffer] as Uint8Array | true | null
    if (into !== null) this.handInto(b, into)
    else if (!socket['push'](b)) this.reading = false
  }

  /** The `onread` option: bytes go into the program's own buffer. */
  private handInto(b: Buffer, own: Uint8Array | true): void {
    const { socket, symbols } = this
    for (let i = 0; i < b.length;) {
      const into = own === true ? (socket[symbols.generate]() as Uint8Array) : own
      const n = b.copy(into, 0, i, Math.min(b.length, i + into.length))
      i += n
      if (socket[symbols.callback](n, into) === false) this.reading = false
    }
  }

  private over(): void {
    this.socket['push'](null)
    this.socket['read'](0)
  }
}
