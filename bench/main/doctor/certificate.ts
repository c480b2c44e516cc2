/** Certificates of a rig, judged before a run does: their time, their chain, their names, their key. */
import { X509Certificate, createPrivateKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { messageOf } from '../../../drivers/errors.ts'
import { missing, ok, warn } from './finding.ts'
import type { Finding } from './finding.ts'

const day = 86_400_000
/** Days before the end from which it is told; ours. */
const soon = 30

export interface Identity {
  /** What to call it: `observer's certificate`. */
  readonly what: string
  /** PEM texts. */
  readonly certificate: string
  readonly key?: string
  readonly ca: string
  /** Common name that it has to bear. */
  readonly name?: string
  readonly now: number
}

/** The first certificate of a PEM text. Throws an Error for a text that holds none. */
export function certificateOf(pem: string): X509Certificate {
  return new X509Certificate(pem)
}

/** Every certificate of a PEM text. */
export function certificatesOf(pem: string): readonly X509Certificate[] {
  const all = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  return all.map(certificateOf)
}

/** Common name of the subject; nothing where it has none. */
export function commonName(c: X509Certificate): string | undefined {
  // A subject without any field reads as undefined, whatever its type says.
  const subject: unknown = c.subject
  return typeof subject === 'string' ? /^CN=(.*)$/m.exec(subject)?.[1] : undefined
}

/** Whether now lies in its time, and for how long. */
export function inTime(what: string, c: X509Certificate, now: number): Finding {
  const [from, to] = [c.validFromDate.getTime(), c.validToDate.getTime()]
  const date = (t: number): string =>
    Number.isFinite(t) ? new Date(t).toISOString().slice(0, 10) : 'no date'
  if (!(now >= from))
    return missing(
      'certificate',
      `${what} is valid only from ${date(from)} on`,
      "look at this machine's clock, or have it issued again",
    )
  if (!(now <= to))
    return missing('certificate', `${what} has expired on ${date(to)}`, 'have it issued again')
  const days = Math.floor((to - now) / day)
  const text = `${what} is valid until ${date(to)}`
  return days < soon
    ? warn('certificate', `${text}, ${days} days from now`, 'have it issued again in time')
    : ok('certificate', text)
}

/** Judges one identity as a whole. */
export function judge(i: Identity): readonly Finding[] {
  let c: X509Certificate
  try {
    c = certificateOf(i.certificate)
  } catch (e) {
    return [missing('certificate', `${i.what} cannot be read: ${messageOf(e)}`, 'give a certificate in PEM')]
  }
  const found: Finding[] = [inTime(i.what, c, i.now)]
  try {
    const cas = certificatesOf(i.ca)
    const issuer = cas.find((ca) => c.checkIssued(ca) && c.verify(ca.publicKey))
    if (cas.length === 0)
      found.push(
        missing(
          'chain',
          'the file of the authority holds no certificate',
          'give the authority’s certificate in PEM',
        ),
      )
    else if (issuer === undefined)
      found.push(
        missing(
          'chain',
          `${i.what} is of another authority than the file given as ca`,
          'take the ca that issued it, with those between them in one file',
        ),
      )
    else {
      const time = inTime('the authority', issuer, i.now)
      found.push(time.health === 'ok' ? ok('chain', `${i.what} is of the authority given`) : time)
    }
  } catch (e) {
    found.push(
      missing('chain', `the authority cannot be read: ${messageOf(e)}`, 'give its certificate in PEM'),
    )
  }
  if (i.key !== undefined) found.push(keyOf(i.what, c, i.key))
  if (i.name !== undefined) {
    const name = commonName(c)
    found.push(
      name === i.name
        ? ok('name', `${i.what} bears the name '${name}'`)
        : warn(
            'name',
            `${i.what} bears the name '${name ?? ''}', and the rig's clientId is '${i.name}'`,
            'an LV-CAP marketplace refuses a client ID that is not the common name (API 8.1): make them equal',
          ),
    )
  }
  return found
}

function keyOf(what: string, c: X509Certificate, text: string): Finding {
  let key: KeyObject
  try {
    key = createPrivateKey(text)
  } catch (e) {
    return missing(
      'key',
      `the key of ${what} cannot be read: ${messageOf(e)}`,
      'give a private key in PEM without a passphrase',
    )
  }
  return c.checkPrivateKey(key)
    ? ok('key', `the key fits ${what}`)
    : missing('key', `the key does not fit ${what}`, 'the two belong to different identities: take the pair')
}
