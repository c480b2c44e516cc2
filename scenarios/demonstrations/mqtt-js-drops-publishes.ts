/** Whoever leaves QoS 1 to mqtt.js alone loses what it published while the link flapped: docs/demonstrations.md. */
import { scenario, within } from '../../bench/index.ts'

export default scenario({
  title: 'mqtt.js drops publications of QoS 1 that it took while it was sending others again',
  verifies: [],
  demonstrates: { package: 'mqtt', check: 'delivered' },
  needs: ['link', 'mqtt'],
  catches: {},
  horizon: '20 min',
  async run({ link, mqtt, time, check }) {
    link.profile('restless')
    check(
      within('9 min', mqtt.published, mqtt.broker, {
        id: 'delivered',
        limit:
          'each message that publish() took with QoS 1 reaches the broker within 9 min (MQTT 3.1.1, 4.3.2)',
        verifies: [],
        pairs: (sent, seen) => nOf(sent.data) === nOf(seen.data),
        how: (e) => (e.data as { alias: string }).alias === 'broker.taken',
      }),
    )
    await mqtt.start({ keepalive: '5 s', publishes: { every: '250 ms', count: 2400 } })
    await time.pass('10 min')
    // The link is good again: whatever is held has the time to arrive.
    link.profile('wire')
    await time.pass(time.horizon - 600_000)
  },
})

const nOf = (data: unknown): number => (data as { n: number }).n
