/** Defects and legal variants of the Dynamic Thermal Ratings application (section 3.10). */
import type { DtrParts } from '../reference/lvcap/apps/dtr/main.ts'
import type { Measured, Steps, ThermalForecast } from '../reference/lvcap/apps/dtr/forecast.ts'
import type { Message } from '../reference/lvcap/api.ts'
import { listOf, type Defect } from './defect.ts'
import { objectOf } from './payload.ts'

type Wrap = Defect<DtrParts>['wrap']

/** Computes both forecast and present from other readings than it was given. */
function takes(change: (m: Measured) => Measured): Wrap {
  return (p, reached) => ({
    ...p,
    forecastOf: (c, m, load) => {
      reached()
      return p.forecastOf(c, change(m), load)
    },
    presentOf: (c, m) => {
      reached()
      return p.presentOf(c, change(m))
    },
  })
}

/** Changes a forecast that could be made. */
function foretells(change: (f: ThermalForecast) => Partial<ThermalForecast>): Wrap {
  return (p, reached) => ({
    ...p,
    forecastOf: (...of) => {
      const o = p.forecastOf(...of)
      if (!o.ok) return o
      reached()
      return { ok: true, forecast: { ...o.forecast, ...change(o.forecast) } }
    },
  })
}

/** Changes what is published. */
function publishes(change: (messages: readonly Message[], n: number) => readonly Message[]): Wrap {
  return (p, reached) => {
    let n = 0
    return {
      ...p,
      arrange: (messages) => {
        const sent = p.arrange(messages)
        const other = change(sent, messages.some((m) => isForecast(m)) ? ++n : n)
        if (other !== sent) reached()
        return other
      },
    }
  }
}

const isForecast = (m: Message): boolean => m.topic.endsWith('/forecast')
const says = (m: Message, change: { readonly [k: string]: never | number | readonly number[] }): Message => ({
  ...m,
  payload: { ...objectOf(m.payload), ...change },
})

/** Amps of a load that holds: what it settles at is far off what was measured. */
const hours = (f: ThermalForecast, n: number): Partial<ThermalForecast> => ({
  topOil: f.topOil.slice(0, n),
  hotSpot: f.hotSpot.slice(0, n),
  rating: f.rating.slice(0, n),
})

const numbersIn = (m: Message): readonly number[] => {
  const v = objectOf(m.payload)['Value']
  return Array.isArray(v) ? (v as readonly number[]) : []
}

