/** Defects and variants of the Data Marketplace (M:0019, S:009; API section 8.1). */
import type { Socket } from 'node:net'
import { identityOf } from '../reference/lvcap/marketplace/acl.ts'
import type { MarketplaceParts } from '../reference/lvcap/marketplace/main.ts'
import { addressOf, type RefusalReason } from '../reference/lvcap/marketplace/peers.ts'
import { listOf, type Defect } from './defect.ts'

type Wrap = Defect<MarketplaceParts>['wrap']

/** Lets in whom the marketplace would refuse for this reason, as whom the certificate names. */
function forgives(reason: RefusalReason): Wrap {
  return (p, reached) => ({
    ...p,
    judge: (peer, now, revoked) => {
      const judged = p.judge(peer, now, revoked)
      if (judged.ok || judged.reason !== reason) return judged
      reached()
      return { ok: true, identity: peer.commonName ?? '' }
    },
  })
}

/** Whoever shows no certificate is who it says that it is. */
function byUsername(p: MarketplaceParts, reached: () => void): Pick<MarketplaceParts, 'admit'> {
  return {
    admit: (identity, hello, directory) => {
      if (identity !== '') return p.admit(identity, hello, directory)
      reached()
      return p.admit(hello.username ?? hello.clientId, hello, directory)
    },
  }
}

/** First byte of an MQTT CONNECT packet (MQTT 3.1.1, section 3.1.1); a TLS record begins with 22. */
const connectPacket = 0x10

const sniffing: Wrap = (p, reached) => ({
  ...p,
  ...byUsername(p, reached),
  accept: (socket, toTls, toBroker) => {
    socket.once('data', (chunk: Buffer) => {
      socket.pause()
      socket.unshift(chunk)
      if (chunk[0] === connectPacket) {
        reached()
        toBroker(socket, plainPeer(socket), '')
      } else {
        toTls(socket)
        // TLS over a socket that has no handle of the machine takes it for unconnected until it hears this.
        socket.emit('connect')
      }
    })
  },
})

function plainPeer(socket: Socket): { readonly address: string; readonly authorized: boolean } {
  return { address: addressOf(socket), authorized: false }
}

