/** What defects of sensor applications ask of a message. */
import type { Message } from '../reference/lvcap/api.ts'
import type { Json, JsonObject } from '../reference/lvcap/env.ts'

export function isMeasurement(message: Message): boolean {
  return message.topic.startsWith('sensor/data/') && !message.retain
}

/** `sensor/data/<IID>` of a measurement's topic. */
export function base(message: Message): string {
  return message.topic.split('/').slice(0, 3).join('/')
}

export function objectOf(payload: Json): JsonObject {
  return typeof payload === 'object' && payload !== null && !Array.isArray(payload)
    ? (payload as JsonObject)
    : {}
}
