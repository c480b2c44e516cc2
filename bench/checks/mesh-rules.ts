/**
 * What LoadSense should decide: an oracle of the bench's own, written from the rules as they are published for the bench
 * (docs/meshing.md), not from any app. The specification leaves them open (I:0097), so all figures are ours; the voltage
 * limits are 230 V +10 % and -6 % (SI 1994/3021). Seconds, amps per phase, volts.
 */

export interface MeshRules {
  /** Relief is needed: the load above the rating in so many half-hours of so long, or the hot spot above this now. */
  readonly need: { readonly within: number; readonly halfHours: number; readonly hotSpot: number }
  /** Oldest data: measured; forecasts; of the breakers; of the peer's being there. */
  readonly age: {
    readonly measured: number
    readonly forecast: number
    readonly breakers: number
    readonly alive: number
  }
  /** The helping side stays within this share of its rating with the other's feeder on it, for so long. */
  readonly room: { readonly share: number; readonly planned: number }
  readonly volts: { readonly least: number; readonly most: number; readonly apart: number }
  readonly rest: number
  readonly aDay: number
  /** Both sides alone within this share for so long, and so long after the last operation. */
  readonly part: { readonly share: number; readonly ahead: number; readonly dwell: number }
  readonly peerLost: number
  /** How long the phases may differ before it is a discrepancy. */
  readonly differ: number
  /** From the last command of three until all must be read back. */
  readonly readBack: number
  /** So long a status does not gainsay what is on record after a command: it may be older than its stamp. */
  readonly lag: number
}

export const meshRules: MeshRules = {
  need: { within: 14_400, halfHours: 2, hotSpot: 120 },
  age: { measured: 120, forecast: 3_900, breakers: 90, alive: 30 },
  room: { share: 0.9, planned: 14_400 },
  volts: { least: 216.2, most: 253, apart: 5 },
  rest: 1_800,
  aDay: 8,
  part: { share: 0.85, ahead: 7_200, dwell: 1_800 },
  peerLost: 900,
  differ: 1,
  readBack: 5,
  lag: 6,
}

/** A value with the second at which it was published. */
export interface Told<T> {
  readonly at: number
  readonly is: T
}

export interface Curve {
  readonly start: number
  readonly step: number
  readonly amps: readonly number[]
}

/** One side, as told last; `newest`: the last message was valid. What was never told is missing. */
export interface Side {
  readonly forecast?: Told<Curve> | undefined
  readonly feeder?: Told<Curve> | undefined
  readonly rating?: Told<Curve> | undefined
  readonly hotSpot?: Told<number> | undefined
  readonly currents: readonly (Told<number> | undefined)[]
  readonly newest: boolean
}

export interface Unit {
  /** The status word and when it was read. */
  readonly word: Told<number>
  /** Where its contact is known to be: by the word, or by what is on record after a command. */
  readonly contact: 'open' | 'closed' | 'unsure'
  readonly read: number
  readonly bus?: Told<number> | undefined
  readonly cable?: Told<number> | undefined
}

export interface View {
  readonly here: Side
  readonly there: Side
  readonly alive?: Told<boolean> | undefined
  /** When anything of the peer's measurements was last current, or the watch began. */
  readonly heardPeer: number
  readonly farWords: readonly (Told<number> | undefined)[]
  readonly units: readonly (Unit | undefined)[]
  /** Since when the contacts differ. */
  readonly differSince?: number | undefined
  readonly isolated: boolean
  readonly lastOperation?: number | undefined
  readonly operationsToday: number
  readonly lockedOut: boolean
}

/** What should be commanded now: close all, open all, or nothing; and everything that speaks against closing. */
export interface Expected {
  readonly wish: 'close' | 'open' | 'nothing'
  /** The automation must be out from now on. */
  readonly lockOut: boolean
  readonly against: readonly string[]
}

