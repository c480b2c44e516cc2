import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { logReader, type Told } from './mosquitto-log.ts'

/** What a log tells in all. The lines are mosquitto 2.0.11's own. */
function told(...lines: readonly string[]): readonly Told[] {
  const read = logReader()
  return lines.flatMap((l) => read(l))
}

const door = (port: number): string => `New connection from 127.0.0.9:${port} on port 8883.`
const inside = (port: number, name: string): string =>
  `New client connected from 127.0.0.9:${port} as ${name} (p2, c1, k60, u'${name}').`

describe('the log of mosquitto', () => {
  test('tells when it serves, and who comes and goes', () => {
    expect(
      told(
        'mosquitto version 2.0.11 starting',
        'Opening ipv4 listen socket on port 8883.',
        'mosquitto version 2.0.11 running',
        door(5000),
        inside(5000, 'app_1.0'),
        'No will message specified.',
        'Sending CONNACK to app_1.0 (0, 0)',
        'Received SUBSCRIBE from app_1.0',
        '\t# (QoS 0)',
        'Client app_1.0 already connected, closing old connection.',
        'Client app_1.0 disconnected.',
        'Client app_1.0 closed its connection.',
        'Client app_1.0 has exceeded timeout, disconnecting.',
        'Bad socket read/write on client app_1.0: Unknown error.',
        'Socket error on client app_1.0, disconnecting.',
      ),
    ).toEqual([
      { tells: 'running' },
      { tells: 'connected', name: 'app_1.0', address: '127.0.0.9:5000' },
      { tells: 'replaced', name: 'app_1.0' },
      ...Array.from({ length: 5 }, () => ({ tells: 'disconnected', name: 'app_1.0' })),
    ])
  })

  test('tells the topic of a last will, whatever stands in it', () => {
    expect(
      told(
        inside(1, 'app_1.0'),
        'Will message specified (1 bytes) (r0, q1).',
        "\tstatus/x (5, 'a')",
        '\tno will',
      ),
    ).toEqual([
      { tells: 'connected', name: 'app_1.0', address: '127.0.0.9:1' },
      { tells: 'will', name: 'app_1.0', address: '127.0.0.9:1', topic: "status/x (5, 'a')" },
    ])
  })

  test('tells denied publications', () => {
    const topic = "a/b', ... (7 bytes)) c"
    expect(told(`Denied PUBLISH from app_1.0 (d0, q1, r0, m12, '${topic}', ... (2 bytes))`)).toEqual([
      { tells: 'denied', name: 'app_1.0', topic },
    ])
  })

  for (const [text, reason] of [
    ['certificate verify failed', 'bad-certificate'],
    ['peer did not return a certificate', 'no-certificate'],
    ['unsupported protocol', 'tls-version'],
    ['something new', 'handshake'],
    ['constructor', 'handshake'],
  ] as const)
    test(`tells a stranger whose handshake failed: ${text}`, () => {
      expect(
        told(
          door(5000),
          `OpenSSL Error[0]: error:0A000086:SSL routines::${text}`,
          'Client <unknown> disconnected: Protocol error.',
        ),
      ).toEqual([{ tells: 'refused', reason, address: '127.0.0.9:5000', detail: text }])
    })

  test('tells who spoke no TLS', () => {
    const line = (text: string): string =>
      `Client connection from 127.0.0.1 failed: error:0A00010B:SSL routines::${text}.`
    expect(
      told(line('wrong version number'), line('http request'), line('unexpected eof while reading')),
    ).toMatchObject([
      { reason: 'plain-tcp', address: '127.0.0.1' },
      { reason: 'plain-tcp' },
      { reason: 'handshake' },
    ])
  })

  test('takes no complaint about somebody inside for a stranger', () => {
    expect(
      told(
        inside(1, 'app_1.0'),
        'OpenSSL Error[0]: error:0A000126:SSL routines::unexpected eof while reading',
        'Client app_1.0 closed its connection.',
      ),
    ).toEqual([
      { tells: 'connected', name: 'app_1.0', address: '127.0.0.9:1' },
      { tells: 'disconnected', name: 'app_1.0' },
    ])
  })

  test('names an address only where it can be nobody else’s', () => {
    const end = 'Client <unknown> disconnected due to protocol error.'
    expect(told(door(1), door(2), end, end, end)).toMatchObject([
      { address: '127.0.0.9' },
      { address: '127.0.0.9:2' },
      { address: 'unknown' },
    ])
    expect(told(door(1), 'New connection from 127.0.0.8:3 on port 8883.', end)).toMatchObject([
      { address: 'unknown' },
    ])
  })

  test('keeps what went wrong', () => {
    expect(told('Error: Address already in use')).toEqual([
      { tells: 'trouble', text: 'Error: Address already in use' },
    ])
  })

  test('is read whatever stands in it, and never grows', () => {
    const pieces = fc.constantFrom(
      'Client ',
      '<unknown>',
      ' disconnected',
      ': ',
      'OpenSSL Error[0]: error:1::',
      'New connection from ',
      'Denied PUBLISH from ',
      "', ... (",
      '\t',
    )
    const line = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 8 }).map((p) => p.join(''))
    fc.assert(
      fc.property(fc.array(line, { maxLength: 100 }), (lines) => {
        expect(told(...lines).length).toBeLessThanOrEqual(lines.length)
      }),
    )
  })
})
