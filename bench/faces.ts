/** Faces of the bench: events, checks, rigs, scenarios. Types only. */
import type { Doing, Host, Instant, Json, SerialSettings } from '../drivers/faces.ts'
import type {
  Alvin,
  AppAction,
  AppBehaviour,
  Faulty,
  Feeders,
  GridKey,
  Kind,
  Meter,
  Phase,
  ProfileSpec,
  Thermocouple,
} from '../sim/faces.ts'

export type { AppAction, AppBehaviour, Kind } from '../sim/faces.ts'

export interface Event {
  readonly seq: number
  readonly at: Instant
  /** Who speaks: a role (`gridkey`), an observation point (`marketplace`), `bench`. */
  readonly src: string
  readonly kind: Kind
  /** Milliseconds since 1970, as the sender claims. */
  readonly stamp?: Instant
  /** Sequence number of the event that led here. */
  readonly cause?: number
  readonly data: Json
}

/**
 * A query on the log. `select` is a pattern over `data.alias` with `*` for any run of characters:
 * `gridkey.*`, `gridkey.feeder1.l1.current`. Matched in bench/evidence/series.ts.
 */
export interface Series {
  readonly src: string
  readonly kind: Kind
  readonly select: string
}

export type VerdictWord = 'pass' | 'marginal' | 'inconclusive' | 'fail'
export type Blame = 'product' | 'bench' | 'rig' | 'operator'

export interface Result {
  readonly verdict: VerdictWord
  readonly blame?: Blame
  /** Why, in one sentence for a person; always there unless it passed. */
  readonly why?: string
  /** Figures that were observed, by name with unit: { 'largest gap [s]': 60.2 }. */
  readonly observed: Json
  /** Sequence numbers of the events that decided. */
  readonly because: readonly number[]
}

/** A declared expectation over what was seen: a pure fold over the log. */
export interface Check {
  /** Unique in its scenario; short and stable, for reports: `spacing`, `values`. */
  readonly id: string
  /** Clauses: `M:0023/period`, or an ID alone for all its clauses. */
  readonly verifies: readonly string[]
  /** The limit in words, with units, as declared. */
  readonly limit: string
  /** Capabilities of the platform that it needs; absent ones make it inconclusive (rig). */
  readonly needs: readonly string[]
  /** The least length of run that it can judge, in ms; a shorter one makes a pass inconclusive (declared beforehand). */
  readonly least?: number
  /**
   * The longest stall of the bench, in ms, that cannot change its verdict from pass to fail or back, after so long a
   * watch. Without it a check that needs steady time is not judged at all on a machine that is too busy.
   */
  readonly bears?: (watchedMs: number) => number
  /** The series that it judges, for plots. */
  readonly over?: Series
  see(e: Event): void
  /** May be asked early, and more than once. */
  result(at: Instant): Result
}

/** What a platform lets itself be asked or observed at. */
/** `operator`: what the system operator may ask of the Container Manager (bench/platforms/operate.ts). */
/** `server`: a broker on the server side, at which what was uploaded comes out; of a lab. */
export type Port =
  | 'operator'
  | 'marketplace'
  | 'server'
  | 'storage'
  | 'upload'
  | 'log'
  | 'config'
  | 'csv'
  | 'maintenance'
  /** `{ do: 'restart' }`: everything on the platform's machine is killed at once, and started again. */
  | 'machine'

/** The system under test, as a scenario sees it. */
export interface Platform {
  /** Observation points and abilities that it has: ports, and `tls`. */
  readonly can: ReadonlySet<string>
  /** Empty: its power is not ours. */
  readonly hosts: readonly Host[]
  /** Never up: rig fault. Was up before, or is up but for apps that are heard and do not say that they run: product. */
  ready(within: string): Promise<void>
  /** Alias names, as bench/platforms/aliases.ts lists them; becomes `seen`. */
  watch(port: Port, select: string): Series
  ask(port: Port, request: Json): Promise<Json>
}

/** A stranger at the marketplace's door: tries something and tells what came of it. */
export interface Intruder {
  /** What came of its attempts. */
  readonly outcomes: Series
  /** Each attempt is logged as `sent`, and what came of it as `seen` with alias `intruder.<attempt>`. */
  attempt(what: IntruderAttempt): Promise<Json>
}

