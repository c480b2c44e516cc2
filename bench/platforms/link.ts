/**
 * The 4G link between the platform and the servers, played by the bench over a model of sim/link: faults, scripts and
 * profiles of it, and what it tells as evidence (kind `link`).
 */
import type { Json, LinkPort, Realm, World } from '../../drivers/faces.ts'
import { duration } from '../../drivers/units.ts'
import type { Emit, Fault, MakeLink } from '../../sim/faces.ts'
import type { Link, LinkCounters, Router, Series } from '../faces.ts'
import type { Suffix } from '../rigs/pair.ts'
import { playRouter, type PlayedRouter } from './router.ts'

export interface LinkOptions {
  readonly world: World
  /** Nothing for that of the first substation, `2` for that of the second: of its name, its sources and random streams. */
  readonly side: Suffix
  /** Where it stands in real time, and its router's place. */
  readonly realm: Realm
  readonly router: { readonly realm: Realm; readonly port: number; readonly password: string }
  /** Address of the host behind it. */
  readonly host: string
  /** Of fixtures/links. */
  readonly profile: string
  readonly makeLink: MakeLink
  emitAs(src: string): Emit
  /** Takes the power of the platform's computer for a moment; told by the router. */
  resetComputer(): Promise<void>
}

export interface PlayedLink extends Link, AsyncDisposable {
  /** Puts a server behind the link; where the platform finds it. */
  reach: LinkPort['reach']
  /** Lets peers in to a service of the platform's host; where they find it. */
  admit: LinkPort['admit']
  /** Another host of the site reaches what is behind the link by it too. */
  share: LinkPort['share']
  /** Where the router's own power is taken for a moment. */
  readonly outlet: PlayedRouter['outlet']
}

/** What happens to a link, as evidence. */
export const linkEvents = (src: `link${Suffix}`): Series => ({ src, kind: 'link', select: 'link.*' })

/** Throws `no-such` for an unknown profile; `not-capable` in a world that has no links. */
export async function playLink(o: LinkOptions): Promise<PlayedLink> {
  const { world } = o
  const src = `link${o.side}` as const
  const emit = o.emitAs(src)
  const model = o.makeLink({
    profile: o.profile,
    random: (stream) => world.random(`${src}/${stream}`),
    began: world.now(),
  })
  if (world.link === undefined) throw new TypeError('this world has no links')
  const port = await world.link({
    name: src,
    realm: o.realm,
    host: o.host,
    model,
    onTell: (what) => void emit('link', what),
  })
  emit('link', { alias: 'link.profile', name: o.profile })
  if (world.time === 'real') emit('link', { alias: 'link.packets', ...port.packets })
  let count = 0
  const inForce = new Set<string>()

  const inflict = (name: string, params: Json = {}): Fault => {
    const id = `${src}/${name}#${++count}`
    port.order({ do: 'inflict', id, fault: name, params })
    inForce.add(id)
    const cause = emit('fault', { phase: 'on', id, name, params })
    return {
      id,
      params,
      lift() {
        if (!inForce.delete(id)) return
        port.order({ do: 'lift', id })
        emit('fault', { phase: 'lifted', id, name, params }, { cause })
      },
    }
  }
  const counters = (): LinkCounters => {
    const c = model.counters(world.now())
    emit('link', { alias: 'link.counters', ...(c as unknown as { readonly [k: string]: Json }) })
    return c
  }
  const router: PlayedRouter = await playRouter({
    ...o.router,
    now: () => world.now(),
    emit: o.emitAs(`router${o.side}`),
    link: {
      order: (order) => port.order(order),
      counters: () => model.counters(world.now()),
      host: o.host,
    },
    resetComputer: () => o.resetComputer(),
  })
  const outcomes: Series = { src: `router${o.side}`, kind: 'seen', select: 'router.*' }
  const role: Router = { ...router, outcomes }
  return {
    faults: model.faults,
    events: linkEvents(src),
    inflict,
    profile: (name) => port.order({ do: 'profile', name }),
    drop(lasts) {
      duration(lasts)
      port.order({ do: 'drop', for: lasts })
    },
    script: (steps) => port.order({ do: 'script', steps: steps as unknown as Json }),
    counters,
    router: role,
    reach: (peer) => port.reach(peer),
    admit: (service) => port.admit(service),
    share: (address) => port.share(address),
    outlet: router.outlet,
    async [Symbol.asyncDispose]() {
      counters()
      await router[Symbol.asyncDispose]()
      await port[Symbol.asyncDispose]()
    },
  }
}
