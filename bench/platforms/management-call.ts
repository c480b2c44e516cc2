/** The management server calls a platform's management app, or somebody else does in its place. */
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { messageOf } from '../../drivers/errors.ts'
import type { Management } from '../faces.ts'
import { commsApp, managementName } from './management.ts'

/** Payload of `management.call`. */
export interface CallOutcome {
  readonly attempt: string
  /** `closed`: no answer. `refused`: an answer that says no. `inside`: it was heard. */
  readonly stage: 'closed' | 'refused' | 'inside'
  readonly status?: number
  readonly reason?: string
}

/** How long an answer may take, ms. Ours. */
const patience = 15_000

/** Never rejects. */
export function callAt(
  at: { readonly pki: string; readonly address: string; readonly port: number },
  what: Parameters<Management['call']>[0],
): Promise<CallOutcome> {
  const read = (file: string): string => readFileSync(join(at.pki, file), 'utf8')
  const file = { itself: managementName, colleague: 'operator', nobody: undefined }[what.as]
  return new Promise((resolve) => {
    const asked = request(
      {
        host: at.address,
        port: at.port,
        method: 'POST',
        path: '/look',
        agent: false,
        timeout: patience,
        headers: { 'content-length': '0' },
        ca: read('ca.crt'),
        servername: commsApp.apid,
        // An application's name is no host's: it has underscores.
        checkServerIdentity: (_, { subject }) =>
          subject.CN === commsApp.apid ? undefined : new Error(`it is ${String(subject.CN)} that answers`),
        ...(file === undefined ? {} : { cert: read(`${file}.crt`), key: read(`${file}.key`) }),
      },
      (r) => {
        r.resume()
        const status = r.statusCode ?? 0
        resolve({ attempt: what.name, stage: status === 202 ? 'inside' : 'refused', status })
      },
    )
    asked.on('timeout', () => asked.destroy(new Error(`no answer in ${patience / 1000} s`)))
    asked.on('error', (e) => resolve({ attempt: what.name, stage: 'closed', reason: messageOf(e) }))
    asked.end()
  })
}
