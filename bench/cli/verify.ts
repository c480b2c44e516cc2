/** `gridproof verify` */
import { existsSync } from 'node:fs'
import { GridproofError } from '../../drivers/errors.ts'
import { readPublicKey } from '../acceptance/keys.ts'
import { verifyFolder } from '../acceptance/verify.ts'
import { exitCodes } from '../verdicts/exit-code.ts'
import { oneLine } from '../../reports/text/plain.ts'

/** Faults that are printed; more are counted. */
const shown = 200

export async function verifyCommand(folder: string, o: { readonly key?: string }): Promise<number> {
  if (!existsSync(folder)) throw new GridproofError('usage', `there is no folder '${folder}'`)
  const v = verifyFolder(folder, o.key === undefined ? undefined : readPublicKey(o.key))
  const out = (text: string): void => void process.stdout.write(`${oneLine(text)}\n`)
  for (const f of v.faults.slice(0, shown)) out(`✗ ${f.what}: ${f.file}: ${f.why}`)
  if (v.faults.length > shown) out(`… and ${v.faults.length - shown} more`)
  for (const r of v.remarks.slice(0, shown)) out(`! ${r}`)
  out(`${v.compared} files compared with their digests, the chain of ${v.chained} logs followed.`)
  if (v.signed === 'given key') out(`Signed with the key given (${v.keyid}).`)
  else if (v.signed === 'enclosed key')
    out(
      `Signed with the key enclosed (${v.keyid}). Who holds it is not shown by this: give the operator's public key by --key.`,
    )
  if (v.faults.length > 0) {
    out(`NOT as it was: ${v.faults.length === 1 ? '1 fault' : `${v.faults.length} faults`}.`)
    return exitCodes.failed
  }
  if (v.signed === 'no') {
    out(
      v.compared === 0
        ? 'The logs fit together. A run holds no digests of its reports and is not signed: gridproof accept --sign does both.'
        : 'Whole, but not signed: whoever altered the statement too would not be found.',
    )
    return exitCodes.inconclusive
  }
  out('Whole: every file is the one that was signed.')
  return exitCodes.ok
}
