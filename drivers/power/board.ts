/** Boards that switch the power of real equipment: what all of them do, and what can be said of one in a rig file. */

/** Outlets count from 1. */
export interface PowerBoard extends AsyncDisposable {
  /**
   * Switches, and makes sure where the board tells. Throws `timeout` where it does not answer, `bad-frame` for what is no
   * answer, `rig-broke` where it stands otherwise than it was set.
   */
  set(outlet: number, on: boolean): Promise<void>
  /** How it stands; undefined: this board never tells. */
  read(outlet: number): Promise<boolean | undefined>
}

export type BoardSpec =
  | {
      readonly kind: 'serial-relay'
      readonly path: string
      /** 9600 unless given. */
      readonly baudRate?: number | undefined
      /** Whether it answers; the plainest boards do not. */
      readonly answers?: boolean | undefined
    }
  | {
      readonly kind: 'coils'
      readonly host: string
      readonly port?: number | undefined
      readonly unit?: number | undefined
      readonly first?: number | undefined
    }
  | {
      readonly kind: 'http'
      /** Where it is: `http://192.0.2.7`. */
      readonly url: string
      readonly paths?: HttpPaths | undefined
      readonly user?: string | undefined
      /** A file with the password on its first line. */
      readonly passwordFile?: string | undefined
    }

/** What is asked of an HTTP board; `{outlet}` stands for its number, as this board counts (`first`). */
export interface HttpPaths {
  readonly on: string
  readonly off: string
  readonly state: string
  /** Regular expressions on the answer to `state`: it is on, it is off. */
  readonly isOn: string
  readonly isOff: string
  /** Number of the first outlet. */
  readonly first: number
}

/** How long a board may take to answer, ms. Ours. */
export const answerWithin = 2_000
