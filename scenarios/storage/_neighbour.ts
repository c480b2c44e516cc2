/**
 * What a neighbour's platform would send: the readings of its five feeders, once a minute and ten at a time, as Series
 * objects (LV-CAP API 9.2) under the topics of the app that hands them on. No app of the project talks to neighbours yet,
 * so one that the bench controls publishes them. Quantities, figures and topics are ours.
 */
import type { ScriptedApp } from '../../bench/faces.ts'

/** Circuits, phases, and for each: middle, swing, and the digit to which it is told. */
const feeders = [1, 2, 3, 4, 5]
const phases = [1, 2, 3]
const quantities = [
  ['current', 90, 60, 0.1],
  ['real_power', 20_000, 14_000, 10],
] as const

/** Readings in one Series. */
export const readingsSent = 10

/** Sends one Series of each quantity. `at`: ms since 1970; `interval`: seconds between readings, up to now. */
export function sendsReadings(app: ScriptedApp, at: number, interval: number): void {
  const now = Math.floor(at / 1000)
  const start = now - (readingsSent - 1) * interval
  for (const feeder of feeders)
    for (const phase of phases)
      for (const [quantity, middle, swing, digit] of quantities) {
        const values = Array.from({ length: readingsSent }, (_, i) => {
          // A day's swing, and something quicker, of a phase of its own for each channel.
          const t = start + i * interval
          const turn = (2 * Math.PI * t) / 86_400 + feeder + phase / 3
          const v = middle + swing * (0.8 * Math.sin(turn) + 0.2 * Math.sin(37 * turn))
          return Number((Math.round(v / digit) * digit).toFixed(1))
        })
        app.act({
          do: 'publish',
          topic: `algorithm/data/${app.iid}/neighbour/feeder${feeder}/l${phase}/${quantity}`,
          text: JSON.stringify({
            Timestamp: now,
            StartPoint: start,
            Interval: interval,
            Value: values,
            Valid: true,
          }),
        })
      }
}
