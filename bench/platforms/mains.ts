/**
 * The mains of the platform's hosts, played by what they do to them: power goes, for a while, at a time or at a point, and
 * comes back. What a cut means is the host's affair: in virtual time nobody hears of it and, where the machine can play such
 * disks (`durability`), what was not flushed is gone; in real time the processes are killed, and their peers are told by
 * the kernel.
 */
import { GridproofError } from '../../drivers/errors.ts'
import type { Doing, Host, Instant, Json, Proc } from '../../drivers/faces.ts'
import { duration } from '../../drivers/units.ts'
import type { Emit, Fault, MainsModel, SupplyState } from '../../sim/faces.ts'
import { matcher } from '../evidence/series.ts'
import type { CutOptions, Event, Mains, Series } from '../faces.ts'

export interface MainsOptions {
  now(): Instant
  random(): number
  readonly emit: Emit
  readonly model: MainsModel
}

/** The role, with what those need who start hosts and write events. */
export type PlayedMains = Mains &
  AsyncDisposable & {
    /** A host that hangs on it. `supply`: whose supply is played too, so that its voltage can dip. */
    feed(host: Host, told: Told, supply: 'played' | 'its own'): void
    /** Every event, that power may go at one of them. */
    see(e: Event): void
  }

/** What stands in the evidence when power goes and comes; checks look for it. */
export const mainsEvents: Series = { src: 'mains', kind: 'host', select: 'mains.*' }

/** How long a cut at a point waits for that point unless told otherwise. Ours. */
const usualPatience = '60 s'

/** Who is told that a host's power comes back. */
export interface Told {
  /** Just before its programs start. */
  coming(): void
  /** They run. */
  restored(procs: readonly Proc[]): void
}

interface Fed {
  readonly host: Host
  readonly told: Told
  readonly ownSupply: boolean
  supply: SupplyState
  /** What is due at the supply. */
  timer?: NodeJS.Timeout | undefined
  /** Power as it is to be: a cut may come while the host is still coming up. */
  wanted: 'on' | 'off'
  coming?: Promise<void> | undefined
}

