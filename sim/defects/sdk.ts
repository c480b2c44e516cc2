/** Defects in what every application has, shown in the GridKey application (API sections 4, 5, 6 and 8). */
import { status, unixSeconds } from '../reference/lvcap/api.ts'
import type { GridkeyParts } from '../reference/lvcap/apps/gridkey/main.ts'
import type { TemperatureParts } from '../reference/lvcap/apps/temperature/main.ts'
import type { SdkParts } from '../reference/lvcap/sdk/app.ts'
import { listOf, type Defect } from './defect.ts'
import { base, isMeasurement, objectOf } from './payload.ts'

/** Answers no status request once it has said that it runs. */
function fallsSilent<P extends SdkParts>(p: P, reached: () => void): P {
  let told = 0
  return {
    ...p,
    answer: (iid, code, now) => {
      if (++told <= 1) return p.answer(iid, code, now)
      reached()
      return null
    },
  }
}

export const temperatureSdkDefects: readonly Defect<TemperatureParts>[] = listOf<TemperatureParts>(
  'temperature-app',
  'defect',
  { 'falls-silent': ['Answers no status request.', (p, reached) => fallsSilent(p, reached)] },
)

export const sdkDefects: readonly Defect<GridkeyParts>[] = listOf<GridkeyParts>('gridkey-app', 'defect', {
  'falls-silent': ['Answers no status request.', (p, reached) => fallsSilent(p, reached)],
  'leaves-without-a-word': [
    'Shuts down and does not say so.',
    (p, reached) => ({
      ...p,
      publish: async (message, send) => {
        if (objectOf(message.payload)['Status'] !== status.shutDown) return p.publish(message, send)
        reached()
        return undefined
      },
    }),
  ],
  'runs-before-it-asks': [
    'Says that it runs before it has asked for its configuration.',
    (p, reached) => ({
      ...p,
      publish: async (message, send) => {
        if (message.topic.startsWith('config/request/')) {
          reached()
          const topic = message.topic.replace('config/request', 'status/response')
          const stamp = objectOf(message.payload)['Timestamp'] ?? unixSeconds(0)
          await p.publish({ ...message, topic, payload: { Status: status.ok, Timestamp: stamp } }, send)
        }
        return p.publish(message, send)
      },
    }),
  ],
  'leaves-no-last-will': [
    'Leaves no last will.',
    (p, reached) => ({
      ...p,
      present: (config) => {
        const { will: _will, ...rest } = p.present(config)
        reached()
        return rest
      },
    }),
  ],
  'serves-temperatures-too': [
    'Publishes a temperature, which is the business of another application.',
    (p, reached) => ({
      ...p,
      arrange: (list, k) => {
        const [first] = list
        if (first === undefined) return p.arrange(list, k)
        reached()
        return [...p.arrange(list, k), { ...first, topic: `${base(first)}/Cabinet/temperature/60s/C` }]
      },
    }),
  ],
  'spaces-in-names': [
    'Has spaces in the names of its topics.',
    (p, reached) => ({
      ...p,
      topic: (quantity, config) => {
        if (!quantity.startsWith('busbar')) return p.topic(quantity, config)
        reached()
        return p.topic(quantity, config).replace('Busbar', 'Bus bar')
      },
    }),
  ],
  'bare-numbers': [
    'Sends every fiftieth reading as a mere number.',
    (p, reached) => {
      let n = 0
      return {
        ...p,
        publish: (message, send) => {
          if (!isMeasurement(message) || ++n % 50 !== 0) return p.publish(message, send)
          reached()
          return p.publish({ ...message, payload: objectOf(message.payload)['Value'] ?? 0 }, send)
        },
      }
    },
  ],
  'readings-at-qos-0': [
    'Sends readings at QoS 0.',
    (p, reached) => ({
      ...p,
      publish: (message, send) => {
        if (!isMeasurement(message)) return p.publish(message, send)
        reached()
        return p.publish({ ...message, qos: 0 }, send)
      },
    }),
  ],
})
