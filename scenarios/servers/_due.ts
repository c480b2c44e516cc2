/** Words for what a server of resumable uploads owes (tus 1.0.0, https://tus.io/protocols/resumable-upload). */
import type { UploadDue, UploadExchange, UploadObject, UploadOffers } from '../../bench/index.ts'

/** What is wrong where the answer has none of these statuses. */
export function status(x: UploadExchange, ...due: readonly number[]): string | undefined {
  const wanted = due.join(' or ')
  if (x.answer === null) return `${x.why ?? 'no answer'}, where ${wanted} was due`
  return due.includes(x.answer.status) ? undefined : `answered ${x.answer.status}, where ${wanted} was due`
}

/** What is wrong where it does not stand at an offset from `least` to `most`. */
export function stands(x: UploadExchange, least: number, most = least): string | undefined {
  const wrong = status(x, 200, 204)
  if (wrong !== undefined) return wrong
  const at = x.answer?.['offset [B]'] ?? null
  if (at === null) return 'it tells no Upload-Offset'
  const due = least === most ? `${least}` : `${least} to ${most}`
  return at >= least && at <= most ? undefined : `it tells an offset of ${at}, where ${due} was due`
}

/** As it stood before; for after a request that was to be refused. */
export const unchanged = (x: UploadExchange): string | undefined => stands(x, x['told before [B]'])

/** Refused, one way or another: by a status from 400 on, or by the end of the connection. */
export function refused(x: UploadExchange): string | undefined {
  if (x.answer === null) return x.why?.startsWith('no answer') === true ? x.why : undefined
  return x.answer.status >= 400 ? undefined : `answered ${x.answer.status}, where a refusal was due`
}

/** Nothing to judge without an extension. */
export const offering =
  (extension: string) =>
  (offers: UploadOffers): string | undefined =>
    offers.extensions.includes(extension)
      ? undefined
      : `the server does not offer the extension ${extension}, which it need not: there is nothing to judge`

/** Come out as it is at the client. */
export function whole(x: UploadObject): UploadDue {
  if (x.hidden === true) return { hidden: x.why ?? 'it cannot be read back here' }
  if (x.sha256 === x.expected) return undefined
  const size = x['size [B]']
  if (size === null) return `there is no object of it${x.why === undefined ? '' : ` (${x.why})`}`
  return size === x['length [B]']
    ? 'the object has its length and other bytes'
    : `the object has ${size} of ${x['length [B]']} bytes`
}
