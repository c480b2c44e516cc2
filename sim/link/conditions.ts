/** What connections through a link are told of it. */
import type { Json } from '../../drivers/faces.ts'
import type { LinkEffect, LinkWay } from '../../drivers/link-faces.ts'
import type { LinkSettings } from './profile.ts'
import type { Meters } from './quota.ts'
import type { Radio } from './radio.ts'
import type { Flow } from './state.ts'

/** A link as it is at this moment. */
export interface Conditions {
  settings(): LinkSettings
  radio(): Radio
  meters(): Meters
  /** Nothing arrives before this. */
  spikeEnds(): number
  dark(way: LinkWay): boolean
  stalled(way: LinkWay): boolean
  /** FIN and RST of that way vanish. */
  swallowsEnd(way: LinkWay): boolean
  refuses(peer: string): boolean
  redirect(peer: string): string | undefined
  slice(): { readonly bytes: number; readonly gap: number } | undefined
  kbit(way: LinkWay): number | undefined
  /** The quota is full: nothing passes any more. */
  full(t: number): void
  /** So many bytes are about to arrive; how many may before a fault acts, and what it then does. */
  arriving(way: LinkWay, peer: string, n: number): { readonly n: number; act(flow: Flow): void } | undefined
  effect(e: LinkEffect): void
  tell(what: string, data: Readonly<Record<string, Json>>): void
}
