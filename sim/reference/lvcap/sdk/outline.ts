/**
 * What a sensor application can tell beside its readings: a series of the last ones (API section 9.2), where its sensors
 * stand (section 9.3), and what its topics carry (sections 8.3.2 and 9.4). All of it is optional, and off unless configured.
 */
import { z } from 'zod'
import type { Message } from '../api.ts'

/** Configuration of it, for the schema of an application. */
export const outlineSchema = {
  /** A series of the last `outputs` readings of each of these quantities, published as often. */
  profile: z
    .strictObject({ quantities: z.array(z.string()).min(1), outputs: z.int().min(2).max(10_000) })
    .optional(),
  /** Where the sensors stand, published at the start and with each profile: co-ordinates, and their system. */
  site: z
    .strictObject({ coordinates: z.array(z.number()).min(1).max(10), system: z.string().min(1) })
    .optional(),
}

export interface Profile {
  readonly quantities: readonly string[]
  readonly outputs: number
}

export interface Site {
  readonly coordinates: readonly number[]
  readonly system: string
}

/** One reading of a series; `stamp` in Unix seconds. */
export interface Point {
  readonly stamp: number
  readonly value: number
  readonly valid: boolean
}

/**
 * A Series object (table 21) of readings that follow each other at `interval` seconds. A reading that was not valid has
 * the confidence 0; the series is valid where any reading was.
 */
export function series(topic: string, points: readonly Point[], interval: number, stamp: number): Message {
  const first = points[0]?.stamp ?? stamp
  return {
    topic,
    payload: {
      Timestamp: stamp,
      StartPoint: first,
      Interval: interval,
      Value: points.map((p) => p.value),
      Confidence: points.map((p) => (p.valid ? 1 : 0)),
      Valid: points.some((p) => p.valid),
      TimestampStart: first,
      TimestampEnd: points.at(-1)?.stamp ?? stamp,
    },
    qos: 1,
    retain: false,
  }
}

/** A Co-ordinate object (table 22). */
export function position(topic: string, site: Site, stamp: number): Message {
  return {
    topic,
    payload: { Timestamp: stamp, Coordinates: [...site.coordinates], System: site.system, Valid: true },
    qos: 1,
    retain: false,
  }
}

/** Data series metadata (table 23) of a topic: retained. */
export function metadata(topic: string, quantity: string, unit: string): Message {
  return {
    topic: `${topic}/metadata`,
    payload: { Name: quantity, Units: unit, DisplayUnits: unit },
    qos: 1,
    retain: true,
  }
}
