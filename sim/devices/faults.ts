/** Faults by name: what all devices share in putting them on and lifting them. */
import { z } from 'zod'
import type { Hooks } from '../../drivers/protocols/modbus/hooks.ts'
import type { Json } from '../../drivers/faces.ts'
import { GridproofError } from '../../drivers/errors.ts'
import type { Emit, Fault } from '../faces.ts'

/** What a fault does while it is in force. `A` is what the device lets a fault alter. */
export interface Effect<A> {
  readonly hooks?: Hooks
  readonly alter?: (what: A) => void
  readonly lifted?: () => void
}

export interface FaultKind<A> {
  readonly params: z.ZodType
  /** Takes parameters that fit the schema. */
  readonly begin: (params: unknown) => Effect<A>
}

/** A fault kind from a schema and what it does, with the two types tied together. */
export function faultKind<P, A>(params: z.ZodType<P>, begin: (params: P) => Effect<A>): FaultKind<A> {
  return { params, begin: (given) => begin(params.parse(given)) }
}

export interface Faults<A> {
  readonly names: readonly string[]
  inflict(name: string, params?: Json): Fault
  /** Effects in force, the oldest first. */
  active(): Iterable<Effect<A>>
  hooks(): Iterable<Hooks>
}

/** `changed` is called when a fault has come or gone. */
export function createFaults<A>(
  role: string,
  kinds: Readonly<Record<string, FaultKind<A>>>,
  emit: Emit,
  changed: () => void,
): Faults<A> {
  const inForce = new Map<string, Effect<A>>()
  const names = Object.keys(kinds)
  let count = 0
  return {
    names,
    inflict(name, params = {}) {
      const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
      if (kind === undefined)
        throw new GridproofError('no-such', `${role} has no fault '${name}'; there are: ${names.join(', ')}`)
      const fit = kind.params.safeParse(params)
      if (!fit.success) {
        const issue = fit.error.issues[0]
        const where = issue === undefined || issue.path.length === 0 ? '' : ` (${issue.path.join('.')})`
        throw new GridproofError(
          'bad-value',
          `parameters of ${role} fault '${name}'${where}: ${issue?.message}`,
        )
      }
      count += 1
      const id = `${role}/${name}#${count}`
      emit('fault', { phase: 'on', id, name, params })
      const effect = kind.begin(params)
      const lift = (): void => {
        if (!inForce.delete(id)) return
        effect.lifted?.()
        changed()
        emit('fault', { phase: 'lifted', id, name, params })
      }
      inForce.set(id, effect)
      changed()
      return { id, params, lift }
    },
    *active() {
      yield* inForce.values()
    },
    *hooks() {
      for (const effect of inForce.values()) if (effect.hooks !== undefined) yield effect.hooks
    },
  }
}

/** Share of the requests that a fault touches: 1 by default. */
const share = z.number().gt(0).max(1).default(1)

/**
 * Faults on the way of requests and answers, the same for every Modbus device. `chance` gives a number in [0, 1).
 * `rtu` has those of serial lines, `tcp` those of TCP.
 */
export function wireFaults<A>(
  transport: 'tcp' | 'rtu',
  chance: () => number,
): Readonly<Record<string, FaultKind<A>>> {
  const hit = (p: { share: number }): boolean => p.share >= 1 || chance() < p.share
  const some = z.strictObject({ share })
  const both = {
    'no-reply': faultKind<z.infer<typeof some>, A>(some, (p) => ({
      hooks: { answering: () => (hit(p) ? { drop: true } : undefined) },
    })),
    slow: faultKind(z.strictObject({ ms: z.number().min(1).max(600_000).default(2000), share }), (p) => ({
      hooks: { asked: () => (hit(p) ? { delayMs: p.ms } : undefined) },
    })),
    'wrong-unit': faultKind(z.strictObject({ unit: z.int().min(0).max(255).default(99), share }), (p) => ({
      hooks: { answering: () => (hit(p) ? { unit: p.unit } : undefined) },
    })),
    truncated: faultKind(z.strictObject({ bytes: z.int().min(0).max(260).default(8), share }), (p) => ({
      hooks: { answering: () => (hit(p) ? { cut: p.bytes } : undefined) },
    })),
    split: faultKind(
      z.strictObject({
        pieces: z.array(z.int().min(1)).min(1).default([3]),
        gap_ms: z.number().min(0).max(60_000).default(20),
        share,
      }),
      (p) => ({
        hooks: { answering: () => (hit(p) ? { pieces: p.pieces, gapMs: p.gap_ms } : undefined) },
      }),
    ),
  }
  // modbus exception 6: server device busy
  const busy = faultKind<z.infer<typeof some>, A>(some, (p) => ({
    hooks: { asked: () => (hit(p) ? { exception: 6 } : undefined) },
  }))
  if (transport === 'rtu')
    return {
      ...both,
      busy,
      /** The cable is out of the line: nothing arrives and nothing comes back. (A port that vanishes is another matter.) */
      unplugged: faultKind(z.strictObject({}), () => ({ hooks: { asked: () => ({ ignore: true }) } })),
      'crc-error': faultKind(some, (p) => ({
        hooks: { answering: () => (hit(p) ? { crcFlip: 1 + Math.floor(chance() * 0xffff) } : undefined) },
      })),
    }
  return {
    ...both,
    'exception-busy': busy,
    rst: faultKind(some, (p) => ({ hooks: { asked: () => (hit(p) ? { end: 'rst' } : undefined) } })),
    'half-open': faultKind(z.strictObject({}), () => ({ hooks: { asked: () => ({ ignore: true }) } })),
    'wrong-transaction': faultKind(some, (p) => ({
      hooks: {
        answering: (ask) => (hit(p) ? { transaction: (ask.transaction + 1) & 0xffff } : undefined),
      },
    })),
  }
}
