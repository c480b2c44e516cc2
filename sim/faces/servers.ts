/** Faces of the servers that platforms upload to and are managed by. Types only. */
import type { TlsOptions } from 'node:tls'
import type { Instant, Json } from '../../drivers/faces.ts'

/** A row of a platform's Data Storage (LV-CAP API table 17), as an upload carries it. */
export interface UploadedRow {
  readonly table: string
  readonly id: number
  /** Unix seconds at which it was stored. */
  readonly timestamp: number
  readonly subTopic: string | null
  /** The payload as it was published. */
  readonly data: string
}

/** What became of a transfer at a server of resumable uploads. */
export interface UploadEvent {
  readonly what: 'created' | 'appended' | 'broke-off' | 'completed' | 'refused' | 'expired' | 'taken-over'
  readonly id?: string
  readonly owner: string
  readonly offset?: number
  readonly length?: number
  readonly status?: number
  /** Bytes that came in this request; of one that was refused for its offset, those that it announced. */
  readonly bytes?: number
}

/** What a data centre does (sim/servers/data-centre). */
export type CentreEvent =
  | { readonly kind: 'upload'; readonly event: UploadEvent }
  | {
      readonly kind: 'batch'
      readonly rtu: string
      readonly batch: string
      readonly by: string
      /** None where it had been taken before. */
      readonly rows: readonly UploadedRow[]
      /** It had been taken before. */
      readonly again: boolean
      readonly bytes: number
    }
  | { readonly kind: 'rejected'; readonly by: string; readonly why: string }
  | { readonly kind: 'no-tls'; readonly why: string }
  /** Somebody has gone again: what came and went on his connection, in bytes, below TLS. */
  | { readonly kind: 'gone'; readonly by: string; readonly read: number; readonly written: number }

export interface CentreOptions {
  /** Where it listens. */
  readonly address: string
  /** 0 takes a free one. */
  readonly port: number
  /** Where it keeps what it has. */
  readonly folder: string
  /** Certificate, key and authority, PEM; asked anew at each start. */
  tls(): { readonly ca: string; readonly crl?: string; readonly cert: string; readonly key: string }
  /** Whether somebody with this common name may upload for this RTU. */
  mayUpload(name: string, rtu: string): boolean
  mayRead(name: string): boolean
  now(): Instant
  tell(e: CentreEvent): void
  readonly seams?: {
    /** Called before an answer leaves; false: it is not sent, and the connection is broken instead. */
    answers?(asked: 'options' | 'create' | 'offset' | 'append' | 'end' | 'refused'): boolean
    /** Under which RTU a batch is kept, given for which it came. */
    keptFor?(rtu: string): string
    /** What TLS asks of whoever comes, given as it should be. */
    door?(sound: TlsOptions): TlsOptions
  }
}

export interface CentreServer extends AsyncDisposable {
  readonly port: number
  /** Opens the port, after `shut`. */
  open(): Promise<void>
  /** As a machine that is switched off: connections end without a word of its programs. */
  shut(): Promise<void>
}

/** A server's options with those of these defects that are of such a server; `note` hears of each. */
export type BreakServer = <O extends Omit<CentreOptions, 'tell'>>(
  o: O,
  defects: readonly string[],
  note: (phase: 'applied' | 'reached', defect: string) => void,
) => O

/** Starts a data centre. Throws what `listen` throws. */
export type StartCentre = (o: CentreOptions) => Promise<CentreServer>

/** What a platform is to fetch from its management server. */
export interface Download {
  /** Its own; of letters, digits, `.`, `_` and `-`. */
  readonly id: string
  readonly kind: 'software' | 'configuration'
  /** Name of the file as it is to stand on the platform. */
  readonly name: string
  /** In bytes. */
  readonly size: number
  /** SHA-256, hexadecimal. */
  readonly sha256: string
  /** Its bytes `from` up to before `to`: it need not be in memory as a whole. */
  read(from: number, to: number): Uint8Array
}

/** Days of silence after which a management server raises an alert (OpenLV S:005). */
export type SilentDays = 1 | 3 | 5

/** What a management server does (sim/servers/management), beside what it does as a data centre does. */
export type ManagementEvent =
  | CentreEvent
  /** It was heard of a platform, at most once a minute. */
  | { readonly kind: 'contact'; readonly rtu: string }
  | { readonly kind: 'alert'; readonly rtu: string; readonly days: SilentDays; readonly heard: Instant }
  /** An answer to a download: from which byte, how many left, of a file of how many. */
  | {
      readonly kind: 'served'
      readonly rtu: string
      readonly download: string
      readonly digest: string
      readonly from: number
      readonly bytes: number
      readonly of: number
      /** Nothing of the answer was held back. */
      readonly whole: boolean
      /** Something of it was altered. */
      readonly spoilt: boolean
    }
  /** A platform says what it has of a download. */
  | { readonly kind: 'reported'; readonly rtu: string; readonly download: string; readonly body: Json }
  | { readonly kind: 'notice'; readonly rtu: string; readonly again: boolean; readonly body: Json }

export interface ManagementOptions extends Omit<CentreOptions, 'tell'> {
  /** RTU of the platform whose management app has this common name. */
  rtuOf(name: string): string | undefined
  /** Platforms that are watched for silence, from the start. */
  readonly deployed: readonly string[]
  tell(e: ManagementEvent): void
  readonly downloads?: {
    /** Bytes of an answer's body that leave before the connection is broken; undefined: all. */
    cut?(): number | undefined
    /** Whether this answer's bytes are altered on their way. */
    spoils?(): boolean
  }
}

export interface ManagementServer extends CentreServer {
  /** What this platform is to fetch from now on; one of the same ID takes the place of the one before. */
  offer(rtu: string, d: Download): void
  withdraw(rtu: string, id: string): void
  /** Nobody waits to hear from it any more. */
  decommission(rtu: string): void
}

/** Starts a management server. Throws what `listen` throws. */
export type StartManagement = (o: ManagementOptions) => Promise<ManagementServer>
