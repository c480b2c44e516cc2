/**
 * What is seen of updates and of the apps that they are about: offers, versions that are started, configurations that they
 * are given, their pulses, and what the platform says. What the checks of updates judge by.
 */
import type { Instant, Json } from '../../drivers/faces.ts'
import { matcher } from '../evidence/series.ts'
import type { Event, Series, UpdateFate } from '../faces.ts'
import { killed } from '../platforms/machine.ts'
import { isCut, isRestored } from './power.ts'
import { objectOf, textOf } from './scalar.ts'

/** `sent`, alias `<src>.offered`, where what is offered is an update. */
interface UpdateOffered {
  readonly id: string
  readonly sha256: string
  readonly update: {
    readonly fate: UpdateFate
    readonly apps: readonly {
      readonly iid: string
      readonly apid: string | null
      readonly config: Json
      readonly was: Was
    }[]
    readonly remove: readonly { readonly iid: string; readonly was: Was }[]
  }
}

/** As the rig installs it. */
interface Was {
  readonly apid: string
  readonly config: Json
}

export interface UpdateSeries {
  readonly offers: Series
  /** What the platform says has become of them. */
  readonly installed: Series
}

/** A version and the configuration that it was given. */
export interface Release {
  readonly apid: string
  /** Canonical text. */
  readonly config: string
  readonly pulse: number | undefined
}

/** What is seen of one app. */
export interface Seen {
  run: Json
  up: boolean
  apid: string
  configured: boolean
  release: Release | undefined
  /** Since when the next pulse is due. */
  from: Instant
  /** Its pulse since its last configuration was as that has it; it came at all since its start. */
  beats: boolean
  pulsed: boolean
}

export interface Change {
  readonly iid: string
  /** Undefined: not installed. */
  readonly before: Release | undefined
  readonly after: Release | undefined
}

export interface Offer {
  readonly id: string
  readonly sha256: string
  readonly fate: UpdateFate
  readonly at: Instant
  readonly seq: number
  readonly changes: readonly Change[]
  /** From when the bound counts: its offer, or the last return of power. */
  clock: Instant
  /** When it was first in effect; of one that must not come to that, when all was as before again. */
  done: Instant | undefined
  overdue: boolean
  told: boolean
}

/** All that both checks follow. */
export function follow(s: UpdateSeries) {
  const isOffer = matcher(s.offers)
  const isTold = matcher(s.installed)
  const apps = new Map<string, Seen>()
  const wanted = new Map<string, Release | undefined>()
  const offers: Offer[] = []
  let powered = true

  const see = (e: Event): Step => {
    if (endsAll(e)) {
      if (isCut(e)) powered = false
      for (const a of apps.values()) a.up = a.configured = a.beats = a.pulsed = false
      return nothing
    }
    if (isRestored(e)) {
      powered = true
      for (const o of offers) if (o.done === undefined) o.clock = e.at
      return nothing
    }
    if (isOffer(e)) {
      const d = e.data as unknown as UpdateOffered
      if (d.update !== undefined) offers.push(offerOf(d, e))
      return nothing
    }
    if (isTold(e)) {
      const body = objectOf(objectOf(e.data)?.['body'] ?? null)
      const o = offers.find((x) => x.sha256 === body?.['sha256'])
      const state = textOf(body?.['state'])
      if (o === undefined || (state !== 'applied' && state !== 'returned' && state !== 'refused'))
        return nothing
      return { what: 'told', offer: o, state }
    }
    if (e.src === 'scripted' && e.kind === 'seen') return app(e)
    if (e.src === 'marketplace' && e.kind === 'seen') pulse(e)
    return nothing
  }

  const offerOf = (d: UpdateOffered, e: Event): Offer => {
    const known = (iid: string, was: Was): Release | undefined =>
      wanted.has(iid) ? wanted.get(iid) : (apps.get(iid)?.release ?? releaseOf(was.apid, was.config))
    const changed = d.update.apps.map(({ iid, apid, config, was }): Change => {
      const before = known(iid, was)
      const settings = config === null ? before : releaseOf('', config)
      const version = apid ?? before?.apid
      // Neither before nor after is it there in full.
      const after =
        settings === undefined || version === undefined ? undefined : { ...settings, apid: version }
      return { iid, before, after }
    })
    const removed = d.update.remove.map(({ iid, was }): Change => ({
      iid,
      before: known(iid, was),
      after: undefined,
    }))
    const changes = [...changed, ...removed]
    // Those that were started before anybody looked run as they were installed.
    for (const { iid, before } of changes)
      if (before !== undefined && !apps.has(iid))
        apps.set(iid, { ...running(null, before.apid, Number.NaN), configured: true, release: before })
    for (const c of changes) wanted.set(c.iid, d.update.fate === 'applied' ? c.after : c.before)
    return {
      id: d.id,
      sha256: d.sha256,
      fate: d.update.fate,
      at: e.at,
      seq: e.seq,
      changes,
      clock: e.at,
      done: undefined,
      overdue: false,
      told: false,
    }
  }

  const app = (e: Event): Step => {
    const d = objectOf(e.data)
    const [iid, event] = [textOf(d?.['iid']), textOf(d?.['alias']).split('.').at(-1)]
    const p = objectOf(d?.['payload'] ?? null)
    const run = p?.['run'] ?? null
    const a = apps.get(iid)
    if (event === 'started') {
      const apid = textOf(p?.['apid'])
      apps.set(iid, { ...running(run, apid, e.at), release: a?.release })
      return { what: 'started', iid, apid }
    }
    // The word of one that has gone may come late.
    if (a === undefined || (a.run !== null && a.run !== run)) return nothing
    if (event === 'stopped' || event === 'ended' || event === 'lost')
      a.up = a.configured = a.beats = a.pulsed = false
    if (event !== 'configured' || !a.up) return nothing
    const config = innerOf(p?.['config'] ?? null)
    if (config === null) return nothing
    const text = canonical(config)
    const known = a.configured && a.release?.config === text
    a.release = releaseOf(a.apid, config)
    a.configured = true
    if (!known) {
      a.from = e.at
      a.beats = a.release.pulse === undefined
    }
    return { what: 'configured', iid, release: a.release }
  }

  const pulse = (e: Event): void => {
    const alias = textOf(objectOf(e.data)?.['alias'])
    if (!alias.startsWith('pulse.')) return
    const a = apps.get(alias.slice('pulse.'.length))
    if (a?.up !== true) return
    a.pulsed = true
    const every = a.release?.pulse
    if (a.configured && every !== undefined)
      a.beats = Math.abs(e.at - a.from - every * 1_000) <= Math.max(1_000, every * 100)
    a.from = e.at
  }

  return { see, apps, wanted, offers, powered: () => powered }
}

