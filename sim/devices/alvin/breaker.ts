/**
 * One single-phase recloser as a state machine: state, input and instant in; state and effects out. No clock, no timers,
 * no chance but what a seed gives. Every figure comes from the personality (ours).
 */
import type { Instant } from '../../../drivers/faces.ts'
import { noise } from '../noise.ts'
import type { AlvinPersonality } from './personality.ts'
import { results } from './state.ts'
import type {
  Breaker,
  Cause,
  Conditions,
  Effect,
  Input,
  Measured,
  Order,
  Result,
  Side,
  Step,
} from './state.ts'

/** Counters are registers of 16 bits, and wrap. */
const counterMask = 0xffff

/** One step. `seed` gives the length of each movement. Never throws. */
export function step(
  p: AlvinPersonality,
  seed: number,
  s: Breaker,
  input: Input,
  now: Instant,
  conditions: Conditions = {},
): Step {
  switch (input.is) {
    case 'token':
      return only({ ...s, token: { order: input.order, until: now + p.command.token_valid } })
    case 'command':
      return commanded(p, seed, s, input.order, now, conditions)
    case 'hand':
      return ordered(p, seed, s, input.order, 'local', now, conditions)
    case 'local':
      return input.on && s.cycle !== undefined
        ? lockedOut({ ...s, local: true }, 'local control during the dead time')
        : only({ ...s, local: input.on })
    case 'measured':
      return measured(p, seed, s, input.m, now)
    case 'due':
      return due(p, seed, s, now, conditions)
    case 'set': {
      const reclosing = { ...s.reclosing, ...input.reclosing }
      return !reclosing.enable && s.cycle !== undefined
        ? lockedOut({ ...s, reclosing }, 'reclosing was switched off during the dead time')
        : only({ ...s, reclosing })
    }
    case 'spurious-trip':
      return s.moving !== undefined || s.shown === 'open' ? only(s) : trip(p, seed, s, now, 'no fault')
    case 'reboot':
      return only({ ...s, token: undefined, result: results.idle, seq: 0 })
    case 'preset':
      break
  }
  const { opens = s.opens, closes = s.closes } = input
  return only({ ...s, opens: opens & counterMask, closes: closes & counterMask })
}

const only = (state: Breaker, ...effects: readonly Effect[]): Step => ({ state, effects })

const lockedOut = (s: Breaker, why: string, ...before: readonly Effect[]): Step =>
  only({ ...s, lockout: true, cycle: undefined, reclaim: undefined }, ...before, { is: 'lockout', why })

/** Begins a movement. */
function move(
  p: AlvinPersonality,
  seed: number,
  s: Breaker,
  to: Side,
  by: Cause,
  now: Instant,
  locks = false,
): Breaker {
  const [least, most] = to === 'open' ? p.mechanism.open : p.mechanism.close
  const until = now + Math.round(least + ((most - least) * (noise(seed, s.moves) + 1)) / 2)
  return {
    ...s,
    moving: { to, by, until, locks },
    moves: s.moves + 1,
    cycle: undefined,
    over: undefined,
    overFault: undefined,
  }
}

function commanded(
  p: AlvinPersonality,
  seed: number,
  s: Breaker,
  order: Order,
  now: Instant,
  conditions: Conditions,
): Step {
  const selected = s.token?.order === order && now <= s.token.until
  const taken: Breaker = { ...s, token: undefined, seq: (s.seq + 1) & counterMask }
  if (!selected)
    return only(
      { ...taken, result: results.refused },
      { is: 'refused', order, by: 'command', why: 'not selected' },
    )
  return ordered(p, seed, taken, order, 'command', now, conditions)
}

/** Why an order is refused; nothing: it is not. */
function refusal(
  s: Breaker,
  order: Order,
  by: 'command' | 'local',
  now: Instant,
  c: Conditions,
): string | undefined {
  if (by === 'command' && s.local) return 'local control'
  if (s.moving !== undefined) return 'it moves'
  if (order !== 'close') return undefined
  if (s.lockout) return 'lockout'
  if (s.cycle !== undefined) return 'reclose cycle running'
  if (s.shown === 'closed') return undefined
  if (now < s.chargedAt || c.noEnergy === true) return 'stored energy low'
  if (by === 'local') return undefined
  if (c.selfTest === true) return 'self-test fault'
  return s.blocked
}

/** An order by command or by hand: refused, without need, or begun. */
function ordered(
  p: AlvinPersonality,
  seed: number,
  before: Breaker,
  order: Order,
  by: 'command' | 'local',
  now: Instant,
  conditions: Conditions,
): Step {
  const told = (s: Breaker, result: Result): Breaker => (by === 'command' ? { ...s, result } : s)
  const why = refusal(before, order, by, now, conditions)
  if (why !== undefined) return only(told(before, results.refused), { is: 'refused', order, by, why })
  if (order === 'reset') {
    const done = told({ ...before, tripped: false, faultSeen: false, failed: false, shot: 0 }, results.done)
    return before.lockout
      ? only({ ...done, lockout: false }, { is: 'lockout-reset', by })
      : only(done, { is: 'nothing-to-do', order, by })
  }
  const to: Side = order === 'close' ? 'closed' : 'open'
  // Somebody wants it open, so that it is not to close by itself.
  const s = order === 'open' ? { ...before, cycle: undefined, reclaim: undefined, shot: 0 } : before
  if (s.shown === to) return only(told(s, results.done), { is: 'nothing-to-do', order, by })
  return only(told(move(p, seed, s, to, by, now), results.busy))
}