// Bits of MHR_SHADOW_FAULT_STATUS, of our stand-in.
const bit = (word: number, n: number): boolean => Math.floor(word / 2 ** n) % 2 === 1
const faultBits = [4, 5, 6, 11, 12]
const unreadyBits = [7, 13]
const lockoutBit = 2
const reclosingBit = 3
const localBit = 8

const current = (x: Told<unknown> | undefined, t: number, most: number): boolean =>
  x !== undefined && Math.abs(t - x.at) <= most

const ampsAt = (c: Told<Curve> | undefined, t: number): number | undefined =>
  c === undefined ? undefined : c.is.amps[Math.floor((t - c.is.start) / c.is.step)]

/** The half-hours that touch the next `span` seconds, each by a moment in it. */
function moments(t: number, span: number): readonly number[] {
  const list = [t]
  for (let h = (Math.floor(t / 1800) + 1) * 1800; h < t + span; h += 1800) list.push(h)
  return list
}

export function rootMeanSquare(s: Side): number {
  const amps = s.currents.map((c) => c?.is ?? Number.NaN)
  return Math.sqrt(amps.reduce((sum, a) => sum + a ** 2, 0) / amps.length)
}

export function sideKnown(s: Side, t: number, r: MeshRules): boolean {
  const measured = [s.hotSpot, ...s.currents].every((x) => current(x, t, r.age.measured))
  return s.newest && measured && [s.forecast, s.feeder, s.rating].every((x) => current(x, t, r.age.forecast))
}

/** Something of what is measured there is too old, dated too far ahead, or was never told. */
export const peerIsLost = (v: View, t: number, r: MeshRules): boolean =>
  ![v.there.hotSpot, ...v.there.currents].every((x) => current(x, t, r.age.measured))

function overloaded(s: Side, t: number): boolean {
  const rating = ampsAt(s.rating, t)
  return rating !== undefined && rootMeanSquare(s) > rating
}

function needsHelp(s: Side, t: number, r: MeshRules): boolean {
  const over = moments(t, r.need.within).filter((m) => {
    const [load, rating] = [ampsAt(s.forecast, m), ampsAt(s.rating, m)]
    return load !== undefined && rating !== undefined && load > rating
  })
  return over.length >= r.need.halfHours || (s.hotSpot?.is ?? 0) > r.need.hotSpot || overloaded(s, t)
}

function hasRoomFor(helper: Side, other: Side, t: number, r: MeshRules): boolean {
  return moments(t, r.room.planned).every((m) => {
    const [own, comes, rating] = [
      ampsAt(helper.forecast, m),
      ampsAt(other.feeder, m),
      ampsAt(helper.rating, m),
    ]
    if (own === undefined || comes === undefined || rating === undefined) return false
    return own + comes <= r.room.share * rating
  })
}

function calm(s: Side, t: number, r: MeshRules): boolean {
  return moments(t, r.part.ahead).every((m) => {
    const [load, rating] = [ampsAt(s.forecast, m), ampsAt(s.rating, m)]
    return load !== undefined && rating !== undefined && load <= r.part.share * rating
  })
}

/** It carries too much, and by itself would carry less. */
function worseTogether(s: Side, t: number): boolean {
  const alone = ampsAt(s.forecast, t)
  return overloaded(s, t) && alone !== undefined && alone < rootMeanSquare(s)
}

