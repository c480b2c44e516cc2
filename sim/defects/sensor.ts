/** Defects that every sensor application can have: time, stamps, validity, topics. */
import type { Sample, SensorConfig, SensorParts } from '../reference/lvcap/sdk/sensor.ts'
import { listOf, type AppId, type Defect } from './defect.ts'
import { keeps, repeatsStamp, skips, stopsAfter } from './outputs.ts'
import { base, isMeasurement, objectOf } from './payload.ts'

const minute = 60_000
const hour = 60 * minute

/** `odd`: the quantity that topic defects pick on. */
export function sensorDefects<C extends SensorConfig, R, M>(
  app: AppId,
  odd: string,
): readonly Defect<SensorParts<C, R, M>>[] {
  type P = SensorParts<C, R, M>
  /** Changes what was judged of each reading; `make` is called once for each start. */
  const judging =
    (make: (reached: () => void) => (samples: readonly Sample[]) => readonly Sample[]): Defect<P>['wrap'] =>
    (p, reached) => {
      const change = make(reached)
      return {
        ...p,
        judge: (...about) => {
          const judged = p.judge(...about)
          return { ...judged, samples: change(judged.samples) }
        },
      }
    }
  return listOf<P>(app, 'defect', {
    'skips-a-minute': ['Leaves out every seventh output.', skips(() => (k) => k % 7 === 0)],
    'skips-midnight': [
      'Leaves out the first output of each UTC day.',
      skips(() => {
        let day = -1
        return () => {
          const today = Math.floor(Date.now() / (24 * hour))
          const first = day !== -1 && today !== day
          day = today
          return first
        }
      }),
    ],
    'drops-one-channel-once-an-hour': [
      'Leaves out one message of one output in sixty.',
      keeps(() => (messages, k) => (k % 60 === 59 ? messages.slice(1) : messages)),
    ],
    drifts: [
      'Runs its schedule half a percent slow.',
      (p, reached) => ({
        ...p,
        due: (k, interval) => {
          reached()
          return p.due(k, interval) * 1.005
        },
      }),
    ],
    'spaces-unevenly': [
      'Is late by a fifth of the interval with every fifth output.',
      (p, reached) => ({
        ...p,
        due: (k, interval) => {
          if (k % 5 !== 0) return p.due(k, interval)
          reached()
          return p.due(k, interval) + interval / 5
        },
      }),
    ],
    'ignores-its-interval': [
      'Publishes once a minute whatever interval it is told.',
      (p, reached) => ({
        ...p,
        due: (k, interval) => {
          if (interval === minute) return p.due(k, interval)
          reached()
          return p.due(k, minute)
        },
      }),
    ],
    'loses-messages-when-fast': [
      'Below 15 s of interval, every sixth output loses its last third.',
      (p, reached) => {
        let fast = false
        return {
          ...p,
          due: (k, interval) => {
            fast = interval < 15_000
            return p.due(k, interval)
          },
          arrange: (messages, k) => {
            if (!fast || k % 6 !== 0) return p.arrange(messages, k)
            reached()
            return p.arrange(messages.slice(0, Math.floor((messages.length * 2) / 3)), k)
          },
        }
      },
    ],
    'stops-after-ten-minutes': ['Publishes nothing any more after ten minutes.', stopsAfter(10 * minute)],
    'stops-after-six-hours': ['Publishes nothing any more after six hours.', stopsAfter(6 * hour)],
    'stale-timestamp': [
      'Repeats the time stamp of the output before with every fourth output.',
      repeatsStamp(4),
    ],
    'timestamp-in-milliseconds': [
      'Stamps in milliseconds instead of seconds.',
      (p, reached) => ({
        ...p,
        stamp: (now) => {
          reached()
          return Math.floor(now)
        },
      }),
    ],
    'timestamp-with-fraction': [
      'Stamps with a fraction of a second.',
      (p, reached) => ({
        ...p,
        stamp: (now) => {
          reached()
          return Math.floor(now) / 1_000 + 0.0005
        },
      }),
    ],
    'local-time': [
      'Stamps in British summer time, an hour ahead of UTC.',
      (p, reached) => ({
        ...p,
        stamp: (now) => {
          reached()
          return p.stamp(now) + 3_600
        },
      }),
    ],
    'stamps-by-a-clock-of-its-own': [
      'Takes the time once, when it starts, and counts on by itself.',
      (p, reached) => {
        const ahead = Date.now() - performance.now()
        return {
          ...p,
          stamp: (now) => {
            const own = ahead + performance.now()
            if (Math.abs(own - now) > 1_000) reached()
            return p.stamp(own)
          },
        }
      },
    ],
    'schedules-by-the-date': [
      'Waits for dates instead of for intervals to pass, so that a clock set back silences it.',
      (p, reached) => {
        const ahead = Date.now() - performance.now()
        return {
          ...p,
          due: (k, interval) => {
            const moved = Date.now() - performance.now() - ahead
            if (Math.abs(moved) > 1_000) reached()
            return p.due(k, interval) - Math.min(0, moved)
          },
        }
      },
    ],
    'stale-value': [
      'From the fourth output on, publishes the values of the third.',
      judging((reached) => {
        let n = 0
        let held: ReadonlyMap<string, number> | undefined
        return (samples) => {
          // The first judgement is of the reading at the start, which is not published.
          n++
          if (n < 4) return samples
          held ??= new Map(samples.map((s) => [s.quantity, s.value]))
          if (n > 4) reached()
          return samples.map((s) => ({ ...s, value: held?.get(s.quantity) ?? s.value }))
        }
      }),
    ],
    'smooths-values': [
      'Publishes the mean of this value and the one before.',
      judging((reached) => {
        const last = new Map<string, number>()
        return (samples) =>
          samples.map((s) => {
            if (!s.valid) return s
            const before = last.get(s.quantity)
            last.set(s.quantity, s.value)
            if (before === undefined || before === s.value) return s
            reached()
            return { ...s, value: (s.value + before) / 2 }
          })
      }),
    ],
    'valid-when-dead': [
      'Publishes the last good value as valid when it has none.',
      judging((reached) => {
        const last = new Map<string, number>()
        return (samples) =>
          samples.map((s) => {
            if (s.valid) {
              last.set(s.quantity, s.value)
              return s
            }
            reached()
            return { quantity: s.quantity, value: last.get(s.quantity) ?? 0, valid: true }
          })
      }),
    ],
    'gives-up-for-good': [
      'Does not try its device again once it could not be read.',
      (p, reached) => {
        let failed: Error | undefined
        return {
          ...p,
          read: async (link, block, ms) => {
            if (failed !== undefined) {
              reached()
              throw failed
            }
            try {
              return await p.read(link, block, ms)
            } catch (error) {
              failed = error instanceof Error ? error : new Error(String(error))
              throw error
            }
          },
        }
      },
    ],
    'never-valid': [
      'Publishes every value as invalid.',
      judging((reached) => (samples) => {
        reached()
        return samples.map((s) => ({ ...s, valid: false }))
      }),
    ],
    'silent-when-dead': [
      'Publishes only what is valid.',
      judging((reached) => (samples) => {
        const valid = samples.filter((s) => s.valid)
        if (valid.length < samples.length) reached()
        return valid
      }),
    ],
    duplicates: [
      'Sends every twentieth measurement twice.',
      (p, reached) => {
        let n = 0
        return {
          ...p,
          publish: async (message, send) => {
            if (isMeasurement(message) && ++n % 20 === 0) {
              reached()
              await p.publish(message, send)
            }
            await p.publish(message, send)
          },
        }
      },
    ],
    'wrong-topic': [
      'Publishes one quantity on a topic that nobody knows.',
      (p, reached) => ({
        ...p,
        topic: (quantity, config) => {
          if (quantity !== odd) return p.topic(quantity, config)
          reached()
          return `Unnamed/${p.topic(quantity, config)}`
        },
      }),
    ],
    'value-as-text': [
      'Publishes values as text.',
      (p, reached) => ({
        ...p,
        compose: (topic, sample, stamp, config) => {
          const message = p.compose(topic, sample, stamp, config)
          reached()
          return { ...message, payload: { ...objectOf(message.payload), Value: String(sample.value) } }
        },
      }),
    ],
    'without-valid': [
      'Leaves the Valid key out.',
      (p, reached) => ({
        ...p,
        compose: (topic, sample, stamp, config) => {
          const message = p.compose(topic, sample, stamp, config)
          const { Valid: _valid, ...rest } = objectOf(message.payload)
          reached()
          return { ...message, payload: rest }
        },
      }),
    ],
    'ignores-status-requests': [
      'Does not answer status requests.',
      (p, reached) => ({
        ...p,
        answer: () => {
          reached()
          return null
        },
      }),
    ],
    'sends-at-qos-0': [
      'Sends its readings at QoS 0, as the one public client does.',
      (p, reached) => ({
        ...p,
        compose: (topic, sample, stamp, config) => {
          reached()
          return { ...p.compose(topic, sample, stamp, config), qos: 0 }
        },
      }),
    ],
    'answers-with-an-old-stamp': [
      'Stamps all its status answers with the time of the first.',
      (p, reached) => {
        let first: number | undefined
        return {
          ...p,
          answer: (iid, code, now) => {
            first ??= now
            if (now - first > 1_000) reached()
            return p.answer(iid, code, first)
          },
        }
      },
    ],
    'new-name-each-time': [
      'Publishes a counter on a new topic with each output, so that names grow without end.',
      (p, reached) => ({
        ...p,
        arrange: (messages, k) => {
          const [first] = messages
          if (first === undefined) return p.arrange(messages, k)
          reached()
          return [...p.arrange(messages, k), { ...first, topic: `${base(first)}/Trace/${k}` }]
        },
      }),
    ],
  })
}
