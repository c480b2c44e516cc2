/** Faces of wide-area links, between their models (sim/link) and what carries them out. Types only: nothing here runs. */
import type { Instant, Json } from './faces.ts'

/** `up`: from the host behind the link to its peers; `down`: back. */
export type LinkWay = 'up' | 'down'

/** What happens at the ends of a link. A flow is one connection through it, under a number of the executor's own. */
export type LinkInput =
  /** Somebody asks for a connection: the host (its peer is named), or a peer from outside. */
  | { readonly is: 'connect'; readonly flow: number; readonly peer: string; readonly by: 'host' | 'peer' }
  /** The other side has taken it, or (`refused`) does not want it. */
  | { readonly is: 'accepted' | 'refused'; readonly flow: number }
  | { readonly is: 'bytes'; readonly flow: number; readonly way: LinkWay; readonly n: number }
  /** FIN behind all that was sent; RST; its sender has lost power, and what has not left is gone. */
  | { readonly is: 'end' | 'reset' | 'gone'; readonly flow: number; readonly way: LinkWay }
  /** Nobody has this connection any more. */
  | { readonly is: 'forget'; readonly flow: number }
  | { readonly is: 'time' }
  /** What whoever plays the link wants of it; read by the model alone. Throws `bad-value` or `no-such`. */
  | { readonly is: 'order'; readonly order: Json }

/** What is to be done now. */
export type LinkEffect =
  /** The request for a connection has arrived; `to`: at somebody else than was asked for (`address:port`). */
  | { readonly do: 'asked'; readonly flow: number; readonly to?: string }
  /** Whoever asked hears that the connection stands, or is refused. */
  | { readonly do: 'stands' | 'refused'; readonly flow: number }
  /** The next `n` bytes of this way arrive; the last `n` that it holds never will (`lose`). */
  | { readonly do: 'pass' | 'lose'; readonly flow: number; readonly way: LinkWay; readonly n: number }
  /** FIN or RST arrives at the end of this way; at its begin, nobody has acknowledged for too long (ETIMEDOUT). */
  | { readonly do: 'end' | 'reset' | 'give-up'; readonly flow: number; readonly way: LinkWay }
  /** Nothing passes this way any more, or it does again. */
  | { readonly do: 'dark'; readonly way: LinkWay; readonly dark: boolean }
  /** Worth keeping as evidence. */
  | { readonly do: 'tell'; readonly what: Readonly<Record<string, Json>> }

/**
 * A wide-area link as a pure model: it holds lengths and times, its executor the bytes and the timer. Nothing of it reads
 * a clock; the same seed and inputs give the same effects.
 */
export interface LinkModel {
  /** Takes one input at `now` (ms since 1970, never less than before), and says what is to be done, in order. */
  step(input: LinkInput, now: Instant): readonly LinkEffect[]
  /** When it must be told the time again; Infinity: never. */
  readonly wake: Instant
  /** Something of a connection is under way; else it wakes only for what it does of its own, such as the next drop. */
  readonly busy: boolean
}

/** A link in place between a host and peers. */
export interface LinkPort extends AsyncDisposable {
  /**
   * Puts a peer behind the link, and tells where the host finds it: in virtual time at its own address, in real time at a
   * proxy's.
   */
  reach(peer: { name: string; address: string; port: number }): Promise<{ address: string; port: number }>
  /**
   * Lets peers reach a service of the host from outside, under a name for them, and tells where: in virtual time at its own
   * address.
   */
  admit(service: { name: string; address: string; port: number }): Promise<{ address: string; port: number }>
  /** Another host of the site, at this address, reaches the peers by this link too. */
  share(address: string): void
  /** Hands an order to the model. */
  order(o: Json): void
  /** What else carries out its faults here: the machine's packet filter, or why it cannot. */
  readonly packets: { readonly by: 'iptables' } | { readonly by: 'none'; readonly why: string }
}
