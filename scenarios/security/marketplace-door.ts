/**
 * Everyone who should stay outside the Data Marketplace knocks at its door, one after the other, while honest apps go
 * on: each must be refused, nothing of theirs may come out, and the platform's log must say who was refused and why.
 */
import { always, arrivesEvery, logged, never, refused, scenario } from '../../bench/index.ts'
import type { Event, IntruderAttempt } from '../../bench/faces.ts'

/** The feeder monitor's app: its instance, and one of its topics. */
const victim = 'lucy_gridkeysensor_01'
const reading = `sensor/data/${victim}/Busbar/voltage/60s/L1-N_RMS`

/** Whose certificates the intruder has: an enrolled app's, and an installed one's. The log must call it by these names. */
const visitor = 'thirdparty_visitor_1.0'
const neighbour = 'thirdparty_publisher_1.0'

/** A reading that no honest device gives. Each attempt has another number, so that what comes out tells whose it was. */
function forged(attempt: number): Message {
  return { topic: reading, payload: { Timestamp: attempt, Value: 11_000, Valid: true } }
}

type Message = NonNullable<IntruderAttempt['publish']>

/**
 * Where else one enrolled app could pose as another, or as the Container Manager (LV-CAP API 8.2). What is said does
 * no harm where it is let through: a configuration that is not known, a command that there is not.
 */
const impostures: Readonly<Record<string, Message>> = {
  'anothers-status': { topic: `status/response/${victim}`, payload: { Status: 3, Timestamp: 1 } },
  'anothers-error': {
    topic: `storage/data/error/${victim}`,
    payload: { Errno: 8, Message: 'forged', Timestamp: 1 },
  },
  'anothers-question': { topic: `config/request/${victim}`, payload: { Timestamp: 1 } },
  'managers-question': { topic: 'status/request', payload: { Timestamp: 1 } },
  'managers-command': { topic: `command/${victim}`, payload: { Command: 99, Timestamp: 1 } },
  'managers-configuration': {
    topic: `config/response/${victim}`,
    payload: { Configuration: null, Timestamp: 1 },
  },
}
const outside = ['tcp', 'tls', 'mqtt'] as const

/** Who knocks, in this order. */
const attempted: readonly IntruderAttempt[] = [
  { name: 'plain-tcp', identity: 'plain-tcp', publish: forged(1) },
  { name: 'plain-tcp-1883', identity: 'plain-tcp', port: 1883, publish: forged(2) },
  { name: 'old-tls', identity: 'own', tlsMax: 'TLSv1.1', publish: forged(3) },
  { name: 'no-certificate', identity: 'none', publish: forged(4) },
  { name: 'expired', identity: 'expired', publish: forged(5) },
  { name: 'not-yet-valid', identity: 'not-yet-valid', publish: forged(6) },
  { name: 'foreign-ca', identity: 'foreign-ca', publish: forged(7) },
  { name: 'self-signed', identity: 'self-signed', publish: forged(8) },
  { name: 'revoked', identity: 'revoked', publish: forged(9) },
  { name: 'anothers-topic', identity: 'own', publish: forged(10) },
  { name: 'neighbours-topic', identity: 'installed', publish: forged(14) },
  { name: 'anothers-topic-at-most-once', identity: 'installed', publish: { ...forged(11), qos: 0 } },
  { name: 'anothers-name', identity: 'installed', claim: 'lucy_gridkeysensor_1.0', publish: forged(12) },
  { name: 'anothers-will', identity: 'installed', will: forged(13) },
  {
    name: 'anothers-last-status',
    identity: 'installed',
    will: { topic: `status/response/${victim}`, payload: { Status: 2, Message: 'forged' } },
  },
  ...Object.entries(impostures).map(([name, publish]) => ({ name, identity: 'installed', publish }) as const),
]

/** `Status` of a status response (LV-CAP API table 7; 2: failed, which is what a last will says). */
function statusOf(e: Event): unknown {
  const d = e.data as { readonly payload?: { readonly Status?: unknown } | null }
  return d.payload?.Status
}

/** End of the trials (W:005), ms since 1970. */
const afterTrials = Date.UTC(2019, 9, 1)

/** When the certificate of somebody who was let in ends, as the platform's log has it; NaN where it does not say. */
function untilOf(e: Event): number {
  const d = e.data as { readonly payload?: { readonly until?: unknown } | null }
  return Date.parse(String(d.payload?.until))
}