function running(run: Json, apid: string, from: Instant): Seen {
  return { run, up: true, apid, configured: false, release: undefined, from, beats: false, pulsed: false }
}

/** Power goes, or every process is ended at once. */
export function endsAll(e: Event): boolean {
  return isCut(e) || (e.kind === 'host' && objectOf(e.data)?.['what'] === killed)
}

export type Step =
  | { readonly what: 'nothing' }
  | { readonly what: 'started'; readonly iid: string; readonly apid: string }
  | { readonly what: 'configured'; readonly iid: string; readonly release: Release }
  | { readonly what: 'told'; readonly offer: Offer; readonly state: UpdateFate }

const nothing: Step = { what: 'nothing' }
/** By what it is seen that an update is in effect. */
export type Looks = 'versions' | 'settings' | 'both'

/** What has changed shows in what it does. */
export function isAs(a: Seen | undefined, r: Release | undefined, looks: Looks, fate: UpdateFate): boolean {
  if (r === undefined) return a?.up !== true
  if (a?.up !== true || !a.configured) return false
  const shows = fate !== 'applied' || (looks === 'versions' ? a.pulsed : a.beats)
  return shows && a.release !== undefined && isRelease(a.release, r, looks)
}
export function isRelease(a: Release, b: Release | undefined, looks: Looks): boolean {
  if (b === undefined) return false
  return (looks === 'settings' || a.apid === b.apid) && (looks === 'versions' || a.config === b.config)
}
export function nameOf(r: Release | undefined): string {
  return r === undefined ? 'not installed' : `${r.apid} with ${r.config}`
}
/** The ContainerConfig: the object itself, or the one in the whole file (LV-CAP API table 5 against 9.5). */
function innerOf(config: Json): Json {
  const c = objectOf(config)
  const inner = c?.['ContainerConfig']
  return typeof c?.['ContainerName'] === 'string' && inner !== undefined ? inner : config
}

function releaseOf(apid: string, config: Json): Release {
  return { apid, config: canonical(config), pulse: pulseOf(config) }
}

function pulseOf(config: Json): number | undefined {
  const p = objectOf(config)?.['pulse']
  return typeof p === 'number' ? p : undefined
}

/** The same for equal values, whatever the order of keys. */
function canonical(v: Json): string {
  return JSON.stringify(v, (_, x: unknown) => {
    const o = objectOf((x ?? null) as Json)
    return o === undefined || o === null
      ? x
      : Object.fromEntries(Object.entries(o).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