/** `t` in Unix seconds. */
export function expectedOf(v: View, t: number, r: MeshRules): Expected {
  const units = v.units.filter((u) => u !== undefined)
  const any = (n: number): boolean => units.some((u) => bit(u.word.is, n))
  const silent = units.length < 3 || units.some((u) => Math.abs(t - u.read) > r.age.breakers)
  const hands = any(localBit)
  const blocked: string[] = []
  if (silent) blocked.push('the breakers do not answer')
  if (hands) blocked.push('a person has a breaker in hand')
  if (v.isolated) blocked.push('the isolation switch is engaged')
  if (v.lockedOut) blocked.push('the automation is locked out')
  const free = blocked.length === 0
  const nothing = (against: readonly string[]): Expected => ({ wish: 'nothing', lockOut: false, against })
  const open = (when: boolean, lockOut = false): Expected =>
    when && free ? { wish: 'open', lockOut, against: [] } : nothing(blocked)

  const contacts = new Set(units.map((u) => u.contact))
  if (contacts.size > 1 || contacts.has('unsure')) {
    const long = contacts.has('unsure') || (v.differSince !== undefined && t - v.differSince > r.differ)
    return open(long, true)
  }
  const rested = (seconds: number): boolean => v.lastOperation === undefined || t - v.lastOperation >= seconds
  if (contacts.has('closed')) {
    if (faultBits.some(any) || any(lockoutBit)) return open(true)
    if (silent) return nothing(blocked)
    if (sideKnown(v.here, t, r) && worseTogether(v.here, t)) return open(true)
    if (peerKnown(v, t, r) && worseTogether(v.there, t)) return open(true)
    if (peerIsLost(v, t, r))
      return open(t - v.heardPeer > r.peerLost && sideKnown(v.here, t, r) && calm(v.here, t, r))
    const known = sideKnown(v.here, t, r) && peerKnown(v, t, r)
    return open(known && calm(v.here, t, r) && calm(v.there, t, r) && rested(r.part.dwell))
  }
  const against = [...blocked, ...againstClosing(v, units, t, r)]
  if (!rested(r.rest)) against.push('too soon after the last operation')
  if (v.operationsToday >= r.aDay) against.push('enough operations for today')
  return against.length > 0 ? nothing(against) : { wish: 'close', lockOut: false, against: [] }
}

function peerKnown(v: View, t: number, r: MeshRules): boolean {
  return sideKnown(v.there, t, r) && v.alive?.is === true && current(v.alive, t, r.age.alive)
}

function againstClosing(v: View, units: readonly Unit[], t: number, r: MeshRules): readonly string[] {
  const against: string[] = []
  const any = (n: number): boolean => units.some((u) => bit(u.word.is, n))
  const [here, there] = [needsHelp(v.here, t, r), needsHelp(v.there, t, r)]
  if (!here && !there) against.push('nobody needs it')
  if (!sideKnown(v.here, t, r)) against.push('the local data is not known')
  if (!peerKnown(v, t, r)) against.push('the peer is not known')
  if (here && !hasRoomFor(v.there, v.here, t, r)) against.push('the peer has no room')
  if (there && !hasRoomFor(v.here, v.there, t, r)) against.push('the local transformer has no room')
  const far = v.farWords.every((w) => w !== undefined && current(w, t, r.age.measured) && closedWord(w.is))
  if (!far) against.push('the far breakers are not closed')
  const volts = units.map((u) => [voltsOf(u.bus, t, r), voltsOf(u.cable, t, r)] as const)
  const within = (x: number): boolean => x >= r.volts.least && x <= r.volts.most
  if (!volts.every(([b, c]) => within(b) && within(c))) against.push('a voltage is out of range')
  if (!volts.every(([b, c]) => Math.abs(b - c) <= r.volts.apart)) against.push('the voltages are apart')
  if (faultBits.some(any)) against.push('a breaker tells of a fault')
  if (unreadyBits.some(any)) against.push('a breaker is not ready')
  if (any(lockoutBit)) against.push('a breaker is locked out')
  if (any(reclosingBit)) against.push('a breaker goes through its reclose cycle')
  return against
}

const voltsOf = (x: Told<number> | undefined, t: number, r: MeshRules): number =>
  x !== undefined && current(x, t, r.age.breakers) ? x.is : Number.NaN

/** Closed, not open, and no old copy. */
export const closedWord = (word: number): boolean => bit(word, 0) && !bit(word, 1) && !bit(word, 15)

/** Where a status word has the contact; undefined: it is an old copy, and says nothing. */
export function contactOf(word: number): Unit['contact'] | undefined {
  if (bit(word, 15)) return undefined
  return bit(word, 0) === bit(word, 1) ? 'unsure' : bit(word, 0) ? 'closed' : 'open'
}