export interface IntruderAttempt {
  /** Names the attempt in the log: `expired`. */
  readonly name: string
  /** Which identity to show. */
  readonly identity:
    | 'none'
    | 'plain-tcp'
    | 'expired'
    | 'foreign-ca'
    | 'not-yet-valid'
    | 'self-signed'
    | 'revoked'
    /** Of an enrolled app that is not installed. */
    | 'own'
    /** Of an app that is installed, as if its key had been copied; no session of its own stands meanwhile. */
    | 'installed'
  /** Claimed user name and client id, where not the certificate's own. */
  readonly claim?: string
  /** Port to knock at, where not the marketplace's own. */
  readonly port?: number
  /** Last will to leave; the connection is then dropped without a word, so that the broker should speak it. */
  readonly will?: { readonly topic: string; readonly payload: Json }
  /** What to do once inside, if it gets inside. */
  readonly publish?: {
    readonly topic: string
    readonly payload: Json
    /** 1 unless given. */
    readonly qos?: 0 | 1
  }
  /** Highest TLS version offered. */
  readonly tlsMax?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'
}

/**
 * The platform's time source, played by its effect on the clock of the platform's host: `absent`, `drifting` and `lying`
 * ({ ppm }), `stepped` ({ seconds }), `unset` (1970). Lifted, the clock is put right by a step. What the clock does is a note of
 * source `clock`. Checks that judge by it need the capability `clock`.
 */
export interface Clock extends Faulty {
  /** Whether the host lets its clock be set; else nothing is played. */
  readonly can: boolean
  /** By how much the host's clock is ahead of the bench's, in ms. */
  offset(): number
}

/** Somebody's laptop at the platform's own Ethernet port, at its maintenance service. */
export interface Laptop {
  /** What came of its visits: `seen`, alias `laptop.<visit>`, payload VisitOutcome. */
  readonly outcomes: Series
  visit(what: Visit): Promise<Json>
}

/** One visit: logs in where a password is given, and then asks for what only an engineer may see. */
export interface Visit {
  /** Names the visit in the log: `default-password`. */
  readonly name: string
  /** `https` unless given. */
  readonly over?: 'https' | 'http'
  /** Port to knock at, where not the service's own. */
  readonly port?: number
  /** Highest TLS version offered. */
  readonly tlsMax?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'
  /** `beginning`: the first eight characters of the right one; `other-case`: the right one with letters in the other case. */
  readonly password?:
    | { readonly is: 'right' | 'beginning' | 'other-case' }
    | { readonly is: 'text'; readonly text: string }
  /** Tries so many made-up passwords instead. */
  readonly guesses?: number
  /** What to ask for; the state of the platform unless given. */
  readonly path?: string
  /** Logs out after the log-in, before it asks. */
  readonly loggedOut?: true
}

/** The platform's CSV recorder: an app of the platform, and its files as an engineer would copy them from the disk. */
export interface Recorder {
  /** Lines of its files as `collect` has read them: `seen`, src `csv`. */
  readonly lines: Series
  /**
   * Reads every file; makes an event of each line not yet read, and at the end one of src `csv`, alias `csv.read`, which
   * sums the files up; that comes 5 s later, since the bench may be yet to hear what the recorder has kept already, and
   * is stamped with the time of reading. `sums`: that one alone, at once.
   */
  collect(what?: 'lines' | 'sums'): Promise<void>
  /** Ends the app's process as a crash would; `at`: at the next message of this series at the marketplace. */
  crash(at?: Series): void
}

/** Scripted apps, in the order of their installation; `guid` has an identifier of the old form, `bare` no configuration. */
export type ScriptedName = 'first' | 'second' | 'third' | 'guid' | 'bare'

/** An app that the bench controls and the platform runs. */
export interface ScriptedApp {
  readonly name: ScriptedName
  /** Its instance ID. */
  readonly iid: string
  /**
   * What it met and did, by its own report: `started`, `connected`, `asks`, `configured`, `asked` (for its status),
   * `tells` (its status), `kept-silent`, `commanded`, `stopped` (asked to stop, or ended without being asked: whichever
   * came first), `ended`, `twice` (it runs twice at once), `heard`.
   */
  saw(event: string): Series
  /** From now on, and at each later start; `next` is for the next starts, one each, before that. */
  behave(now: AppBehaviour, ...next: readonly AppBehaviour[]): void
  act(action: AppAction): void
}

export interface Scripted {
  app(name: ScriptedName): ScriptedApp
  readonly all: readonly ScriptedApp[]
  /** Of all of them. */
  saw(event: string): Series
}

