/**
 * The link with the partner: one connection at a time that both ends have proved, signs of life on it, values both ways.
 * A connection on which the partner falls silent is given up, so that a half-open one does not pass for the partner.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { LvcapError, textOf } from '../../errors.ts'
import { encode, frameReader, version, type Frame, type FrameReader, type Value } from './frames.ts'
import type { Traveller } from './road.ts'
import type { PartnerJudgement, Secured, StrangerReason } from './secure.ts'
import type { Inbox, Outbox } from './values.ts'

export interface LinkParts {
  /** Agrees on TLS. Rejects where that fails. */
  secure(socket: Socket, as: 'server' | 'client'): Promise<Secured>
  judge(secured: Secured): PartnerJudgement
  /** Whether a value of the partner's has not been passed on yet. */
  isNew(inbox: Inbox, value: Value): boolean
  /** Whether a request of the partner's is answered. */
  answers(): boolean
  /** Whether so long a silence (ms) means that the connection is dead. */
  isDead(silent: number): boolean
}

export interface LinkSettings {
  /** Names this run of the program, 16 hexadecimal digits. */
  readonly run: string
  /** Seconds. */
  readonly heartbeat: number
  readonly handshake: number
  readonly maxFrame: number
}

export interface LinkEvents {
  /** Something of the partner's has come, whatever it is. */
  heard(): void
  /** A new value of the partner's. */
  value(value: Value): void
  /** The partner is there; it is not any more. */
  joined(): void
  left(why: string): void
  refused(reason: StrangerReason, who: string): void
  trouble(text: string): void
  /** A value is longer than a frame may be. */
  tooLong(name: string): void
}

export interface Link extends Traveller {
  /** There may be something to send. */
  flush(): void
  counts(): { readonly connections: number; readonly sent: number; readonly received: number }
}

/** The partner's connection that counts. */
interface Session {
  readonly stream: Duplex
  send(f: Frame): boolean
  end(why: string): void
}

export function createLink(
  p: LinkParts,
  s: LinkSettings,
  boxes: { readonly outbox: Outbox; readonly inbox: Inbox },
  on: LinkEvents,
): Link {
  const { outbox, inbox } = boxes
  let current: Session | undefined
  let connections = 0
  let sent = 0
  let received = 0

  const flush = (): void => {
    const session = current
    if (session === undefined) return
    for (let v = outbox.next(); v !== undefined; v = outbox.next()) {
      if (session.send(v)) sent++
      else {
        outbox.took(v.n)
        on.tooLong(v.name)
      }
    }
  }

  /** What the partner says after its hello. */
  const take = (f: Frame, session: Session): void => {
    switch (f.t) {
      case 'hello':
        throw new LvcapError('protocol', 'A second hello.')
      case 'ask':
        if (!p.answers()) return
        outbox.asked()
        flush()
        return
      case 'value':
        received++
        if (p.isNew(inbox, f)) on.value(f)
        session.send({ t: 'took', n: f.n })
        return
      case 'took':
        outbox.took(f.n)
        flush()
        return
      case 'beat':
        return
      default:
        f satisfies never
    }
  }

  /** Runs the protocol on a proved connection until it is over; true where the partner said hello. */
  const converse = (stream: Duplex): Promise<boolean> =>
    new Promise((resolve) => {
      const reader: FrameReader = frameReader(s.maxFrame)
      let greeted = false
      let ended = false
      let lastHeard = performance.now()
      const session: Session = {
        stream,
        send(f) {
          const bytes = encode(f, s.maxFrame)
          if (bytes === undefined) return false
          stream.write(bytes)
          return true
        },
        end(why) {
          if (ended) return
          ended = true
          clearInterval(beating)
          clearTimeout(first)
          stream.destroy()
          if (current === session) {
            current = undefined
            outbox.rejoin()
            on.left(why)
          }
          resolve(greeted)
        },
      }
      const greet = (f: Frame): void => {
        if (f.t !== 'hello') throw new LvcapError('protocol', `The first word was ${f.t}, not hello.`)
        if (f.v !== version)
          throw new LvcapError('protocol', `The partner speaks version ${f.v}; here it is ${version}.`)
        greeted = true
        clearTimeout(first)
        // The newest counts: of an older one the partner may know nothing any more.
        current?.end('the partner came anew')
        current = session
        connections++
        outbox.rejoin()
        inbox.begins(f.run)
        on.joined()
        session.send({ t: 'ask' })
      }
      const beating = setInterval(() => {
        if (p.isDead(performance.now() - lastHeard)) session.end('the partner fell silent')
        else if (greeted) session.send({ t: 'beat' })
      }, s.heartbeat * 1_000)
      const first = setTimeout(() => session.end('the partner said nothing'), s.handshake * 1_000)
      stream.on('data', (b: Buffer) => {
        if (ended) return
        lastHeard = performance.now()
        try {
          for (const f of reader.push(b)) {
            if (greeted) take(f, session)
            else greet(f)
            if (ended) return
          }
          if (greeted) on.heard()
        } catch (error) {
          on.trouble(textOf(error))
          session.end('the partner was not understood')
        }
      })
      stream.resume()
      stream.on('error', () => session.end('the connection broke'))
      stream.on('close', () => session.end('the connection was closed'))
      stream.on('end', () => session.end('the partner closed the connection'))
      session.send({ t: 'hello', v: version, run: s.run })
    })

  return {
    flush,
    counts: () => ({ connections, sent, received }),
    trouble: (text) => on.trouble(text),
    async meets(socket, as) {
      try {
        const secured = await p.secure(socket, as)
        const j = p.judge(secured)
        if (!j.ok) {
          on.refused(j.reason, `${secured.peer.commonName ?? 'nobody'} at ${secured.peer.address}`)
          secured.stream.destroy()
          socket.destroy()
          return false
        }
        return await converse(secured.stream)
      } catch (error) {
        on.trouble(textOf(error))
        return false
      } finally {
        socket.destroy()
      }
    },
  }
}
