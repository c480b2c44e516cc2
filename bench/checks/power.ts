/** Events of the mains, as checks read them (bench/platforms/mains.ts writes them). */
import type { Event } from '../faces.ts'
import { objectOf, textOf } from './scalar.ts'

function isOf(e: Event, alias: string, host: string | undefined): boolean {
  if (e.kind !== 'host' || e.src !== 'mains') return false
  const d = objectOf(e.data)
  return textOf(d?.['alias']) === alias && (host === undefined || textOf(d?.['host']) === host)
}

/** Power of a host (any, unless given) goes. */
export function isCut(e: Event, host?: string): boolean {
  return isOf(e, 'mains.cut', host)
}

/** And comes back. */
export function isRestored(e: Event, host?: string): boolean {
  return isOf(e, 'mains.restored', host)
}