export const dtrDefects: readonly Defect<DtrParts>[] = [
  ...listOf<DtrParts>('dtr-app', 'defect', {
    'mean-of-the-hour': [
      'Gives the mean temperature of each hour where its worst is asked for.',
      (p, reached) => ({
        ...p,
        forecastOf: (c, m, load) => {
          const o = p.forecastOf(c, m, load)
          if (!o.ok) return o
          reached()
          const mean = (v: readonly number[]): readonly number[] =>
            v.map((x, i) => (x + (v[i - 1] ?? m.topOil)) / 2)
          const { topOil, hotSpot } = o.forecast
          return { ok: true, forecast: { ...o.forecast, topOil: mean(topOil), hotSpot: mean(hotSpot) } }
        },
      }),
    ],
    'rates-for-ever': [
      'Gives as the rating of an hour what the transformer may carry for ever.',
      (p, reached) => ({
        ...p,
        forecastOf: (c, m, load) => {
          const o = p.forecastOf(c, m, load)
          if (!o.ok) return o
          reached()
          // settled under it: an hour of a transformer without any inertia
          const quick = { ...c.transformer, oilTime: 0.02, windingTime: 0.001 }
          const q = p.forecastOf({ ...c, transformer: quick }, m, load)
          return q.ok ? { ok: true, forecast: { ...o.forecast, rating: q.forecast.rating } } : o
        },
      }),
    ],
    'rates-the-first-hour-for-all': [
      'Gives the rating of the first hour for each of them.',
      foretells((f) => ({ rating: f.rating.map(() => f.rating[0] ?? 0) })),
    ],
    'ignores-the-measured-oil': [
      'Begins with the oil settled under the load, whatever its probe says.',
      (p, reached) => {
        const settled = (c: Parameters<DtrParts['presentOf']>[0], m: Measured): Measured => {
          const t = c.transformer
          const k = (m.load.at(-1)?.amps ?? 0) / t.ratedCurrent
          const losses = (1 + t.lossRatio * k * k) / (1 + t.lossRatio)
          reached()
          return { ...m, topOil: m.ambient + t.enclosure + t.topOilRise * losses ** t.oilExponent }
        }
        return {
          ...p,
          forecastOf: (c, m, load) => p.forecastOf(c, settled(c, m), load),
          presentOf: (c, m) => p.presentOf(c, settled(c, m)),
        }
      },
    ],
    'ignores-the-air': ['Takes the air for 20 °C.', takes((m) => ({ ...m, ambient: 20 }))],
    'ignores-the-measured-load': [
      'Begins without load, whatever the monitor says.',
      takes((m) => ({ ...m, load: m.load.map((l) => ({ ...l, amps: 0 })) })),
    ],
    'ignores-the-new-forecast': [
      'Computes from the load forecast that it heard first.',
      (p, reached) => {
        let first: Steps | undefined
        return {
          ...p,
          loadOf: (series) => {
            const load = p.loadOf(series)
            if (typeof load === 'string') return load
            first ??= load
            if (load.values.some((v, i) => v !== first?.values[i])) reached()
            return { ...load, values: first.values }
          },
        }
      },
    ],
    'ignores-all-forecasts': [
      'Takes the load of now for that of the whole day.',
      (p, reached) => ({
        ...p,
        forecastOf: (c, m, load) => {
          reached()
          const amps = m.load.at(-1)?.amps ?? 0
          return p.forecastOf(c, m, { ...load, values: load.values.map(() => amps) })
        },
      }),
    ],
    'rates-in-kva': [
      'Gives ratings in kVA.',
      publishes((messages) =>
        messages.map((m) => {
          const kva = (amps: number): number => Math.sqrt(3) * 0.4 * amps
          if (m.topic.endsWith('/rating')) {
            const v = objectOf(m.payload)['Value']
            return typeof v === 'number' ? says(m, { Value: kva(v) }) : m
          }
          return m.topic.endsWith('/rating/forecast') ? says(m, { Value: numbersIn(m).map(kva) }) : m
        }),
      ),
    ],
    'no-limit-of-load': [
      'Keeps to the temperatures, and to no largest load.',
      (p, reached) => ({
        ...p,
        forecastOf: (c, m, load) => {
          reached()
          return p.forecastOf({ ...c, limits: { ...c.limits, load: 5 } }, m, load)
        },
        presentOf: (c, m) => {
          reached()
          return p.presentOf({ ...c, limits: { ...c.limits, load: 5 } }, m)
        },
      }),
    ],
    'valid-without-input': [
      'Goes on with the last readings that it had, as if they were of now.',
      (p, reached) => {
        let last: Measured | undefined
        return {
          ...p,
          measured: (inputs, now, c) => {
            const m = p.measured(inputs, now, c)
            if (typeof m !== 'string') last = m
            else if (last !== undefined) {
              reached()
              return {
                ...last,
                at: now,
                load: last.load.map((l) => ({ ...l, at: l.at + now - (last?.at ?? now) })),
              }
            }
            return m
          },
        }
      },
    ],
    'takes-any-forecast': [
      'Computes from load forecasts as well that are not valid.',
      (p, reached) => ({
        ...p,
        loadOf: (series) => {
          if (series['Valid'] === false) reached()
          return p.loadOf({ ...series, Valid: true })
        },
      }),
    ],
    'tells-twice': [
      'Publishes each set of forecasts twice.',
      publishes((messages) => (messages.some(isForecast) ? [...messages, ...messages] : messages)),
    ],
    'skips-every-other': [
      'Answers every other load forecast.',
      (p, reached) => {
        let n = 0
        return {
          ...p,
          wants: (payload, last) => {
            if (!p.wants(payload, last)) return false
            if (++n % 2 === 1) return true
            reached()
            return false
          },
        }
      },
    ],
    'no-temperature-profile': [
      'Keeps the temperature profile to itself.',
      publishes((messages) => {
        const left = messages.filter((m) => !/\/(top_oil|hot_spot)\/forecast$/.test(m.topic))
        return left.length === messages.length ? messages : left
      }),
    ],
    'no-rating-now': [
      'Keeps the rating of now to itself.',
      publishes((messages) => {
        const left = messages.filter((m) => !m.topic.endsWith('/transformer/rating'))
        return left.length === messages.length ? messages : left
      }),
    ],
    'twenty-three-hours': ['Leaves the last hour out.', foretells((f) => hours(f, 23))],
    'rates-half-hours': [
      'Rates the next 24 half-hours.',
      publishes((messages) =>
        messages.map((m) => (m.topic.endsWith('/rating/forecast') ? says(m, { Interval: 1800 }) : m)),
      ),
    ],
    'rates-once': [
      'Works out the rating of now once, and says it again and again.',
      (p, reached) => {
        let first: ReturnType<DtrParts['presentOf']> | undefined
        return {
          ...p,
          presentOf: (c, m) => {
            const now = p.presentOf(c, m)
            if (first?.ok !== true) return (first = now)
            reached()
            return now.ok ? first : now
          },
        }
      },
    ],
  }),
  ...listOf<DtrParts>('dtr-app', 'variant', {
    rounds: [
      'Tells temperatures to a tenth of a degree, and currents to an ampere.',
      publishes((messages) =>
        messages.map((m) => {
          const step = m.topic.includes('rating') ? 1 : 0.1
          const to = (v: number): number => Math.round(v / step) * step
          const v = objectOf(m.payload)['Value']
          if (typeof v === 'number') return says(m, { Value: to(v) })
          return Array.isArray(v) ? says(m, { Value: numbersIn(m).map(to) }) : m
        }),
      ),
    ],
    'soon-in-doubt': [
      'Takes readings for old after a minute and a half, and not after three.',
      (p, reached) => ({
        ...p,
        measured: (inputs, now, c) => {
          const m = p.measured(inputs, now, { ...c, staleAfter: Math.min(c.staleAfter, 90) })
          if (typeof m === 'string' && typeof p.measured(inputs, now, c) !== 'string') reached()
          return m
        },
      }),
    ],
  }),
]
