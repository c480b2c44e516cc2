/**
 * Ciphered APDUs (DLMS UA 1000-2 Ed. 9, 9.2.7 and 9.5): general-glo-ciphering `DB`, system title, length, security
 * control, invocation counter, AES-128-GCM ciphertext, and a tag of 12 bytes where the message is authenticated. The
 * nonce is system title and invocation counter: a pair of key and counter must never be used twice.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { Cursor, DlmsError, lengthBytes } from './axdr.ts'

export const generalGloCiphering = 0xdb
const tagSize = 12

/** Bits of the security control byte. */
export const securityControl = {
  suite: 0x0f,
  authenticated: 0x10,
  encrypted: 0x20,
  broadcast: 0x40,
  compressed: 0x80,
} as const

export interface Keys {
  /** Block cipher key (EK), 16 bytes. */
  readonly encryption: Uint8Array
  /** Authentication key (AK), 16 bytes; needed where messages carry a tag. */
  readonly authentication?: Uint8Array
}

/** What a ciphered APDU shows without a key. */
export interface Ciphered {
  /** 8 bytes: three letters of the maker, then the serial. */
  readonly systemTitle: Uint8Array
  /** `20` encrypted only; `21` the same with suite number 1, still AES-128; `30` encrypted and authenticated. */
  readonly control: number
  readonly invocationCounter: number
  /** Ciphertext and, where authenticated, the tag. */
  readonly payload: Uint8Array
}

/** @throws DlmsError */
export function readCiphered(apdu: Uint8Array): Ciphered {
  const c = new Cursor(apdu)
  if (c.byte('APDU') !== generalGloCiphering) throw new DlmsError('not general-glo-ciphering', 0)
  const at = c.at
  const systemTitle = c.take(c.length('system title'), 'system title')
  if (systemTitle.length !== 8) throw new DlmsError(`a system title of ${systemTitle.length} bytes`, at)
  const length = c.length('ciphered service')
  if (length !== c.left)
    throw new DlmsError(`a ciphered service of ${length} bytes, and ${c.left} are there`, c.at)
  const control = c.byte('security control')
  const invocationCounter = c.view.getUint32(c.skip(4, 'invocation counter'))
  if ((control & securityControl.authenticated) !== 0 && c.left < tagSize)
    throw new DlmsError('no room for the authentication tag', c.at)
  return { systemTitle, control, invocationCounter, payload: c.take(c.left, 'ciphertext') }
}

function nonce(systemTitle: Uint8Array, invocationCounter: number): Uint8Array {
  const iv = new Uint8Array(12)
  iv.set(systemTitle)
  new DataView(iv.buffer).setUint32(8, invocationCounter)
  return iv
}

function additional(control: number, keys: Keys): Uint8Array {
  if (keys.authentication === undefined)
    throw new RangeError('an authenticated message needs the authentication key')
  return Uint8Array.from([control, ...keys.authentication])
}

function checkKeys(keys: Keys): void {
  for (const [name, k] of Object.entries(keys) as [string, Uint8Array | undefined][])
    if (k !== undefined && k.length !== 16)
      throw new RangeError(`the ${name} key has ${k.length} bytes, not 16`)
}

/**
 * The plain APDU. A message without encryption comes back as it is once its tag fits.
 * @throws DlmsError where the tag does not fit the keys
 * @throws RangeError for keys of the wrong size, or without the authentication key where it is needed
 */
export function decipher(c: Ciphered, keys: Keys): Uint8Array {
  checkKeys(keys)
  const authenticated = (c.control & securityControl.authenticated) !== 0
  const encrypted = (c.control & securityControl.encrypted) !== 0
  if ((c.control & securityControl.compressed) !== 0)
    throw new DlmsError('compressed messages are not read', 0)
  if (!authenticated && !encrypted) return c.payload
  const body = authenticated ? c.payload.subarray(0, -tagSize) : c.payload
  const gcm = createDecipheriv('aes-128-gcm', keys.encryption, nonce(c.systemTitle, c.invocationCounter), {
    authTagLength: tagSize,
  })
  if (authenticated) {
    const aad = additional(c.control, keys)
    gcm.setAAD(encrypted ? aad : Uint8Array.from([...aad, ...body]))
    gcm.setAuthTag(c.payload.subarray(-tagSize))
  }
  const plain = encrypted ? gcm.update(body) : body
  if (!encrypted) gcm.update(new Uint8Array())
  if (authenticated) {
    try {
      gcm.final()
    } catch {
      throw new DlmsError('the authentication tag does not fit: another key, or the message was altered', 0)
    }
  }
  return Uint8Array.from(plain)
}

/**
 * Ciphers an APDU. Whoever calls keeps the invocation counter, over restarts too: it may never be used again with a key.
 * @throws RangeError for a system title that has not 8 bytes, a counter outside 32 bits, or missing keys
 */
export function cipher(
  apdu: Uint8Array,
  with_: { readonly systemTitle: Uint8Array; readonly control: number; readonly invocationCounter: number },
  keys: Keys,
): Uint8Array {
  checkKeys(keys)
  const { systemTitle, control, invocationCounter } = with_
  if (systemTitle.length !== 8) throw new RangeError(`a system title has 8 bytes, not ${systemTitle.length}`)
  if (!Number.isInteger(invocationCounter) || invocationCounter < 0 || invocationCounter > 0xffffffff)
    throw new RangeError('the invocation counter has 32 bits')
  const authenticated = (control & securityControl.authenticated) !== 0
  const encrypted = (control & securityControl.encrypted) !== 0
  let payload: Uint8Array = apdu
  if (authenticated || encrypted) {
    const gcm = createCipheriv('aes-128-gcm', keys.encryption, nonce(systemTitle, invocationCounter), {
      authTagLength: tagSize,
    })
    if (authenticated) {
      const aad = additional(control, keys)
      gcm.setAAD(encrypted ? aad : Uint8Array.from([...aad, ...apdu]))
    }
    const body = encrypted ? gcm.update(apdu) : (gcm.update(new Uint8Array()), apdu)
    gcm.final()
    payload = authenticated ? Uint8Array.from([...body, ...gcm.getAuthTag()]) : Uint8Array.from(body)
  }
  const ic = new Uint8Array(4)
  new DataView(ic.buffer).setUint32(0, invocationCounter)
  return Uint8Array.from([
    generalGloCiphering,
    ...lengthBytes(8),
    ...systemTitle,
    ...lengthBytes(5 + payload.length),
    control,
    ...ic,
    ...payload,
  ])
}

/**
 * The first Norwegian Kaifa meters' own cipher of early 2017, in no standard: AES-128-ECB over the APDU, filled up with
 * zeros to whole blocks. Equal tails of two messages give equal blocks.
 */
export function ecbDecipher(b: Uint8Array, key: Uint8Array): Uint8Array {
  if (b.length === 0 || b.length % 16 !== 0)
    throw new DlmsError(`${b.length} bytes are no whole blocks of 16`, 0)
  const d = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false)
  return Uint8Array.from([...d.update(b), ...d.final()])
}

/** The way back of {@link ecbDecipher}. */
export function ecbCipher(apdu: Uint8Array, key: Uint8Array): Uint8Array {
  const filled = new Uint8Array(Math.ceil(apdu.length / 16) * 16)
  filled.set(apdu)
  const c = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)
  return Uint8Array.from([...c.update(filled), ...c.final()])
}
