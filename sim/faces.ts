/** Faces of what is played: devices, their truth and their faults. Types only. */
import type { Socket } from 'node:net'
import type { Instant, Json, LinkModel, Wire } from '../drivers/faces.ts'

export type * from './faces/servers.ts'

/**
 * Kinds of event; one data schema each (bench/evidence/schema.ts).
 * `said`: an answer that a device gave, with the truth then. `seen`: what the platform showed at an observation
 * point. `sent`: what the bench sent to the platform. `step`: what the scenario did. `check`: a declared check, and
 * later its result. `note`: anything else worth keeping.
 */
export type Kind =
  | 'run'
  | 'said'
  | 'seen'
  | 'sent'
  | 'wire'
  | 'fault'
  | 'host'
  | 'link'
  | 'step'
  | 'check'
  | 'note'
  | 'end'

/** Writes one event to the evidence log and returns its sequence number. */
export type Emit = (kind: Kind, data: Json, more?: { stamp?: Instant; cause?: number }) => number

/** What a device knows to be so. */
export interface Truth {
  /** With the unit in the name: `feeder1.l1.current [A]`. */
  readonly quantities: readonly string[]
  at(q: string, t: Instant): number
  /** Envelope of legal answers over a span. */
  range(q: string, a: Instant, b: Instant): { min: number; max: number; mean: number }
}

/** A disturbance in force. `lift` is idempotent; the runner lifts all before the liveness phase. */
export interface Fault {
  readonly id: string
  readonly params: Json
  lift(): void
}

/** Anything that takes faults by name: a device, a wire, a link, a host, the mains. */
export interface Faulty {
  readonly faults: readonly string[]
  /** Throws `no-such` for an unknown fault, `bad-value` for parameters that do not fit. */
  inflict(name: string, params?: Json): Fault
}

/** What a device is given when it starts. */
export interface DeviceEnv {
  now(): Instant
  /** From the device's own stream: `random('noise')`. */
  random(stream: string): number
  emit: Emit
}

export interface Device extends Faulty, AsyncDisposable {
  readonly role: string
  readonly truth: Truth
  /** Accuracy that its maker states, for each quantity, as the half-width of the legal band about a value. */
  accuracy(q: string, value: number): number
  /**
   * How finely its readings mean anything, for each quantity: by so much a platform may alter one (rounding it). Absent:
   * not at all.
   */
  resolution?(q: string): number
  start(w: Wire, env: DeviceEnv): Promise<void>
  /** Typed per device; logged before it acts. */
  command(c: Json): void
}

/** Load and voltage that a feeder monitor follows. A name of fixtures/profiles, or a CSV file and a column. */
export type ProfileSpec =
  | { readonly profile: string; readonly scale?: number }
  | { readonly csv: string; readonly column: string; readonly scale: number; readonly from?: string }

/** A phasor: root mean square, with its angle. */
export interface Phasor {
  readonly re: number
  readonly im: number
}

/** What a feeder monitor has at its coils and terminals, by phase. */
export interface GridKeyReading {
  /** Against the neutral, V. */
  readonly volts: readonly [Phasor, Phasor, Phasor]
  /** By feeder, from the first: A, away from the busbar; feeders that are left out carry nothing. */
  readonly amps: readonly (readonly [Phasor, Phasor, Phasor])[]
  /** Hz */
  readonly frequency: number
}

/** The network behind a feeder monitor. It must answer for any instant from the device's start to now. */
export interface GridKeySource {
  at(t: Instant): GridKeyReading
  /** Called once, at the device's start: `changed` is to be called after each change of what `at` says of now. */
  watch(changed: () => void): void
}

/** The feeder monitor (GridKey MCU520 stand-in, by Modbus/TCP). `gridkey2` is that of the second substation. */
export interface GridKey extends Device {
  readonly role: 'gridkey' | 'gridkey2'
  follow(p: ProfileSpec): void
  /** The network in which it stands; before `start`, else it has a grid of its own. */
  feed(source: GridKeySource): void
}

/**
 * A thermocouple module (Modbus RTU); `adam` is one of another make beside it, `thermocouple2` that of the second
 * substation. Inputs by name: `ambient`, `top_oil`, ... as its personality lists them.
 */
export interface Thermocouple extends Device {
  readonly role: 'thermocouple' | 'adam' | 'thermocouple2'
  /** A constant, a ramp, or a daily curve for one input, in degrees Celsius. */
  set(input: string, course: TemperatureCourse): void
  /** What is at an input's tip, °C; before `start`, else it follows a course of its own. A course that is set later counts again. */
  feed(input: string, at: (t: Instant) => number): void
}

export type Phase = 'l1' | 'l2' | 'l3'