/** Messages that an app played by the bench publishes on one topic. */
export interface Publication {
  /** Which of its two instances; `first` unless given. */
  readonly as?: 'first' | 'second'
  /**
   * By which interface: `algorithm/data/<IID>` (LV-CAP API 8.4), `storage/data/<IID>` (8.6), the same with a slash at its
   * end (as table 19 prints it), or the error topic (8.2.4). `algorithm` unless given.
   */
  readonly via?: 'algorithm' | 'storage' | 'storage-with-slash' | 'error'
  readonly subTopic?: string
  /** A text is sent as it is, everything else as JSON. */
  readonly messages: readonly Json[]
  /** Whether the API has them stored: what is expected of the platform. */
  readonly kept: boolean
}

/** The platform's Data Storage, and the apps that the bench plays at it. Queries are asked at the ports `upload` and `storage`. */
export interface Storage extends Faulty {
  /** Names of tables: of both instances that publish, and of the errors. */
  readonly tables: { readonly first: string; readonly second: string; readonly error: string }
  /** Longest answer that the operator lets it give, in bytes: the rig's figure. */
  readonly maxBytes: number
  /** Everything published: `sent`. */
  readonly sent: Series
  /** Resolves when all is acknowledged, or after 30 s: what is not acknowledged by then is unknown. */
  publish(what: Publication): Promise<void>
  /**
   * Another app with a good certificate subscribes to everything, and then reads nothing more of its connection until the
   * end. Resolves when it stands so.
   */
  stall(): Promise<void>
  /** Ends the process of Data Storage as a crash would. */
  crash(): void
}

/** What stands at the end of a meter's line, and how the line is set: what is not given stays as it was. */
export interface Wiring {
  /** Another meter, by its personality. */
  readonly personality?: string
  readonly line?: Partial<SerialSettings>
  /** Other times for its lists, as in a personality: `{ list_3: { every: '10 s' } }`. */
  readonly cadence?: Json
  /** Added to what the reader is told of the line: its framing, the meter's keys. */
  readonly reads?: { readonly [k: string]: Json }
}

/** A meter reader, as the system under test: it stands where `platform` stands else. Ports: `log`, `machine`, `config`. */
export interface Reader extends Platform {
  /** What it echoes on its debugging line of each reading: `seen`, alias `debug.reading`; and of what was typed there. */
  readonly debug: Series
  readonly echo: Series
  /** Joins a console to the debugging line. The reader is started anew. */
  openDebug(): Promise<void>
  type(text: string): Promise<void>
  /** Confines it to one core of its machine, where that can be (`one-core`). It is started anew. */
  confine(): Promise<void>
  /** Other meters or lines. The reader is started anew with a configuration that says so. */
  rewire(change: {
    readonly meter?: Wiring
    readonly meter2?: Wiring
    readonly modem?: Partial<SerialSettings>
  }): Promise<void>
}

/** Somebody at the reader's configuration page. The reader is installed so that it looks for its cloud where nobody is. */
export interface Installer {
  /** What came of the visits: `seen`, alias `installer.<visit>`. */
  readonly outcomes: Series
  visit(what: PageVisit): Promise<void>
}

/** Logs in, looks at the page, and saves. */
export interface PageVisit {
  /** Names the visit in the log. */
  readonly name: string
  /** Which password is given. */
  readonly gives: 'right' | 'wrong' | 'none'
  /** Tells the reader where its cloud is. */
  readonly set?: 'cloud'
  /** Other fields of the form (figure 7.7 of the thesis). */
  readonly fields?: Readonly<Record<string, string>>
}

/**
 * A serial modem by which the reader reaches the cloud, played by the bench. Faults: `silent`, `no-carrier`, `busy`,
 * `resetting` ({ everyMs }), `slow` ({ ms }).
 */
export type Modem = Faulty

/**
 * The cloud behind a reader, played by the bench. Faults: `away`; `silent` (takes everything, acknowledges nothing, keeps
 * nothing); `wrong-certificate` ({ is: foreign-ca, other-host or self-signed }). What it has acknowledged it keeps.
 */
export interface Cloud extends Faulty {
  /** Each reading that it took: `seen`, alias `cloud.reading`. */
  readonly readings: Series
  /** Of each connection made while it showed a wrong certificate, how many bytes it was given inside TLS. */
  readonly impostor: Series
  /** What came of each attempt to fetch what it keeps. */
  readonly retrieved: Series
  /** `colleague`: another certificate of the same authority. */
  retrieve(as: 'entitled' | 'colleague' | 'stranger' | 'nobody'): Promise<void>
}

