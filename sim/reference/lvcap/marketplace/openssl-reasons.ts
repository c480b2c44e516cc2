/** What OpenSSL's reason strings (ERR_reason_error_string(3), version 3) say of a handshake that failed. */
import type { RefusalReason } from './peers.ts'

const reasons: Readonly<Record<string, RefusalReason>> = {
  'peer did not return a certificate': 'no-certificate',
  // Whether out of date, foreign or revoked, it does not say.
  'certificate verify failed': 'bad-certificate',
  'unsupported protocol': 'tls-version',
  'version too low': 'tls-version',
  'no protocols available': 'tls-version',
  'tlsv1 alert protocol version': 'tls-version',
  'wrong version number': 'plain-tcp',
  'http request': 'plain-tcp',
  'https proxy request': 'plain-tcp',
  'packet length too long': 'plain-tcp',
  'record too small': 'plain-tcp',
  'bad record type': 'plain-tcp',
  'unexpected message': 'plain-tcp',
}

/** Why somebody was refused, by the text that OpenSSL gave; `handshake` for any other. */
export function reasonOfText(text: string): RefusalReason {
  return Object.hasOwn(reasons, text) ? (reasons[text] ?? 'handshake') : 'handshake'
}