/** What one single-phase breaker has at its terminals: of the network behind it, at an instant. */
export interface AlvinReading {
  /** Root mean square to neutral, V: at the terminal of the busbar and at that of the linking cable. */
  readonly busVolts: number
  readonly cableVolts: number
  /** Root mean square through it, A, never negative; 0 while it is open. */
  readonly amps: number
  /** Through it, from busbar to cable positive, W and var. */
  readonly watts: number
  readonly vars: number
}

/**
 * The network in which three breakers stand. It must answer for any instant from the device's start to now. The device
 * reckons what is dead, an overcurrent or a fault from the figures, by its personality.
 */
export interface AlvinSource {
  at(phase: Phase, t: Instant): AlvinReading
  /** The main contact has moved; called for each phase at the device's start too. A contact that is stuck moves nothing. */
  onOperate(phase: Phase, closed: boolean, t: Instant): void
  /**
   * Called once, at the device's start: `changed` is to be called whenever currents or voltages have changed by a step (a
   * fault, an outage, another breaker), so that protection sees it at once. Slow changes it sees by looking now and then.
   */
  watch?(changed: () => void): void
}

/** Three single-phase breakers (ALVIN Reclose stand-ins) on one RS-485 line, by Modbus RTU, and the isolator in that line. */
export interface Alvin extends Device {
  readonly role: 'alvin' | 'alvin2'
  /** The network in which they stand; before `start`, else a stand-alone source of its own is taken. */
  feed(source: AlvinSource): void
  /** Whether the main contact is closed, whatever the unit says. */
  closed(phase: Phase): boolean
}

/** A smart meter on its HAN port. `meter2` is another beside it. */
export interface Meter extends Device {
  readonly role: 'meter' | 'meter2'
  follow(p: ProfileSpec): void
  /** The instant of the list that it sends next. */
  readonly nextSlot: Instant | undefined
}

export type TemperatureCourse =
  | { readonly constant: number }
  | { readonly from: number; readonly to: number; readonly over: string }
  | { readonly mean: number; readonly swing: number; readonly period: string }

/**
 * How a scripted app behaves: an app that the bench controls and the platform runs (sim/apps/scripted). Whatever is left
 * out is as the LV-CAP API asks. Times in seconds.
 */
export interface AppBehaviour {
  /** Ends with code 1 before it connects. */
  readonly crashesAtStart?: boolean
  /** Ends with code 1 so long after its start. */
  readonly endsAfter?: number
  /** `randomly`: a client ID made up by its library, and no user name, as fielded clients do. */
  readonly introduces?: 'itself' | 'randomly'
  /** Clean session; true unless given. */
  readonly clean?: boolean
  /** Leaves a last will; true unless given. */
  readonly will?: boolean
  /** Of everything that it publishes and subscribes; 1 unless given. */
  readonly qos?: 0 | 1
  /** For its configuration, at each connection; once unless given. */
  readonly asks?: 'once' | 'never' | 'again-and-again'
  /**
   * `bare`: without Timestamp. `empty`: bare, and its request for configuration has no payload at all. `signed`: something
   * stands under the reserved key Signature; `wrongly-signed`: an empty object does.
   */
  readonly payloads?: 'full' | 'bare' | 'empty' | 'signed' | 'wrongly-signed'
  /** What it answers to status requests, instead of 1, or 5 without configuration. */
  readonly status?: Json
  /** Beside its status. */
  readonly message?: string
  /** How many status requests it does not answer from now on. */
  readonly silent?: number | 'always'
  /** Seconds that an answer takes. */
  readonly answersAfter?: number
  /** Answers with what is no JSON. */
  readonly garbled?: boolean
  /** Answers on the topic of this instance. */
  readonly speaksFor?: string
  /** Says status 3 where no configuration is known, instead of 5. */
  readonly rejectsNull?: boolean
  readonly shutdown?: {
    /** From the command to its word of status 4; 0 unless given. */
    readonly after?: number | 'never'
    /** Ends by itself after its word, instead of waiting to be stopped. */
    readonly exits?: boolean
    /** Goes on when it is asked to stop (SIGTERM). */
    readonly ignoresStop?: boolean
  }
}

/** What a scripted app is told to do once. */
export type AppAction =
  | { readonly do: 'tell'; readonly status: Json; readonly message?: string }
  /** Its connection breaks without DISCONNECT; it comes back a second later, if it is let. */
  | { readonly do: 'vanish' }
  | { readonly do: 'exit'; readonly code: number }
  | { readonly do: 'publish'; readonly topic: string; readonly text: string }
  /** Asks for its configuration again. */
  | { readonly do: 'ask' }
  | { readonly do: 'subscribe'; readonly topic: string }