/**
 * The data centre to which the platform's Data Upload app sends, played by the bench; the app uploads for the RTU `rtu`.
 * Faults: `away`; `loses-answers` ({ answers }: so many answers to appended bytes do not arrive, the bytes are kept);
 * `wrong-certificate` ({ is: foreign-ca, self-signed, expired, wrong-name or revoked }).
 */
export interface Centre extends Faulty {
  /** The RTU that is the platform's own; and the instance and certificate of its upload app. */
  readonly rtu: string
  readonly name: string
  /** Each batch of rows that it took: `seen`, alias `centre.batch`. */
  readonly batches: Series
  /** What became of transfers: alias `centre.upload.<created, appended, broke-off, ...>`. */
  readonly uploads: Series
  /** Each connection, when it has ended: what it carried, and which certificate was shown. */
  readonly connections: Series
  /** What came of knocking at its door. */
  readonly doors: Series
  /** What the upload app reports at the marketplace. */
  readonly reports: Series
  /** Bytes that the app sends at a time. */
  readonly window: number
  knock(as: 'entitled' | 'colleague' | 'nobody'): Promise<void>
}

/** Something that the platform is to fetch: made anew, of so many bytes, each time it is offered. */
export interface Offer {
  /** One that is offered again takes the place of the one before. */
  readonly id: string
  readonly kind: 'software' | 'configuration'
  /** Under which it stands on the platform. */
  readonly name: string
  /** In bytes. */
  readonly size: number
}

/**
 * The management server, played by the bench; the Management Comms app, which is installed, speaks to it. Faults: those of
 * the data centre; `cuts-downloads` ({ answers, passing: answers that come through before, after: bytes of each that leave }); `wrong-bytes` (what it serves is not
 * what its digest says).
 */
export interface Management extends Centre {
  /** What it offers (`sent`), each answer to a download, and what the platform says that it has installed. */
  readonly offers: Series
  readonly served: Series
  readonly installed: Series
  /** What the platform sends word of. */
  readonly notices: Series
  /** That it was heard of the platform, and alerts about silence. */
  readonly contacts: Series
  readonly alerts: Series
  /** What `collect` found installed on the platform's disk. */
  readonly files: Series
  /** Bytes of a download that the app asks for at a time; and seconds between two signs of life on its disk. */
  readonly piece: number
  readonly life: number
  /** As the platform was told. */
  readonly serial: string
  readonly location: string
  offer(o: Offer): void
  withdraw(id: string): void
  /** The platform is out of service from now on. */
  decommission(): void
  collect(): Promise<void>
}

/** Bytes of one way of the link, to and from one peer. */
export interface LinkBytes {
  /** Given to the link; arrived; never to arrive (nobody knew of the connection any more); sent again by TCP. */
  readonly 'offered [B]': number
  readonly 'passed [B]': number
  readonly 'lost [B]': number
  readonly 'resent [B]': number
}

export interface LinkCounters {
  /** By peer: the names by which the rig put them behind the link. */
  readonly peers: Readonly<
    Record<string, { readonly up: LinkBytes; readonly down: LinkBytes; readonly 'connections [1]': number }>
  >
  readonly 'carrier drops [1]': number
  /** Time without carrier. */
  readonly 'down [s]': number
  readonly 'resets [1]': number
}

/** One step of what a link goes through, `after` so long from when the script was given. */
export type LinkStep = { readonly after: string } & (
  | { readonly do: 'drop'; readonly for: string }
  | { readonly do: 'profile'; readonly name: string }
  /** A fault of the link by its name, lifted after so long. */
  | { readonly do: 'inflict'; readonly fault: string; readonly params?: Json; readonly for: string }
)

/**
 * The 4G link between the platform and the servers, played by the bench. What happens to it is told as `link` events of src
 * `link`, alias `link.carrier`, `link.address`, `link.forgot`, `link.connection`, `link.spike`, `link.quota`,
 * `link.profile`, `link.counters`. Faults: docs/devices.md.
 */
export interface Link extends Faulty {
  readonly events: Series
  /** From now on it behaves like this profile of fixtures/links. */
  profile(name: string): void
  /** No carrier for so long: bytes in flight are lost, and sent again when it is back. */
  drop(lasts: string): void
  script(steps: readonly LinkStep[]): void
  /** Since the start; also an event, alias `link.counters`. */
  counters(): LinkCounters
  readonly router: Router
}

/**
 * The router at the platform's end of the link, played by the bench, with a page of its own. Fault `freeze`: nothing passes
 * and its page does not answer until its power is cut.
 */
