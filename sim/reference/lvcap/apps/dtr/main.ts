/**
 * The Dynamic Thermal Ratings application, fielded as WeatherSense (section 3.10): from the measured top oil, the load and
 * each new load forecast, how warm the transformer will be and what it may carry in each of the coming 24 h (M:0048 to
 * M:0050); and each minute, from the readings alone, its hot spot and its rating now (M:0047).
 */
import { errno, isObject, parseObject, topics, unixSeconds, type Message } from '../../api.ts'
import { wallClock, type Json, type JsonObject, type ProgramEnv } from '../../env.ts'
import { seriesObject } from '../../objects.ts'
import { runApp, sdkParts, type AppContext, type Operation, type SdkParts } from '../../sdk/app.ts'
import { currentFilters, joinPhases } from '../../sdk/circuit.ts'
import { onSchedule } from '../../sdk/schedule.ts'
import { readConfig, type DtrConfig } from './config.ts'
import { forecastOf, presentOf, seriesOf, type Measured, type Outcome, type Steps } from './forecast.ts'

/** Readings as they came, the last valid one of each temperature. Times in Unix seconds. */
export interface Inputs {
  topOil: { readonly at: number; readonly value: number } | undefined
  ambient: { readonly at: number; readonly value: number } | undefined
  /** Valid ones of a little more than the last hour. */
  load: { readonly at: number; readonly amps: number }[]
}

export interface DtrParts extends SdkParts {
  /** What can be computed from, at `now` in Unix seconds; or what is missing. */
  measured(inputs: Inputs, now: number, config: DtrConfig): Measured | string
  /** The load forecast in a message; or why it says nothing. */
  loadOf(series: JsonObject): Steps | string
  readonly forecastOf: typeof forecastOf
  readonly presentOf: typeof presentOf
  readonly seriesOf: typeof seriesOf
  /** Whether a forecast is to be answered. */
  wants(payload: string, last: string | undefined): boolean
  /** The messages of one set, or of one rating of now. */
  arrange(messages: readonly Message[]): readonly Message[]
}

export function parts(_config: Json): DtrParts {
  return {
    ...sdkParts(),
    measured,
    loadOf,
    forecastOf,
    presentOf,
    seriesOf,
    // delivered again (QoS 1)
    wants: (payload, last) => payload !== last,
    arrange: (messages) => messages,
  }
}

export async function run(p: DtrParts, env: ProgramEnv): Promise<number> {
  return runApp(p, env, (containerConfig, context) => operate(p, readConfig(containerConfig), context))
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}

const hour = 3600

function measured(inputs: Inputs, now: number, config: DtrConfig): Measured | string {
  const fresh = (at: number): boolean => Math.abs(now - at) <= config.staleAfter
  const { topOil, ambient, load } = inputs
  if (topOil === undefined || !fresh(topOil.at)) return 'there is no top oil temperature of late'
  if (ambient === undefined || !fresh(ambient.at)) return 'there is no ambient temperature of late'
  if (!fresh(load.at(-1)?.at ?? Number.NEGATIVE_INFINITY)) return 'there is no load of late'
  // what another clock said counts as of now, so that nothing lies ahead
  const past = load.filter((l) => l.at <= now)
  return { at: now, topOil: topOil.value, ambient: ambient.value, load: past }
}

function loadOf(series: JsonObject): Steps | string {
  const s = seriesObject.safeParse(series)
  if (!s.success) return 'the load forecast is no Series object'
  const { StartPoint, Interval, Value, Valid } = s.data
  if (!Valid) return 'the load forecast is not valid'
  const values = Value.map((v) => (typeof v === 'number' ? v : Number.NaN))
  return { start: StartPoint, interval: Interval, values }
}

/** The temperature that a topic of the temperature application names, in both sets of names. */
const topOilTopic = /\/(?:TopOil\/temperature\/\d+s\/C|top_oil_temperature)$/
const ambientTopic = /\/(?:Ambient\/temperature\/\d+s\/C|outside_temperature)$/

