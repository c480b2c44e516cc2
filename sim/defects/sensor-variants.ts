/** Legal variants that every sensor application can have. */
import { randomBytes } from 'node:crypto'
import type { Message } from '../reference/lvcap/api.ts'
import type { SensorConfig, SensorParts } from '../reference/lvcap/sdk/sensor.ts'
import { listOf, type AppId, type Defect } from './defect.ts'
import { base, objectOf } from './payload.ts'

export function sensorVariants<C extends SensorConfig, R, M>(
  app: AppId,
): readonly Defect<SensorParts<C, R, M>>[] {
  type P = SensorParts<C, R, M>
  return listOf<P>(app, 'variant', {
    'jitters-within-limits': [
      'Is alternately early and late by 3.5 % of the interval, so that gaps differ by 7 %.',
      (p, reached) => ({
        ...p,
        due: (k, interval) => {
          reached()
          return p.due(k, interval) + interval * (k % 2 === 0 ? 0.035 : -0.035)
        },
      }),
    ],
    'stamps-the-sample': [
      'Stamps with the time at which the sweep began, not at which it is published.',
      (p, reached) => ({
        ...p,
        stamp: (now) => {
          reached()
          return p.stamp(now - 900)
        },
      }),
    ],
    'random-client-id': [
      'Connects with a random client ID, as fielded applications do.',
      (p, reached) => ({
        ...p,
        present: (config) => {
          reached()
          return { ...p.present(config), clientId: `mqttjs_${randomBytes(4).toString('hex')}` }
        },
      }),
    ],
    'persistent-session': [
      'Asks the broker to keep its session.',
      (p, reached) => ({
        ...p,
        present: (config) => {
          reached()
          return { ...p.present(config), clean: false }
        },
      }),
    ],
    'meta-topics': [
      'Publishes retained metadata on /meta topics with its first output.',
      (p, reached) => ({
        ...p,
        arrange: (messages, k) => {
          if (k !== 1) return p.arrange(messages, k)
          reached()
          const meta = messages.map((m): Message => ({
            ...m,
            topic: `${m.topic}/meta`,
            payload: { Name: m.topic },
            retain: true,
          }))
          return [...meta, ...p.arrange(messages, k)]
        },
      }),
    ],
    'extra-topics': [
      'Publishes one more quantity that no document names.',
      (p, reached) => ({
        ...p,
        arrange: (messages, k) => {
          const [first] = messages
          if (first === undefined) return p.arrange(messages, k)
          reached()
          const extra: Message = {
            ...first,
            topic: `${base(first)}/Device/outputs`,
            payload: { ...objectOf(first.payload), Value: k, Valid: true },
          }
          return [...p.arrange(messages, k), extra]
        },
      }),
    ],
    'asks-to-store': [
      'Sets ToStore with each measurement.',
      (p, reached) => ({
        ...p,
        compose: (topic, sample, stamp, config) => {
          reached()
          return p.compose(topic, sample, stamp, { ...config, toStore: true })
        },
      }),
    ],
    'other-order': [
      'Sends the messages of an output in the opposite order.',
      (p, reached) => ({
        ...p,
        arrange: (messages, k) => {
          reached()
          return p.arrange(messages.toReversed(), k)
        },
      }),
    ],
  })
}