export interface Router extends Faulty {
  /** Where its page is. */
  readonly address: string
  readonly port: number
  /** What came of visits to its page: `seen`, alias `router.<visit>`. */
  readonly outcomes: Series
  /** Somebody from afar at its page: logs in, and asks for something. */
  visit(what: RouterVisit): Promise<Json>
  /** Takes its power for so long (5 s unless given); frees it where it is frozen. */
  powerCycle(off?: string): void
}

export interface RouterVisit {
  /** Names the visit in the log. */
  readonly name: string
  readonly gives: 'right' | 'wrong' | 'none'
  /** `reset-computer`: cuts the power of the platform's host for a moment. */
  readonly asks: 'status' | 'addresses' | 'reset-computer' | 'restart'
}

/** When power goes and how it comes back. */
export interface CutOptions {
  /** How long it is away; without it until `restore`. */
  readonly for?: string
  /** Name of the host; the platform's unless given. */
  readonly host?: string
  /**
   * The point at which it goes, in place of now: at the next event of a series (`nth`: not the first), or just before or
   * after the host does something, which takes virtual time (`can('points')`).
   */
  readonly at?:
    | (Series & { readonly nth?: number })
    | { readonly doing: Doing; readonly nth?: number; readonly when?: 'before' | 'after' }
  /** How long to wait for that point; 60 s unless given. */
  readonly within?: string
}

/**
 * The mains of the platform's hosts, played by the bench. Cuts and returns are `host` events of src `mains`, alias
 * `mains.cut`, `mains.restored`, `mains.voltage`. Fault `cut` ({ host }). A platform at these mains has its disk on one
 * that loses what was not flushed, where the machine can play such (capability `durability` of the platform).
 */
export interface Mains extends Faulty {
  readonly events: Series
  /**
   * `cut`: nobody hears of a cut. `durability`: what was not flushed is lost. `points`: cuts in the midst of its work. `dips`:
   * its supply is played too.
   */
  can(what: 'cut' | 'durability' | 'points' | 'dips', host?: string): boolean
  /** Resolves when power is gone, or with `for` when it is back. False: the point was not reached, and nothing was cut. */
  cut(o?: CutOptions): Promise<boolean>
  restore(host?: string): Promise<void>
  /** The voltage falls to a share of nominal (0 unless given) for so long; the supply rides through, or does not. */
  dip(o: { readonly for: string; readonly to?: number; readonly host?: string }): Promise<void>
  /** Outages one after the other; times in ms from now. */
  follow(plan: readonly { readonly at: number; readonly for: number }[], host?: string): Promise<void>
  /** Three outages within five minutes (OpenLV S:007), drawn by the seed. */
  threeInFiveMinutes(): readonly { readonly at: number; readonly for: number }[]
  /** Moments of a boot that takes so long, ms since power came: one in each of n parts of it, drawn by the seed. */
  momentsOfABoot(n: number, lasts: string): readonly number[]
}

/** One substation, as forecasts and ratings have it. Amps per phase: one figure, or each step from the present one on. */
export interface StationAdvice {
  /** Half-hours: of the transformer, and of the shared feeder. The last one goes on. */
  readonly forecast?: number | readonly number[]
  readonly feeder?: number | readonly number[]
  /** Hours. */
  readonly rating?: number | readonly number[]
  /** °C now. */
  readonly hotSpot?: number
  /** L1, L2, L3 now. */
  readonly current?: readonly [number, number, number]
}

/** How an item is told, where not as it should be. `old`, `ahead`: so many seconds off in its Timestamp. */
export type Telling =
  | 'missing'
  | 'invalid'
  | 'misshapen'
  | 'not-json'
  | { readonly old: number }
  | { readonly ahead: number }

/** Flags of a breaker's status that the played breakers can show. */
export type BreakerFlag =
  | 'lockout'
  | 'reclosing'
  | 'overcurrent'
  | 'cable-fault'
  | 'over-temperature'
  | 'energy-low'
  | 'local-control'
  | 'operation-failed'
  | 'self-test'
  | 'stale'

/** A breaker that the bench plays behind a meshing app that it plays as well. */
export interface BreakerAdvice {
  /** Where its contact is: set by hand. */
  readonly closed?: boolean
  /** What its register shows; `true`: what is so. */
  readonly shown?: 'true' | 'open' | 'closed' | 'between'
  /** Volts on the busbar's side, and on the cable's while it is open. */
  readonly bus?: number
  readonly cable?: number
  readonly flags?: readonly BreakerFlag[]
  /**
   * What it does when it is commanded. `stuck`: nothing, and says so; `lies`: nothing, and is recorded as done; `silent`:
   * nothing, and nothing is told.
   */
  readonly does?: 'obeys' | 'stuck' | 'lies' | 'silent'
  /** Valid of its readings; whether they come at all; how old their Timestamps are, in seconds. */
  readonly valid?: boolean
  readonly silent?: boolean
  readonly old?: number
}

