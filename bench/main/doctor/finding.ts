/** What the doctor says of one thing. */

/** `missing`: a run that needs it would be a rig fault. */
export type Health = 'ok' | 'warn' | 'missing'

export interface Finding {
  /** Short and stable, for programs: `serial-port`, `certificate`. */
  readonly check: string
  readonly health: Health
  /** What was found. */
  readonly what: string
  /** What to do; there for all but `ok`. */
  readonly todo?: string
}

export const ok = (check: string, what: string): Finding => ({ check, health: 'ok', what })
export const warn = (check: string, what: string, todo: string): Finding => ({
  check,
  health: 'warn',
  what,
  todo,
})
export const missing = (check: string, what: string, todo: string): Finding => ({
  check,
  health: 'missing',
  what,
  todo,
})
