/** An executor without bytes or timers, for tests of the model: what arrived when. */
import type { Instant, Json } from '../../drivers/faces.ts'
import type { LinkEffect, LinkInput, LinkWay } from '../../drivers/link-faces.ts'
import { streams } from '../../drivers/random.ts'
import { createLink, type PlayedLinkModel } from './model.ts'
import { linkSettings, readLinkProfile } from './profile.ts'

export interface Arrival {
  readonly at: Instant
  readonly effect: LinkEffect
}

export interface Bench {
  readonly model: PlayedLinkModel
  readonly now: Instant
  readonly log: readonly Arrival[]
  give(input: LinkInput): void
  order(order: Json): void
  /** Goes on by so many ms. */
  pass(ms: number): void
  /** A connection that stands. */
  connection(flow: number, peer?: string): void
  passed(flow: number, way: LinkWay): number
  told(what: string): readonly { readonly [k: string]: Json }[]
}

/** A link with settings of a profile by name, or given; peers take every connection. */
export function linkBench(settings: unknown = {}, seed: number | string = 1): Bench {
  const began = 1_000_000
  const profile =
    typeof settings === 'string'
      ? readLinkProfile(settings)
      : { name: 'test', title: 'of a test', settings: linkSettings(settings), origin: {} }
  const model = createLink({ profile, random: streams(seed), began })
  const log: Arrival[] = []
  let now = began
  const take = (effects: readonly LinkEffect[]): void => {
    for (const effect of effects) {
      log.push({ at: now, effect })
      if (effect.do === 'asked') take(model.step({ is: 'accepted', flow: effect.flow }, now))
    }
  }
  const bench: Bench = {
    model,
    get now() {
      return now
    },
    log,
    give: (input) => take(model.step(input, now)),
    order: (order) => take(model.step({ is: 'order', order }, now)),
    pass(ms) {
      const end = now + ms
      while (model.wake <= end) {
        now = Math.max(now, model.wake)
        take(model.step({ is: 'time' }, now))
      }
      now = end
    },
    connection(flow, peer = 'server') {
      bench.give({ is: 'connect', flow, peer, by: 'host' })
      const stands = (): boolean => log.some((a) => a.effect.do === 'stands' && a.effect.flow === flow)
      for (let i = 0; i < 10_000 && !stands(); i++) bench.pass(1)
    },
    passed: (flow, way) =>
      log.reduce(
        (n, { effect: e }) => (e.do === 'pass' && e.flow === flow && e.way === way ? n + e.n : n),
        0,
      ),
    told: (what) =>
      log.flatMap(({ effect: e }) => (e.do === 'tell' && e.what['alias'] === `link.${what}` ? [e.what] : [])),
  }
  return bench
}
