/** What the threads of a fuzzing run say to each other. */

/** A run of inputs of one target; a server begins anew with each. */
export interface Session {
  readonly target: string
  readonly from: number
  /** Behind the last one. */
  readonly to: number
}

export interface Finding {
  readonly target: string
  /** Number of the input; what came before it in its session may have a part in it. */
  readonly input: number
  readonly what: string
}

/** `beat`: an Int32Array of two: how many inputs were begun, and the number of the last one. */
export interface WorkerSetup {
  readonly seed: number
  readonly folder: string
  readonly beat: SharedArrayBuffer
  /** URL of the module that exports `targets`. */
  readonly table: string
}

/** Inputs of a session. */
export const sessionLength = 64
