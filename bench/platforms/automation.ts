/**
 * The whole of LV automation on both platforms of a pair: every app is the real one, and what they lack at the start is put in
 * place as at commissioning: four weeks of loads for the predictors, as the network would have had them.
 */
import type { Host, Instant, Json, Realm } from '../../drivers/faces.ts'
import type { Emit, Feeders } from '../../sim/faces.ts'
import type { Automation } from '../faces.ts'
import { importer } from './forecaster.ts'

/** One substation. */
export interface AutomatedSide {
  readonly side: 'a' | 'b'
  readonly host: Pick<Host, 'disk' | 'onLog'>
  /** Asks the platform's operator. */
  operate(request: Json): Promise<Json>
}

export interface AutomationOptions {
  readonly sides: readonly AutomatedSide[]
  /** Instance of the predictor. */
  readonly predictor: string
  readonly network: Pick<Feeders, 'halfHours'>
  readonly realm: Realm
  readonly emit: Emit
  now(): Instant
}

const halfHour = 1_800_000
/** What the predictor asks for: four weeks and a day. */
const count = 29 * 48

export function makeAutomation(o: AutomationOptions): Automation {
  const putters = o.sides.map((s) => ({
    ...s,
    put: importer({ host: s.host, iid: o.predictor, operate: (r) => s.operate(r) }),
  }))
  return {
    remember: () =>
      o.realm.run(async () => {
        const ends = Math.floor(o.now() / halfHour) * halfHour
        const begins = ends - count * halfHour
        await Promise.all(
          putters.map(async ({ side, put }) => {
            const past = o.network.halfHours(side, begins, count)
            const lines = (['transformer', 'feeder'] as const).flatMap((circuit) =>
              past[circuit].map(
                (amps, i) => `${(begins + i * halfHour) / 1000},${circuit},${Math.round(amps * 1000) / 1000}`,
              ),
            )
            const csv = `${['time,circuit,amps', ...lines].join('\n')}\n`
            await put({ name: 'commissioning', csv }, false, () => {
              o.emit('sent', { alias: `automation.past.${side}`, payload: { 'half-hours [1]': count } })
            })
          }),
        )
      }),
  }
}

/** Stands in where nothing runs. */
export function idleAutomation(): Automation {
  return { remember: async () => undefined }
}
