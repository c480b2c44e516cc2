/** Whoever stands in the place of one of two platforms, or knocks at the other's door, with a certificate or without. */
import { readFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import type { Json } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'
import type { PeerEnd, PeerNonsense, PeerShown } from '../faces.ts'
import { otherEnd, platformNames } from './peer-parties.ts'

export interface Imposture {
  /** Names it in the evidence. */
  readonly name: string
  /** Whom it faces. */
  readonly towards: PeerEnd
  readonly shows: PeerShown
  readonly sends: PeerNonsense
}

export interface ImpostorOptions {
  readonly pki: string
  readonly emit: Emit
  random(): number
}

/** How long it stays where nobody ends it, in ms: longer than a platform has any reason to wait for a word. Ours. */
const stay = 25_000
/** How long one that proves itself the partner goes on, ms. */
const staysMad = 3_000
/** TLS records that are no data: alerts and handshakes (RFC 8446, 5.1). */
const noData: ReadonlySet<number> = new Set([0x15, 0x16])

/** Plays an impostor on a connection that stands; resolves when it is over. What came of it is `seen`. */
export function pose(
  o: ImpostorOptions,
  i: Imposture,
  socket: Socket,
  as: 'client' | 'server',
): Promise<void> {
  return new Promise((resolve) => {
    let given = 0
    let stage: 'tcp' | 'tls' | 'inside' = 'tcp'
    let ended: 'by the platform' | 'by the bench' = 'by the platform'
    const late = setTimeout(
      () => {
        ended = 'by the bench'
        socket.destroy()
      },
      i.shows === 'partner' ? staysMad : stay,
    )
    socket.on('error', () => undefined)
    socket.once('close', () => {
      clearTimeout(late)
      o.emit('seen', {
        alias: 'peers.impostor',
        payload: { ...(i as unknown as { [k: string]: Json }), as, stage, 'given [B]': given, ended },
      })
      resolve()
    })
    const say = (s: Socket): void => {
      for (const b of nonsense(i.sends, o)) s.write(b)
    }
    if (i.shows === 'no-tls') {
      socket.on('data', (b: Buffer) => {
        if (!noData.has(b[0] ?? 0)) given += b.length
      })
      socket.resume()
      socket.write('GET /data HTTP/1.1\r\n\r\n')
      return
    }
    const inside = (s: TLSSocket): void => {
      stage = 'inside'
      s.on('data', (b: Buffer) => (given += b.length))
      s.on('error', () => undefined)
      s.once('end', () => socket.destroy())
      s.once('close', () => socket.destroy())
      say(s)
    }
    const material = materialOf(o.pki, i)
    stage = 'tls'
    if (as === 'client') {
      const s = connect({
        socket,
        ...material,
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
      })
      s.on('error', () => socket.destroy())
      s.once('close', () => socket.destroy())
      s.once('secureConnect', () => inside(s))
    } else {
      const server = createServer({ ...material, requestCert: true, rejectUnauthorized: false })
      server.once('secureConnection', inside)
      server.once('tlsClientError', () => socket.destroy())
      server.emit('connection', socket)
    }
  })
}

/** Calls a platform and poses. Resolves when it is over. */
export function knock(
  o: ImpostorOptions,
  i: Imposture,
  to: { address: string; port: number },
): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host: to.address, port: to.port })
    const refused = (): void => {
      o.emit('seen', {
        alias: 'peers.impostor',
        payload: {
          ...(i as unknown as { [k: string]: Json }),
          as: 'client',
          stage: 'tcp',
          'given [B]': 0,
          ended: 'by the platform',
        },
      })
      resolve()
    }
    socket.once('error', refused)
    socket.once('connect', () => {
      socket.off('error', refused)
      void pose(o, i, socket, 'client').then(resolve)
    })
  })
}

/** What it shows; it poses as the other end of the pair. */
function materialOf(
  pki: string,
  { towards, shows }: Imposture,
): { ca: Buffer; cert?: Buffer; key?: Buffer; minVersion: 'TLSv1.2' } {
  const read = (file: string): Buffer => readFileSync(join(pki, file))
  const posed = platformNames[otherEnd(towards)]
  const file = shows === 'partner' ? posed : `intruder/${posed}-${shows}`
  return {
    ca: read('ca.crt'),
    ...(shows === 'no-certificate' ? {} : { cert: read(`${file}.crt`), key: read(`${file}.key`) }),
    minVersion: 'TLSv1.2',
  }
}

/** Bytes that no protocol means, and some that one could trip over. */
function nonsense(sends: PeerNonsense, o: ImpostorOptions): readonly Buffer[] {
  const noise = (n: number): Buffer =>
    Buffer.from(Array.from({ length: n }, () => Math.floor(o.random() * 256)))
  const framed = (text: string): Buffer => {
    const body = Buffer.from(text)
    const head = Buffer.alloc(4)
    head.writeUInt32BE(body.length)
    return Buffer.concat([head, body])
  }
  switch (sends) {
    case 'nothing':
      return []
    case 'noise':
      return [noise(5_000), noise(5_000)]
    case 'endless':
      return [Buffer.from([0xff, 0xff, 0xff, 0xff]), Buffer.alloc(200_000, 0x20)]
    case 'deep':
      return [framed('['.repeat(20_000)), framed(`{"a":`.repeat(20_000))]
    case 'odd-json':
      return [
        framed('{"t":"hello","v":1,"run":"0123456789abcdef"}'),
        framed('{"t":"value","name":"../../x","n":1e999,"text":"{}"}'),
        framed('null'),
        framed('{"__proto__":{"t":"ask"}}'),
      ]
    default:
      return sends satisfies never
  }
}
