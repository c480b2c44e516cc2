/** The connections of a link and their two lanes, and how either ends. */
import type { LinkWay } from '../../drivers/link-faces.ts'
import type { Conditions } from './conditions.ts'
import { countedFor, type Counters } from './counters.ts'
import { held, ways, type Flow, type Lane } from './state.ts'

export class Lanes {
  protected readonly c: Conditions
  protected readonly count: Counters
  protected readonly flows = new Map<number, Flow>()
  /** Lanes with anything on them. */
  protected readonly active = new Set<Lane>()
  /** Lanes with something that waits, in the order of their turn. */
  protected readonly turn: Record<LinkWay, Lane[]> = { up: [], down: [] }

  constructor(c: Conditions, count: Counters) {
    this.c = c
    this.count = count
  }

  get busy(): boolean {
    return this.active.size > 0
  }

  reset(flow: Flow): void {
    this.count.resets++
    for (const way of ways) {
      const lane = flow[way]
      if (!lane.over) {
        this.drain(lane)
        this.c.effect({ do: 'reset', flow: flow.id, way })
      }
    }
    this.end(flow, 'reset')
  }

  protected over(lane: Lane): void {
    this.drain(lane)
    lane.over = true
    lane.lostSince = undefined
    this.rest(lane)
  }

  protected end(flow: Flow, how: string): void {
    if (!this.flows.delete(flow.id)) return
    for (const way of ways) {
      this.over(flow[way])
      this.turn[way] = this.turn[way].filter((l) => l.flow !== flow)
      this.active.delete(flow[way])
    }
    this.c.tell('connection', {
      flow: flow.id,
      peer: flow.peer,
      phase: 'ended',
      how,
      'up [B]': flow.up.passed,
      'down [B]': flow.down.passed,
    })
  }

  /** Nothing is left to do for it. */
  protected rest(lane: Lane): void {
    if (lane.waiting.length === 0 && lane.air.length === 0 && lane.lostSince === undefined)
      this.active.delete(lane)
  }

  /** Everything on it is lost. */
  protected drain(lane: Lane): void {
    const n = held(lane)
    lane.waiting = []
    lane.air = []
    if (n > 0) this.lose(lane, n)
  }

  protected loseWaiting(lane: Lane): void {
    let n = 0
    for (const i of lane.waiting) n += i.n
    lane.waiting = []
    if (n > 0) this.lose(lane, n)
  }

  protected lose(lane: Lane, n: number): void {
    countedFor(this.count, lane.flow.peer, lane.way).lost += n
    this.c.effect({ do: 'lose', flow: lane.flow.id, way: lane.way, n })
  }

  protected unmap(flow: Flow, why: string): void {
    if (!flow.mapped) return
    flow.mapped = false
    this.c.tell('forgot', { flow: flow.id, peer: flow.peer, why })
  }

  /** Nobody on the way knows any connection of this moment any more. */
  forgetAll(why: string): void {
    for (const flow of this.flows.values()) this.unmap(flow, why)
  }

  /** RST to both ends of every connection. */
  resetAll(): void {
    for (const flow of this.flows.values()) this.reset(flow)
  }
}