function measured(p: AlvinPersonality, seed: number, s: Breaker, m: Measured, now: Instant): Step {
  const { protection } = p
  const busDead = m.busVolts < protection.dead
  const cableDead = m.cableVolts < protection.dead
  const apart = Math.abs(m.busVolts - m.cableVolts) > protection.difference
  const seen: Breaker = {
    ...s,
    busDead,
    cableDead,
    blocked:
      s.shown === 'closed'
        ? undefined
        : busDead || cableDead
          ? 'dead'
          : apart
            ? 'voltage difference'
            : undefined,
    hot: m.switchCelsius > protection.hot,
  }
  // Locked out with current flowing: it has tried to open, and failed.
  const watches = s.contact === 'closed' && s.moving === undefined && !(s.lockout && s.failed)
  const since = (level: number, before: Instant | undefined): Instant | undefined =>
    watches && m.amps >= level ? (before ?? now) : undefined
  const over = since(protection.pickup, s.over)
  const overFault = since(protection.fault, s.overFault)
  const picked: Breaker = { ...seen, over, overFault }
  if (overFault !== undefined && now >= overFault + protection.detection)
    return trip(p, seed, picked, now, 'fault')
  if (over !== undefined && now >= over + protection.delay) return trip(p, seed, picked, now, 'overcurrent')
  return only(picked)
}

function trip(
  p: AlvinPersonality,
  seed: number,
  s: Breaker,
  now: Instant,
  why: 'overcurrent' | 'fault' | 'no fault',
): Step {
  const ontoFault =
    why !== 'no fault' &&
    (s.closedBy === 'command' || s.closedBy === 'local') &&
    now - s.closedAt <= p.protection.onto_fault
  const begun = move(p, seed, s, 'open', 'trip', now, ontoFault || why === 'no fault')
  return only(
    {
      ...begun,
      reclaim: undefined,
      tripped: s.tripped || why !== 'no fault',
      faultSeen: s.faultSeen || why === 'fault',
    },
    { is: 'tripped', why },
  )
}

/** Everything whose time has come, in order. */
function due(p: AlvinPersonality, seed: number, s: Breaker, now: Instant, conditions: Conditions): Step {
  if (s.moving !== undefined && now >= s.moving.until) return arrived(p, s, s.moving, now, conditions)
  if (s.cycle !== undefined && now >= s.cycle) {
    if (conditions.noEnergy === true) return lockedOut(s, 'no stored energy to reclose')
    if (now < s.chargedAt) return only({ ...s, cycle: s.chargedAt })
    return only(move(p, seed, s, 'closed', 'reclose', now))
  }
  if (s.reclaim !== undefined && now >= s.reclaim)
    return only({ ...s, reclaim: undefined, shot: 0, tripped: false, faultSeen: false }, { is: 'reclaimed' })
  return only(s)
}

/** A movement has ended. */
function arrived(
  p: AlvinPersonality,
  s: Breaker,
  m: NonNullable<Breaker['moving']>,
  now: Instant,
  conditions: Conditions,
): Step {
  const { to, by } = m
  const { stuck } = conditions
  const closing = to === 'closed'
  // A contact that stands there already has no way to go: it cannot be stuck on it.
  const moved = stuck === undefined && s.contact !== to
  const failed = stuck === 'failed'
  const shown = stuck === undefined || stuck === 'lying' ? to : s.shown
  const after: Breaker = {
    ...s,
    contact: stuck === undefined ? to : s.contact,
    shown,
    moving: undefined,
    failed,
    opens: failed || closing ? s.opens : (s.opens + 1) & counterMask,
    closes: failed || !closing ? s.closes : (s.closes + 1) & counterMask,
    chargedAt: closing ? now + p.mechanism.recharge : s.chargedAt,
    result: by === 'command' ? (failed ? results.failed : results.done) : s.result,
  }
  const effect: Effect = moved ? { is: 'operated', to, by } : { is: 'not-moved', to, by, shown }
  if (by === 'trip') return afterTrip(p, after, m.locks, moved, now, effect)
  if (!closing) return only(after, effect)
  const closed: Breaker = { ...after, closedAt: now, closedBy: by, blocked: undefined }
  if (by !== 'reclose')
    return only({ ...closed, shot: 0, tripped: false, faultSeen: false, reclaim: undefined }, effect)
  const shot = s.shot + 1
  return moved || shown === 'closed'
    ? only({ ...closed, shot, reclaim: now + s.reclosing.reclaim }, effect)
    : lockedOut({ ...closed, shot, failed: true }, 'it could not reclose', effect)
}

/** It has tripped: it will reclose, or stays open. */
function afterTrip(
  p: AlvinPersonality,
  s: Breaker,
  locks: boolean,
  moved: boolean,
  now: Instant,
  effect: Effect,
): Step {
  if (!moved) return lockedOut({ ...s, failed: true }, 'it could not open', effect)
  if (locks)
    return lockedOut(s, s.tripped ? 'it was closed onto a fault' : 'it tripped without a fault', effect)
  const { enable, shots, dead } = s.reclosing
  if (!enable || s.local) return lockedOut(s, enable ? 'local control' : 'reclosing is off', effect)
  if (s.shot >= shots)
    return lockedOut(s, shots === 0 ? 'no reclose is allowed' : 'the last reclose failed', effect)
  const wait = s.shot === 0 ? dead : (p.reclose.dead_times[s.shot] ?? dead)
  const at = now + wait
  return only({ ...s, cycle: at }, effect, { is: 'recloses', shot: s.shot + 1, at })
}