export function playMains(o: MainsOptions): PlayedMains {
  const { model } = o
  const fed: Fed[] = []
  const watching = new Set<(e: Event) => void>()
  let faults = 0
  const at = (name: string | undefined): Fed => {
    const found = name === undefined ? fed[0] : fed.find((f) => f.host.name === name)
    if (found === undefined)
      throw new GridproofError(
        'no-such',
        `no host '${name ?? 'platform'}' hangs on the mains: there ${fed.length === 1 ? 'is' : 'are'} ${fed.map((f) => f.host.name).join(', ')}`,
      )
    return found
  }
  const tell = (what: string, f: Fed, more: { readonly [k: string]: Json } = {}): void =>
    void o.emit('host', {
      alias: `mains.${what}`,
      what: what === 'cut' ? `the power of ${f.host.name} is cut` : `the power of ${f.host.name} is back`,
      host: f.host.name,
      durable: f.host.can.has('durability'),
      // So far: what the cut before its return has left counts then.
      ...(f.host.cache === undefined ? {} : { cache: { ...f.host.cache() } }),
      ...more,
    })
  const off = (f: Fed, why: string): void => {
    if (f.wanted === 'off') return
    f.wanted = 'off'
    tell('cut', f, { at: why })
    f.host.cut()
  }
  const on = (f: Fed): Promise<void> => {
    f.wanted = 'on'
    f.coming ??= comeUp(f).finally(() => {
      f.coming = undefined
    })
    return f.coming
  }
  const comeUp = async (f: Fed): Promise<void> => {
    tell('restored', f)
    f.told.coming()
    try {
      f.told.restored(await f.host.restore())
    } catch (e) {
      // Cut again while it was coming up.
      if (f.wanted === 'on') throw e
    }
    if (f.wanted === 'off') f.host.cut()
  }
  const restore = async (f: Fed): Promise<void> => {
    clearTimeout(f.timer)
    f.supply = model.supplied
    // Whoever is still on the way up has yet to find out that its power went.
    while (f.coming !== undefined && f.wanted === 'off') await f.coming
    await on(f)
  }
  const cutNow = (f: Fed, why: string): void => {
    clearTimeout(f.timer)
    f.supply = { voltage: 0, output: 'off' }
    off(f, why)
  }
  const atPoint = (f: Fed, c: CutOptions): Promise<boolean> => {
    const { at: point } = c
    if (point === undefined) {
      cutNow(f, 'a time')
      return Promise.resolve(true)
    }
    const reached = Promise.withResolvers<boolean>()
    let forget: () => void = () => undefined
    const late = setTimeout(
      () => {
        forget()
        o.emit('note', {
          what: `the point was not reached at which the power of ${f.host.name} was to be cut`,
          point: shown(point),
        })
        reached.resolve(false)
      },
      duration(c.within ?? usualPatience),
    )
    const hit = (): void => {
      clearTimeout(late)
      forget()
      cutNow(f, shown(point))
      reached.resolve(true)
    }
    forget = 'doing' in point ? atDoing(f, point, hit) : atEvent(point, hit)
    return reached.promise
  }
  const atEvent = (point: Series & { readonly nth?: number }, hit: () => void): (() => void) => {
    const fits = matcher(point)
    let n = 0
    const look = (e: Event): void => {
      if (fits(e) && ++n === (point.nth ?? 1)) hit()
    }
    watching.add(look)
    return () => watching.delete(look)
  }
  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      setTimeout(resolve, ms)
    })
  /** Where the supply is to be looked at again. */
  const arm = (f: Fed): void => {
    clearTimeout(f.timer)
    if (f.supply.due === undefined) return
    f.timer = setTimeout(
      () => {
        const before = f.supply.output
        f.supply = model.passed(f.supply, o.now())
        // A timer may come a moment early.
        if (f.supply.due !== undefined) arm(f)
        if (f.supply.output === 'off' && before === 'on') off(f, 'its supply is empty')
        else if (f.supply.output === 'on' && before === 'off')
          on(f).catch((e: unknown) => void o.emit('note', { what: `it did not come up: ${String(e)}` }))
      },
      Math.ceil(Math.max(0, f.supply.due - o.now())),
    )
  }
  const voltage = (f: Fed, v: number): void => {
    o.emit('host', {
      alias: 'mains.voltage',
      what: `the mains of ${f.host.name} are at ${Math.round(100 * v)} %`,
      host: f.host.name,
      voltage: v,
    })
    f.supply = model.voltageBecomes(f.supply, v, o.now())
    arm(f)
  }

  const self: PlayedMains = {
    faults: ['cut'],
    events: mainsEvents,
    can(what, name) {
      const { host, ownSupply } = at(name)
      if (what === 'dips') return !ownSupply
      return what === 'points' ? host.onDoing !== undefined : host.can.has(what)
    },
    async cut(c = {}) {
      const f = at(c.host)
      const gone = await atPoint(f, c)
      if (!gone || c.for === undefined) return gone
      await wait(duration(c.for))
      await restore(f)
      return true
    },
    restore: (name) => restore(at(name)),
    async dip({ for: lasts, to = 0, host }) {
      const f = at(host)
      if (f.ownSupply)
        throw new GridproofError(
          'not-capable',
          `the voltage at ${f.host.name} cannot dip: its power can only be cut and given back`,
        )
      voltage(f, to)
      await wait(duration(lasts))
      voltage(f, 1)
      while (f.supply.due !== undefined) await wait(Math.max(1, f.supply.due - o.now()))
      await f.coming
    },
    async follow(plan, name) {
      const f = at(name)
      const began = o.now()
      for (const outage of model.checkedPlan(plan)) {
        await wait(Math.max(0, began + outage.at - o.now()))
        cutNow(f, 'a time')
        await wait(outage.for)
        await restore(f)
      }
    },
    threeInFiveMinutes: () => model.threeInFiveMinutes(() => o.random()),
    momentsOfABoot: (n, lasts) => model.momentsOfABoot(n, duration(lasts), () => o.random()),
    inflict(name, params = null): Fault {
      if (name !== 'cut') throw new GridproofError('no-such', `the mains know no fault '${name}'`)
      const host = (params as { readonly host?: unknown } | null)?.host
      const f = at(typeof host === 'string' ? host : undefined)
      const id = `mains-${++faults}`
      o.emit('fault', { phase: 'on', id, name, params })
      cutNow(f, 'a time')
      let lifted = false
      return {
        id,
        params,
        lift() {
          if (lifted) return
          lifted = true
          o.emit('fault', { phase: 'lifted', id })
          restore(f).catch((e: unknown) => void o.emit('note', { what: `it did not come up: ${String(e)}` }))
        },
      }
    },
    feed(host, told, supply) {
      fed.push({ host, told, ownSupply: supply === 'its own', supply: model.supplied, wanted: 'on' })
    },
    see(e) {
      if (e.src === mainsEvents.src) return
      for (const w of watching) w(e)
    },
    async [Symbol.asyncDispose]() {
      watching.clear()
      for (const f of fed) {
        clearTimeout(f.timer)
        await f.coming?.catch(() => undefined)
      }
    },
  }
  return self
}

function atDoing(
  f: Fed,
  point: { readonly doing: Doing; readonly nth?: number; readonly when?: 'before' | 'after' },
  hit: () => void,
): () => void {
  if (f.host.onDoing === undefined)
    throw new GridproofError(
      'not-capable',
      `what ${f.host.name} does cannot be watched from inside: such a cut takes virtual time`,
    )
  const watch = f.host.onDoing(point.doing, { nth: point.nth ?? 1, when: point.when ?? 'before' }, hit)
  return () => watch[Symbol.dispose]()
}

function shown(point: NonNullable<CutOptions['at']>): string {
  const nth = point.nth === undefined || point.nth === 1 ? '' : `, number ${point.nth}`
  return 'doing' in point
    ? `${point.when ?? 'before'} ${point.doing}${nth}`
    : `${point.src} ${point.kind} ${point.select}${nth}`
}

/** Mains at which nothing happens, for a scenario that is tried on paper. */
export function idleMains(step: () => Promise<null>): Mains {
  return {
    faults: ['cut'],
    inflict: (_, params = null) => ({ id: 'rehearsal', params, lift: () => undefined }),
    events: mainsEvents,
    can: () => true,
    async cut() {
      await step()
      return true
    },
    restore: async () => void (await step()),
    dip: async () => void (await step()),
    follow: async () => void (await step()),
    threeInFiveMinutes: () => [0, 1, 2].map((n) => ({ at: n * 100_000, for: 10_000 })),
    momentsOfABoot: (n, lasts) => Array.from({ length: n }, (_, i) => ((i + 0.5) * duration(lasts)) / n),
  }
}
