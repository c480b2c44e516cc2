/** Errors of this platform. `code` says which kind; the message says what happened, and what to do. */

export const lvcapErrorCodes = {
  config: 'A configuration does not fit its schema.',
  certificate: 'A certificate or key cannot be read or used.',
  link: 'A field device cannot be reached, or did not answer in time.',
  refused: 'A field device answered with a Modbus exception.',
  closed: 'The session with the Data Marketplace is closed.',
  disk: 'The disk does not take what is to be kept.',
  protocol: 'The partner platform said what the protocol does not know.',
  overflow: 'Messages waited too long for the Data Marketplace and were given up.',
} as const

export type LvcapErrorCode = keyof typeof lvcapErrorCodes

export class LvcapError extends Error {
  override readonly name = 'LvcapError'
  readonly code: LvcapErrorCode

  constructor(code: LvcapErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** The text of anything thrown. */
export function textOf(e: unknown): string {
  if (e instanceof Error) return e.message
  // Some libraries throw plain objects.
  const message: unknown = typeof e === 'object' && e !== null ? Reflect.get(e, 'message') : undefined
  return typeof message === 'string' ? message : String(e)
}