/** A change of what LoadSense is told; what is not given stays. */
export interface Advice {
  readonly local?: StationAdvice
  readonly peer?: StationAdvice & {
    /** The peer app's word that its partner is there. */
    readonly alive?: boolean
    /** MHR_SHADOW_FAULT_STATUS of the far breakers: 1 closed, 2 open. */
    readonly breakers?: readonly [number, number, number]
  }
  /** The contact of the isolation switch: true while it is engaged. */
  readonly isolation?: boolean
  readonly breakers?: Readonly<Partial<Record<Phase | 'all', BreakerAdvice>>>
  /** Tells everything, not only what changes. */
  readonly all?: true
  /** By item (alias), or `*` for all of them; null: as it should be again. */
  readonly told?: Readonly<Record<string, Telling | null>>
}

/**
 * Whoever tells LoadSense what it decides by: all but what is installed on the rig is played by the bench. LoadSense itself
 * is installed. It begins with a winter evening that needs a mesh (bench/platforms/advisers.ts).
 */
export interface Advisers {
  /** Everything told: `sent`, with the alias that it has at the marketplace. */
  readonly said: Series
  /** What the bench tells here, by alias. */
  readonly items: readonly string[]
  /** Changes what is told; the first time all of it is told. Resolves when what changed is acknowledged. */
  advise(change: Advice): Promise<void>
  /** One message more: what was told last, once more; or the item with other keys. */
  again(alias: string, how: 'duplicate' | { readonly [k: string]: Json }): Promise<void>
  /** The breakers that the bench plays; undefined where they are devices of the rig. */
  readonly breakers: { isClosed(phase: Phase): boolean } | undefined
}

/**
 * In which form a command is sent. `plain`: fresh and valid. `duplicate`: the same message twice. `repeated`: the last plain
 * one of this direction word for word again. `stale`, `future`: dated 90 s back, 120 s ahead. `invalid`: Valid false.
 * `non-boolean`: numbers, texts and the like for a value. `text`: no objects. `retained`: plain, to be kept by the
 * marketplace. `storm`: so many at once, to and fro, each dated otherwise, and the last one as wanted.
 */
export type CommandForm =
  | 'plain'
  | 'duplicate'
  | 'repeated'
  | 'stale'
  | 'future'
  | 'invalid'
  | 'non-boolean'
  | 'text'
  | 'retained'
  | 'storm'

/**
 * LoadSense, played by the bench with LoadSense's own certificate: what it commands the meshing app. Asking for it has that
 * app installed, also where no breaker is fitted (no role `alvin`): what it sends there is told as `line.read`, `line.write`.
 */
export interface Commander {
  /** Each message sent: `sent`, alias `command.<phase>`; `counts`: it is to be obeyed by itself. */
  readonly commands: Series
  /** What the marketplace made of each: alias `commander.<form>`. */
  readonly outcomes: Series
  /** All three phases unless given, one after the other; resolves when all is acknowledged. `times`: of a storm. */
  command(c: {
    readonly phases?: readonly Phase[]
    readonly close: boolean
    readonly form?: CommandForm
    readonly times?: number
  }): Promise<void>
  /** Another app, with its own certificate: on LoadSense's topics, or on control topics of its own. */
  pretend(c: {
    readonly phases?: readonly Phase[]
    readonly close: boolean
    readonly as: 'loadsense' | 'itself'
  }): Promise<void>
  /** Ends the process of the meshing app as a crash would. */
  crash(): void
}

/** Past load for the predictor to learn from, up to now. */
export interface LoadPast {
  /** Names it in the log: lower-case letters, digits and `-`. */
  readonly name: string
  /** The transformer's load in amps per phase; the feeder's is a share of it. */
  readonly load: ProfileSpec
  /** How far it reaches back: `35 d`. */
  readonly span: string
  /** The load is that of so much later: another stretch of it is brought to now. Whole days: `21 d`. */
  readonly later?: string
  /** Stretches that are otherwise, from so long ago until so long ago: so many times the load, or else not known. */
  readonly changes?: readonly { readonly from: string; readonly to: string; readonly times?: number }[]
  /** Forecasts from pasts of one group must be alike, and of different groups must differ (`forecastDependsOn`). */
  readonly group?: string
  /** Beside what the predictor knows already; else it forgets that. */
  readonly beside?: true
}