/**
 * The network of two substations, `a` and `b`, and the feeder that both share, as whoever stands outside sees it. Faults:
 * `outage` ({ side: a, b or both }), `source` ({ side, volts, angle }: of the high voltage, seen from below),
 * `short-circuit` ({ phase: 1 to 3, point: of load along the feeder, from 1, ohms }).
 */
export interface Feeders extends Faulty, AsyncDisposable {
  readonly role: 'network'
  /**
   * Of each side `a`, `b`: `a.hot_spot [°C]`, `a.top_oil [°C]`, the same `_apart` (had no breaker moved since the start),
   * `a.load [1]` (root mean square of the phases over the rated current); by phase `a.l1.current [A]` (transformer's),
   * `a.l1.link_current [A]`, `a.l1.voltage [V]`, `a.l1.cable_voltage [V]`, `a.l1.closed [1]`; and `ambient [°C]`,
   * `frequency [Hz]`.
   */
  readonly truth: Truth
  /** Another load from now on: of all other feeders of a substation, or along the shared feeder. */
  follow(where: 'a' | 'b' | 'shared', p: ProfileSpec): void
  /** Another course of the air outside from now on. */
  weather(course: TemperatureCourse): void
  /**
   * As if it had always been so, before the start too: for the beginning of a scenario. `hour`: the time of day (UTC) for
   * which the start of the run stands, for the loads.
   */
  always(o: {
    readonly loads?: { readonly [w in 'a' | 'b' | 'shared']?: ProfileSpec }
    readonly ambient?: TemperatureCourse
    readonly hour?: number
  }): void
  /**
   * Means of half-hours from `from` on (ms, on the half-hour), had no breaker moved: root mean square of the three phases'
   * amps, of the transformer, and of the shared feeder at this side.
   */
  halfHours(
    side: 'a' | 'b',
    from: Instant,
    count: number,
  ): { readonly transformer: readonly number[]; readonly feeder: readonly number[] }
}

/** What a power supply makes of the mains at its input. */
export interface SupplyState {
  /** Per unit of nominal, 0 to 1 and a little above. */
  readonly voltage: number
  readonly output: 'on' | 'off'
  /** When the output changes if nothing else happens; ms. */
  readonly due?: number
}

/** An outage; ms from the beginning of its plan. */
export interface Outage {
  readonly at: number
  readonly for: number
}

/** The mains as a pure model (sim/mains): dips that a supply rides through or not, and courses of outages. */
export interface MainsModel {
  readonly supplied: SupplyState
  voltageBecomes(s: SupplyState, voltage: number, now: number): SupplyState
  passed(s: SupplyState, now: number): SupplyState
  checkedPlan(plan: readonly Outage[]): readonly Outage[]
  threeInFiveMinutes(random: () => number): readonly Outage[]
  momentsOfABoot(n: number, bootMs: number, random: () => number): readonly number[]
}

/** What a platform's host is set to, which is no program of the platform. */
export interface HostSetting {
  /** Options by which its disk is mounted beyond those of all. */
  readonly mount: readonly string[]
  /** A cut of its power took so many sectors that had been written and not flushed. */
  lost(sectors: number): void
}

/** The host as defects of these IDs have it; `say` tells which are applied, and which have come to bear. */
export type SetHost = (
  defects: readonly string[],
  say: (phase: 'applied' | 'reached', defect: string) => void,
) => HostSetting

/** The model of a wide-area link (sim/link), with its counters as bench/faces.ts has them. */
export interface PlayedLinkModel extends LinkModel {
  readonly faults: readonly string[]
  counters(now: Instant): {
    readonly peers: Readonly<
      Record<string, { readonly up: LinkCount; readonly down: LinkCount; readonly 'connections [1]': number }>
    >
    readonly 'carrier drops [1]': number
    readonly 'down [s]': number
    readonly 'resets [1]': number
  }
}

export interface LinkCount {
  readonly 'offered [B]': number
  readonly 'passed [B]': number
  readonly 'lost [B]': number
  readonly 'resent [B]': number
}

/** Makes one that behaves as a profile of fixtures/links. Throws `no-such` or `bad-file`. */
export type MakeLink = (o: {
  readonly profile: string
  random(stream: string): number
  readonly began: Instant
}) => PlayedLinkModel

/** A meeting place for two platforms of which neither can be called (sim/servers/relay). */
export interface Relay {
  /** A call. */
  take(socket: Socket): void
  /** Ends every call that stands. */
  drop(): void
}
/** `join` is called with both sockets, paused, once both ends have been told that the other is there. */
export type MakeRelay = (join: (first: Socket, second: Socket) => void) => Relay
