/** Boards that switch power, played: the twins of drivers/power. What they switch can be seen, and they can be in trouble. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { GridproofError } from '../../drivers/errors.ts'
import type { Wire } from '../../drivers/faces.ts'
import { commandOf, decodeRelay, encodeRelay, frameLength } from '../../drivers/power/lcus.ts'
import { exceptions, functions, type DataModel } from '../../drivers/protocols/modbus/model.ts'
import { serveModbusTcp } from '../../drivers/protocols/modbus/serve.ts'

/** `mute`: takes everything and says nothing. `stuck`: says how it stands, and does not move. `garbled`: answers nonsense. */
export type BoardTrouble = 'mute' | 'stuck' | 'garbled'

export interface PlayedBoard {
  /** Relay n stands at n - 1. */
  readonly closed: readonly boolean[]
  /** How often any of them has moved. */
  readonly operations: number
  trouble: BoardTrouble | undefined
  onMove?: (relay: number, closed: boolean) => void
}

interface Relays extends PlayedBoard {
  move(relay: number, closed: boolean): void
}

function relays(n: number): Relays {
  const closed = Array.from({ length: n }, () => false)
  let operations = 0
  const self: Relays = {
    closed,
    get operations() {
      return operations
    },
    trouble: undefined,
    move(relay, to) {
      if (self.trouble === 'stuck' || closed[relay - 1] === undefined || closed[relay - 1] === to) return
      closed[relay - 1] = to
      operations++
      self.onMove?.(relay, to)
    },
  }
  return self
}

/** A serial relay board (drivers/power/lcus.ts) of so many relays, at the device's end of a line. */
export async function playSerialRelay(wire: Wire, n: number): Promise<PlayedBoard & AsyncDisposable> {
  const board = relays(n)
  const open = await wire.open((conn) => {
    let held = Buffer.alloc(0)
    conn.onBytes((bytes) => {
      held = Buffer.concat([held, bytes])
      while (held.length >= frameLength) {
        const frame = held.subarray(0, frameLength)
        try {
          const { relay, code } = decodeRelay(frame)
          held = held.subarray(frameLength)
          const answer = obey(board, relay, code)
          if (answer !== undefined) void conn.send(answer).catch(() => undefined)
        } catch {
          // Out of step: it looks for the next beginning.
          held = held.subarray(1)
        }
      }
    })
  })
  return Object.assign(board, { [Symbol.asyncDispose]: () => Promise.resolve(open[Symbol.asyncDispose]()) })
}

function obey(board: Relays, relay: number, code: number): Uint8Array | undefined {
  const what = commandOf(code)
  const stands = board.closed[relay - 1]
  if (what === undefined || stands === undefined || board.trouble === 'mute') return undefined
  if (what.startsWith('close')) board.move(relay, true)
  if (what.startsWith('open')) board.move(relay, false)
  if (what === 'open' || what === 'close') return undefined
  if (board.trouble === 'garbled') return Uint8Array.of(0xa0, relay, 1, 0)
  return encodeRelay(relay, board.closed[relay - 1] === true ? 1 : 0)
}

/** A board whose relays are the coils of a Modbus/TCP server, unit 1, from coil 0. */
export async function playCoilRelay(wire: Wire, n: number): Promise<PlayedBoard & AsyncDisposable> {
  const board = relays(n)
  const model: DataModel = {
    functions: new Set([functions.readCoils, functions.writeCoil]),
    has: (table, address, quantity) => table === 'coils' && address + quantity <= n,
    read(_, address, quantity, into) {
      if (board.trouble === 'garbled') return exceptions.deviceFailure
      for (let i = 0; i < quantity; i++) into[i] = board.closed[address + i] === true ? 1 : 0
      return exceptions.none
    },
    write(_, address, quantity, values) {
      for (let i = 0; i < quantity; i++) board.move(address + i + 1, values[i] === 1)
      return exceptions.none
    },
  }
  const open = await wire.open((conn) => {
    serveModbusTcp(
      {
        peer: conn.peer,
        send: (b) => conn.send(b),
        onEnd: (f) => conn.onEnd(f),
        end: (how) => conn.end(how),
        onBytes: (f) =>
          conn.onBytes((b, at) => {
            if (board.trouble !== 'mute') f(b, at)
          }),
      },
      new Map([[1, model]]),
    )
  })
  return Object.assign(board, { [Symbol.asyncDispose]: () => Promise.resolve(open[Symbol.asyncDispose]()) })
}

/** A power strip with an HTTP interface as Shelly's first generation has it; `login` where it wants one. */
export async function playHttpPdu(
  address: string,
  n: number,
  login?: { readonly user: string; readonly password: string },
): Promise<PlayedBoard & AsyncDisposable & { readonly url: string }> {
  const board = relays(n)
  const server: Server = createServer((asked, answer) => {
    if (board.trouble === 'mute') return
    const wanted =
      login === undefined
        ? undefined
        : `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
    const url = new URL(asked.url ?? '/', 'http://pdu')
    const index = Number(/^\/relay\/(\d+)$/.exec(url.pathname)?.[1] ?? Number.NaN)
    if (wanted !== undefined && asked.headers.authorization !== wanted) answer.writeHead(401).end()
    else if (board.closed[index] === undefined) answer.writeHead(404).end()
    else {
      const turn = url.searchParams.get('turn')
      if (turn === 'on' || turn === 'off') board.move(index + 1, turn === 'on')
      const body = { ison: board.closed[index], has_timer: false }
      answer.writeHead(200, { 'Content-Type': 'application/json' })
      answer.end(board.trouble === 'garbled' ? '<html>' : JSON.stringify(body))
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, address, () => resolve())
  })
  const at = server.address() as AddressInfo | null
  if (at === null) throw new GridproofError('rig-broke', 'the played power strip has no port')
  return Object.assign(board, {
    url: `http://${address}:${at.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
    },
  })
}
