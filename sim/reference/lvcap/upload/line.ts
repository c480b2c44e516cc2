/**
 * Requests to the server, one at a time, on one connection that is kept while it serves. The server must prove that it is
 * the one; what it is not is told nothing.
 */
import { readFileSync } from 'node:fs'
import { Agent, request, type RequestOptions } from 'node:https'
import { join } from 'node:path'
import { connect } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { wallClock } from '../env.ts'
import { LvcapError } from '../errors.ts'
import { tally, type Carried } from './carried.ts'
import type { UploadConfig } from './config.ts'

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
}

export interface Line {
  /**
   * @param take hears of an answer when it begins; what it gives back takes its body, piece by piece, which is then not in the reply.
   * @param expected bytes of the answer's body, where it is known to be a long one.
   * @throws LvcapError `link`: no answer came, or not all of it. What was sent may have arrived.
   */
  ask(
    method: string,
    path: string,
    headers?: Readonly<Record<string, string>>,
    body?: Uint8Array,
    take?: (begun: Omit<Reply, 'body'>) => ((piece: Uint8Array) => void) | undefined,
    expected?: number,
  ): Promise<Reply>
  /** Bytes that a request now will take about, both ways, with so many in the bodies of it and of its answer. */
  cost(bodies: number): number
  /** Since the start. */
  volume(): Carried
  close(): void
}

/** Certificates to show and to trust. `read` gives a file of the key folder. */
export function credentials(
  apid: string,
  server: string,
  read: (file: string) => string,
): Omit<ConnectionOptions, 'host' | 'port'> {
  return {
    ca: read('ca.crt'),
    crl: read('ca.crl'),
    cert: read(`${apid}.crt`),
    key: read(`${apid}.key`),
    servername: server,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
  }
}

export function readerOf(pki: string): (file: string) => string {
  return (file) => {
    try {
      return readFileSync(join(pki, file), 'utf8')
    } catch (cause) {
      throw new LvcapError('certificate', `${file} in ${pki} cannot be read.`, cause)
    }
  }
}

/** Bytes of headers of a request and its answer, and of a TLS 1.3 handshake with a certificate from either side: measured, rounded up. */
const headersCost = 700
const handshakeCost = 9_000
/** What TLS adds to each record of at most 16 KiB (RFC 8446, section 5.2), in small pieces as they come; share of a body. Ours. */
const recordsShare = 0.02

/** Longest answer that is read, in bytes. Ours. */
const longestAnswer = 1_048_576

export function openLine(
  server: Pick<UploadConfig['server'], 'address' | 'port'>,
  tls: Omit<ConnectionOptions, 'host' | 'port'>,
  timeoutSeconds: number,
): Line {
  const agent = new Agent({ ...tls, keepAlive: true, maxSockets: 1 })
  const connections = tally()
  const secured = agent.createConnection.bind(agent)
  agent.createConnection = (options, done) => {
    const socket = connect({ host: server.address, port: server.port })
    connections.add(socket)
    const over = secured({ ...options, socket } as typeof options, done)
    socket.on('error', (e) => over?.destroy(e))
    return over
  }
  const checked = new WeakSet<object>()
  return {
    ask(method, path, headers = {}, body, take) {
      const options: RequestOptions = {
        host: server.address,
        port: server.port,
        agent,
        method,
        path,
        timeout: timeoutSeconds * 1_000,
        headers: { ...headers, 'content-length': String(body?.length ?? 0) },
      }
      return new Promise((resolve, reject) => {
        let over = false
        const fail = (why: string, cause?: unknown): void => {
          if (over) return
          over = true
          clearTimeout(limit)
          asked.destroy()
          reject(new LvcapError('link', `${method} ${path}: ${why}`, cause))
        }
        const asked = request(options, (response) => {
          const all = Object.entries(response.headers).map(([k, v]) => [
            k,
            Array.isArray(v) ? v.join(',') : v,
          ])
          const begun = {
            status: response.statusCode ?? 0,
            headers: Object.fromEntries(all) as Reply['headers'],
          }
          const parts: Buffer[] = []
          let size = 0
          const taken = take?.(begun)
          response.on('data', (b: Buffer) => {
            if (over) return
            size += b.length
            if (taken !== undefined) {
              try {
                taken(b)
              } catch (e) {
                fail(e instanceof Error ? e.message : String(e), e)
              }
            } else if (size > longestAnswer) fail('the answer is too long')
            else parts.push(b)
          })
          response.on('error', (e) => fail(e.message, e))
          response.on('aborted', () => fail('the answer broke off'))
          response.on('end', () => {
            if (over) return
            over = true
            clearTimeout(limit)
            resolve({ ...begun, body: Buffer.concat(parts) })
          })
        })
        // However slowly it goes: an answer in parts, or none at all.
        const limit = setTimeout(() => fail(`no answer in ${timeoutSeconds} s`), timeoutSeconds * 1_000)
        asked.on('socket', (s) => {
          if (checked.has(s)) return
          checked.add(s)
          s.once('secureConnect', () => {
            const why = outOfDate(s as TLSSocket)
            if (why !== undefined) fail(why)
          })
        })
        asked.on('timeout', () => fail(`nothing moved for ${timeoutSeconds} s`))
        asked.on('error', (e) => fail(e.message, e))
        asked.end(body)
      })
    },
    volume: () => connections.volume(),
    cost: (bodies) =>
      Math.ceil(bodies * (1 + recordsShare)) +
      headersCost +
      (connections.open.size === 0 ? handshakeCost : 0),
    close: () => agent.destroy(),
  }
}

/** By this machine's own date, beside what OpenSSL makes of it. */
function outOfDate(s: TLSSocket): string | undefined {
  const peer = s.getPeerCertificate()
  const now = wallClock()
  const ended = Date.parse(peer.valid_to) < now
  return ended ? "the server's certificate has expired" : undefined
}
