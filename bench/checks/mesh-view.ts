/** Makes what LoadSense must know of what passed the marketplace: the view on which the oracle decides. */
import type { Instant, Json } from '../../drivers/faces.ts'
import type { Event } from '../faces.ts'
import { contactOf, peerIsLost } from './mesh-rules.ts'
import type { Curve, MeshRules, Side, Told, Unit, View } from './mesh-rules.ts'
import { objectOf } from './scalar.ts'

const phases = ['l1', 'l2', 'l3'] as const
/** Movements so close together, in seconds, are one operation. */
const oneOperation = 10

interface Item {
  newest: boolean
  last: number
  good: Told<number | boolean | Curve> | undefined
}

export interface MeshView {
  /** True if it bears on the view. */
  see(e: Event): boolean
  at(t: number): View
  /** A sequence of commands begins. */
  commanded(close: boolean, t: number): void
  lockOut(): void
  /** Commands are under way: contacts that go where they should are no movement of their own. */
  done(): void
}

/** `sel`: how aliases begin at this platform (`''`, or `2` behind the app's name). */
export function meshView(r: MeshRules): MeshView {
  const items = new Map<string, Item>()
  const contacts: ('open' | 'closed' | 'unsure' | undefined)[] = [undefined, undefined, undefined]
  const readAt = [0, 0, 0]
  /** When a contact was on record after a command. */
  const recordedAt = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  let begun: number | undefined
  let heardPeer: number | undefined
  let differSince: number | undefined
  let lastOperation: number | undefined
  let day = ''
  let operations = 0
  let lockedOut = false
  let wanted: 'open' | 'closed' | undefined

  const dayOf = (t: number): string => new Date(t * 1000).toISOString().slice(0, 10)
  const operated = (t: number): void => {
    if (dayOf(t) !== day) operations = 0
    day = dayOf(t)
    operations++
    lastOperation = t
  }
  const moved = (t: number): void => {
    if (lastOperation !== undefined && t - lastOperation <= oneOperation) lastOperation = t
    else operated(t)
  }
  const contact = (i: number, is: 'open' | 'closed' | 'unsure', stamp: number, t: number): void => {
    if (stamp < (readAt[i] ?? 0)) return
    const before = contacts[i]
    readAt[i] = stamp
    contacts[i] = is
    if (before !== undefined && is !== 'unsure' && before !== is && is !== wanted) moved(t)
    const known = contacts.filter((c) => c !== undefined)
    if (known.length === 3 && new Set(known).size > 1) differSince ??= t
    else differSince = undefined
  }
  const good = (alias: string): Told<number | boolean | Curve> | undefined => items.get(alias)?.good
  const number = (alias: string): Told<number> | undefined => {
    const g = good(alias)
    return g !== undefined && typeof g.is === 'number' ? { at: g.at, is: g.is } : undefined
  }
  const curve = (alias: string): Told<Curve> | undefined => {
    const g = good(alias)
    return g !== undefined && typeof g.is === 'object' ? { at: g.at, is: g.is } : undefined
  }
  const side = (names: {
    readonly forecast: string
    readonly feeder: string
    readonly rating: string
    readonly hotSpot: string
    readonly current: (p: string) => string
  }): Side => {
    const all = [names.forecast, names.feeder, names.rating, names.hotSpot, ...phases.map(names.current)]
    return {
      forecast: curve(names.forecast),
      feeder: curve(names.feeder),
      rating: curve(names.rating),
      hotSpot: number(names.hotSpot),
      currents: phases.map((p) => number(names.current(p))),
      newest: all.every((a) => items.get(a)?.newest === true),
    }
  }
  const here = (): Side =>
    side({
      forecast: 'predictor.transformer.forecast',
      feeder: 'predictor.feeder.forecast',
      rating: 'dtr.transformer.rating.forecast',
      hotSpot: 'dtr.transformer.hot_spot',
      current: (p) => `gridkey.feeder1.${p}.current`,
    })
  const there = (): Side =>
    side({
      forecast: 'peer.partner.transformer.forecast',
      feeder: 'peer.partner.feeder.forecast',
      rating: 'peer.partner.rating.forecast',
      hotSpot: 'peer.partner.hot_spot',
      current: (p) => `peer.partner.current.${p}`,
    })
  /** Valid only: an invalid one is not known. */
  const newestNumber = (alias: string): Told<number> | undefined =>
    items.get(alias)?.newest === true ? number(alias) : undefined

  const unit = (p: string, i: number): Unit | undefined => {
    const is = contacts[i]
    if (is === undefined) return undefined
    return {
      word: number(`alvin.${p}.fault_status`) ?? { at: 0, is: 0 },
      contact: is,
      read: readAt[i] ?? 0,
      bus: newestNumber(`alvin.${p}.bus_voltage`),
      cable: newestNumber(`alvin.${p}.cable_voltage`),
    }
  }

  return {
    see(e) {
      if (e.src === 'operator') {
        const asked = objectOf(objectOf(e.data)?.['payload'])
        const config = objectOf(asked?.['ContainerConfig'])
        if (config?.['letIn'] === undefined) return false
        lockedOut = false
        return true
      }
      if (e.src !== 'marketplace' || e.kind !== 'seen') return false
      const data = objectOf(e.data)
      const alias = data?.['alias']
      const told = toldOf(data?.['payload'])
      if (typeof alias !== 'string' || !interesting.test(alias)) return false
      begun ??= e.at / 1000
      if (told === undefined) return false
      const { at, valid, is } = told
      const before = items.get(alias)
      if (before !== undefined && at < before.last && before.last <= e.at / 1000 + 1) return false
      items.set(alias, { newest: valid, last: at, good: valid ? { at, is } : before?.good })
      const breaker = /^(?:alvin\.(l[123])\.fault_status|meshing\.operation\.(l[123])\.after)$/.exec(alias)
      if (breaker !== null && valid) {
        const i = phases.findIndex((p) => p === (breaker[1] ?? breaker[2]))
        const found = typeof is === 'number' ? contactOf(is) : is === true ? 'closed' : 'open'
        const recorded = breaker[2] !== undefined
        if (recorded) recordedAt[i] = at
        const early = !recorded && at < (recordedAt[i] ?? 0) + r.lag
        const so = early ? (contacts[i] ?? found) : found
        if (found !== undefined && so !== undefined) contact(i, so, at, e.at / 1000)
      }
      return true
    },
    at(t) {
      const view: View = {
        here: here(),
        there: there(),
        alive: aliveOf(items.get('peer.alive')),
        heardPeer: heardPeer ?? begun ?? t,
        farWords: phases.map((p) => number(`peer.partner.breaker.${p}`)),
        units: phases.map(unit),
        differSince,
        isolated: isolatedAt(items.get('isolation.engaged'), t, r),
        lastOperation,
        operationsToday: dayOf(t) === day ? operations : 0,
        lockedOut,
      }
      const stamps = [view.there.hotSpot, ...view.there.currents].map((x) => x?.at)
      if (!peerIsLost(view, t, r)) heardPeer = Math.min(...stamps.map((s) => s ?? 0))
      return { ...view, heardPeer: heardPeer ?? begun ?? t }
    },
    commanded(close, t) {
      operated(t)
      wanted = close ? 'closed' : 'open'
    },
    done: () => (wanted = undefined),
    lockOut: () => (lockedOut = true),
  }
}

