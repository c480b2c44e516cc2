/**
 * What a mosquitto (2.0) says on its standard error, read line by line. It never tells the name on a certificate that it
 * refuses, nor whether that was out of date, foreign or revoked; it tells denied publications at the level `debug` alone,
 * and of last wills that it will not speak nothing, so that their topics are judged here.
 */
import { reasonOfText } from './openssl-reasons.ts'
import type { RefusalReason } from './peers.ts'

export type Told =
  | { readonly tells: 'running' }
  | {
      readonly tells: 'connected'
      readonly name: string
      readonly address: string
    }
  /** Comes after `connected` of the same name. */
  | { readonly tells: 'will'; readonly name: string; readonly address: string; readonly topic: string }
  | { readonly tells: 'disconnected'; readonly name: string }
  | { readonly tells: 'replaced'; readonly name: string }
  | { readonly tells: 'denied'; readonly name: string; readonly topic: string }
  | {
      readonly tells: 'refused'
      readonly reason: RefusalReason
      readonly address: string
      readonly detail: string
    }
  /** An error or a warning that stands for nothing of the above. */
  | { readonly tells: 'trouble'; readonly text: string }

/** Addresses of connections that may still be in their handshake; older ones are given up. Ours. */
const atTheDoor = 64

/** Makes a reader: each line of the log gives what it tells, mostly nothing. */
export function logReader(): (line: string) => readonly Told[] {
  /** Connections that are not yet anybody's, oldest first. */
  const waiting: string[] = []
  /** Who has just connected, with a last will whose topic the next line tells. */
  let willOf: { readonly name: string; readonly address: string } | undefined
  let connected: { readonly name: string; readonly address: string } | undefined
  /** What OpenSSL complained of: the next line tells whether that was a stranger's handshake. */
  let complaint: string | undefined

  const stranger = (): string => {
    const hosts = new Set(waiting.map((a) => a.replace(/:\d+$/, '')))
    const [one] = waiting.length === 1 ? waiting : hosts
    waiting.shift()
    return one === undefined || hosts.size > 1 ? 'unknown' : one
  }

  return (line) => {
    const will = willOf
    willOf = undefined
    const complained = complaint
    complaint = undefined
    if (/^(?:Received|Sending) /.test(line)) return []
    if (line.startsWith('\t'))
      return will === undefined ? [] : [{ tells: 'will', ...will, topic: line.slice(1) }]

    let m = /^New connection from (\S+) on port \d+\.$/.exec(line)
    if (m !== null) {
      waiting.push(m[1] ?? '')
      if (waiting.length > atTheDoor) waiting.shift()
      return []
    }
    m = /^New client connected from (\S+) as (.*) \(p\d, c\d, k\d+, u'.*'\)\.$/.exec(line)
    if (m !== null) {
      const [, address = '', name = ''] = m
      const at = waiting.indexOf(address)
      if (at >= 0) waiting.splice(at, 1)
      connected = { name, address }
      return [{ tells: 'connected', name, address }]
    }
    if (line.startsWith('Will message specified ')) {
      willOf = connected
      return []
    }
    m = /^Denied PUBLISH from (.*) \(d\d, q\d, r\d, m\d+, '(.*)', \.\.\. \(\d+ bytes\)\)$/.exec(line)
    if (m !== null) return [{ tells: 'denied', name: m[1] ?? '', topic: m[2] ?? '' }]

    m = /^OpenSSL Error\[\d+\]: error:[0-9A-F]+:[^:]*:[^:]*:(.*)$/.exec(line)
    if (m !== null) {
      complaint = complained ?? m[1]
      return []
    }
    m = /^Client connection from (\S+) failed: error:[0-9A-F]+:[^:]*:[^:]*:(.*?)\.?$/.exec(line)
    if (m !== null) {
      const [, address = '', detail = ''] = m
      return [{ tells: 'refused', reason: reasonOfText(detail), address, detail }]
    }
    const ended = endOf(line)
    if (ended === '<unknown>') {
      const detail = complained ?? 'no MQTT'
      const reason = complained === undefined ? 'handshake' : reasonOfText(complained)
      return [{ tells: 'refused', reason, address: stranger(), detail }]
    }
    if (ended !== undefined) return [{ tells: 'disconnected', name: ended }]
    m = /^Client (.*) already connected, closing old connection\.$/.exec(line)
    if (m !== null) return [{ tells: 'replaced', name: m[1] ?? '' }]
    if (/^mosquitto version \S+ running$/.test(line)) return [{ tells: 'running' }]
    if (/^Error:|^Error |^Unable |^Failed /.test(line)) return [{ tells: 'trouble', text: line }]
    return []
  }
}

/** Whose connection has ended, where the line tells that. */
function endOf(line: string): string | undefined {
  const m =
    /^Client (.*?) (?:disconnected(?:\.|:.*|,.*| due to .*)|closed its connection\.|has exceeded timeout, disconnecting\.)$/.exec(
      line,
    ) ?? /^(?:Bad socket read\/write|Socket error) on client (.*?)[:,].*$/.exec(line)
  return m?.[1]
}
