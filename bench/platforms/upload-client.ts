/**
 * A client of resumable uploads that misbehaves where it is told to, and tells what came of each request: role `uploads`.
 * It speaks tus 1.0.0 byte by byte (./raw-http.ts), so that it can break off, fall silent and come back as links make a
 * client do; whoever plays or owns the server is behind ./upload-sites.ts.
 */
import { createHash } from 'node:crypto'
import { messageOf } from '../../drivers/errors.ts'
import type { Instant, Json, Realm } from '../../drivers/faces.ts'
import { duration } from '../../drivers/units.ts'
import type { Emit } from '../../sim/faces.ts'
import type {
  UploadAnswer,
  UploadAppend,
  UploadAsked,
  UploadExchange,
  UploadInHand,
  UploadObject,
  Uploads,
} from '../faces.ts'
import type { Door, Heard, HttpAnswer, RawConnection } from './raw-http.ts'
import { answerWithin, piece, uploadRequests } from './upload-requests.ts'
import { altered, checksum, noise, nobody, pathOf, readAnswer, readOffers } from './upload-words.ts'

/** Of an upload that is longer the client has no bytes: it is announced and not sent. Ours. */
const longestContent = 2 ** 27
/** Requests in a row that get an upload nowhere, until it is given up. Ours. */
const mostStalls = 4
/** After its expiry an upload may still be there for so long, ms: a server looks now and then. Ours. */
const expiryGrace = 5_000

/** Where the server is, and what can be done with it beside asking it. */
export interface UploadSite {
  readonly door: Door
  /** Of the address that takes new uploads. */
  readonly path: string
  /** Sent with every request, such as Authorization. */
  readonly headers: Readonly<Record<string, string>>
  /** Upload-Metadata of every upload. */
  readonly metadata: Readonly<Record<string, string>>
  /** How its power is taken and given back, or why it cannot be. */
  readonly power:
    | { cut(): Promise<void>; restore(): Promise<void> }
    | { readonly cut?: undefined; readonly why: string }
  /**
   * What it has made of an upload, by its path: how many objects (null: that cannot be seen), and the first (without the
   * key: its bytes cannot be seen; undefined: there is none). `why` tells of what cannot be seen, or is not there.
   */
  objects(
    path: string,
    get: (path: string) => Promise<HttpAnswer | undefined>,
  ): Promise<{
    readonly count: number | null
    readonly first?: Uint8Array | undefined
    readonly why?: string
  }>
}

export interface UploadClientOptions {
  readonly site: UploadSite
  readonly realm: Realm
  readonly emit: Emit
  now(): Instant
  /** In [0, 1). */
  random(stream: string): number
}

export type PlayedUploads = Uploads & AsyncDisposable

interface Hand {
  readonly n: number
  readonly length: number
  readonly content: Buffer
  path: string
  offset: number
  told: number
  left: number
  sent: number
  broken: number
  expires: number | null
  ghost?: { readonly connection: RawConnection; readonly rest: Buffer; readonly claimed: number }
}

