/** Defects and legal variants of the Load Profile Predictor (section 3.7). */
import type { PredictorParts } from '../reference/lvcap/apps/predictor/main.ts'
import { halfHour, type Forecast } from '../reference/lvcap/apps/predictor/predict.ts'
import { listOf, type Defect } from './defect.ts'

type Wrap = Defect<PredictorParts>['wrap']
type Told = ReturnType<PredictorParts['seriesOf']>

/** Changes what a forecast says. */
function tells(change: (s: Told, now: number) => Partial<Told>): Wrap {
  return (p, reached) => ({
    ...p,
    seriesOf: (f, now) => {
      reached()
      const s = p.seriesOf(f, now)
      return { ...s, ...change(s, now) }
    },
  })
}

/** Forecasts otherwise. */
function foretells(change: (f: Forecast, ...of: Parameters<PredictorParts['predict']>) => Forecast): Wrap {
  return (p, reached) => ({
    ...p,
    predict: (...of) => {
      reached()
      return change(p.predict(...of), ...of)
    },
  })
}

const day = 86_400

export const predictorDefects: readonly Defect<PredictorParts>[] = [
  ...listOf<PredictorParts>('predictor-app', 'defect', {
    'starts-off-the-half-hour': [
      'Gives the time of publication as the beginning of the first half-hour, as figure 10 of the API prints it.',
      tells((_s, now) => ({ StartPoint: Math.floor(now) })),
    ],
    'forty-seven-values': [
      'Leaves the last half-hour out.',
      tells((s) => ({ Value: s.Value.slice(0, -1), Confidence: s.Confidence.slice(0, -1) })),
    ],
    'says-hours': ['Gives the interval as an hour.', tells(() => ({ Interval: 3600 }))],
    'starts-in-an-hour': [
      'Begins an hour after the half-hour in which the forecast is made.',
      tells((s) => ({ StartPoint: s.StartPoint + 3600 })),
    ],
    'once-an-hour': [
      'Forecasts each hour only.',
      (p, reached) => ({
        ...p,
        due: (now, config) => {
          const due = p.due(now, config)
          if (due % 3600 !== 0) reached()
          return due - (due % 3600)
        },
      }),
    ],
    'uses-all-history': [
      'Takes the mean of up to eight weeks.',
      (p, reached) => ({
        ...p,
        createHistory: (c) => p.createHistory({ ...c, weeks: 8 }),
        predict: (h, now, c) => {
          reached()
          return p.predict(h, now, { ...c, weeks: 8 })
        },
      }),
    ],
    'uses-two-weeks': [
      'Looks back two weeks, and states four.',
      (p, reached) => ({
        ...p,
        predict: (h, now, c) => {
          reached()
          const { confidence } = p.predict(h, now, c)
          return { ...p.predict(h, now, { ...c, weeks: 2 }), confidence }
        },
      }),
    ],
    'keeps-everything': [
      'Keeps every file that it was ever given, beside what it has learnt.',
      (p, reached) => {
        const old: (readonly [number, number, number])[] = []
        return {
          ...p,
          readImport: (folder, csv, now) => {
            const rows = p.readImport(folder, csv, now)
            for (const r of rows) old.push([r.start, r.amps, halfHour])
            return rows
          },
          saveKept: (folder, loads) => {
            reached()
            const kept = new Set(loads.transformer.map(([start]) => start))
            const rest = old.filter(([start]) => !kept.has(start))
            p.saveKept(folder, { ...loads, transformer: [...rest, ...loads.transformer] })
          },
        }
      },
    ],
    'forgets-at-restart': [
      'Begins without history at each start.',
      (p, reached) => ({
        ...p,
        loadKept: (folder) => {
          if (p.loadKept(folder) !== undefined) reached()
          return undefined
        },
      }),
    ],
    'says-yesterday-again': [
      'Says of each half-hour what it was a day ago.',
      foretells((f, history) => ({
        ...f,
        values: f.values.map((v, i) => history(f.start + i * halfHour - day) ?? v),
      })),
    ],
    'says-the-mean-all-day': [
      'Says the same load for each half-hour, the mean of the day.',
      foretells((f) => {
        const mean = f.values.reduce((s, v) => s + v, 0) / f.values.length
        return { ...f, values: f.values.map(() => mean) }
      }),
    ],
    'learns-from-the-invalid': [
      'Learns readings as well of which the monitor says that they are not valid.',
      (p, reached) => ({
        ...p,
        learn: (history, r) => {
          if (!r.valid) reached()
          p.learn(history, { ...r, valid: true, amps: Number.isFinite(r.amps) ? r.amps : 0 })
        },
      }),
    ],
    'learns-from-one-reading': [
      'Takes a half-hour of which it has seen one reading for a whole one.',
      (p, reached) => ({
        ...p,
        createHistory: (c) => {
          reached()
          return p.createHistory({ ...c, coverage: 0 })
        },
      }),
    ],
    'swaps-circuits': [
      "Tells the feeder's forecast as the transformer's, and the other way round.",
      (p, reached) => ({
        ...p,
        compose: (topic, series, config) => {
          reached()
          const other = topic.includes('/transformer/')
            ? topic.replace('/transformer/', '/feeder/')
            : topic.replace('/feeder/', '/transformer/')
          return p.compose(other, series, config)
        },
      }),
    ],
    'no-feeder': [
      'Says nothing of the feeder.',
      (p, reached) => ({
        ...p,
        compose: (topic, series, config) => {
          if (!topic.includes('/feeder/')) return p.compose(topic, series, config)
          reached()
          return []
        },
      }),
    ],
    'always-sure': [
      'Is fully confident, and valid, however little it knows.',
      foretells((f) => ({ ...f, valid: true, confidence: f.confidence.map(() => 1) })),
    ],
  }),
  ...listOf<PredictorParts>('predictor-app', 'variant', {
    'takes-its-time': [
      'Forecasts 40 s after the half-hour.',
      (p, reached) => ({
        ...p,
        due: (now, config) => {
          reached()
          return p.due(now, { ...config, after: 40 })
        },
      }),
    ],
    'without-confidence': [
      'Leaves Confidence and the span of the data out: the API asks for neither.',
      (p, reached) => ({
        ...p,
        compose: (topic, series, config) => {
          reached()
          const {
            Confidence: _c,
            TimestampStart: _s,
            TimestampEnd: _e,
            ...rest
          } = series as Record<string, never>
          return p.compose(topic, rest, config)
        },
      }),
    ],
  }),
]
