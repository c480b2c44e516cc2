/** One error class for the whole project. The codes are documented in docs/errors.md; a test keeps the two equal. */

/** Every code, with what it means. Exit codes of the command line follow from `exitCodeOf`. */
export const errorCodes = {
  usage: 'The command line was not understood.',
  'bad-file': 'A file (rig, personality, profile, requirement, scenario) does not fit its schema.',
  'bad-value': 'A value lies outside its range, or a text could not be read as what it should be.',
  'rig-lacks': 'The rig cannot do what was asked of it; nothing was started.',
  'rig-broke': 'Something of the rig failed during a run: a port, a broker, a child process.',
  'not-capable': 'This host, wire or platform has no such ability.',
  'no-such': 'A name was asked for that does not exist.',
  timeout: 'Something did not happen in its time.',
  'bad-frame': 'Bytes on a wire do not form what the protocol asks.',
  'bad-log': 'An evidence log cannot be read.',
  escaped: 'Code escaped from virtual time.',
  'power-gone': 'A program acted after its host lost power.',
  internal: 'A fault of the bench itself.',
} as const

export type ErrorCode = keyof typeof errorCodes

/** Where in a file something is wrong: 1-based line and column, and the path of keys inside the document. */
export interface FilePlace {
  readonly file: string
  readonly line?: number
  readonly column?: number
  readonly path?: string
}

/**
 * The project's error. `message` says what happened and what to do; `place` says where in a file.
 */
export class GridproofError extends Error {
  override readonly name = 'GridproofError'
  readonly code: ErrorCode
  readonly place?: FilePlace

  constructor(code: ErrorCode, message: string, more: { cause?: unknown; place?: FilePlace } = {}) {
    const at = more.place === undefined ? '' : `${placeText(more.place)}: `
    super(at + message, more.cause === undefined ? undefined : { cause: more.cause })
    this.code = code
    if (more.place !== undefined) this.place = more.place
  }
}

export function isGridproofError(e: unknown, code?: ErrorCode): e is GridproofError {
  return e instanceof GridproofError && (code === undefined || e.code === code)
}

/** `file:line:column (path)`, as editors and CI make links of. */
export function placeText(p: FilePlace): string {
  const line = p.line === undefined ? '' : `:${p.line}${p.column === undefined ? '' : `:${p.column}`}`
  return `${p.file}${line}${p.path === undefined || p.path === '' ? '' : ` (${p.path})`}`
}

/** The text of anything thrown. */
export function messageOf(e: unknown): string {
  return e instanceof Error ? e.message : String(e)
}