export default scenario({
  title: 'Nobody enters the Data Marketplace, or speaks there as another, without a certificate that says so',
  verifies: [
    'M:0019',
    'S:009/signed-or-certificate',
    'S:009/encrypted',
    'W:005/tls-mandatory',
    'W:005/end-date',
    'API:8.1/tls',
    'API:8.1/certificate',
    'API:8.1/publish-list',
  ],
  needs: ['platform', 'gridkey', 'intruder'],
  catches: {
    'marketplace/plain-tcp-on-the-same-port': 'M:0019/encrypted',
    'marketplace/plain-tcp-on-1883': 'M:0019/encrypted',
    'marketplace/no-tls-floor': 'S:009/encrypted',
    'marketplace/accepts-no-certificate': 'M:0019/authenticated',
    'marketplace/accepts-expired': 'M:0019/authenticated',
    'marketplace/accepts-not-yet-valid': 'M:0019/authenticated',
    'marketplace/accepts-foreign-ca': 'M:0019/authenticated',
    'marketplace/accepts-self-signed': 'M:0019/authenticated',
    'marketplace/accepts-revoked': 'S:009/signed-or-certificate',
    'marketplace/refusals-not-logged': 'M:0019/authenticated',
    'marketplace/no-publish-acl': 'M:0019/no-impersonation',
    'marketplace/guards-readings-alone': 'M:0019/no-impersonation',
    'marketplace/identity-by-username': 'M:0019/no-impersonation',
    'marketplace/will-unchecked': 'M:0019/no-impersonation',
    'marketplace/evicts-by-client-id': 'M:0019/no-impersonation',
  },
  horizon: '20 min',
  short: '3 min',
  prove: '20 min',
  async run({ platform, gridkey, intruder, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 10 })
    const attempts = intruder.outcomes
    const log = platform.watch('log', 'log.refused')
    const all = platform.watch('marketplace', '*')
    const readings = platform.watch('marketplace', 'gridkey.*')

    check(
      refused(
        attempts,
        { 'plain-tcp': outside, 'plain-tcp-1883': outside, 'old-tls': outside },
        {
          id: 'encrypted',
          verifies: ['M:0019/encrypted', 'S:009/encrypted', 'W:005/tls-mandatory', 'API:8.1/tls'],
        },
      ),
    )
    check(
      refused(
        attempts,
        {
          'no-certificate': outside,
          expired: outside,
          'not-yet-valid': outside,
          'foreign-ca': outside,
          'self-signed': outside,
          revoked: outside,
        },
        {
          id: 'authenticated',
          verifies: ['M:0019/authenticated', 'S:009/signed-or-certificate', 'API:8.1/certificate'],
        },
      ),
    )
    check(
      refused(
        attempts,
        {
          'anothers-topic': 'publish',
          'neighbours-topic': 'publish',
          'anothers-topic-at-most-once': 'publish',
          'anothers-name': ['mqtt', 'publish'],
          // A broker may let it in and never speak its will.
          'anothers-will': ['mqtt', 'publish'],
          'anothers-last-status': ['mqtt', 'publish'],
          ...Object.fromEntries(Object.keys(impostures).map((name) => [name, 'publish'] as const)),
        },
        {
          id: 'no-impersonation',
          verifies: ['M:0019/no-impersonation', 'API:8.1/publish-list'],
        },
      ),
    )
    check(
      logged(
        log,
        {
          'plain-tcp': ['plain-tcp'],
          'old-tls': ['tls-version'],
          'no-certificate': ['no-certificate'],
          // What is wrong with a certificate nobody asks the platform to write down.
          expired: ['refused'],
          'not-yet-valid': ['refused'],
          'foreign-ca': ['refused'],
          'self-signed': ['refused'],
          revoked: ['refused'],
          'anothers-will': [reading, neighbour],
          'anothers-last-status': [`status/response/${victim}`, neighbour],
          'anothers-topic': ['publish-topic', reading, visitor],
          'neighbours-topic': ['publish-topic', reading, neighbour],
          'anothers-topic-at-most-once': ['publish-topic', reading, neighbour],
          'anothers-name': ['publish-topic', reading, neighbour],
          ...Object.fromEntries(
            Object.entries(impostures).map(([name, m]) => [name, ['publish-topic', m.topic, neighbour]]),
          ),
        },
        {
          id: 'refusals-logged',
          verifies: ['M:0019/authenticated', 'M:0019/no-impersonation'],
          within: '10 s',
        },
      ),
    )
    check(
      always(
        platform.watch('log', 'log.connected'),
        (e) => untilOf(e) > Math.max(afterTrials, e.at + time.horizon),
        {
          id: 'certificates-last',
          limit:
            'each certificate with which anybody is let in ends after September 2019, and after this run',
          verifies: ['W:005/end-date'],
          needs: ['certificates'],
        },
      ),
    )
    check(
      never(all, (e) => JSON.stringify(e.data).includes('"Value":11000'), {
        id: 'nothing-forged',
        limit: 'the forged reading of 11,000 V never comes out at the marketplace',
        verifies: ['M:0019/no-impersonation', 'S:009/signed-or-certificate'],
      }),
    )
    check(
      never(platform.watch('marketplace', 'status.response.*'), (e) => statusOf(e) === 2, {
        id: 'nobody-thrown-out',
        limit: "no honest app's last will (status 2) is spoken",
        verifies: ['M:0019/no-impersonation'],
        alive: all,
      }),
    )
    check(
      arrivesEvery('10 s', readings, {
        id: 'honest-apps-go-on',
        verifies: ['M:0019/no-impersonation'],
        gap: '±2 s',
        start: '25 s',
      }),
    )

    await time.pass('30 s')
    for (const [i, attempt] of attempted.entries()) {
      if (i > 0) await time.pass('5 s')
      await intruder.attempt(attempt)
    }
    await time.pass('12 s')
    // The rest of the time: whoever was refused must not have crippled the honest apps.
    const spent = 30_000 + 5_000 * (attempted.length - 1) + 12_000
    if (time.horizon > spent) await time.pass(time.horizon - spent)
  },
})
