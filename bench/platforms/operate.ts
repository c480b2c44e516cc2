/** What a system operator asks of the reference platform's Container Manager, as scenarios word it. */
import { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import type { Json } from '../../drivers/faces.ts'

/** The reference platform's Container Manager as an instance of its own: sim/reference/lvcap/README.md. */
const manager = 'eatl_containermanager_00'

const config = z.record(z.string(), z.json())

const request = z.discriminatedUnion('do', [
  /** Changes the interval of status requests, in seconds. */
  z.strictObject({ do: z.literal('interval'), seconds: z.number().positive() }),
  z.strictObject({ do: z.enum(['restart', 'shutdown', 'start']), app: z.string() }),
  /** Sends an app a command of another number than table 9 has. */
  z.strictObject({ do: z.literal('command'), app: z.string(), number: z.int() }),
  /** Replaces the whole configuration of an app. */
  z.strictObject({ do: z.literal('configure'), app: z.string(), config }),
  /** Replaces the keys given. */
  z.strictObject({ do: z.literal('change'), app: z.string(), config }),
])

/** A request for the Container Manager: what to do, to which instance, with which configuration. */
export interface OperatorRequest {
  readonly what: string
  readonly iid: string
  readonly config: Json
}

/**
 * Reads `{ do: 'restart', app: 'first' }` and the like; `iidOf` finds the instance of an app by its name in the rig.
 * Throws `bad-value` for what does not fit.
 */
export function operatorRequest(asked: Json, iidOf: (app: string) => string | undefined): OperatorRequest {
  const r = request.safeParse(asked)
  if (!r.success)
    throw new GridproofError('bad-value', `a request of the operator: ${z.prettifyError(r.error)}`)
  const d = r.data
  if (d.do === 'interval') return { what: 'change', iid: manager, config: { statusInterval: d.seconds } }
  const iid = iidOf(d.app)
  if (iid === undefined) throw new GridproofError('bad-value', `no app '${d.app}' is installed on this rig`)
  if (d.do === 'command') return { what: 'command', iid, config: { Command: d.number } }
  return { what: d.do, iid, config: 'config' in d ? d.config : {} }
}
