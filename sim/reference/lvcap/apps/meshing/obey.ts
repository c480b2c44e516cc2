/** Which commands are obeyed (M:0035): a pure function of the message and of what was obeyed before. */
import { isObject, parseObject } from '../../api.ts'
import type { Delivery } from '../../sdk/session.ts'
import { phaseOf } from './topics.ts'
import { phases, type MeshingConfig, type Phase } from './config.ts'

/** A message on a control topic. */
export interface Heard {
  readonly topic: string
  readonly payload: Uint8Array
  readonly how: Delivery
}

/** A command that was obeyed: its time stamp in Unix seconds, and whether it closes. */
export interface Obeyed {
  readonly phase: Phase
  readonly stamp: number
  readonly close: boolean
}

/** `close` where the message says a direction at all. */
export interface Verdict {
  readonly phase: Phase | undefined
  readonly close: boolean | undefined
  readonly stamp: number | undefined
  /** Why it is not obeyed; undefined: it is. */
  readonly against: string | undefined
}

/**
 * `now` in Unix seconds. Nothing but a fresh, valid and new word of LoadSense moves a breaker: what a broker kept, what
 * it delivers twice, and what somebody recorded and plays again does not.
 */
export function judge(h: Heard, now: number, obeyed: readonly Obeyed[], c: MeshingConfig): Verdict {
  const phase = phaseOf(h.topic)
  const body = h.payload.length === 0 ? undefined : parseObject(h.payload)
  const value = body?.['Value']
  const stamp = body?.['Timestamp']
  const close = typeof value === 'boolean' ? value : undefined
  return {
    phase,
    close,
    stamp: typeof stamp === 'number' ? stamp : undefined,
    against: objection(),
  }

  function objection(): string | undefined {
    if (phase === undefined || h.topic !== `algorithm/data/${c.obeys}/control/${phase}`)
      return 'it came on another topic than LoadSense’s'
    if (!isObject(body)) return 'it is no JSON object'
    if (close === undefined) return 'its Value is neither true nor false'
    if (body['Valid'] !== true) return 'it is not Valid'
    if (typeof stamp !== 'number' || !Number.isSafeInteger(stamp)) return 'it has no time stamp'
    if (h.how.retain) return 'it was kept by the marketplace'
    if (now - stamp > c.staleAfter) return `it is ${now - stamp} s old`
    if (stamp - now > c.ahead) return `it is dated ${stamp - now} s ahead`
    if (obeyed.some((o) => o.phase === phase && o.stamp === stamp && o.close === close))
      return 'it was obeyed before'
    return undefined
  }
}

/** What must still be remembered at `now`: whatever is too old to be obeyed again need not be. */
export function stillOfUse(obeyed: readonly Obeyed[], now: number, c: MeshingConfig): readonly Obeyed[] {
  return obeyed.filter((o) => Math.abs(now - o.stamp) <= c.staleAfter + c.ahead)
}

/** Reads what was remembered; whatever does not fit is left out. */
export function readObeyed(value: unknown): readonly Obeyed[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((o: unknown) => {
    if (!isObject(o)) return []
    const phase = phases.find((p) => p === o['phase'])
    const { stamp, close } = o
    return phase !== undefined && typeof stamp === 'number' && typeof close === 'boolean'
      ? [{ phase, stamp, close }]
      : []
  })
}
