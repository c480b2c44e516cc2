/**
 * Somebody plugs a laptop into the platform's Ethernet port. Without the password nothing is told and nothing opens, however
 * it is tried; the engineer who knows it gets in, and again when a lock against guessing has run out.
 */
import { always, eventually, logged, never, refused, scenario } from '../../bench/index.ts'
import type { Event, Visit } from '../../bench/faces.ts'

/** Passwords that devices are delivered with, or that are tried first. */
const usual = ['admin', 'password', 'root', '1234', 'lvcap', 'openlv'] as const
/** Wrong, and unlike anything else: where it turns up in a log, passwords are logged. */
const marked = 'Xerxes-7-bathtub'
/** How long the lock holds (the platform's own figure: 900 s), with a minute to spare. */
const lock = '16 min'

interface Outcome {
  readonly stage?: string
  readonly tried?: number
  readonly checked?: number
  readonly retryAfter?: number
}

function outcomeOf(e: Event): Outcome {
  return (e.data as { readonly payload?: Outcome | null }).payload ?? {}
}

const text = (name: string, password: string): Visit => ({ name, password: { is: 'text', text: password } })

export default scenario({
  title: 'Nobody gets into the platform at its Ethernet port without the password, and nobody guesses it',
  verifies: ['S:009'],
  needs: ['platform', 'laptop'],
  catches: {
    'maintenance/default-password': 'S:009/password',
    'maintenance/empty-password': 'S:009/password',
    'maintenance/first-eight-characters': 'S:009/password',
    'maintenance/ignores-case': 'S:009/password',
    'maintenance/no-lock': 'S:009/password',
    'maintenance/lock-of-a-second': 'S:009/password',
    'maintenance/lock-that-hears': 'S:009/password',
    'maintenance/locked-for-ever': 'S:009/password',
    'maintenance/tells-its-state-to-anybody': 'S:009/password',
    'maintenance/remembers-after-log-out': 'S:009/password',
    'maintenance/password-in-log': 'S:009/password',
    'maintenance/silent-about-guesses': 'S:009/password',
    'maintenance/plain-http': 'S:009/encrypted',
    'maintenance/plain-http-beside': 'S:009/encrypted',
    'maintenance/old-tls': 'S:009/encrypted',
    'maintenance/self-signed-certificate': 'S:009/signed-or-certificate',
  },
  horizon: '2 h',
  short: '2 min',
  prove: '2 h',
  async run({ platform, laptop, time, check }) {
    const { outcomes } = laptop
    const visits = (name: string): typeof outcomes => ({ ...outcomes, select: `laptop.${name}` })
    const log = platform.watch('log', 'log.*')
    // A lock runs for a quarter of an hour: a short run sees it begin, a full one sees it end.
    const long = time.horizon > 3_600_000
    const wrong = Object.fromEntries(usual.map((p) => [`usual-${p}`, ['login', 'locked'] as const]))

    check(
      refused(
        outcomes,
        {
          'plain-http': ['tcp', 'tls'],
          'plain-http-beside': 'tcp',
          'plain-http-80': 'tcp',
          'old-tls': 'tls',
        },
        { id: 'encrypted', verifies: ['S:009/encrypted'] },
      ),
    )
    check(
      refused(
        outcomes,
        {
          'no-password': 'login',
          'empty-password': 'login',
          marked: 'login',
          'after-log-out': 'login',
          guesses: 'locked',
          'right-while-locked': 'locked',
          ...(long ? { beginning: 'login', 'other-case': 'login', ...wrong } : {}),
        },
        { id: 'nobody-without-it', verifies: ['S:009/password'] },
      ),
    )
    check(
      always(visits('guesses'), (e) => (outcomeOf(e).checked ?? Number.POSITIVE_INFINITY) <= 10, {
        id: 'guessing-is-stopped',
        limit: 'of a thousand guesses at most ten are heard',
        verifies: ['S:009/password'],
      }),
    )
    check(
      always(visits('guesses'), (e) => (outcomeOf(e).retryAfter ?? 0) >= 60, {
        id: 'lock-is-told',
        limit: 'the lock holds for at least a minute, and says for how long',
        verifies: ['S:009/password'],
      }),
    )
    check(
      always(visits('engineer*'), (e) => outcomeOf(e).stage === 'inside', {
        id: 'engineer-gets-in',
        limit: 'with the right password, over a connection that proves itself by the platform’s authority',
        verifies: ['S:009/password', 'S:009/signed-or-certificate'],
      }),
    )
    if (long)
      check(
        eventually(visits('engineer-after-lock'), (e) => outcomeOf(e).stage === 'inside', {
          id: 'lock-ends',
          limit: 'the engineer gets in when the lock has run out',
          verifies: ['S:009/password'],
        }),
      )
    check(
      logged(
        log,
        {
          marked: ['maintenance-login', 'wrong-password'],
          guesses: ['maintenance-login', 'locked'],
          'old-tls': ['maintenance-refused', 'tls-version'],
          'plain-http': ['maintenance-refused', 'plain-tcp'],
        },
        { id: 'tries-are-logged', verifies: ['S:009/password'], within: '10 s', after: outcomes },
      ),
    )
    check(
      never(log, (e) => JSON.stringify(e.data).includes(marked), {
        id: 'no-password-in-the-log',
        limit: 'a password that was tried stands nowhere in the log',
        verifies: ['S:009/password'],
      }),
    )

    const visit = async (what: Visit): Promise<void> => {
      await laptop.visit(what)
      await time.pass('2 s')
    }
    const right = { is: 'right' } as const
    await time.pass('5 s')
    await visit({ name: 'engineer', password: right })
    await visit({ name: 'plain-http', over: 'http' })
    await visit({ name: 'plain-http-beside', over: 'http', port: 8444 })
    await visit({ name: 'plain-http-80', over: 'http', port: 80 })
    await visit({ name: 'old-tls', tlsMax: 'TLSv1.1' })
    await visit({ name: 'no-password' })
    await visit(text('empty-password', ''))
    await visit(text('marked', marked))
    await visit({ name: 'after-log-out', password: right, loggedOut: true })
    if (long) {
      await visit({ name: 'beginning', password: { is: 'beginning' } })
      await visit({ name: 'other-case', password: { is: 'other-case' } })
      await visit({ name: 'engineer-again', password: right })
      for (const p of usual.slice(0, 2)) await visit(text(`usual-${p}`, p))
      await visit({ name: 'engineer-between', password: right })
      for (const p of usual.slice(2, 4)) await visit(text(`usual-${p}`, p))
      await visit({ name: 'engineer-once-more', password: right })
      for (const p of usual.slice(4)) await visit(text(`usual-${p}`, p))
      await visit({ name: 'engineer-before-guesses', password: right })
    }
    await laptop.visit({ name: 'guesses', guesses: 1_000 })
    await time.pass('5 s')
    await visit({ name: 'right-while-locked', password: right })
    if (!long) return
    await time.pass(lock)
    await visit({ name: 'engineer-after-lock', password: right })
  },
})
