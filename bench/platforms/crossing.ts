/**
 * What lies between two platforms' modems, as the bench plays it: bytes of each connection are brought to the other end,
 * held while there is no carrier, delayed where the link is slow, lost where it breaks. It looks for words in clear on its way.
 */
import type { Socket } from 'node:net'
import type { Emit } from '../../sim/faces.ts'

/** How the link is at this moment. */
export interface LinkState {
  /** No carrier: everything is held, the ends of connections too. */
  readonly held: boolean
  /** One way, in ms. */
  readonly delay: number
}

export interface Crossing {
  /** Brings bytes both ways from now on. `forth` is what the first socket says. */
  join(first: Socket, second: Socket, via: string): void
  /** The state has changed. */
  turn(): void
  /** Breaks every connection: both ends are told by a reset. */
  reset(): void
  /** Breaks every connection so that one end, the first socket's or the second's, is told nothing, then or ever. */
  silence(untold: 'first' | 'second'): void
  /** Ends everything. */
  close(): void
}

/** Words that stand in whatever platforms tell each other, and never by chance in so little ciphertext. */
const words = ['Timestamp', 'ToStore', 'algorithm/data', 'sensor/data']
const longestWord = Math.max(...words.map((w) => w.length))
/** A connection is told of once it has carried so many bytes. Ours. */
const worthTelling = 4_000

interface Parcel {
  readonly due: number
  readonly what: Buffer | 'fin' | 'rst'
}

interface Way {
  readonly to: Socket
  readonly waiting: Parcel[]
  timer?: NodeJS.Timeout | undefined
  bytes: number
  tail: string
}

interface Joined {
  readonly via: string
  readonly n: number
  readonly sockets: readonly [Socket, Socket]
  readonly ways: readonly [Way, Way]
  readonly clear: Set<string>
  told: boolean
  /** Whose bytes go nowhere, and who hears no end. */
  untold?: Socket
  over: boolean
}

export function createCrossing(emit: Emit, state: () => LinkState): Crossing {
  const all = new Set<Joined>()
  let count = 0

  const tell = (j: Joined, when: 'stands' | 'over' | 'in-clear'): void => {
    const [forth, back] = j.ways
    emit('seen', {
      alias: 'peers.crossing',
      payload: {
        connection: j.n,
        via: j.via,
        when,
        'forth [B]': forth.bytes,
        'back [B]': back.bytes,
        'in clear': [...j.clear],
      },
    })
  }
  const end = (j: Joined): void => {
    if (j.over) return
    j.over = true
    for (const w of j.ways) clearTimeout(w.timer)
    for (const s of j.sockets) if (s !== j.untold) s.destroy()
    // Who was told nothing stays connected to nowhere, until it gives up by itself.
    if (j.untold === undefined || j.untold.destroyed) all.delete(j)
    tell(j, 'over')
  }
  const pump = (j: Joined, w: Way): void => {
    clearTimeout(w.timer)
    w.timer = undefined
    if (j.over || state().held) return
    const now = performance.now()
    for (let next = w.waiting[0]; next !== undefined && next.due <= now; next = w.waiting[0]) {
      w.waiting.shift()
      if (next.what === 'fin') w.to.end()
      else if (next.what === 'rst') w.to.resetAndDestroy()
      else w.to.write(next.what)
    }
    const [next] = w.waiting
    if (next !== undefined) w.timer = setTimeout(() => pump(j, w), Math.max(1, Math.ceil(next.due - now)))
  }
  const put = (j: Joined, w: Way, what: Parcel['what']): void => {
    if (j.over) return
    w.waiting.push({ due: performance.now() + state().delay, what })
    pump(j, w)
  }
  const look = (j: Joined, w: Way, b: Buffer): void => {
    w.bytes += b.length
    const text = w.tail + b.toString('latin1')
    w.tail = text.slice(-longestWord)
    const found = words.filter((x) => !j.clear.has(x) && text.includes(x))
    for (const x of found) j.clear.add(x)
    if (found.length > 0) tell(j, 'in-clear')
    if (!j.told && j.ways[0].bytes + j.ways[1].bytes >= worthTelling) {
      j.told = true
      tell(j, 'stands')
    }
  }

  return {
    join(first, second, via) {
      const way = (to: Socket): Way => ({ to, waiting: [], bytes: 0, tail: '' })
      const j: Joined = {
        via,
        n: ++count,
        sockets: [first, second],
        ways: [way(second), way(first)],
        clear: new Set(),
        told: false,
        over: false,
      }
      all.add(j)
      for (const [from, w] of [
        [first, j.ways[0]],
        [second, j.ways[1]],
      ] as const) {
        from.on('error', () => undefined)
        from.on('data', (b: Buffer) => {
          if (j.over) return
          look(j, w, b)
          put(j, w, b)
        })
        from.once('end', () => put(j, w, 'fin'))
        from.once('close', (broken) => {
          if (broken) put(j, w, 'rst')
          if (j.over) all.delete(j)
          else if (first.destroyed && second.destroyed) end(j)
        })
        from.resume()
      }
    },
    turn() {
      for (const j of all) for (const w of j.ways) pump(j, w)
    },
    reset() {
      for (const j of all) {
        if (j.over) continue
        for (const s of j.sockets) s.resetAndDestroy()
        end(j)
      }
    },
    silence(untold) {
      for (const j of all) {
        if (j.over) continue
        const [first, second] = j.sockets
        j.untold = untold === 'first' ? first : second
        ;(untold === 'first' ? second : first).resetAndDestroy()
        end(j)
      }
    },
    close() {
      for (const j of all) {
        delete j.untold
        end(j)
        for (const s of j.sockets) s.destroy()
      }
      all.clear()
    },
  }
}
