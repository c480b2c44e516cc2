/** Defects and legal variants of the maintenance service (S:009). */
import type { MaintenanceParts } from '../reference/lvcap/maintenance/main.ts'
import { listOf, type Defect } from './defect.ts'

type Wrap = Defect<MaintenanceParts>['wrap']

/** Admits more passwords than the right one. */
function admits(also: (password: string) => boolean): Wrap {
  return (p, reached) => ({
    ...p,
    verify: async (password, stored) => {
      const right = await p.verify(password, stored)
      if (right || !also(password)) return right
      reached()
      return true
    },
  })
}

/** Admits, once the right password was given, also what is like it. */
function admitsLike(like: (password: string, right: string) => boolean): Wrap {
  return (p, reached) => {
    let right = ''
    return {
      ...p,
      verify: async (password, stored) => {
        if (await p.verify(password, stored)) {
          right = password
          return true
        }
        if (right === '' || !like(password, right)) return false
        reached()
        return true
      },
    }
  }
}

export const maintenanceDefects: readonly Defect<MaintenanceParts>[] = [
  ...listOf<MaintenanceParts>('maintenance', 'defect', {
    'default-password': [
      'Admits the password that it was delivered with, beside the one that was set.',
      admits((password) => password === 'admin'),
    ],
    'empty-password': ['Admits whoever gives no password.', admits((password) => password === '')],
    'first-eight-characters': [
      'Compares the first eight characters of a password alone.',
      admitsLike((password, right) => password.slice(0, 8) === right.slice(0, 8)),
    ],
    'ignores-case': [
      'Does not tell small letters from capital ones.',
      admitsLike((password, right) => password.toLowerCase() === right.toLowerCase()),
    ],
    'no-lock': [
      'Hears any number of guesses.',
      (p, reached) => ({
        ...p,
        afterTry: (lock, right, now, policy) => {
          const next = p.afterTry(lock, right, now, policy)
          if (next.until > now) reached()
          return { ...next, until: lock.until }
        },
      }),
    ],
    'lock-of-a-second': [
      'Opens again a second after it has locked.',
      (p, reached) => ({
        ...p,
        afterTry: (lock, right, now, policy) => {
          const next = p.afterTry(lock, right, now, policy)
          if (next.until > now) reached()
          return { ...next, until: Math.min(next.until, now + 1_000) }
        },
      }),
    ],
    'lock-that-hears': [
      'Says that it is locked, and admits the right password all the same.',
      (p, reached) => {
        let locked = false
        let until = Number.NEGATIVE_INFINITY
        return {
          ...p,
          lockedFor: (lock, now) => {
            until = lock.until
            locked = p.lockedFor(lock, now) > 0
            return 0
          },
          afterTry: (lock, right, now, policy) => {
            if (locked && right) reached()
            return locked && !right ? { wrong: 0, until } : p.afterTry(lock, right, now, policy)
          },
        }
      },
    ],
    'locked-for-ever': [
      'Opens never again once it has locked.',
      (p, reached) => ({
        ...p,
        afterTry: (lock, right, now, policy) => {
          const next = p.afterTry(lock, right, now, policy)
          if (next.until > now) reached()
          return next.until > now ? { ...next, until: now + 1e9 } : next
        },
      }),
    ],
    'tells-its-state-to-anybody': [
      'Tells the state of the platform without a log-in.',
      (p, reached) => ({
        ...p,
        guarded: (method, path) => {
          if (path !== '/state') return p.guarded(method, path)
          reached()
          return false
        },
      }),
    ],
    'remembers-after-log-out': [
      'Goes on taking a token after its log-out.',
      (p, reached) => ({
        ...p,
        forgets: () => {
          reached()
          return false
        },
      }),
    ],
    'plain-http': [
      'Speaks HTTP without TLS on the same port to whoever begins so.',
      (p, reached) => ({
        ...p,
        accept: (socket, toTls, toWeb) => {
          socket.once('data', (first: Buffer) => {
            socket.pause()
            socket.unshift(first)
            // 22: a TLS handshake record (RFC 8446, 5.1).
            if (first[0] === 22) {
              p.accept(socket, toTls, toWeb)
              // TLS over a socket that has no handle of the machine takes it for unconnected until it hears this.
              socket.emit('connect')
            } else {
              reached()
              toWeb(socket)
              socket.resume()
            }
          })
        },
      }),
    ],
    'plain-http-beside': [
      'Has a second port, one further, that speaks HTTP without TLS.',
      (p, reached) => {
        let second = 0
        return {
          ...p,
          ports: (config) => {
            second = config.port + 1
            return [...p.ports(config), second]
          },
          accept: (socket, toTls, toWeb) => {
            if (socket.localPort !== second) p.accept(socket, toTls, toWeb)
            else {
              reached()
              toWeb(socket)
            }
          },
        }
      },
    ],
    'old-tls': [
      'Speaks TLS 1.1 with whoever has nothing better.',
      (p, reached) => ({
        ...p,
        tls: (read) => {
          reached()
          return { ...p.tls(read), minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' }
        },
      }),
    ],
    'self-signed-certificate': [
      'Shows a certificate that nobody but itself has signed.',
      (p, reached) => ({
        ...p,
        tls: (read) => {
          reached()
          return {
            ...p.tls(read),
            cert: read('intruder/self-signed.crt'),
            key: read('intruder/self-signed.key'),
          }
        },
      }),
    ],
    'password-in-log': [
      'Writes into its log what was tried.',
      (p, reached) => ({
        ...p,
        record: (t) => {
          reached()
          return { ...p.record(t), tried: t.password }
        },
      }),
    ],
    'silent-about-guesses': [
      'Writes nothing of passwords that were wrong.',
      (p, reached) => ({
        ...p,
        record: (t) => {
          if (t.what === 'admitted') return p.record(t)
          reached()
          return null
        },
      }),
    ],
  }),
  ...listOf<MaintenanceParts>('maintenance', 'variant', {
    'locks-after-three': [
      'Locks after three wrong passwords.',
      (p, reached) => ({
        ...p,
        afterTry: (lock, right, now, policy) => {
          reached()
          return p.afterTry(lock, right, now, { ...policy, after: 3 })
        },
      }),
    ],
    'tls-1.3-only': [
      'Speaks TLS 1.3 and nothing older.',
      (p, reached) => ({
        ...p,
        tls: (read) => {
          reached()
          return { ...p.tls(read), minVersion: 'TLSv1.3' }
        },
      }),
    ],
    'short-tokens': [
      'Gives tokens of 22 characters.',
      (p, reached) => ({
        ...p,
        token: () => {
          reached()
          return p.token().slice(0, 22)
        },
      }),
    ],
  }),
]
