/**
 * Whether to mesh or to part (M:0044 to M:0046): a pure function of what is known. Each condition is looked at each
 * time and told by name, so that a record shows why.
 */
import type { LoadSenseConfig } from './config.ts'
import { halfHours, valueAt, type Breaker, type Situation, type Station } from './situation.ts'

export type Alarm = 'peer-lost' | 'breakers-silent' | 'fault' | 'discrepancy' | 'cannot-open'

export interface Decision {
  /** `mesh`: close this end's breakers. `part`: open them. `open-all`: they disagree, so open all and stay out of it. */
  readonly do: 'hold' | 'mesh' | 'part' | 'open-all'
  /** One word for the rule that decided. */
  readonly because:
    | 'needed-and-safe'
    | 'no-longer-needed'
    | 'fault'
    | 'meshing-makes-it-worse'
    | 'peer-lost'
    | 'discrepancy'
    | 'conditions'
  /** Every condition of what was considered; a mesh or an undisturbed parting needs all of them. */
  readonly conditions: Readonly<Record<string, boolean>>
  readonly alarms: readonly Alarm[]
  /** The automation is to be locked out from now on. */
  readonly lockOut: boolean
}

export function decide(s: Situation, c: LoadSenseConfig): Decision {
  const able = ability(s, c)
  const states = new Set(s.breakers?.map((b) => b.state))
  const disagree = c.fitted && (states.size > 1 || states.has('between'))
  if (disagree) {
    // What a person operates, or nobody can read, is not for us to correct; nor what feeds the shared feeder as a rule:
    // a phase that trips there may reclose by itself, and opening the other two would put everybody on it in the dark.
    const ours =
      able['ours-to-move'] === true &&
      able['breakers-answer'] === true &&
      able['isolation-off'] === true &&
      !anyOf(s, 'localControl')
    const act = ours && !s.lockedOut
    return {
      do: act ? 'open-all' : 'hold',
      because: 'discrepancy',
      conditions: able,
      alarms: ['discrepancy'],
      lockOut: act,
    }
  }
  const closed = (c.fitted ? s.breakers?.[0].state : s.commanded) === 'closed'
  return closed ? stayOrPart(s, c, able) : stayOrMesh(s, c, able)
}

type Conditions = Readonly<Record<string, boolean>>
const all = (conditions: Conditions): boolean => Object.values(conditions).every(Boolean)

/** What any command needs. */
function ability(s: Situation, c: LoadSenseConfig): Conditions {
  return {
    ...(c.fitted && {
      'breakers-answer': s.breakers?.every((b) => fresh(b.at, s.now, c.age.breakers)) ?? false,
      'remote-control': s.breakers !== undefined && !anyOf(s, 'localControl'),
    }),
    'isolation-off': !s.isolated,
    'automation-on': !s.lockedOut,
    'ours-to-move': c.normallyOpen,
  }
}

function stayOrMesh(s: Situation, c: LoadSenseConfig, able: Conditions): Decision {
  const { local, peer } = s
  const localNeeds = needs(local, s.now, c)
  const peerNeeds = peer !== undefined && needs(peer, s.now, c)
  const conditions = {
    ...able,
    needed: localNeeds || peerNeeds,
    'local-known': known(local, s.now, c),
    'peer-known': known(peer, s.now, c),
    'other-side-has-room':
      peer !== undefined &&
      (peerNeeds ? hasRoom(local, peer, s.now, c) : true) &&
      (localNeeds || !peerNeeds ? hasRoom(peer, local, s.now, c) : true),
    ...(c.fitted && {
      'peer-closed': s.peerClosed,
      'voltages-in-range': s.breakers?.every((b) => inRange(b.bus, c) && inRange(b.cable, c)) ?? false,
      'voltages-alike': s.breakers?.every((b) => Math.abs(b.bus - b.cable) <= c.voltage.apart) ?? false,
      'no-fault': s.breakers !== undefined && !anyOf(s, 'fault'),
      'no-lockout': s.breakers !== undefined && !anyOf(s, 'lockout'),
      ready: s.breakers !== undefined && !anyOf(s, 'unready'),
      'no-reclosing': s.breakers !== undefined && !anyOf(s, 'reclosing'),
    }),
    rested: rested(s, c.operations.rest),
    'not-too-often': s.operationsToday < c.operations.aDay,
  }
  const mesh = all(conditions)
  return {
    do: mesh ? 'mesh' : 'hold',
    because: mesh ? 'needed-and-safe' : 'conditions',
    conditions,
    alarms: [],
    lockOut: false,
  }
}

