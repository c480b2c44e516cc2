/** What stands upstream of a platform, and libraries as released for demonstrations. Types only; met through bench/faces.ts. */
import type { Json } from '../../drivers/faces.ts'
import type { Faulty } from '../../sim/faces.ts'
import type { Series } from './log.ts'

/** Somebody knocks at the door of a server that takes uploads. */
export interface DoorTry {
  /** Names it in the log. */
  readonly name: string
  /**
   * Whose certificate is shown: that of the app that uploads, of another identity of the platform, none, or one in the
   * app's name that must not count.
   */
  readonly as:
    | 'app'
    | 'colleague'
    | 'nobody'
    | 'expired'
    | 'not-yet-valid'
    | 'foreign-ca'
    | 'self-signed'
    | 'revoked'
  /** To upload a row; to send the bytes of an upload that the app has begun; to read what is kept. */
  readonly asks: 'upload' | 'go-on' | 'read'
  /** For the app's own RTU unless given. */
  readonly rtu?: 'another'
  readonly over?: 'clear' | 'old-tls'
}

/**
 * The data centre to which the platform's Data Upload app sends, played by the bench; the app uploads for the RTU `rtu`.
 * Faults: `away`; `loses-answers` ({ answers }: so many answers to appended bytes do not arrive, the bytes are kept);
 * `wrong-certificate` ({ is: foreign-ca, self-signed, expired, wrong-name or revoked }).
 */
export interface Centre extends Faulty {
  /** The RTU that is the platform's own; and the instance and certificate of its upload app. */
  readonly rtu: string
  /** That of the second substation's platform, which uploads too where `storage2` is asked for. */
  readonly rtu2: string
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
  /** What Data Storage answers when that app asks it for what was not uploaded yet. */
  readonly queue: Series
  /** Bytes that the app sends at a time, and of a long backlog, packed, by the rig. */
  readonly window: number
  readonly backlog: number
  /** Somebody at its door; resolves when that is over. */
  knock(what: DoorTry): Promise<void>
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
 * What becomes of an update: it is in effect for good; it is tried, and what was before comes back; or it is not touched.
 */
export type UpdateFate = 'applied' | 'returned' | 'refused'

/** An update of the platform: other versions, other settings, more or fewer apps, taken as a whole or not at all. */
export interface Update {
  readonly id: string
  readonly kind: 'software' | 'configuration'
  /** By their names here, as `operator` knows them. */
  readonly apps?: Readonly<
    Record<
      string,
      {
        /** Enrolled are those that are installed, and `1.1` of the scripted app `first`. */
        readonly version?: string
        /** The whole of its configuration. */
        readonly config?: { readonly [k: string]: Json }
        /** It comes with its program, as an app does that is not installed; of scripted apps alone. */
        readonly program?: true
      }
    >
  >
  readonly remove?: readonly string[]
  /** Of the images that come with it, in bytes. */
  readonly size: number
  /**
   * What is wrong with it; nothing unless given. `altered`: after it was signed. `damaged`: an image in it. `unfit`: it
   * cannot be applied to what is installed. `never-runs`: something of what it brings does not come up.
   */
  readonly wrong?:
    | 'unsigned'
    | 'wrong-signer'
    | 'altered'
    | 'damaged'
    | 'other-platform'
    | 'unfit'
    | 'never-runs'
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
  /** Bytes of a download that the app asks for at a time, and of a large file, by the rig. */
  readonly piece: number
  readonly large: number
  /** Seconds between two signs of life on its disk. */
  readonly life: number
  /** As the platform was told. */
  readonly serial: string
  readonly location: string
  /** What came of its calls: `stage` and `status`, as of those who knock. Where the app hears calls (`calls: { port }`). */
  readonly calls: Series
  readonly callPort: number
  /** Calls the platform and asks it to look now; or somebody else does. Resolves when that is over. */
  call(what: { readonly name: string; readonly as: 'itself' | 'colleague' | 'nobody' }): Promise<void>
  offer(o: Offer): void
  /** Offers an update, packed and signed; the event of it in `offers` says what it is to come to. */
  update(u: Update): void
  withdraw(id: string): void
  /** The platform is out of service from now on. */
  decommission(): void
  collect(): Promise<void>
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
