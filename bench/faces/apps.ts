/** Apps that the bench plays, and the recorder and the Data Storage of the platform. Types only; met through bench/faces.ts. */
import type { Json } from '../../drivers/faces.ts'
import type { AppAction, AppBehaviour, Faulty } from '../../sim/faces.ts'
import type { Series } from './log.ts'

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