export function operate(p: DtrParts, config: DtrConfig, context: AppContext): Operation {
  const inputs: Inputs = { topOil: undefined, ambient: undefined, load: [] }
  const out = `${topics.algorithm(context.config.iid)}/transformer`
  const counts = { forecasts: 0, ratings: 0 }
  let last: string | undefined
  let trouble = ''

  /** Once at each change. */
  const tell = (why: string): void => {
    if (why === trouble) return
    trouble = why
    context.log(why === '' ? { event: 'rates' } : { event: 'trouble', text: why })
    if (why !== '') context.error(errno.sensor, why)
  }

  const send = (of: readonly (readonly [name: string, body: JsonObject])[]): void => {
    const messages = of.map(([name, body]): Message => {
      return {
        topic: `${out}/${name}`,
        payload: { ...body, ToStore: config.toStore },
        qos: 1,
        retain: false,
      }
    })
    for (const m of p.arrange(messages)) context.publish(m)
  }

  const present = (): void => {
    const now = wallClock()
    const m = p.measured(inputs, now / 1000, config)
    const r = typeof m === 'string' ? { ok: false as const, why: m } : p.presentOf(config, m)
    const scalar = (value: number | null): JsonObject => ({
      Timestamp: unixSeconds(now),
      Value: value,
      Valid: r.ok,
    })
    send([
      ['hot_spot', scalar(r.ok ? r.hotSpot : null)],
      ['rating', scalar(r.ok ? r.rating : null)],
    ])
    counts.ratings++
    tell(r.ok ? '' : r.why)
  }

  const answer = (payload: Uint8Array): void => {
    const text = Buffer.from(payload).toString('utf8')
    if (!p.wants(text, last)) return
    last = text
    const series = parseObject(payload)
    const start = series?.['StartPoint']
    if (series === undefined || typeof start !== 'number' || !Number.isFinite(start)) {
      context.error(errno.profile, 'What came as a load forecast is no Series object.')
      return
    }
    const now = wallClock() / 1000
    const m = p.measured(inputs, now, config)
    const load = p.loadOf(series)
    const o: Outcome =
      typeof m === 'string'
        ? { ok: false, why: m }
        : typeof load === 'string'
          ? { ok: false, why: load }
          : p.forecastOf(config, m, load)
    if (!o.ok) context.log({ event: 'no-forecast', text: o.why })
    send(
      (['topOil', 'hotSpot', 'rating'] as const).map((which) => [
        `${names[which]}/forecast`,
        p.seriesOf(o, which, now, start),
      ]),
    )
    counts.forecasts++
  }

  const temperature = (key: 'topOil' | 'ambient', payload: Uint8Array): void => {
    const body = parseObject(payload)
    if (body === undefined || !isObject(body)) return
    const { Timestamp: at, Value: value, Valid: valid } = body
    if (valid === true && typeof at === 'number' && typeof value === 'number' && Number.isFinite(value))
      inputs[key] = { at, value }
  }

  const load = joinPhases((_feeder, { at, amps, valid }) => {
    if (!valid) return
    const before = inputs.load.at(-1)?.at ?? Number.NEGATIVE_INFINITY
    // a clock that was put back begins the hour anew
    if (at < before) inputs.load = []
    if (at !== before) inputs.load.push({ at, amps })
    while ((inputs.load[0]?.at ?? at) < at - hour) inputs.load.shift()
  })

  const ready = (async () => {
    await context.hear(currentFilters(config.gridkey, config.feeder), load)
    await context.hear([`sensor/data/${config.thermocouple}/#`], (topic, payload) => {
      if (topOilTopic.test(topic)) temperature('topOil', payload)
      else if (ambientTopic.test(topic)) temperature('ambient', payload)
    })
    await context.hear([`${topics.algorithm(config.predictor)}/transformer/forecast`], (_topic, payload) =>
      answer(payload),
    )
  })()

  const stop = onSchedule<null>(
    { interval: config.interval * 1000, ahead: 0, due: (k, interval) => k * interval },
    {
      tray: () => null,
      prepare: async () => undefined,
      perform: present,
      missed: (from, to) => context.log({ event: 'missed', from, to }),
    },
  )

  return {
    ready,
    gauges: () => ({ ...counts, load: inputs.load.length }),
    stop,
  }
}

const names = { topOil: 'top_oil', hotSpot: 'hot_spot', rating: 'rating' } as const
