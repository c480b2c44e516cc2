/**
 * Everyone who should stay outside the Data Marketplace knocks at its door, one after the other, while honest apps go
 * on: each must be refused, nothing of theirs may come out, and the platform's log must say who was refused and why.
 */
import { arrivesEvery, logged, never, refused, scenario } from '../../bench/index.ts'
import type { Event } from '../../bench/faces.ts'

/** A topic of the feeder monitor's app, and a reading that no honest device gives. */
const forged = {
  topic: 'sensor/data/lucy_gridkeysensor_01/Busbar/voltage/60s/L1-N_RMS',
  payload: { Timestamp: 1, Value: 11_000, Valid: true },
}
const outside = ['tcp', 'tls', 'mqtt'] as const

/** `Status` of a status response (LV-CAP API table 7; 2: failed, which is what a last will says). */
function statusOf(e: Event): unknown {
  const d = e.data as { readonly payload?: { readonly Status?: unknown } | null }
  return d.payload?.Status
}

export default scenario({
  title: 'Nobody enters the Data Marketplace, or speaks there as another, without a certificate that says so',
  verifies: ['M:0019', 'S:009/signed-or-certificate', 'S:009/encrypted'],
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
        { 'plain-tcp': outside, 'old-tls': outside },
        {
          id: 'encrypted',
          verifies: ['M:0019/encrypted', 'S:009/encrypted'],
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
        { id: 'authenticated', verifies: ['M:0019/authenticated', 'S:009/signed-or-certificate'] },
      ),
    )
    check(
      refused(
        attempts,
        { 'anothers-topic': 'publish', 'anothers-name': ['mqtt', 'publish'], 'anothers-will': 'mqtt' },
        {
          id: 'no-impersonation',
          verifies: ['M:0019/no-impersonation'],
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
          expired: ['expired'],
          'not-yet-valid': ['not-yet-valid'],
          'foreign-ca': ['foreign-ca'],
          'self-signed': ['self-signed'],
          revoked: ['revoked'],
          'anothers-will': ['will-topic', forged.topic],
          'anothers-topic': ['publish-topic', forged.topic],
          'anothers-name': ['publish-topic', forged.topic],
        },
        {
          id: 'refusals-logged',
          verifies: ['M:0019/authenticated', 'M:0019/no-impersonation'],
          within: '10 s',
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
    await intruder.attempt({ name: 'plain-tcp', identity: 'plain-tcp', publish: forged })
    await time.pass('5 s')
    await intruder.attempt({ name: 'plain-tcp-1883', identity: 'plain-tcp', port: 1883, publish: forged })
    await time.pass('5 s')
    await intruder.attempt({ name: 'old-tls', identity: 'own', tlsMax: 'TLSv1.1', publish: forged })
    for (const identity of [
      'none',
      'expired',
      'not-yet-valid',
      'foreign-ca',
      'self-signed',
      'revoked',
    ] as const) {
      await time.pass('5 s')
      await intruder.attempt({
        name: identity === 'none' ? 'no-certificate' : identity,
        identity,
        publish: forged,
      })
    }
    await time.pass('5 s')
    await intruder.attempt({ name: 'anothers-topic', identity: 'own', publish: forged })
    await time.pass('5 s')
    await intruder.attempt({
      name: 'anothers-name',
      identity: 'own',
      claim: 'lucy_gridkeysensor_1.0',
      publish: forged,
    })
    await time.pass('5 s')
    await intruder.attempt({ name: 'anothers-will', identity: 'own', will: forged })
    await time.pass('12 s')
    // The rest of the time: whoever was refused must not have crippled the honest apps.
    const spent = 30_000 + 5_000 * 11 + 12_000
    if (time.horizon > spent) await time.pass(time.horizon - spent)
  },
})