/** The predictor and the thermal rating app of the platform. */
export interface Forecaster {
  /** What was put in place: `sent`, with all of it, and with what came after it. */
  readonly past: Series
  /** What the predictor keeps on the disk: `seen`, payload `kept [B]`. */
  readonly disk: Series
  /** The predictor is ended, given this past as an engineer would at commissioning, and started again; resolves when it has read it. */
  remember(past: LoadPast): Promise<void>
  measure(): Promise<void>
}

/**
 * Every app of LV automation on both platforms of a pair: LV Network Meshing, predictor, thermal ratings, LoadSense and
 * Peer-to-Peer, each as it is. The breakers at `b` are the ones that are open as a rule. Ask for both substations' devices
 * and the network beside it.
 */
export interface Automation {
  /** Puts the past of the network's loads in place at both predictors; resolves when they have read it. */
  remember(): Promise<void>
}

/** Ends of the link between two platforms: `a` is `platform`, which calls; `b` is `platform2`, which is called. */
export type PeerEnd = 'a' | 'b'

/** What is carried to the partner: its name there, and the topic here. */
export interface DataEntry {
  readonly name: string
  readonly topic: string
}

/** What somebody shows who is not the partner; `partner`: the partner's own certificate, as if the partner had gone mad. */
export type PeerShown =
  | 'no-tls'
  | 'no-certificate'
  | 'expired'
  | 'foreign-ca'
  | 'self-signed'
  | 'wrong-name'
  | 'revoked'
  | 'partner'

/** What somebody sends who has no business there. */
export type PeerNonsense = 'nothing' | 'noise' | 'endless' | 'deep' | 'odd-json'

/**
 * Peer-to-Peer apps on both platforms, and what lies between them, played by the bench. Faults: `carrier` (none, both
 * ways), `reset` (the connection that stands breaks), `half-open` ({ untold: a or b }: the same, and one end is not
 * told), `slow` ({ ms } one way), `relay` (the relay is away), `impostor` ({ shows, sends }: in the place of `b`, and
 * where the road is the relay's, in the relay's place towards both).
 */
export interface Peers extends Faulty {
  /** What is carried at the start, from each end. */
  readonly carried: readonly DataEntry[]
  /** Of each connection between the two, what passed: alias `peers.crossing`. */
  readonly crossings: Series
  /** What came of each imposture: alias `peers.impostor`. */
  readonly impostors: Series
  /** Publishes at one end, for the app whose topic it is, by the name under which it is carried or was first. */
  publish(at: PeerEnd, name: string, payload: Json): Promise<void>
  /** Configures what one end carries. */
  carry(at: PeerEnd, set: readonly DataEntry[]): Promise<void>
  /** Configures both ends for a road: `direct` to begin with. */
  via(road: 'direct' | 'relay'): Promise<void>
  /** Somebody calls `b` in the name of `a`. Resolves when that is over. */
  knock(what: {
    readonly name: string
    readonly shows: PeerShown
    readonly sends?: PeerNonsense
  }): Promise<void>
}

/** What the two MQTT libraries are to do. */
export interface MqttPairUse {
  /** Of the client's connection. */
  readonly keepalive: string
  /** The client publishes, QoS 1, so often and so many. */
  readonly publishes?: { readonly every: string; readonly count: number }
  /** The broker publishes, QoS 1, and the client subscribes in a session that stays. */
  readonly sends?: { readonly every: string; readonly count: number }
}

/**
 * A server of resumable uploads as released, for demonstrations, on a host whose disk loses what was not flushed.
 * `acknowledged` has `tus.acknowledged`, `told` has `tus.told`: `offset [B]` (null: none), and beside it `acknowledged [B]`.
 */
export interface TusLibrary {
  readonly acknowledged: Series
  readonly told: Series
  start(): Promise<void>
  /** Begins an upload of so many bytes. */
  begin(length: number): Promise<void>
  append(bytes: Uint8Array): Promise<void>
  /** Takes the server's power for so long; resolves when it listens again. */
  cut(lasts: string): Promise<void>
  /** Asks where the upload stands. */
  ask(): Promise<void>
}

/**
 * Two libraries as released, for demonstrations: mqtt.js in the platform's place, aedes behind the link.
 * `published` has `mqtt.published` ({ n }). `client`: `mqtt.connected`, `mqtt.acknowledged`, `mqtt.failed` ({ n }),
 * `mqtt.received` ({ n, dup, again, connection }). `broker`: `broker.taken` ({ n }).
 */