const interesting =
  /^(?:predictor|dtr|peer|isolation|alvin)\.|^gridkey\.feeder1\.|^meshing\.operation\.l[123]\.after$/

function aliveOf(item: Item | undefined): Told<boolean> | undefined {
  if (item?.good === undefined || !item.newest) return undefined
  return { at: item.good.at, is: item.good.is === true }
}

/** A switch of which nothing is known counts as engaged. */
function isolatedAt(item: Item | undefined, t: number, r: MeshRules): boolean {
  const off = item?.newest === true && item.good?.is === false
  return !off || Math.abs(t - item.last) > r.age.measured
}

/** A Scalar or a Series of the LV-CAP API (9.1, 9.2); undefined: neither, and to be left aside. Stamps in Unix seconds. */
function toldOf(
  payload: Json | undefined,
): { readonly at: Instant; readonly valid: boolean; readonly is: number | boolean | Curve } | undefined {
  const o = objectOf(payload)
  const at = o?.['Timestamp']
  const valid = o?.['Valid']
  const value = o?.['Value']
  if (o === undefined || typeof at !== 'number' || !Number.isInteger(at) || typeof valid !== 'boolean')
    return undefined
  if (!valid) return { at, valid, is: 0 }
  if (typeof value === 'number' || typeof value === 'boolean') return { at, valid, is: value }
  const [start, step] = [o['StartPoint'], o['Interval']]
  if (!Array.isArray(value) || typeof start !== 'number' || typeof step !== 'number' || step <= 0)
    return undefined
  const amps = (value as readonly Json[]).filter((v) => typeof v === 'number')
  return amps.length === value.length && amps.length > 0
    ? { at, valid, is: { start, step, amps } }
    : undefined
}
