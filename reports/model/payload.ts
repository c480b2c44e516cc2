/** Figures out of what was seen and said, for plots. Judging is the checks' business. */
import type { Json } from '../../drivers/faces.ts'

export function isRecord(v: unknown): v is Readonly<Record<string, Json>> {
  return typeof v === 'object' && v !== null && !Array.isArray(v)
}

/**
 * The figure of a payload: a bare number or truth value, or the member `Value` or `value` of an object
 * (the Scalar of the platform's API). A value that the sender marks as invalid counts as none.
 */
export function figureOf(payload: unknown): number | undefined {
  if (typeof payload === 'number') return payload
  if (typeof payload === 'boolean') return payload ? 1 : 0
  if (!isRecord(payload)) return undefined
  if (payload['Valid'] === false || payload['valid'] === false) return undefined
  const v = payload['Value'] ?? payload['value']
  return typeof v === 'number' ? v : typeof v === 'boolean' ? (v ? 1 : 0) : undefined
}

/** `feeder1.l1.current [A]` of `gridkey` to its alias and unit. `[1]` is a pure number: unit ''. */
export function aliasOf(role: string, quantity: string): { alias: string; unit: string } {
  const m = /^(.*?)\s*\[([^\]]*)\]$/.exec(quantity)
  const unit = m?.[2] ?? ''
  return { alias: `${role}.${m?.[1] ?? quantity}`, unit: unit === '1' ? '' : unit }
}
