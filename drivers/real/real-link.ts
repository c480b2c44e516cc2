/** A wide-area link in real time: proxies, and below them the packet filter where this machine has one for us. */
import type { Instant, Json } from '../faces.ts'
import type { LinkModel, LinkPort, LinkWay } from '../link-faces.ts'
import { addRule, lacksFirewall, newMark, removeRule, type Rule } from './firewall.ts'
import type { Ledger } from './ledger.ts'
import { createProxy } from './proxy.ts'

export interface RealLinkOptions {
  readonly name: string
  /** Where the proxies listen. */
  readonly address: string
  readonly model: LinkModel
  readonly ledger: Pick<Ledger, 'rule' | 'forget'>
  readonly now: () => Instant
  onTell(what: Readonly<Record<string, Json>>): void
}

/** Loss that is inflicted as a fault, as far as the packet filter knows it: a share of all packets. */
function shareOf(order: Json): { id: string; share: number } | undefined {
  if (typeof order !== 'object' || order === null || Array.isArray(order)) return undefined
  const { do: what, id, fault, params } = order as { [k: string]: Json }
  if (what !== 'inflict' || fault !== 'loss' || typeof id !== 'string') return undefined
  const p = (params ?? {}) as { [k: string]: Json }
  // What changes its state, or ends by itself, is the model's.
  if (p['worsens'] !== undefined || p['for'] !== undefined) return undefined
  const share = p['good']
  return typeof share === 'number' && share > 0 && share <= 1 ? { id, share } : undefined
}

/**
 * Makes it. With a packet filter, what goes dark is dropped as packets too, so that a SYN is not answered and the machine's
 * own TCP sends again; and the fault `loss` with a share alone loses real packets.
 */
export async function createRealLink(o: RealLinkOptions): Promise<LinkPort> {
  const lacks = await lacksFirewall()
  const places: { address: string; port: number }[] = []
  /** Rules in force, by what they are for. */
  const set = new Map<string, Rule[]>()
  let turn: Promise<void> = Promise.resolve()
  let closed = false

  const later = (f: () => Promise<void>): void => {
    turn = turn.then(f, f).catch((e: unknown) => {
      o.onTell({ alias: 'link.packets', trouble: e instanceof Error ? e.message : String(e) })
    })
  }
  const add = (key: string, rules: readonly Omit<Rule, 'mark'>[]): void =>
    later(async () => {
      if (closed || set.has(key)) return
      const made: Rule[] = []
      set.set(key, made)
      for (const r of rules) {
        const rule = { ...r, mark: newMark() }
        o.ledger.rule(rule)
        await addRule(rule)
        made.push(rule)
      }
    })
  const remove = (key: string): void =>
    later(async () => {
      for (const rule of set.get(key) ?? []) {
        removeRule(rule)
        o.ledger.forget(rule.mark)
      }
      set.delete(key)
    })
  /** Seen from the proxy: what the host sends goes to it, what the host gets comes from it. */
  const which = (way: LinkWay): 'to' | 'from' => (way === 'up' ? 'to' : 'from')

  const proxy = createProxy({
    name: o.name,
    model: o.model,
    now: o.now,
    onTell: (what) => o.onTell(what),
    onDark(way, dark) {
      if (lacks !== undefined) return
      if (dark)
        add(
          `dark ${way}`,
          places.map((p) => ({ ...p, which: which(way) })),
        )
      else remove(`dark ${way}`)
    },
  })

  const port: LinkPort = {
    packets: lacks === undefined ? { by: 'iptables' } : { by: 'none', why: lacks },
    async reach(peer) {
      const at = await proxy.open({ peer: peer.name, listen: { address: o.address, port: 0 }, to: peer })
      places.push(at)
      return at
    },
    async admit(service) {
      return await proxy.open({
        peer: service.name,
        listen: { address: o.address, port: 0 },
        to: service,
        by: 'peer',
      })
    },
    // Whoever asks a proxy goes through the link.
    share: () => undefined,
    order(order) {
      const loss = lacks === undefined ? shareOf(order) : undefined
      if (loss !== undefined) {
        add(
          loss.id,
          places.flatMap((p) => [
            { ...p, which: 'to' as const, share: loss.share },
            { ...p, which: 'from' as const, share: loss.share },
          ]),
        )
        return
      }
      const { do: what, id } = order as { [k: string]: Json }
      if (what === 'lift' && typeof id === 'string') remove(id)
      proxy.order(order)
    },
    async [Symbol.asyncDispose]() {
      for (const key of set.keys()) remove(key)
      await turn
      closed = true
      await proxy[Symbol.asyncDispose]()
      await turn
    },
  }
  return port
}
