/**
 * What a program of this platform is given by whatever runs it: a process supervisor, a container engine, a test.
 * Programs use nothing else of their surroundings: no environment variables, no command line, no signals.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [k: string]: Json }

export type JsonObject = { readonly [k: string]: Json }

/** A program as data: a module that exports `main(env)`, and what it is told. */
export interface Program {
  /** Module path from the root of the installation. */
  readonly entry: string
  readonly config: Json
  /** Passed on unread; this platform gives none of its own. */
  readonly defects: readonly string[]
}

/** A running program. */
export interface Proc {
  readonly name: string
  /** Exit code, or what ended it. */
  readonly ended: Promise<number | string>
  signal(s: 'TERM' | 'KILL'): void
}

export interface ProgramEnv {
  readonly name: string
  /** IP address of the machine that the program runs on. */
  readonly address: string
  /** A folder of the program's own. */
  readonly disk: string
  readonly config: Json
  readonly defects: readonly string[]
  /** Aborted when the program should finish and return. */
  readonly term: AbortSignal
  /** One line for the machine's log. */
  log(entry: Json): void
  /** Starts another program on the same machine, which ends when this one ends. */
  start(name: string, program: Program): Promise<Proc>
}

/** Resolves when the signal is given, or has been. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Now, in whole milliseconds since 1970 UTC: for time stamps. Intervals use `performance.now()`, which no clock correction moves. */
export function wallClock(): number {
  return Date.now()
}