function stayOrPart(s: Situation, c: LoadSenseConfig, able: Conditions): Decision {
  const conditions = {
    ...able,
    'local-known': known(s.local, s.now, c),
    'peer-known': known(s.peer, s.now, c),
    'local-calm-alone': calmAlone(s.local, s.now, c),
    'peer-calm-alone': s.peer !== undefined && calmAlone(s.peer, s.now, c),
    dwelt: rested(s, c.part.dwell),
  }
  const may = all(able)
  const tell = (rule: Decision['because'], part: boolean, alarms: readonly Alarm[] = []): Decision => ({
    do: part && may ? 'part' : 'hold',
    because: rule,
    conditions,
    alarms: part && !may && c.normallyOpen ? [...alarms, 'cannot-open'] : alarms,
    lockOut: false,
  })
  if (anyOf(s, 'fault') || anyOf(s, 'lockout')) return tell('fault', true, ['fault'])
  if (c.fitted && able['breakers-answer'] !== true) return tell('conditions', false, ['breakers-silent'])
  const worse = [s.local, s.peer].some((x) => x !== undefined && madeWorse(x, s.now, c))
  if (worse) return tell('meshing-makes-it-worse', true)
  if (!fresh(s.peer?.at, s.now, c.age.data)) {
    const long = !fresh(s.peerHeard, s.now, c.peerLost)
    if (!long) return tell('peer-lost', false)
    const allows = conditions['local-known'] && conditions['local-calm-alone']
    return tell('peer-lost', allows, allows ? [] : ['peer-lost'])
  }
  return all(conditions) ? tell('no-longer-needed', true) : tell('conditions', false)
}

const anyOf = (s: Situation, bit: 'fault' | 'lockout' | 'reclosing' | 'localControl' | 'unready'): boolean =>
  s.breakers?.some((b: Breaker) => b[bit]) ?? false

/** Not older than `most` seconds; what is dated more than that ahead is not believed either. */
function fresh(at: number | undefined, now: number, most: number): boolean {
  return at !== undefined && Math.abs(now - at) <= most
}

const known = (x: Station | undefined, now: number, c: LoadSenseConfig): boolean =>
  x !== undefined && x.valid && fresh(x.at, now, c.age.data)

const inRange = (volts: number, c: LoadSenseConfig): boolean =>
  volts >= c.voltage.least && volts <= c.voltage.most

function rested(s: Situation, seconds: number): boolean {
  return s.lastOperation === undefined || s.now - s.lastOperation >= seconds
}

/** Too much for it in enough half-hours ahead, or now. */
function needs(x: Station, now: number, c: LoadSenseConfig): boolean {
  const over = halfHours(now, c.need.horizon).filter((t) => {
    const load = valueAt(x.forecast, t)
    const rating = valueAt(x.rating, t)
    return load !== undefined && rating !== undefined && load > rating
  })
  return over.length >= c.need.halfHours || x.hotSpotNow > c.need.hotSpot || tooMuchNow(x, now)
}

const tooMuchNow = (x: Station, now: number): boolean =>
  x.loadNow > (valueAt(x.rating, now) ?? Number.POSITIVE_INFINITY)

/** The side that helps can carry the other's feeder beside its own load for as long as is planned. Gaps are no room. */
function hasRoom(helper: Station, relieved: Station, now: number, c: LoadSenseConfig): boolean {
  return halfHours(now, c.room.dwell).every((t) => {
    const own = valueAt(helper.forecast, t)
    const comes = valueAt(relieved.feeder, t)
    const rating = valueAt(helper.rating, t)
    if (own === undefined || comes === undefined || rating === undefined) return false
    return own + c.room.transfer * comes <= c.room.ofRating * rating
  })
}

function calmAlone(x: Station, now: number, c: LoadSenseConfig): boolean {
  return halfHours(now, c.part.ahead).every((t) => {
    const load = valueAt(x.forecast, t)
    const rating = valueAt(x.rating, t)
    return load !== undefined && rating !== undefined && load <= c.part.ofRating * rating
  })
}

/** It carries too much now, and would carry less alone. Old data says nothing of now. */
function madeWorse(x: Station, now: number, c: LoadSenseConfig): boolean {
  const alone = valueAt(x.forecast, now)
  return known(x, now, c) && tooMuchNow(x, now) && alone !== undefined && alone < x.loadNow
}
