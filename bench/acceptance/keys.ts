/** The operator's key: Ed25519, made once, kept outside of any evidence. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import { makeFolders } from '../../drivers/folders.ts'

/** Environment variable that holds the passphrase of the private key, where it has one. */
export const passphraseVariable = 'GRIDPROOF_KEY_PASSPHRASE'

/**
 * Makes a key pair: `<name>.pem`, readable by its owner alone and encrypted where there is a passphrase, and
 * `<name>.pub.pem`. Throws `usage` where either is there already.
 */
export function makeKeys(
  name: string,
  passphrase: string | undefined,
): { readonly secret: string; readonly open: string; readonly keyid: string } {
  const base = name.replace(/\.pem$/, '')
  const [secret, open] = [`${base}.pem`, `${base}.pub.pem`]
  for (const file of [secret, open])
    if (existsSync(file))
      throw new GridproofError(
        'usage',
        `'${file}' is there already, and a key is never overwritten; give another name`,
      )
  const pair = generateKeyPairSync('ed25519')
  const text = pair.privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    ...(passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }),
  })
  try {
    makeFolders(dirname(secret))
    writeFileSync(secret, text, { mode: 0o600, flag: 'wx' })
    writeFileSync(open, publicPem(pair.publicKey), { flag: 'wx' })
  } catch (e) {
    rmSync(secret, { force: true })
    throw new GridproofError('usage', `no key can be kept as '${secret}': ${messageOf(e)}`, { cause: e })
  }
  return { secret, open, keyid: keyidOf(pair.publicKey) }
}

/** Reads a private key. Throws `usage` for anything but an Ed25519 key in PEM, or a wrong passphrase. */
export function readSecretKey(file: string, passphrase: string | undefined): KeyObject {
  const text = readKeyFile(file)
  if (!text.includes('PRIVATE KEY'))
    throw new GridproofError('usage', `'${file}' holds no private key; 'gridproof keygen' makes one`)
  let key: KeyObject
  try {
    key = createPrivateKey({ key: text, ...(passphrase === undefined ? {} : { passphrase }) })
  } catch (e) {
    const why = text.includes('ENCRYPTED')
      ? `it has a passphrase, to be given in ${passphraseVariable}${passphrase === undefined ? '' : '; the one there does not open it'}`
      : messageOf(e)
    throw new GridproofError('usage', `'${file}' cannot be used as a key: ${why}`, { cause: e })
  }
  return ed25519(key, file)
}

/** Reads a public key. Throws `usage` for anything but an Ed25519 key in PEM; a private key is refused, too. */
export function readPublicKey(file: string): KeyObject {
  const text = readKeyFile(file)
  if (text.includes('PRIVATE KEY'))
    throw new GridproofError(
      'usage',
      `'${file}' is a private key, which nobody needs in order to verify; give the public one (.pub.pem)`,
    )
  return publicKeyOf(text, file)
}

/** A public key out of its text. */
export function publicKeyOf(text: string, file: string): KeyObject {
  try {
    return ed25519(createPublicKey(text), file)
  } catch (e) {
    if (e instanceof GridproofError) throw e
    throw new GridproofError(
      'usage',
      `'${file}' cannot be used as a public key (${messageOf(e)}); 'gridproof keygen' makes one: <name>.pub.pem`,
      {
        cause: e,
      },
    )
  }
}

function ed25519(key: KeyObject, file: string): KeyObject {
  if (key.asymmetricKeyType === 'ed25519') return key
  throw new GridproofError(
    'usage',
    `'${file}' is a key of type ${key.asymmetricKeyType ?? 'unknown'}; it must be Ed25519, as 'gridproof keygen' makes it`,
  )
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (e) {
    throw new GridproofError('usage', `the key '${file}' cannot be read: ${messageOf(e)}`, { cause: e })
  }
}

export function publicPem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

/** SHA-256 in hexadecimal over the public key (SubjectPublicKeyInfo, DER): what to compare by telephone. */
export function keyidOf(key: KeyObject): string {
  const open = key.type === 'private' ? createPublicKey(key) : key
  return createHash('sha256')
    .update(open.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}
