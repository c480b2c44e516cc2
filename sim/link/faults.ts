/** Faults of a link: their parameters, and what each alters while it is in force. */
import { z } from 'zod'
import type { Json } from '../../drivers/faces.ts'
import type { LinkWay } from '../../drivers/link-faces.ts'
import { GridproofError } from '../../drivers/errors.ts'
import { loss, quota, time, type LinkSettings } from './profile.ts'
import type { Extra } from './radio.ts'

const way = z.enum(['up', 'down', 'both']).default('both')
/** Lifts itself after so long. */
const lasts = { for: time.optional() }
/** Not at once, but when so many more bytes have arrived that way (to or from that peer), between one byte and the next. */
const when = z
  .strictObject({
    way: z.enum(['up', 'down']),
    bytes: z.int().min(0),
    peer: z.string().optional(),
    /** Again after each further so many bytes. */
    again: z.literal(true).optional(),
  })
  .refine((w) => w.again === undefined || w.bytes > 0, 'expected bytes of at least 1 with again')
const kbit = z.number().min(0.1).max(100_000_000).optional()

export const linkFaults = {
  /** No carrier. The modem knows, and attaches anew when it is back. `each` of a fault with `again` lasts so long. */
  drop: z.strictObject({ ...lasts, when: when.optional(), each: time.optional() }),
  /** Everything is swallowed that way, and nobody is told. */
  blackhole: z.strictObject({ ...lasts, way }),
  /** Nobody takes anything more of the senders: it stays with them. */
  stall: z.strictObject({ ...lasts, way }),
  /** RST to both ends: of all connections at once, or of the one on which `when` comes. */
  reset: z.strictObject({ ...lasts, when: when.optional() }),
  /** The end of a connection is not told: FIN and RST of that side vanish. */
  'half-open': z.strictObject({ ...lasts, side: z.enum(['host', 'peer']).default('host') }),
  /** New connections are refused. */
  refuse: z.strictObject({ ...lasts, peer: z.string().optional() }),
  slice: z.strictObject({ ...lasts, bytes: z.int().min(1).max(65_536), gap: time.default(0) }),
  rate: z.strictObject({ ...lasts, up_kbit: kbit, down_kbit: kbit }),
  /** Added one way. */
  delay: z.strictObject({ ...lasts, up: time.default(0), down: time.default(0), jitter: time.default(0) }),
  loss: z.strictObject({ ...lasts, ...loss.shape }),
  /** Translation on the way forgets every connection of this moment, and tells nobody. */
  forget: z.strictObject({ ...lasts }),
  /** The modem attaches anew, with another address. */
  'new-address': z.strictObject({ ...lasts }),
  quota: z.strictObject({ ...lasts, ...quota.shape }),
  /** Connections to a peer are led to somebody else, `address:port`: a wrong server, a man in the middle. */
  redirect: z.strictObject({
    ...lasts,
    peer: z.string().optional(),
    to: z.string().regex(/^[^:\s]+:\d{1,5}$/, 'expected address:port'),
  }),
  /** Nothing arrives for so long, and then all of it. */
  spike: z.strictObject({ ...lasts, lasts: time.default(2000) }),
} as const

export type FaultName = keyof typeof linkFaults
export type FaultOf<N extends FaultName> = z.infer<(typeof linkFaults)[N]>

export interface LinkFault<N extends FaultName = FaultName> {
  readonly id: string
  readonly name: N
  readonly params: FaultOf<N>
  /** When it lifts itself. */
  readonly until: number | undefined
  /** Bytes that have still to arrive before it acts. */
  left: number | undefined
}

/** Reads a fault. Throws `no-such` for an unknown name, `bad-value` for parameters that do not fit. */
export function linkFault(id: string, name: string, params: Json, now: number): LinkFault {
  if (!Object.hasOwn(linkFaults, name))
    throw new GridproofError(
      'no-such',
      `a link has no fault '${name}'; there are: ${Object.keys(linkFaults).join(', ')}`,
    )
  const known = name as FaultName
  const fit = linkFaults[known].safeParse(params ?? {})
  if (!fit.success) {
    const issue = fit.error.issues[0]
    const where = issue === undefined || issue.path.length === 0 ? '' : ` (${issue.path.join('.')})`
    throw new GridproofError('bad-value', `parameters of the link fault '${name}'${where}: ${issue?.message}`)
  }
  const p = fit.data
  const { when: from } = p as { when?: { bytes: number } }
  return {
    id,
    name: known,
    params: p,
    until: p.for === undefined ? undefined : now + p.for,
    left: from?.bytes,
  }
}

export const isFault = <N extends FaultName>(f: LinkFault, name: N): f is LinkFault<N> & LinkFault =>
  f.name === name

/** The ways that a fault of this kind is about. */
export const waysOf = (w: 'up' | 'down' | 'both'): readonly LinkWay[] => (w === 'both' ? ['up', 'down'] : [w])

/** Faults in force, the oldest first, and what they make of the link together. */
export class FaultsInForce {
  list: LinkFault[] = []

  stalled(way: LinkWay): boolean {
    for (const f of this.of('stall')) if (waysOf(f.params.way).includes(way)) return true
    return false
  }

  swallowsEnd(way: LinkWay): boolean {
    for (const f of this.of('half-open')) if ((f.params.side === 'host') === (way === 'up')) return true
    return false
  }

  refuses(peer: string): boolean {
    for (const f of this.of('refuse')) if (f.params.peer === undefined || f.params.peer === peer) return true
    return false
  }

  redirect(peer: string): string | undefined {
    for (const f of this.of('redirect'))
      if (f.params.peer === undefined || f.params.peer === peer) return f.params.to
    return undefined
  }

  slice(own: LinkSettings['slice']): { bytes: number; gap: number } | undefined {
    for (const f of this.of('slice')) return f.params
    return own
  }

  kbit(way: LinkWay, own: LinkSettings['rate']): number | undefined {
    const key = way === 'up' ? 'up_kbit' : 'down_kbit'
    let least = own[key]
    const lower = (v: number | undefined): void => {
      if (v !== undefined && (least === undefined || v < least)) least = v
    }
    for (const f of this.of('rate')) lower(f.params[key])
    return least
  }

  *of<N extends FaultName>(name: N): Generator<LinkFault<N> & LinkFault> {
    for (const f of this.list) if (isFault(f, name)) yield f
  }

  /** Delay and loss beyond the profile's. */
  extra(): Extra {
    let up = 0
    let down = 0
    let jitter = 0
    for (const f of this.of('delay')) {
      up += f.params.up
      down += f.params.down
      jitter += f.params.jitter
    }
    let loss: LinkSettings['loss']
    for (const f of this.of('loss')) loss = f.params
    return { delay: { up, down, jitter }, loss }
  }

  /** The one that acts before `n` more bytes have arrived this way. */
  due(way: LinkWay, peer: string, n: number): LinkFault | undefined {
    return this.list.find((f) => f.left !== undefined && f.left <= n && waits(f, way, peer))
  }

  /** So many bytes have arrived this way. */
  arrived(way: LinkWay, peer: string, n: number): void {
    for (const f of this.list) if (f.left !== undefined && waits(f, way, peer)) f.left -= n
  }
}

function waits(f: LinkFault, way: LinkWay, peer: string): boolean {
  const p = f.params as { when?: { way: LinkWay; peer?: string } }
  return p.when !== undefined && p.when.way === way && (p.when.peer === undefined || p.when.peer === peer)
}
