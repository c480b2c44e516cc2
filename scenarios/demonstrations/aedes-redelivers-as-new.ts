/** A subscriber of aedes cannot tell from DUP what it may have had before: docs/demonstrations.md. */
import { never, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'aedes delivers again without the DUP flag what it had sent before the connection was lost',
  verifies: [],
  demonstrates: { package: 'aedes', check: 'dup' },
  needs: ['link', 'mqtt'],
  catches: {},
  horizon: '10 min',
  async run({ link, mqtt, time, check }) {
    link.profile('restless')
    check(
      never(mqtt.client, (e) => again(e.data) && !dup(e.data), {
        id: 'dup',
        limit:
          'a message that is delivered again in a session has DUP set (MQTT 3.1.1, 3.3.1.1, MQTT-3.3.1-1)',
        verifies: [],
      }),
    )
    await mqtt.start({ keepalive: '5 s', sends: { every: '250 ms', count: 2000 } })
    await time.pass(time.horizon)
  },
})

const again = (data: unknown): boolean => (data as { again?: boolean }).again === true
const dup = (data: unknown): boolean => (data as { dup?: boolean }).dup === true