/** The client. Nothing is asked before a method is called. */
export function uploadClient(o: UploadClientOptions): PlayedUploads {
  const { site, emit } = o
  const requests = uploadRequests(o)
  let count = 0
  let pattern = site.path.replace(/\/$/, '')

  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

  /** Bookkeeping and evidence of one request. */
  const told = (
    name: string,
    asked: UploadAsked,
    x: {
      readonly hand?: Hand
      readonly claimed?: number
      readonly body?: number
      readonly begun: Instant
      readonly heard: Heard
      readonly ignored?: boolean
      readonly says?: string | undefined
    },
  ): UploadAnswer | undefined => {
    const { hand, heard } = x
    const sent = x.body ?? 0
    const before = hand?.told ?? 0
    const answer = heard.is === 'answer' ? readAnswer(heard.answer) : null
    if (hand !== undefined) {
      hand.sent += sent
      if (answer === null) hand.broken += sent
      if (x.claimed !== undefined) hand.left = Math.max(hand.left, Math.min(hand.length, x.claimed + sent))
    }
    const data: UploadExchange = {
      asked,
      upload: hand?.n ?? 0,
      'length [B]': hand?.length ?? 0,
      'claimed [B]': x.claimed ?? null,
      'sent [B]': sent,
      'told before [B]': before,
      'expires, told before': hand?.expires ?? null,
      'left [B]': hand?.left ?? 0,
      'took [s]': Number(((o.now() - x.begun) / 1000).toFixed(3)),
      answer,
      ...(heard.is === 'answer' ? {} : { why: heard.why }),
      ...(x.ignored === true ? { ignored: true } : {}),
      ...(x.says === undefined ? {} : { says: x.says }),
    }
    emit('seen', { alias: `uploads.${name}.${asked}`, payload: data as unknown as Json })
    if (hand !== undefined && answer !== null && answer.status >= 200 && answer.status < 300) {
      const at = answer['offset [B]']
      if (at !== null) hand.told = Math.max(hand.told, at)
      if (at !== null && x.ignored !== true) hand.offset = at
      if (answer.expires !== null) hand.expires = answer.expires
    }
    return answer ?? undefined
  }

  const inHand = (hand: Hand): UploadInHand => {
    const upload: UploadInHand = {
      length: hand.length,
      get offset() {
        return hand.offset
      },
      ask: (name, how = {}) =>
        o.realm.run(async () => {
          const begun = o.now()
          const headers = how.version === undefined ? {} : { 'Tus-Resumable': how.version }
          const { heard } = await requests.request('HEAD', hand.path, headers)
          told(name, 'offset', { hand, begun, heard, says: how.version })
        }),
      append: (name, how = {}) => o.realm.run(() => append(name, hand, how)),
      end: (name) =>
        o.realm.run(async () => {
          const begun = o.now()
          const { heard } = await requests.request('DELETE', hand.path, { 'Content-Length': '0' })
          told(name, 'end', { hand, begun, heard })
        }),
      wakeGhost: (name) =>
        o.realm.run(async () => {
          const { ghost } = hand
          if (ghost === undefined) return
          delete hand.ghost
          const begun = o.now()
          const { connection: c, rest, claimed } = ghost
          let heard: Heard = { is: 'closed', why: 'the server had ended that connection' }
          let body = 0
          if (!c.over) {
            const waits = c.answer({ bodiless: false, within: answerWithin })
            await c.send(rest)
            body = rest.length
            heard = await waits
          }
          // What it says to a client that has long gone on is nothing that this one hears.
          told(name, 'append', { hand, claimed, body, begun, heard, ignored: true })
          requests.drop(c, 'close')
        }),
      finish: (name) =>
        o.realm.run(async () => {
          let stalls = 0
          let asks = true
          while (stalls < mostStalls) {
            if (asks) await upload.ask(name)
            const before = hand.offset
            if (before >= hand.length) return
            await append(name, hand, {})
            asks = hand.offset <= before
            if (!asks) stalls = 0
            else {
              stalls++
              await wait(200)
            }
          }
        }),
      collect: (name) => o.realm.run(() => collect(name, hand)),
    }
    return upload
  }

  const append = async (name: string, hand: Hand, how: UploadAppend): Promise<void> => {
    const claimed = how.claims ?? hand.offset
    const missing = Math.max(0, hand.length - claimed)
    const bytes = how.bytes ?? Math.min(piece, missing)
    const body = Buffer.concat([
      hand.content.subarray(claimed, claimed + bytes),
      Buffer.alloc(Math.max(0, bytes - missing), 0xee),
      Buffer.alloc(how.beyond ?? 0, 0xee),
    ])
    const headers = {
      'Content-Type': how.type ?? 'application/offset+octet-stream',
      'Content-Length': String(body.length),
      'Upload-Offset': String(claimed),
      ...(how.version === undefined ? {} : { 'Tus-Resumable': how.version }),
      ...(how.checksum === undefined ? {} : { 'Upload-Checksum': checksum(body, how.checksum) }),
    }
    const begun = o.now()
    const { breaks } = how
    if (breaks === undefined) {
      const slices =
        how.slices === undefined ? undefined : { bytes: how.slices.bytes, every: duration(how.slices.every) }
      const { heard, sent } = await requests.request('PATCH', hand.path, headers, body, slices)
      told(name, 'append', {
        hand,
        claimed,
        body: sent,
        begun,
        heard,
        ignored: how.ignores === true,
        says: how.version,
      })
      return
    }
    const after = Math.min(Math.max(0, Math.floor(breaks.after)), Math.max(0, body.length - 1))
    let why = `the client broke the connection after ${after} of ${body.length} bytes`
    let body1 = after
    try {
      const c = await requests.connection()
      await c.send(requests.head('PATCH', hand.path, headers))
      await c.send(body.subarray(0, after))
      // So that some of it is there: a connection that breaks takes with it what nobody has read yet.
      await wait(Math.floor(50 * o.random('breaks')))
      if (breaks.how === 'reset') {
        requests.drop(c, 'reset')
      } else {
        why = `the client fell silent after ${after} of ${body.length} bytes`
        hand.ghost = { connection: c, rest: body.subarray(after), claimed: claimed + after }
      }
    } catch (e) {
      why = messageOf(e)
      body1 = 0
    }
    told(name, 'append', { hand, claimed, body: body1, begun, heard: { is: 'closed', why } })
  }

  const collect = async (name: string, hand: Hand): Promise<void> => {
    const get = async (path: string): Promise<HttpAnswer | undefined> => {
      const { heard } = await requests.request('GET', path, { 'Tus-Resumable': '' })
      return heard.is === 'answer' && heard.answer.status === 200 ? heard.answer : undefined
    }
    const found = await site.objects(hand.path, get)
    const { first } = found
    const data: UploadObject = {
      upload: hand.n,
      'length [B]': hand.length,
      'objects [1]': found.count,
      'size [B]': first?.length ?? null,
      sha256: first === undefined ? null : createHash('sha256').update(first).digest('hex'),
      expected: createHash('sha256').update(hand.content).digest('hex'),
      'sent [B]': hand.sent,
      'broken [B]': hand.broken,
      ...('first' in found ? {} : { hidden: true }),
      ...(found.why === undefined ? {} : { why: found.why }),
    }
    emit('seen', { alias: `uploads.${name}.object`, payload: data as unknown as Json })
  }

  const handFor = (n: number, length: number): Hand => ({
    n,
    length,
    // The content of what is too long to be sent is not needed.
    content: noise(length > longestContent ? 0 : length, o.random('content')),
    path: '',
    offset: 0,
    told: 0,
    left: 0,
    sent: 0,
    broken: 0,
    expires: null,
  })
  const hands = new Map<UploadInHand, Hand>()

  return {
    piece,
    series: (name, asked = '*') => ({ src: 'uploads', kind: 'seen', select: `uploads.${name}.${asked}` }),
    look: () =>
      o.realm.run(async () => {
        const begun = o.now()
        const { heard } = await requests.request('OPTIONS', site.path, { 'Tus-Resumable': '' })
        told('server', 'options', { begun, heard })
        const offers = readOffers(heard.is === 'answer' ? heard.answer : nobody)
        emit('seen', { alias: 'uploads.offers', payload: offers as unknown as Json })
        return offers
      }),
    begin: (name, { length, version: says }) =>
      o.realm.run(async () => {
        const hand = handFor(++count, length)
        const metadata = Object.entries(site.metadata)
          .map(([k, v]) => `${k} ${Buffer.from(v, 'utf8').toString('base64')}`)
          .join(',')
        const begun = o.now()
        const { heard } = await requests.request('POST', site.path, {
          'Content-Length': '0',
          'Upload-Length': String(length),
          ...(metadata === '' ? {} : { 'Upload-Metadata': metadata }),
          ...(says === undefined ? {} : { 'Tus-Resumable': says }),
        })
        const at = heard.is === 'answer' ? pathOf(heard.answer, site.path) : undefined
        if (at !== undefined) pattern = at
        hand.path = at ?? `${site.path.replace(/\/$/, '')}/none`
        told(name, 'create', { hand, begun, heard, says })
        const upload = inHand(hand)
        hands.set(upload, hand)
        return upload
      }),
    unknown() {
      const slash = pattern.lastIndexOf('/')
      const last = pattern.slice(slash + 1)
      const other = slash <= 0 || last === '' ? `${pattern}/0` : pattern.slice(0, slash + 1) + altered(last)
      const hand: Hand = { ...handFor(0, 1000), path: other }
      return inHand(hand)
    },
    cut: (lasts) =>
      o.realm.run(async () => {
        const { power } = site
        if (power.cut === undefined) {
          emit('seen', { alias: 'uploads.lacks', payload: { what: 'power', why: power.why } })
          return false
        }
        emit('host', { what: 'the power of the upload server is cut' })
        await power.cut()
        requests.dropAll('reset')
        await wait(duration(lasts))
        await power.restore()
        emit('host', { what: 'the power of the upload server is back' })
        return true
      }),
    outlast: (upload, most) =>
      o.realm.run(async () => {
        const expires = hands.get(upload)?.expires ?? null
        if (expires === null) {
          const why = 'the server has not told that the upload expires, which it need not'
          emit('seen', { alias: 'uploads.lacks', payload: { what: 'expiry', why } })
          return false
        }
        const left = expires + expiryGrace - o.now()
        if (left > duration(most)) {
          const why = `the server keeps an upload that nobody goes on with for ${Math.round(left / 1000)} s yet, and this run ends before`
          emit('seen', { alias: 'uploads.lacks', payload: { what: 'expiry', why } })
          return false
        }
        await wait(Math.max(0, left))
        return true
      }),
    [Symbol.asyncDispose]() {
      requests.dropAll('close')
      return Promise.resolve()
    },
  }
}