export const marketplaceDefects: readonly Defect<MarketplaceParts>[] = [
  ...listOf<MarketplaceParts>('marketplace', 'defect', {
    'accepts-expired': ['Lets expired certificates in.', forgives('expired')],
    'accepts-not-yet-valid': ['Lets certificates in that are not valid yet.', forgives('not-yet-valid')],
    'accepts-foreign-ca': ['Lets certificates of another authority in.', forgives('foreign-ca')],
    'accepts-self-signed': ['Lets self-signed certificates in.', forgives('self-signed')],
    'accepts-revoked': ['Does not look at the list of revoked certificates.', forgives('revoked')],
    'accepts-no-certificate': [
      'Lets clients in that show no certificate, as whom they claim to be.',
      (p, reached) => ({ ...forgives('no-certificate')(p, reached), ...byUsername(p, reached) }),
    ],
    'plain-tcp-on-the-same-port': ['Speaks MQTT without TLS too, on its only port.', sniffing],
    'plain-tcp-on-1883': [
      'Opens port 1883 for MQTT without TLS.',
      (p, reached) => ({
        ...p,
        ...byUsername(p, reached),
        doors: (config) => [...p.doors(config), 1883],
        accept: (socket, toTls, toBroker) => {
          if (socket.localPort !== 1883) {
            p.accept(socket, toTls, toBroker)
            return
          }
          reached()
          toBroker(socket, plainPeer(socket), '')
        },
      }),
    ],
    'no-tls-floor': [
      'Speaks TLS 1.0 and 1.1 too.',
      (p, reached) => ({
        ...p,
        tls: (material) => ({ ...p.tls(material), minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' }),
        judge: (peer, now, revoked) => {
          if (peer.protocol === 'TLSv1' || peer.protocol === 'TLSv1.1') reached()
          return p.judge(peer, now, revoked)
        },
      }),
    ],
    'speaks-no-wills': [
      'Never speaks a last will.',
      (p, reached) => ({
        ...p,
        forward: (session, message) => {
          // A last will alone has no time stamp: it is written before the connection.
          const text = Buffer.from(message.payload).toString('utf8')
          if (!message.topic.startsWith('status/response/') || text.includes('Timestamp'))
            return p.forward(session, message)
          reached()
          return null
        },
      }),
    ],
    'insists-on-client-ids': [
      'Lets nobody in whose client ID is not the name on the certificate.',
      (p, reached) => ({
        ...p,
        admit: (identity, hello, directory) => {
          if (hello.clientId === identity) return p.admit(identity, hello, directory)
          reached()
          return { ok: false, reason: 'will-topic' }
        },
      }),
    ],
    'no-publish-acl': [
      'Lets everybody publish everywhere.',
      (p, reached) => ({
        ...p,
        mayPublish: (session, topic) => {
          if (!p.mayPublish(session, topic)) reached()
          return true
        },
      }),
    ],
    'guards-readings-alone': [
      'Lets everybody publish everywhere but on the topics of readings.',
      (p, reached) => ({
        ...p,
        mayPublish: (session, topic) => {
          if (p.mayPublish(session, topic)) return true
          if (topic.startsWith('sensor/data/')) return false
          reached()
          return true
        },
      }),
    ],
    'identity-by-username': [
      'Takes the identity from the user name that is claimed, not from the certificate.',
      (p, reached) => ({
        ...p,
        admit: (identity, hello, directory) => {
          if (hello.username !== undefined && hello.username !== identity) reached()
          return p.admit(hello.username ?? identity, hello, directory)
        },
      }),
    ],
    'evicts-by-client-id': [
      'Ends the session of whoever has the client ID that a newcomer claims.',
      (p, reached) => ({
        ...p,
        admit: (identity, hello, directory) => {
          const admitted = p.admit(identity, hello, directory)
          if (!admitted.ok) return admitted
          if (hello.clientId !== identity) reached()
          return { ok: true, session: { ...admitted.session, key: hello.clientId } }
        },
      }),
    ],
    'will-unchecked': [
      "Takes a last will on anybody's topic, and speaks it.",
      (p, reached) => {
        const taken = new Map<string, string | undefined>()
        return {
          ...p,
          admit: (identity, hello, directory) => {
            const admitted = p.admit(identity, hello, directory)
            if (admitted.ok) return admitted
            reached()
            const key = `${identity}|${hello.clientId}`
            taken.set(key, hello.willTopic)
            return { ok: true, session: { identity: identityOf(identity, directory), key, warnings: [] } }
          },
          mayPublish: (session, topic) => taken.get(session.key) === topic || p.mayPublish(session, topic),
        }
      },
    ],
    'refusals-not-logged': [
      'Refuses without a word in the log.',
      (p, reached) => ({
        ...p,
        record: () => {
          reached()
          return null
        },
      }),
    ],
    'keeps-readings-to-itself': [
      'Lets no application have the readings of another.',
      (p, reached) => ({
        ...p,
        forward: (session, message) => {
          const { role, iids } = session.identity
          const own = iids.some((iid) => message.topic.startsWith(`sensor/data/${iid}/`))
          if (role !== 'app' || own || !message.topic.startsWith('sensor/data/'))
            return p.forward(session, message)
          reached()
          return null
        },
      }),
    ],
    'waits-for-the-slowest': [
      'Goes on with the next message when each subscriber has taken the one before.',
      (p, reached) => ({
        ...p,
        unhurried: (stream) => {
          const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
          const plain = (...args: unknown[]): boolean => {
            const free = write(...args)
            if (!free) reached()
            return free
          }
          stream.write = plain as typeof stream.write
        },
      }),
    ],
    'drops-everyone': [
      'Drops every connection where one subscriber does not read.',
      (p, reached) => {
        const open = new Set<() => void>()
        return {
          ...p,
          unhurried: (stream, limits, drop) => {
            const end = (): void => void stream.destroy()
            open.add(end)
            stream.once('close', () => open.delete(end))
            p.unhurried(stream, limits, (why) => {
              reached()
              drop(why)
              for (const one of open) one()
            })
          },
        }
      },
    ],
    'loses-messages': [
      'Forwards all but every thousandth message.',
      (p, reached) => {
        let n = 0
        return {
          ...p,
          forward: (session, message) => {
            if (++n % 1_000 !== 0) return p.forward(session, message)
            reached()
            return null
          },
        }
      },
    ],
  }),
  ...listOf<MarketplaceParts>('marketplace', 'variant', {
    'wills-judged-when-spoken': [
      "Lets in whoever has a last will on somebody else's topic, says so in its log, and never speaks it.",
      (p, reached) => ({
        ...p,
        admit: (identity, hello, directory) => {
          const admitted = p.admit(identity, hello, directory)
          if (admitted.ok) return admitted
          reached()
          const key = `${identity}|${hello.clientId}|${hello.willTopic ?? ''}`
          return { ok: true, session: { identity: identityOf(identity, directory), key, warnings: [] } }
        },
      }),
    ],
    'keeps-slow-subscribers': [
      'Keeps what waits for a subscriber that does not read, and never drops it.',
      (p, reached) => ({
        ...p,
        unhurried: (stream, limits, drop) => {
          reached()
          p.unhurried(stream, { ...limits, seconds: Number.POSITIVE_INFINITY }, drop)
        },
      }),
    ],
    'tls-1.3-only': [
      'Speaks TLS 1.3 only.',
      (p, reached) => ({
        ...p,
        tls: (material) => {
          reached()
          return { ...p.tls(material), minVersion: 'TLSv1.3' }
        },
      }),
    ],
  }),
]
