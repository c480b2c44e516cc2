/** `gridproof keygen` */
import { makeKeys, passphraseVariable } from '../acceptance/keys.ts'
import { exitCodes } from '../verdicts/exit-code.ts'

export async function keygenCommand(name: string): Promise<number> {
  const passphrase = process.env[passphraseVariable]
  const { secret, open, keyid } = makeKeys(name, passphrase === '' ? undefined : passphrase)
  process.stdout.write(
    [
      `${secret}: the private key${passphrase ? ', encrypted' : ''}; keep it, and out of every folder of evidence`,
      `${open}: the public key, for whoever verifies`,
      `fingerprint: ${keyid}`,
      '',
    ].join('\n'),
  )
  return exitCodes.ok
}
