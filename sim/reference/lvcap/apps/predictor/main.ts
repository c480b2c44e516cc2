/**
 * The Load Profile Predictor (section 3.7): learns half-hour means of the transformer's and the feeder's load from what
 * the GridKey application publishes, keeps them on its own disk, and forecasts both for the next 24 h at each half-hour.
 */
import { join } from 'node:path'
import { errno, topics, type Message } from '../../api.ts'
import { wallClock, type Json, type ProgramEnv } from '../../env.ts'
import { textOf } from '../../errors.ts'
import { runApp, sdkParts, type AppContext, type Operation, type SdkParts } from '../../sdk/app.ts'
import { currentFilters, joinPhases, type CircuitReading } from '../../sdk/circuit.ts'
import { circuits, readConfig, type Circuit, type PredictorConfig } from './config.ts'
import { createHistory, type LoadHistory } from './history.ts'
import { halfHour, predict, seriesOf } from './predict.ts'
import { importFiles, loadKept, readImport, saveKept } from './store.ts'

export interface PredictorParts extends SdkParts {
  readonly createHistory: typeof createHistory
  /** A reading of a circuit goes into its history. */
  learn(history: LoadHistory, reading: CircuitReading): void
  readonly loadKept: typeof loadKept
  readonly saveKept: typeof saveKept
  readonly readImport: typeof readImport
  /** The half-hour for which a forecast is due at `now` (ms since 1970): its beginning, Unix seconds. */
  due(now: number, config: PredictorConfig): number
  readonly predict: typeof predict
  readonly seriesOf: typeof seriesOf
  /** The messages that tell of one forecast. */
  compose(topic: string, series: Json, config: PredictorConfig): readonly Message[]
}

export function parts(_config: Json): PredictorParts {
  return {
    ...sdkParts(),
    createHistory,
    learn: (history, r) => history.add(r.at, r.amps, r.valid, r.every),
    loadKept,
    saveKept,
    readImport,
    due: (now, config) => Math.floor((now / 1000 - config.after) / halfHour) * halfHour,
    predict,
    seriesOf,
    compose: (topic, series, config) => [
      {
        topic,
        payload: { ...(series as { readonly [k: string]: Json }), ToStore: config.toStore },
        qos: 1,
        retain: false,
      },
    ],
  }
}

export async function run(p: PredictorParts, env: ProgramEnv): Promise<number> {
  return runApp(p, env, (containerConfig, context) =>
    operate(p, readConfig(containerConfig), context, env.disk),
  )
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}

/** Milliseconds between two looks at the clock: so soon it is noticed when it has been set. Ours. */
const lookEvery = 10_000
/** Seconds by which a clock may be put back over a half-hour without bringing that one's forecast again. Ours. */
const smallStep = 60

export function operate(
  p: PredictorParts,
  config: PredictorConfig,
  context: AppContext,
  disk: string,
): Operation {
  const folder = join(disk, config.folder)
  const histories: Readonly<Record<Circuit, LoadHistory>> = {
    transformer: p.createHistory(config),
    feeder: p.createHistory(config),
  }
  const counts = { forecasts: 0, readings: 0, saved: 0 }

  const complain = (code: number, error: unknown): void => {
    context.log({ event: 'trouble', text: textOf(error) })
    context.error(code, textOf(error))
  }

  const save = (): void => {
    try {
      p.saveKept(folder, { transformer: histories.transformer.kept(), feeder: histories.feeder.kept() })
      counts.saved++
    } catch (error) {
      complain(errno.io, error)
    }
  }

  const begin = (): void => {
    try {
      const kept = p.loadKept(folder)
      for (const c of circuits) histories[c].restore(kept?.[c] ?? [])
    } catch (error) {
      complain(errno.io, error)
    }
    let imported = 0
    for (const csv of importFiles(folder)) {
      try {
        const rows = p.readImport(folder, csv, wallClock() / 1000)
        for (const { circuit, start, amps } of rows) histories[circuit].put(start, amps)
        context.log({ event: 'imported', file: csv, rows: rows.length })
        imported += rows.length
      } catch (error) {
        complain(errno.application, error)
      }
    }
    // who brought the files may take them away
    if (imported > 0) save()
  }

  const forecast = (): void => {
    const now = wallClock() / 1000
    for (const c of circuits) {
      const f = p.predict(histories[c].mean, now, config)
      const topic = `${topics.algorithm(context.config.iid)}/${c}/forecast`
      for (const m of p.compose(topic, p.seriesOf(f, now), config)) context.publish(m)
    }
    counts.forecasts++
  }

  begin()
  const join3 = joinPhases((feeder, reading) => {
    counts.readings++
    for (const c of circuits) if (config.circuits[c] === feeder) p.learn(histories[c], reading)
  })
  const feeders = [...new Set(circuits.map((c) => config.circuits[c]))]
  const ready = context.hear(
    feeders.flatMap((f) => currentFilters(config.gridkey, f)),
    join3,
  )

  let last = p.due(wallClock(), config)
  let timer: NodeJS.Timeout | undefined
  /** The forecast that is due, if one is, and the next look at the clock. */
  const look = (): void => {
    const now = wallClock()
    const due = p.due(now, config)
    const putBack = last + config.after - now / 1000
    if (due > last || putBack > smallStep) {
      last = due
      forecast()
    }
    const next = (due + halfHour + config.after) * 1000 - now
    timer = setTimeout(look, Math.max(1, Math.min(lookEvery, next)))
  }
  look()
  const first = setTimeout(forecast, config.firstAfter * 1000)
  const saving = setInterval(save, config.saveEvery * 1000)

  return {
    ready,
    gauges: () => ({ ...counts, kept: circuits.reduce((n, c) => n + histories[c].size(), 0) }),
    async stop() {
      clearTimeout(timer)
      clearTimeout(first)
      clearInterval(saving)
      save()
    },
  }
}
