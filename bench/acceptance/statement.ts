/**
 * What is signed: an in-toto Statement v1 with a test-result predicate over the SHA-256 of every file, in a DSSE
 * envelope. Sources: in-toto Attestation Framework, spec/v1/statement.md and spec/predicates/test-result.md (v0.1);
 * secure-systems-lab/dsse, envelope.md and protocol.md (PAE).
 */
import { createPublicKey, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Acceptance } from './faces.ts'
import { keyidOf } from './keys.ts'

export const statementType = 'https://in-toto.io/Statement/v1'
export const predicateType = 'https://in-toto.io/attestation/test-result/v0.1'
export const payloadType = 'application/vnd.in-toto+json'

/** Files of an acceptance that no digest can hold, as they hold the digests. */
export const statementFile = 'statement.json'
export const envelopeFile = 'statement.dsse.json'
/** The public key that it says to be signed with; its digest is in the statement. */
export const publicKeyFile = 'operator.pub.pem'

const digest = z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) })
const described = z.strictObject({ name: z.string().min(1), digest })

const statement = z.strictObject({
  _type: z.literal(statementType),
  subject: z.array(described).min(1),
  predicateType: z.literal(predicateType),
  predicate: z.strictObject({
    result: z.enum(['PASSED', 'WARNED', 'FAILED']),
    configuration: z.array(described),
    passedTests: z.array(z.string()),
    warnedTests: z.array(z.string()),
    failedTests: z.array(z.string()),
  }),
})

export type Statement = z.infer<typeof statement>

const envelope = z.strictObject({
  payload: z.base64(),
  payloadType: z.literal(payloadType),
  signatures: z.array(z.strictObject({ keyid: z.string(), sig: z.base64() })).length(1),
})

/** `file` relative to the acceptance's folder. */
export interface FileDigest {
  readonly file: string
  readonly sha256: string
}

/**
 * The statement about an acceptance. Readers take `warnedTests` for passed with a remark: these are the marginal ones.
 * `failedTests` are all that were looked at and not shown to be met: failed, inconclusive, outdated. What is waived
 * stands in no list, and makes the result WARNED at best; so does an acceptance without a single pass.
 */
export function statementOf(a: Acceptance, files: readonly FileDigest[]): Statement {
  const ids = (...states: string[]): string[] =>
    a.requirements.filter((r) => states.includes(r.state)).map((r) => r.id)
  const failed = ids('fail', 'inconclusive', 'outdated')
  const passed = ids('pass')
  const warned = ids('marginal')
  const clean = warned.length === 0 && ids('waived').length === 0 && passed.length > 0
  const subjectDigest = /^sha256:([0-9a-f]{64})$/.exec(a.subject?.digest ?? '')?.[1]
  return {
    _type: statementType,
    subject: files.map((f) => ({ name: f.file, digest: { sha256: f.sha256 } })),
    predicateType,
    predicate: {
      result: failed.length > 0 ? 'FAILED' : clean ? 'PASSED' : 'WARNED',
      configuration: [
        { name: 'requirements', digest: { sha256: a.catalogue } },
        ...(subjectDigest === undefined ? [] : [{ name: 'subject', digest: { sha256: subjectDigest } }]),
      ],
      passedTests: passed,
      warnedTests: warned,
      failedTests: failed,
    },
  }
}

export function statementText(s: Statement): string {
  return `${JSON.stringify(s, null, 1)}\n`
}

/** What is signed of a payload: DSSE's pre-authentication encoding. */
export function preAuthentication(type: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `
  return Buffer.concat([Buffer.from(head, 'utf8'), payload])
}

/** The envelope's text: a statement signed with the operator's private key. */
export function signed(s: Statement, key: KeyObject): string {
  const payload = Buffer.from(statementText(s), 'utf8')
  const sig = sign(null, preAuthentication(payloadType, payload), key)
  return envelopeText({
    payload: payload.toString('base64'),
    payloadType,
    signatures: [{ keyid: keyidOf(key), sig: sig.toString('base64') }],
  })
}

function envelopeText(e: z.infer<typeof envelope>): string {
  return `${JSON.stringify(e, null, 1)}\n`
}

/** Reads a statement's text. Throws `bad-file`. */
export function readStatement(text: string, file: string): Statement {
  return readAs(statement, text, file)
}

/**
 * Opens an envelope with a public key. Throws `bad-file` for a text that is not, byte for byte, an envelope as we write
 * it: what can be written in two ways could be altered unseen. `problem`: whose signature it is not.
 */
export function opened(
  text: string,
  file: string,
  key: KeyObject,
): { readonly statement: Statement; readonly keyid: string; readonly problem?: string } {
  const e = readAs(envelope, text, file)
  const payload = Buffer.from(e.payload, 'base64')
  const [signature] = e.signatures
  if (signature === undefined) throw new GridproofError('bad-file', 'has no signature', { place: { file } })
  const sig = Buffer.from(signature.sig, 'base64')
  const again = envelopeText({
    payload: payload.toString('base64'),
    payloadType,
    signatures: [{ keyid: signature.keyid, sig: sig.toString('base64') }],
  })
  if (again !== text)
    throw new GridproofError('bad-file', 'is not written as the bench writes it', { place: { file } })
  const said = readStatement(payload.toString('utf8'), file)
  const open = key.type === 'private' ? createPublicKey(key) : key
  const keyid = keyidOf(open)
  const problem =
    signature.keyid !== keyid
      ? `it is signed with another key (${signature.keyid.slice(0, 16)}…), not with this one (${keyid.slice(0, 16)}…)`
      : verify(null, preAuthentication(e.payloadType, payload), open, sig)
        ? undefined
        : 'the signature does not fit what is signed'
  return { statement: said, keyid: signature.keyid, ...(problem === undefined ? {} : { problem }) }
}

function readAs<T>(shape: z.ZodType<T>, text: string, file: string): T {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (e) {
    throw new GridproofError('bad-file', `is no JSON: ${messageOf(e)}`, { cause: e, place: { file } })
  }
  const parsed = shape.safeParse(data)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new GridproofError('bad-file', issue?.message ?? 'does not fit its schema', {
    place: { file, path: issue?.path.map(String).join('.') ?? '' },
  })
}
