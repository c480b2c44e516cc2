/**
 * A sensor application: reads a device's registers once an interval and publishes every measurement on time, whatever
 * the device does (API section 4.8): without a good reading the message goes out all the same, Valid false and newly stamped.
 */
import { errno, scalar, topics, unixSeconds, type Message } from '../api.ts'
import type { AppConfig } from '../config.ts'
import { wallClock, type JsonObject } from '../env.ts'
import { LvcapError, textOf } from '../errors.ts'
import { sdkParts, type AppContext, type Operate, type Operation, type SdkParts } from './app.ts'
import { placeOf, type RegisterBlock, type RegisterLink } from './modbus.ts'
import { metadata, position, series, type Point, type Profile, type Site } from './outline.ts'
import { onSchedule } from './schedule.ts'

/** Registers that were read, by address; coils by `placeOf` (./modbus.ts). */
export type Words = ReadonlyMap<number, number>

/** One measurement of one sweep. */
export interface Sample {
  /** Such as `feeder1.l2.current`; the application's own name, from which the topic is made. */
  readonly quantity: string
  /** In the unit of the quantity; meaningless where not valid. */
  readonly value: number
  readonly valid: boolean
  /** Why it is not valid. */
  readonly why?: string
}

/** What both kinds of sensor configuration have. Times in seconds. */
export interface SensorConfig {
  readonly interval: number
  readonly readAhead: number
  readonly toStore?: boolean | undefined
  readonly metadata: boolean
  readonly profile?: Profile | undefined
  readonly site?: Site | undefined
}

/** A sensor application in parts. C: its configuration, R: what it reads of registers, M: what it remembers of sweeps before. */
export interface SensorParts<C extends SensorConfig, R, M> extends SdkParts {
  /** Milliseconds from the start to the k-th output, k from 1; `interval` in ms. */
  due(k: number, interval: number): number
  /** One block of registers, within `ms` milliseconds. */
  read(link: RegisterLink, block: RegisterBlock, ms: number): Promise<readonly number[]>
  /** Values out of registers; what was not read is missing. */
  decode(words: Words, config: C): R
  /** Which values can be trusted. `now` in ms of a clock that is never set. */
  judge(
    reading: R,
    memory: M | undefined,
    now: number,
    config: C,
  ): { readonly samples: readonly Sample[]; readonly memory: M }
  /** Time stamp in Unix seconds, for a sweep published at `now` (ms since 1970). */
  stamp(now: number): number
  /** Topic below `sensor/data/<IID>/`. */
  topic(quantity: string, config: C): string
  compose(topic: string, sample: Sample, stamp: number, config: C): Message
  /** Series, co-ordinates and metadata, beside the readings. */
  readonly series: typeof series
  readonly position: typeof position
  readonly metadata: typeof metadata
  /** The messages of output k, in the order of their sending. */
  arrange(messages: readonly Message[], k: number): readonly Message[]
}

/** The parts that are alike in every sensor application. */
export function commonParts<C extends SensorConfig>(): SdkParts &
  Pick<
    SensorParts<C, unknown, unknown>,
    'due' | 'read' | 'stamp' | 'compose' | 'arrange' | 'series' | 'position' | 'metadata'
  > {
  return {
    ...sdkParts(),
    due: (k, interval) => k * interval,
    read: (link, block, ms) => link.read(block, ms),
    stamp: unixSeconds,
    compose: (topic, sample, stamp, config) => ({
      topic,
      payload: scalar(stamp, sample.value, sample.valid, config.toStore),
      qos: 1,
      retain: false,
    }),
    arrange: (messages) => messages,
    series,
    position,
    metadata,
  }
}

/** What an application adds to its parts. */
export interface SensorKind<C extends SensorConfig> {
  /** @throws LvcapError `config`. */
  readConfig(containerConfig: JsonObject, app: AppConfig): C
  /** In the order of reading; the first is read once at the start too. */
  blocks(config: C): readonly RegisterBlock[]
  link(config: C): RegisterLink
  /** What a link failure is, of table 11. */
  readonly linkErrno: number
  /** Unit of a quantity, for metadata. */
  unitOf(quantity: string): string
}