export interface MqttPair {
  readonly published: Series
  readonly client: Series
  readonly broker: Series
  start(use: MqttPairUse): Promise<void>
}

/** The parts of the world that scenarios may ask for. */
export interface Roles {
  /** Peer-to-Peer apps on both platforms, and the link between them. */
  peers: Peers
  platform: Platform
  gridkey: GridKey
  thermocouple: Thermocouple
  /** The second substation of a pair: its platform (sources and aliases end with 2 too) and its devices. */
  platform2: Platform
  gridkey2: GridKey
  thermocouple2: Thermocouple
  /** Three circuit breakers on one line, with the isolator in it (OpenLV M:007); and those of the second substation. */
  alvin: Alvin
  alvin2: Alvin
  automation: Automation
  /** Both substations' transformers and the feeder that they share; feeds every device that is asked for beside it. */
  network: Feeders
  /** A thermocouple module of another make (ADAM-4018 kind), read by an instance of its own of the app. */
  adam: Thermocouple
  intruder: Intruder
  clock: Clock
  recorder: Recorder
  commander: Commander
  laptop: Laptop
  scripted: Scripted
  storage: Storage
  /** A smart meter at its HAN port, read by `reader`; `meter2` is another beside it. */
  meter: Meter
  meter2: Meter
  /** A meter reader: the subject, in place of `platform`. */
  reader: Reader
  cloud: Cloud
  modem: Modem
  centre: Centre
  /** The management server; Management Comms is installed. */
  management: Management
  /** At the reader's configuration page. */
  installer: Installer
  /** Between the platform and the servers. */
  link: Link
  /** Libraries as released, in place of a platform: for demonstrations. */
  mqtt: MqttPair
  tus: TusLibrary
  /** At which the platform's hosts hang. */
  mains: Mains
  /** Whoever advises LoadSense, which is installed. */
  advisers: Advisers
  /** The predictor and the thermal rating app, which are installed, with a past put in place. */
  forecaster: Forecaster
}

export interface Stage {
  readonly time: {
    now(): Instant
    pass(d: string | number): Promise<void>
    /** The length of this run in ms: the scenario's horizon, or its short form. */
    readonly horizon: number
  }
  /** Declares a check. Must come before the time that it judges passes. */
  readonly check: (c: Check) => void
  /** A load to follow, by its name in fixtures/profiles; the operator may put another in its place (`--load`). */
  readonly load: (name: string) => ProfileSpec
  /** A number in [0, 1) from a stream of that name, drawn by the run's seed: for scenarios in which anything may happen. */
  readonly random: (stream: string) => number
  /** Keeps a remark of the scenario in the evidence. */
  readonly note: (text: string, data?: Json) => void
}

export type Cast<K extends keyof Roles> = Pick<Roles, K>

/**
 * Lengths by defect, where some take longer to come to bear than all else: `others` is for that. The healthy platform
 * takes the longest, so that each check is judged.
 */
export type ProveLengths = { readonly others: string } & Readonly<Record<string, string>>

export interface Scenario<K extends keyof Roles = keyof Roles> {
  readonly title: string
  /** Requirement IDs, or clauses `M:0022/voltage`. */
  readonly verifies: readonly string[]
  readonly needs: readonly K[]
  /** Defect id to the requirement or clause that must fail because of it; unknown ones are refused at load. */
  readonly catches: Readonly<Record<string, string>>
  /** Simulated length of the full run: `24 h`. */
  readonly horizon: string
  /** Length of a short run; without it the full length is used. */
  readonly short?: string
  /** Length that `prove` uses; without it the short one. */
  readonly prove?: string | ProveLengths
  /**
   * After its set-up, which may be repeated, all that it does is to let `time.horizon` pass, once: a run in real time that
   * was interrupted goes on with it (`gridproof run --resume`).
   */
  readonly resumable?: true
  /**
   * It shows a defect of somebody's library as released, and is run by name, or by `gridproof demo`, and not among the
   * others: `package` of npm, and the check that fails when the defect shows.
   */
  readonly demonstrates?: { readonly package: string; readonly check: string }
  run(cast: Cast<K> & Stage): Promise<void>
}

/** A bench set up from a rig file: makes the roles, all or none. */
export interface Rig extends AsyncDisposable {
  readonly name: string
  /** Reasons why it cannot play these roles, before anything starts. Empty: it can. */
  lacks(needs: readonly string[]): readonly string[]
  cast<K extends keyof Roles>(needs: readonly K[]): Promise<Cast<K>>
}
