/** Keys of ciphered meters, from a file: on a command line they would stand in the shell's history and in lists of processes. */
import { readFileSync, statSync } from 'node:fs'
import { GridproofError, messageOf } from '../../../drivers/errors.ts'
import type { Keys } from '../../../drivers/protocols/dlms/ciphering.ts'

export interface KeyFile {
  readonly keys: ReadonlyMap<string, Keys>
  readonly ecbKey: Uint8Array | undefined
  /** Others than its owner may read it. */
  readonly open: boolean
}

const key = /^[0-9A-Fa-f]{32}$/
const title = /^[0-9A-Fa-f]{16}$/

/**
 * Reads lines `[system title | any | ecb] <encryption key> [authentication key]`, keys of 32 hexadecimal digits, a title of
 * 16; `#` begins a remark. A line without a first word is for any title, and for the early Norwegian cipher (ecb) too.
 * Throws `usage` where the file cannot be read, `bad-file` with its line; no message holds what stands in it.
 */
export function readKeys(file: string): KeyFile {
  if (key.test(file))
    throw new GridproofError(
      'usage',
      '--key takes the name of a file that holds the key, never the key itself',
    )
  let text: string
  let open: boolean
  try {
    text = readFileSync(file, 'utf8')
    open = process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0
  } catch (e) {
    throw new GridproofError('usage', `cannot read the keys: ${messageOf(e)}`, { cause: e })
  }
  const keys = new Map<string, Keys>()
  let ecbKey: Uint8Array | undefined
  for (const [i, raw] of text.split('\n').entries()) {
    const words = raw
      .replace(/#.*$/, '')
      .trim()
      .split(/\s+/)
      .filter((w) => w !== '')
    if (words.length === 0) continue
    const bare = key.test(words[0] ?? '')
    const [of = 'any', encryption = '', authentication] = bare ? ['any', ...words] : words
    const fits =
      (of === 'any' || of === 'ecb' || title.test(of)) &&
      key.test(encryption) &&
      (authentication === undefined || key.test(authentication)) &&
      words.length <= (bare ? 2 : 3)
    if (!fits)
      throw new GridproofError(
        'bad-file',
        `${file}, line ${i + 1}: expected [system title | any | ecb] <key> [authentication key], keys of 32 hexadecimal digits, a title of 16`,
      )
    const bytes = Buffer.from(encryption, 'hex')
    if (of === 'ecb' || bare) ecbKey = bytes
    if (of !== 'ecb')
      keys.set(of.toLowerCase(), {
        encryption: bytes,
        ...(authentication === undefined ? {} : { authentication: Buffer.from(authentication, 'hex') }),
      })
  }
  if (keys.size === 0 && ecbKey === undefined) throw new GridproofError('bad-file', `${file}: no key in it`)
  return { keys, ecbKey, open }
}
