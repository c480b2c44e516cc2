/** Plays a capture back on a wire, each chunk at its own time after the first. */
import type { Conn, Instant, SerialSettings, Wire } from '../../../drivers/faces.ts'
import { atOrAfter, benchNow } from '../../../drivers/real/clock.ts'
import { characterMs } from '../../../drivers/real/pace.ts'
import type { Chunk } from './capture.ts'

export interface ReplayOptions {
  readonly wire: Wire
  readonly chunks: readonly Chunk[]
  /** 2: in half the time. */
  readonly speed: number
  /** Of the line on which it is played: a chunk begins so much earlier than it has to end. */
  readonly settings: SerialSettings | undefined
  /** Begins when somebody is there to hear it. */
  readonly waits: boolean
  onBegin(): void
  onChunk(c: Chunk, at: Instant): void
}

export interface Replaying extends AsyncDisposable {
  /** Fulfils when the last byte has been handed over. */
  readonly through: Promise<void>
}

export async function replayCapture(o: ReplayOptions): Promise<Replaying> {
  const conns = new Set<Conn>()
  const { promise: through, resolve, reject } = Promise.withResolvers<void>()
  through.catch(() => {})
  const first = o.chunks[0]?.at ?? 0
  let cancel: (() => void) | undefined
  let begun = false
  let over = false

  const begin = (): void => {
    begun = true
    o.onBegin()
    const start = benchNow()
    const play = (i: number): void => {
      const c = o.chunks[i]
      if (c === undefined || over) return resolve()
      const due = start + (c.at - first) / o.speed
      cancel = atOrAfter(due, benchNow, () => {
        o.onChunk(c, benchNow())
        const sent = [...conns].map((x) =>
          x.send(c.bytes).then(
            () => undefined,
            () => void conns.delete(x),
          ),
        )
        // The line has its own pace: the end waits for it.
        if (i + 1 < o.chunks.length) play(i + 1)
        else void Promise.all(sent).then(drained).then(resolve, reject)
      })
    }
    play(0)
  }
  /** A serial port takes bytes before they are on the line. */
  const drained = async (): Promise<void> => {
    const last = o.chunks.at(-1)
    if (o.settings === undefined || last === undefined) return
    const left = last.bytes.length * characterMs(o.settings)
    await new Promise<void>((done) => {
      cancel = atOrAfter(benchNow() + left, benchNow, done)
    })
  }
  const port = await o.wire.open((c) => {
    conns.add(c)
    c.onEnd(() => conns.delete(c))
    c.onBytes(() => undefined)
    if (!begun && o.waits) begin()
  })
  if (!o.waits) begin()
  return {
    through,
    async [Symbol.asyncDispose]() {
      over = true
      cancel?.()
      for (const c of conns) c.end('fin')
      await port[Symbol.asyncDispose]()
    },
  }
}
