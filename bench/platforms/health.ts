/** Whether the apps of the reference platform have told that they run. */
import type { Json } from '../../drivers/faces.ts'
import type { Operator } from './operator.ts'

export interface Health {
  see(topic: string, payload: Json): void
  /** Instances that have not told yet. */
  missing(): readonly string[]
  /** Whether an instance has published anything at all. */
  heard(iid: string): boolean
  readonly all: Promise<void>
}

/** An app that told its status before the observer stood at the door tells it next in two minutes: ours, in ms. */
const nudgeEvery = 3000

/**
 * Waits until each app has told that it runs. One that has not, after a while, is given its configuration once more:
 * an app answers that with its status (LV-CAP API 5.2).
 */
export async function healthReported(healthy: Health, operator: Operator): Promise<void> {
  const nudge = setInterval(() => {
    for (const iid of healthy.missing()) operator.request('change', iid, {}).catch(() => undefined)
  }, nudgeEvery)
  try {
    await healthy.all
  } finally {
    clearInterval(nudge)
  }
}

/** Topics that carry an instance's ID, and on which the Container Manager speaks. */
const fromManager = /^(config\/response|command)\//

/** Waits until each instance has reported that it runs (status 1, LV-CAP API table 7). */
export function watchHealth(iids: readonly string[]): Health {
  const waiting = new Set(iids)
  const heard = new Set<string>()
  const all = Promise.withResolvers<void>()
  if (waiting.size === 0) all.resolve()
  return {
    see(topic, payload) {
      if (waiting.size === 0) return
      const speaker = topic
        .split('/')
        .slice(1)
        .find((part) => waiting.has(part))
      if (speaker !== undefined && !fromManager.test(topic)) heard.add(speaker)
      if (!topic.startsWith('status/response/')) return
      const ok =
        typeof payload === 'object' && payload !== null && 'Status' in payload && payload['Status'] === 1
      if (ok) waiting.delete(topic.slice('status/response/'.length))
      if (waiting.size === 0) all.resolve()
    },
    missing: () => [...waiting],
    heard: (iid) => heard.has(iid),
    all: all.promise,
  }
}