export function operateSensor<C extends SensorConfig, R, M>(
  p: SensorParts<C, R, M>,
  kind: SensorKind<C>,
): Operate {
  return (containerConfig, context) =>
    start(p, kind, kind.readConfig(containerConfig, context.config), context)
}

function start<C extends SensorConfig, R, M>(
  p: SensorParts<C, R, M>,
  kind: SensorKind<C>,
  config: C,
  context: AppContext,
): Operation {
  const { iid } = context.config
  const link = kind.link(config)
  const blocks = kind.blocks(config)
  let memory: M | undefined
  let sweeps = 0
  let trouble = ''
  let described = false
  const profiles = new Map<string, Point[]>()
  const topicOf = (quantity: string): string => `${topics.sensor(iid)}/${p.topic(quantity, config)}`

  /** Reads what can be read in `ms`. A broken link ends the sweep; a refused block does not. */
  const sweep = async (
    wanted: readonly RegisterBlock[],
    ms: number,
    into: Map<number, number>,
  ): Promise<void> => {
    const end = performance.now() + ms
    let first = ''
    for (const block of wanted) {
      const left = end - performance.now()
      if (left <= 0) {
        first ||= 'The device was too slow for a whole sweep.'
        break
      }
      try {
        const words = await p.read(link, block, left)
        words.forEach((word, i) => into.set(placeOf(block.table, block.start + i), word))
      } catch (error) {
        first ||= textOf(error)
        if (!(error instanceof LvcapError && error.code === 'refused')) break
      }
    }
    tell(first)
  }

  /** Once at each change: an outage of a day is one line, not one a minute. */
  const tell = (text: string): void => {
    if (text === trouble) return
    if (text === '') context.log({ event: 'device-answers' })
    else if (trouble === '') {
      context.log({ event: 'device-trouble', text })
      context.error(kind.linkErrno, text)
    }
    trouble = text
  }

  const judge = (words: Words): readonly Sample[] => {
    const judged = p.judge(p.decode(words, config), memory, performance.now(), config)
    memory = judged.memory
    return judged.samples
  }

  const perform = (k: number, words: Words): void => {
    sweeps++
    const samples = judge(words)
    const stamp = p.stamp(wallClock())
    const messages = samples.map((sample) => p.compose(topicOf(sample.quantity), sample, stamp, config))
    const first = !described
    described = true
    if (config.metadata && first)
      for (const { quantity } of samples)
        context.publish(p.metadata(topicOf(quantity), quantity, kind.unitOf(quantity)))
    for (const message of p.arrange(messages, k)) context.publish(message)
    outline(samples, stamp, first)
  }

  /** What is told beside the readings, where it is configured. */
  const outline = (samples: readonly Sample[], stamp: number, first: boolean): void => {
    const { profile, site } = config
    let full = false
    for (const { quantity, value, valid } of samples) {
      if (profile?.quantities.includes(quantity) !== true) continue
      const points = profiles.get(quantity) ?? []
      points.push({ stamp, value, valid })
      full = points.length >= profile.outputs
      if (full) context.publish(p.series(`${topicOf(quantity)}/profile`, points, config.interval, stamp))
      profiles.set(quantity, full ? [] : points)
    }
    if (site !== undefined && (first || full))
      context.publish(p.position(`${topics.sensor(iid)}/site`, site, stamp))
  }

  // The link is opened, and what changes from sweep to sweep is known, before the first output is due.
  const primed = (async () => {
    const words = new Map<number, number>()
    await sweep(blocks.slice(0, 1), Math.min(5_000, config.interval * 500), words)
    if (words.size > 0) judge(words)
  })()

  const stop = onSchedule<Map<number, number>>(
    {
      interval: config.interval * 1_000,
      ahead: config.readAhead * 1_000,
      due: (k, interval) => p.due(k, interval),
    },
    {
      tray: () => new Map(),
      prepare: async (_k, ms, words) => {
        await primed
        await sweep(blocks, ms, words)
      },
      perform,
      missed: (from, to) => {
        context.log({ event: 'missed', from, to })
        context.error(
          errno.application,
          `Outputs ${from} to ${to} were missed: the program did not get to run.`,
        )
      },
    },
  )

  return {
    gauges: () => ({ sweeps, connections: link.counts().open, opened: link.counts().opened }),
    async stop() {
      await stop()
      await primed
      await link.close()
    },
  }
}
