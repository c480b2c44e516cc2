import { beforeAll, describe, expect, test } from 'vitest'
import { makeTestPki } from './cases/certificates.ts'
import { runInChild } from './child.ts'

const expected: Readonly<Record<string, string>> = {
  'net.connect(port)': 'ping',
  'net.connect({host, port})': 'ping',
  'net.createConnection(port, host)': 'ping',
  'new net.Socket().connect()': 'ping',
  'tls.connect(port, options)': 'ping',
  'tls.connect(port, host, options)': 'ping',
  'tls.connect({host, port})': 'ping',
  'tls.connect({socket})': 'ping',
  'tls.connect({socket}) on a connection that stands': 'ping',
  'tls.Server given a connection that stands': 'ping',
  'tls without a client certificate': 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
  'http.get': 'you asked /a',
  'http.request with an agent that keeps alive': 'you asked /b, you asked /c',
  'https.get with a client certificate': 'you asked /d',
  'mqtt.connect(mqtt:)': 't',
  'mqtt.connect(mqtts:)': 't',
  'modbus-serial connectTCP and ServerTCP': '5,6',
  'new SerialPort': '0123456789 in 20.8 ms',
  'modbus-serial connectRTUBuffered': '77',
  'modbus-serial connectRTU': '77',
  'SerialPort of a path that is not there': 'Error: No such file or directory, cannot open /dev/ttyNone',
}

describe('every way to a socket or a serial port is virtual, and no handle of the machine is made', () => {
  let result: { found: Record<string, { said: string; virtual: boolean }>; escapes: unknown[] }
  beforeAll(async () => {
    result = await runInChild<never>({
      module: new URL('cases/entry.case.ts', import.meta.url),
      arg: { pki: makeTestPki() as never },
      kernel: { seed: 1, epoch: Date.UTC(2018, 0, 15) },
    })
  })

  test.each(Object.entries(expected))('%s', (name, said) => {
    expect(result.found[name]).toEqual({ said, virtual: true })
  })

  test('nothing escapes', () => {
    expect(result.escapes).toEqual([])
  })
})
