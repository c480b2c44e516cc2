/** A server of resumable uploads as the system under test, and a client that misbehaves on purpose. Types only; met through bench/faces.ts. */
import type { Series } from './log.ts'

/** What a request was for. */
export type UploadAsked = 'options' | 'create' | 'offset' | 'append' | 'end'

/** What the server said of itself (OPTIONS): payload of `uploads.offers`. */
export interface UploadOffers {
  readonly status: number
  /** Tus-Version, in its order of preference; empty: it tells none. */
  readonly versions: readonly string[]
  /** Tus-Extension. */
  readonly extensions: readonly string[]
  /** Tus-Max-Size. */
  readonly 'most [B]': number | null
  /** Tus-Checksum-Algorithm. */
  readonly algorithms: readonly string[]
}

/** One request and what came of it: payload of `uploads.<name>.<asked>`. */
export interface UploadExchange {
  readonly asked: UploadAsked
  /** Which upload of this run, from 1; 0: one that was never begun. */
  readonly upload: number
  /** Of the upload. */
  readonly 'length [B]': number
  /** Upload-Offset of the request. */
  readonly 'claimed [B]': number | null
  /** Bytes of a body that left in this request. */
  readonly 'sent [B]': number
  /** The highest offset that the server had told of this upload before. */
  readonly 'told before [B]': number
  /** Upload-Expires as the server had told it of this upload before, ms since 1970; null: it had not. */
  readonly 'expires, told before': number | null
  /** Behind the last byte of this upload that has ever left. */
  readonly 'left [B]': number
  readonly 'took [s]': number
  /** Null: there was none; `why` tells. */
  readonly answer: UploadAnswer | null
  readonly why?: string
  /** The client takes the answer for lost. */
  readonly ignored?: true
  /** Tus-Resumable of the request, where it is not 1.0.0. */
  readonly says?: string
}

export interface UploadAnswer {
  readonly status: number
  /** Upload-Offset and Upload-Length; null: not told, or no whole number. */
  readonly 'offset [B]': number | null
  readonly 'length [B]': number | null
  /** Tus-Resumable and Tus-Version. */
  readonly resumable: string | null
  readonly versions: string | null
  /** Cache-Control. */
  readonly cache: string | null
  /** Upload-Expires, ms since 1970; null: not told, or no date. */
  readonly expires: number | null
  /** Location leads to an upload. */
  readonly located: boolean
}

/** What the server has made of an upload: payload of `uploads.<name>.object`. */
export interface UploadObject {
  readonly upload: number
  readonly 'length [B]': number
  /** How many it has of this upload; null: that cannot be seen here. */
  readonly 'objects [1]': number | null
  /** Of the first; null: none, or it cannot be seen here, as `why` tells. */
  readonly 'size [B]': number | null
  readonly sha256: string | null
  readonly expected: string
  /** Bodies of all requests that were sent for it; and of those that had no answer, as far as they had left. */
  readonly 'sent [B]': number
  readonly 'broken [B]': number
  /** It cannot be seen here. */
  readonly hidden?: true
  readonly why?: string
}

/** What cannot be played here, and why: payload of `uploads.lacks`. */
export interface UploadLack {
  readonly what: 'power' | 'expiry'
  readonly why: string
}

/** What is wrong with what a server did, in words such as `answered 400, where 409 was due`; nothing: it is as was due. */
export type UploadDue =
  | string
  | undefined
  | { /** It cannot be told here, and why. */ readonly hidden: string }

/** A request that appends, as far as it is not what a client would send. */
export interface UploadAppend {
  /** Bytes of the body; what is missing, at most a piece, unless given. */
  readonly bytes?: number
  /** Upload-Offset, and where in the upload the body begins; where the upload stands unless given. */
  readonly claims?: number
  /** Bytes more than are left. */
  readonly beyond?: number
  readonly type?: string
  /** Tus-Resumable. */
  readonly version?: string
  /** Upload-Checksum by SHA-1, of the body, of another one, or by an algorithm that nobody has. */
  readonly checksum?: 'right' | 'wrong' | 'unknown'
  /** So many bytes of the body leave; then the connection is reset, or nothing more comes over it. */
  readonly breaks?: { readonly after: number; readonly how: 'reset' | 'silence' }
  /** The body leaves in slices, so that another one may come in between. */
  readonly slices?: { readonly bytes: number; readonly every: string }
  /** The client never learns what the answer is. */
  readonly ignores?: true
}

/** An upload on its way. */
export interface UploadInHand {
  /** In bytes. */
  readonly length: number
  /** As the server told it last; the client goes on there. */
  readonly offset: number
  append(name: string, o?: UploadAppend): Promise<void>
  /** HEAD. */
  ask(name: string, o?: { readonly version?: string }): Promise<void>
  /** DELETE. */
  end(name: string): Promise<void>
  /** A connection that was left standing in silence goes on with what it had to send. */
  wakeGhost(name: string): Promise<void>
  /** Asks where the upload stands and sends what is missing, in pieces; gives up after a few tries without progress. */
  finish(name: string): Promise<void>
  /** What the server has made of it, where that can be seen: `uploads.<name>.object`. */
  collect(name: string): Promise<void>
}

/**
 * A server of resumable uploads (tus 1.0.0), which is the subject: the data centre's upload server on a host of its own, or
 * somebody's. The bench is the client. Names are the scenario's, for series.
 */
export interface Uploads {
  /** All of: `uploads.offers`, `uploads.lacks`, `uploads.<name>.<asked>`, `uploads.<name>.object`. */
  series(name: string, asked?: UploadAsked | 'object' | '*'): Series
  /** Bytes that the client sends in one request at most. */
  readonly piece: number
  /** OPTIONS. */
  look(): Promise<UploadOffers>
  begin(name: string, o: { readonly length: number; readonly version?: string }): Promise<UploadInHand>
  /** One that was never begun, at an address as the server gives them. */
  unknown(): UploadInHand
  /** Takes the server's power for so long; resolves when it answers again. False: it cannot be taken here. */
  cut(lasts: string): Promise<boolean>
  /** Lets time pass until after the expiry that the server told last of an upload; false: that is beyond this run. */
  outlast(upload: UploadInHand, most: string): Promise<boolean>
}
