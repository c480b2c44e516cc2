/** Listens to a HAN port: a serial port, a TCP port, or a capture; decodes, counts, records. */
import { GridproofError } from '../../../drivers/errors.ts'
import type { Conn, Instant, SerialSettings } from '../../../drivers/faces.ts'
import { benchNow } from '../../../drivers/real/clock.ts'
import { characterMs } from '../../../drivers/real/pace.ts'
import { serialWire } from '../../../drivers/wires/serial.ts'
import { connectTcp } from '../../../drivers/wires/tcp.ts'
import { type CaptureWriter, createCapture, readCapture } from './capture.ts'
import { type DecodeOptions, type Framing, type Heard, createDecoder } from './decode.ts'
import { type Figures, createStats } from './stats.ts'

export type Source =
  | { readonly kind: 'port'; readonly path: string; readonly settings: SerialSettings }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'file'; readonly path: string }

export interface ListenOptions {
  readonly source: Source
  readonly decode: DecodeOptions
  /** After so much silence what has begun is given up, ms. */
  readonly silenceMs: number
  /** A capture of what comes. */
  readonly record?: string
  onHeard(h: Heard): void
  /** `lost`, `back`: the line; `no-frames`: bytes come, and none of them make a frame. */
  onLine(what: 'lost' | 'back' | 'no-frames', text: string): void
  /** It cannot go on: the disk of the capture is full. */
  onBroken(e: unknown): void
}

export interface Listening extends AsyncDisposable {
  readonly place: string
  /** Fulfils when a capture is through; never for a line. */
  readonly through: Promise<void>
  readonly figures: Figures
  /** Lists that were read. */
  readonly read: number
  readonly bytes: number
  readonly framing: Framing | undefined
}

/** So many bytes without a frame are told: more than the longest list of any meter, and the noise before. Ours. */
const bytesToDoubt = 2000
const reconnectMs = 1000

/** Throws `rig-lacks` or `rig-broke` where the line cannot be had, `bad-file` for a capture, `usage` for the recording. */
export async function listen(o: ListenOptions): Promise<Listening> {
  const stats = createStats()
  const { source } = o
  // Read first: it says what line it is of.
  const played = source.kind === 'file' ? readCapture(source.path) : undefined
  const line = source.kind === 'port' ? source.settings : played?.line
  const decoder = createDecoder(
    { ...o.decode, ...(line === undefined ? {} : { msPerCharacter: characterMs(line) }) },
    (h) => {
      stats.hear(h)
      o.onHeard(h)
    },
  )
  let capture: CaptureWriter | undefined
  let quiet: NodeJS.Timeout | undefined
  let doubted = false
  let over = false

  const take = (b: Uint8Array, at: Instant): void => {
    try {
      capture?.put(b, at)
    } catch (e) {
      o.onBroken(e)
    }
    decoder.push(b, at)
    if (!doubted && decoder.framing === undefined && decoder.bytes > bytesToDoubt) {
      doubted = true
      o.onLine('no-frames', doubtText(decoder.bytes, decoder.doubts))
    }
  }
  const live = (b: Uint8Array, at: Instant): void => {
    take(b, at)
    clearTimeout(quiet)
    quiet = setTimeout(() => decoder.silent(), o.silenceMs)
  }
  const lost = (text: string): void => {
    decoder.silent()
    stats.lost()
    if (!over) o.onLine('lost', text)
  }
  const stack = new AsyncDisposableStack()
  const never = new Promise<void>(() => {})
  let through = never
  let place: string
  try {
    if (source.kind === 'file') {
      place = source.path
      const chunks = played?.chunks ?? []
      through = Promise.resolve().then(() => {
        for (const [i, c] of chunks.entries()) {
          if (c.at - (chunks[i - 1]?.at ?? c.at) > o.silenceMs) decoder.silent()
          take(c.bytes, c.at)
        }
        decoder.silent()
      })
    } else {
      place = source.kind === 'port' ? source.path : `${source.host}:${source.port}`
      if (o.record !== undefined) {
        capture = createCapture(o.record, { begun: benchNow(), from: place, line })
        const c = capture
        stack.defer(() => {
          capture = undefined
          c.close()
        })
      }
      if (source.kind === 'port') stack.use(await openPort(source, live, lost, o))
      else stack.use(await openTcp(source, live, lost, o))
    }
  } catch (e) {
    await stack.disposeAsync()
    throw e
  }
  return {
    place,
    through,
    get figures() {
      return stats.figures
    },
    get read() {
      return stats.read
    },
    get bytes() {
      return decoder.bytes
    },
    get framing() {
      return decoder.framing
    },
    async [Symbol.asyncDispose]() {
      over = true
      clearTimeout(quiet)
      await stack.disposeAsync()
      // What is held is looked through: it may be why nothing was read.
      decoder.silent()
    },
  }
}

type Take = (b: Uint8Array, at: Instant) => void

async function openPort(
  s: Extract<Source, { readonly kind: 'port' }>,
  take: Take,
  lost: (text: string) => void,
  o: Pick<ListenOptions, 'onLine'>,
): Promise<AsyncDisposable> {
  const wire = serialWire({ name: 'listen', path: s.path, settings: s.settings, now: benchNow })
  let first = true
  return wire.open((c) => {
    if (!first) o.onLine('back', `${s.path} is back`)
    first = false
    c.onBytes(take)
    c.onEnd(() => lost(`${s.path} is gone; waiting for it`))
  })
}

async function openTcp(
  s: Extract<Source, { readonly kind: 'tcp' }>,
  take: Take,
  lost: (text: string) => void,
  o: Pick<ListenOptions, 'onLine'>,
): Promise<AsyncDisposable> {
  const where = `${s.host}:${s.port}`
  let conn: Conn | undefined
  let retry: NodeJS.Timeout | undefined
  let closed = false
  const connect = async (): Promise<void> => {
    const c = await connectTcp({ name: 'listen', host: s.host, port: s.port, now: benchNow })
    if (closed) return c.end('fin')
    conn = c
    c.onBytes(take)
    c.onEnd(() => {
      conn = undefined
      if (closed) return
      lost(`the connection with ${where} has ended; trying again`)
      again()
    })
  }
  const again = (): void => {
    retry = setTimeout(() => {
      connect().then(
        () => {
          if (!closed) o.onLine('back', `connected with ${where} again`)
        },
        (e: unknown) => {
          if (!(e instanceof GridproofError)) throw e
          if (!closed) again()
        },
      )
    }, reconnectMs)
  }
  await connect()
  return {
    async [Symbol.asyncDispose]() {
      closed = true
      clearTimeout(retry)
      conn?.end('fin')
    },
  }
}

/** What may be wrong where bytes come and no frame. */
export function doubtText(bytes: number, doubts: Readonly<Record<string, number>>): string {
  const why = Object.entries(doubts)
    .map(([name, n]) => `${name} ${n}`)
    .join(', ')
  return [
    `${bytes} bytes have come, and no frame of HDLC or M-Bus in them${why === '' ? '' : ` (${why})`}.`,
    'Wrong speed or parity is the usual reason: Kaifa and Aidon 2400-8E1, Kamstrup 2400-8N1; then the polarity of the transceiver (docs/han-technician.md).',
  ].join('\n')
}
