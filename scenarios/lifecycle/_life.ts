/** What scenarios on the life of apps ask of events. All of it pure. */
import type { Event } from '../../bench/faces.ts'

type Fields = Readonly<Record<string, unknown>>

function fields(v: unknown): Fields {
  return typeof v === 'object' && v !== null ? (v as Fields) : {}
}

/** The payload of an event: what a message said, or what a scripted app reports. */
export function told(e: Event): Fields {
  return fields(fields(e.data)['payload'])
}

/** The scripted app that an event is about, by its instance. */
export function iidOf(e: Event): unknown {
  return fields(e.data)['iid']
}

export function sameApp(a: Event, b: Event): boolean {
  return iidOf(a) === iidOf(b)
}

/** Quality of service and retention of a message as it was seen. */
export function wrapping(e: Event): { readonly qos: unknown; readonly retain: unknown } {
  const { qos, retain } = fields(e.data)
  return { qos, retain }
}

export function topicOf(e: Event): string {
  const t = fields(e.data)['topic']
  return typeof t === 'string' ? t : ''
}

export function aliasOf(e: Event): string {
  const a = fields(e.data)['alias']
  return typeof a === 'string' ? a : ''
}

export function textOf(e: Event): string {
  const m = told(e)['Message']
  return typeof m === 'string' ? m : ''
}

/** The ContainerConfig in a report of a configuration: the object itself, or the whole file that holds it (API 9.5). */
export function configOf(e: Event): unknown {
  const c = told(e)['config']
  const f = fields(c)
  return typeof f['ContainerName'] === 'string' && 'ContainerConfig' in f ? f['ContainerConfig'] : c
}

/** Whether two JSON values are equal, whatever the order of keys. */
export function same(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b)
}

function canonical(v: unknown): string {
  return JSON.stringify(v, (_, x: unknown) =>
    typeof x === 'object' && x !== null && !Array.isArray(x)
      ? Object.fromEntries(Object.entries(x).sort(([p], [q]) => (p < q ? -1 : 1)))
      : x,
  )
}
