/** A meter reader, and what stands around it. Types only; met through bench/faces.ts. */
import type { Json, SerialSettings } from '../../drivers/faces.ts'
import type { Faulty } from '../../sim/faces.ts'
import type { Series, Platform } from './log.ts'

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
