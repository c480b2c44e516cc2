import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Aedes } from 'aedes'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Conn } from '../../../drivers/faces.ts'
import { openPty, ptyProvider } from '../../../drivers/real/pty.ts'
import { makePki } from '../../../sim/reference/lvcap/pki.ts'
import { place } from '../../cli/testing.ts'
import type { Place } from '../../cli/testing.ts'
import type { LabDoor } from '../../rigs/lab.ts'
import { findRig } from '../plan.ts'
import { broker } from './broker.ts'
import { judge } from './certificate.ts'
import type { Finding } from './finding.ts'
import { loopback } from './loopback.ts'
import { clock, dayOfEvidence, folders } from './machine.ts'
import { port, ports } from './serial.ts'

let folder = ''
let pki = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-'))
  pki = join(folder, 'pki')
  makePki(pki, { apps: ['org.app'], algorithm: 'ed25519' })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const pem = (name: string): string => readFileSync(join(pki, name), 'utf8')
/** `certificate: missing` and so on, of all but what is ok. */
const trouble = (found: readonly Finding[]): string[] =>
  found.filter((f) => f.health !== 'ok').map((f) => `${f.check}: ${f.health}`)

test('whatever is not ok says what to do', async () => {
  const found = [
    ...port(join(folder, 'nothing')),
    ...folders(folder, 1),
    await clock(async () => undefined),
    ...judge({ what: 'x', certificate: 'x', ca: 'x', now: 0 }),
    ...(await loopback(join(folder, 'a'), join(folder, 'b'))),
  ]
  expect(found.filter((f) => f.health !== 'ok').length).toBeGreaterThan(4)
  for (const f of found) expect([f.what, f.todo === undefined]).toEqual([f.what, f.health === 'ok'])
})

describe('serial ports', () => {
  const tree = (latency?: string): { dev: string; sys: string; stable: string } => {
    const at = mkdtempSync(join(folder, 'tree-'))
    const [dev, sys] = [join(at, 'dev'), join(at, 'sys')]
    mkdirSync(join(dev, 'serial/by-id'), { recursive: true })
    writeFileSync(join(dev, 'ttyUSB7'), '')
    const stable = join(dev, 'serial/by-id/usb-FTDI_A10XYZ-if00-port0')
    symlinkSync('../../ttyUSB7', stable)
    if (latency !== undefined) {
      mkdirSync(join(sys, 'bus/usb-serial/devices/ttyUSB7'), { recursive: true })
      writeFileSync(join(sys, 'bus/usb-serial/devices/ttyUSB7/latency_timer'), latency)
    }
    return { dev, sys, stable }
  }

  test('are told by their stable names, with a driver that holds bytes back', () => {
    const late = tree('16\n')
    expect(trouble(ports(late))).toEqual(['latency: warn'])
    const [there, latency] = ports(late)
    expect(there?.what).toContain('usb-FTDI_A10XYZ-if00-port0 (ttyUSB7) is there')
    expect(latency?.todo).toContain('echo 1 | sudo tee /sys/bus/usb-serial/devices/ttyUSB7/latency_timer')
    expect(trouble(ports(tree('1\n')))).toEqual([])
    // No driver of FTDI: nothing is known, and nothing is said.
    expect(ports(tree()).map((f) => f.check)).toEqual(['serial-port'])
    expect(ports(tree('garbage')).map((f) => f.check)).toEqual(['serial-port'])
    expect(ports({ dev: join(folder, 'none') })[0]?.what).toContain('no USB adapter')
  })

  test('that are not there or not ours are missing', () => {
    const t = tree()
    expect(trouble(port(join(t.dev, 'ttyS99')))).toEqual(['serial-port: missing'])
    if (process.getuid?.() === 0) return
    chmodSync(join(t.dev, 'ttyUSB7'), 0)
    expect(port(t.stable)[0]?.todo).toContain('dialout')
  })
})

test('the disk has to hold the evidence of 24 h', () => {
  const of = (bytes: number): string[] => trouble(folders(folder, bytes))
  expect(of(5 * dayOfEvidence)).toEqual([])
  expect(of(1.5 * dayOfEvidence)).toEqual(['disk: warn'])
  expect(of(0.5 * dayOfEvidence)).toEqual(['disk: missing'])
  expect(trouble(folders(folder))).toEqual([])
  expect(trouble(folders(join(folder, 'is/yet/to/come')))).toEqual([])
  expect(existsSync(join(folder, 'is'))).toBe(false)
  expect(trouble(folders('/proc/no/where'))).toEqual(['disk: missing'])
})

test('the clock is asked of timedatectl, then of chronyc', async () => {
  const asked = (answers: Readonly<Record<string, string>>) =>
    clock(async (program) => answers[program]).then((f) => `${f.health}: ${f.what}`)
  expect(await asked({ timedatectl: 'yes\n' })).toContain('ok: synchronised, says timedatectl')
  const tracking = 'A29FC87B,1.2.3.4,3,1700000000.1,-0.000123,0.1,0.1,1,0.1,0.1,0.1,0.1,64.1,Normal\n'
  expect(await asked({ timedatectl: 'no\n', chronyc: tracking })).toContain('off by 0.1 ms')
  expect(await asked({ timedatectl: 'no\n' })).toContain(
    'warn: the clock of this machine is not synchronised',
  )
  expect(await asked({ chronyc: tracking.replace('Normal', 'Not synchronised') })).toContain('warn')
  expect(await asked({})).toContain('warn: neither')
})

describe('certificates', () => {
  const of = (name: string, more: Partial<Parameters<typeof judge>[0]> = {}): string[] =>
    trouble(
      judge({
        what: name,
        certificate: pem(`${name}.crt`),
        key: pem(`${name}.key`),
        ca: pem('ca.crt'),
        now: Date.now(),
        ...more,
      }),
    )

  test('are judged by time, chain, key and name', () => {
    expect(of('observer', { name: 'observer' })).toEqual([])
    expect(of('observer', { name: 'someone' })).toEqual(['name: warn'])
    expect(of('observer', { key: pem('broker.key') })).toEqual(['key: missing'])
    expect(of('observer', { key: 'nonsense' })).toEqual(['key: missing'])
    expect(of('intruder/expired')).toEqual(['certificate: missing'])
    expect(of('intruder/not-yet-valid')).toEqual(['certificate: missing'])
    expect(of('intruder/foreign-ca')).toEqual(['chain: missing'])
    expect(of('intruder/self-signed')).toEqual(['chain: missing'])
    expect(of('observer', { ca: '' })).toEqual(['chain: missing'])
  })

  test('tell of their end beforehand', () => {
    const [found] = judge({ what: 'x', certificate: pem('observer.crt'), ca: pem('ca.crt'), now: Date.now() })
    const end = Date.parse(/until (\S+)/.exec(found?.what ?? '')?.[1] ?? '')
    expect(of('observer', { now: end - 10 * 86_400_000 })).toContain('certificate: warn')
  })
})

describe('a broker', () => {
  let server: Server
  let plain: Server
  let aedes: Aedes
  const numberOf = (s: Server): number => (s.address() as AddressInfo).port
  beforeAll(async () => {
    aedes = await Aedes.createBroker()
    aedes.authenticate = (_client, user, _password, done) => done(null, user === 'observer')
    const pems = { key: pem('broker.key'), cert: pem('broker.crt'), ca: pem('ca.crt') }
    server = createTlsServer({ ...pems, requestCert: true, rejectUnauthorized: true }, (s) => aedes.handle(s))
    // Takes connections, and never says a word.
    plain = createServer((s) => s.on('error', () => undefined).end())
    for (const s of [server, plain])
      await new Promise<void>((done) => {
        s.listen({ host: '127.0.0.1', port: 0 }, done)
      })
  })
  afterAll(async () => {
    await new Promise<void>((done) => {
      aedes.close(done)
    })
    server.close()
    plain.close()
  })
  const door = (more: Partial<LabDoor> = {}, identity = 'observer', serverName = 'marketplace'): LabDoor => ({
    host: '127.0.0.1',
    port: numberOf(server),
    clientId: 'observer',
    username: 'observer',
    subscribe: ['#'],
    tls: {
      ca: join(pki, 'ca.crt'),
      cert: join(pki, `${identity}.crt`),
      key: join(pki, `${identity}.key`),
      serverName,
    },
    ...more,
  })

  test('that lets the observer in is ok', async () => {
    expect(trouble(await broker('m', door()))).toEqual([])
  })

  test('that does not is told with the reason', async () => {
    const [name, expired, user, gone, silent] = await Promise.all([
      broker('m', door({}, 'observer', 'elsewhere')),
      broker('m', door({}, 'intruder/expired')),
      broker('m', door({ username: 'nobody' })),
      broker('m', door({ port: 1 })),
      broker('m', door({ port: numberOf(plain) })),
    ])
    expect(trouble(name)).toEqual(['name: missing'])
    expect(trouble(expired)).toEqual(['certificate: missing', 'name: warn', 'login: missing'])
    expect(trouble(user)).toEqual(['login: missing'])
    expect(trouble(gone)).toEqual(['broker: missing'])
    expect(trouble(silent)).toEqual(['tls: missing', 'login: missing'])
  })

  test('whose files are not there names them', async () => {
    const found = await broker('m', door({}, 'nobody'))
    expect(
      found
        .filter((f) => f.check === 'file')
        .map((f) => f.what)
        .join(),
    ).toContain('nobody.crt')
  })
})

const pty = ptyProvider()
const lacks = 'lacks' in pty ? pty.lacks : undefined

describe.skipIf(lacks !== undefined)(`two ports${lacks === undefined ? '' : ` (skipped: ${lacks})`}`, () => {
  /** Two pseudo terminals, wired to each other by this test as `wiring` has it. */
  async function wired(
    wiring: (a: Conn, b: Conn) => void,
  ): Promise<{ paths: [string, string] } & AsyncDisposable> {
    const stack = new AsyncDisposableStack()
    const settings = { baudRate: 1_000_000, dataBits: 8, parity: 'none', stopBits: 1 } as const
    const ends: Conn[] = []
    const paths: string[] = []
    for (const name of ['a', 'b']) {
      const line = await openPty({ name, settings })
      stack.use(line)
      stack.use(await line.wire.open((c) => ends.push(c)))
      paths.push(line.path)
    }
    wiring(ends[0] as Conn, ends[1] as Conn)
    return { paths: paths as [string, string], [Symbol.asyncDispose]: () => stack.disposeAsync() }
  }

  test('wired to each other pass every byte both ways', async () => {
    await using w = await wired((a, b) => {
      a.onBytes((bytes) => void b.send(bytes))
      b.onBytes((bytes) => void a.send(bytes))
    })
    const found = await loopback(...w.paths)
    expect(trouble(found)).toEqual([])
    expect(found.filter((f) => f.check === 'loopback-line').length).toBe(6)
  })

  test('of which one echoes, and the other loses bytes, are told so', async () => {
    await using w = await wired((a, b) => {
      a.onBytes((bytes) => {
        void a.send(bytes)
        void b.send(bytes)
      })
      b.onBytes((bytes) => void a.send(bytes.map((x) => x ^ 1)))
    })
    const found = trouble(await loopback(...w.paths))
    expect(found).toContain('echo: warn')
    expect(found).toContain('loopback-line: missing')
  })
})

describe('the command', () => {
  let p: Place
  beforeAll(() => {
    p = place()
  })
  afterAll(() => p[Symbol.dispose]())

  test('tells each thing as a line or as JSON, and ends with 4 where something is missing', async () => {
    const example = readFileSync(findRig('lab-example'), 'utf8')
    p.write('own/table.yaml', example.replace('name: lab-example', 'name: table'))
    const [plain, json, alone, unknown, lab] = await Promise.all([
      p.run(['doctor']),
      p.run(['doctor', '--rig', 'local', '--json']),
      p.run(['doctor', '--loopback', '/dev/null']),
      p.run(['doctor', '--rig', 'nix']),
      p.run(['doctor', '--rig', 'table', '--rigs', 'own', '--json']),
    ])
    expect([plain.code, json.code].every((c) => c === 0 || lacks !== undefined)).toBe(true)
    expect(plain.out).toMatch(/^ok {7}Node v24/)
    expect(plain.out).toMatch(/\d+ ok, \d+ to look at, \d+ missing\n$/)
    const told = JSON.parse(json.out) as { format: string; missing: number; findings: Finding[] }
    expect(told.format).toBe('gridproof-doctor/1')
    expect(told.findings.some((f) => f.check === 'rig')).toBe(true)
    expect([alone.code, unknown.code]).toEqual([2, 2])
    expect(lab.code).toBe(4)
    expect(lab.out).toContain("the recorder's files cannot be read")
    expect(p.left()).toEqual([])
  })
})

test('openssl agrees on who issued a certificate', () => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
  } catch {
    return
  }
  const said = (name: string): boolean => {
    try {
      execFileSync('openssl', ['verify', '-CAfile', join(pki, 'ca.crt'), join(pki, `${name}.crt`)], {
        stdio: 'ignore',
      })
      return true
    } catch {
      return false
    }
  }
  for (const name of [
    'observer',
    'broker',
    'intruder/expired',
    'intruder/foreign-ca',
    'intruder/self-signed',
  ]) {
    const found = judge({ what: name, certificate: pem(`${name}.crt`), ca: pem('ca.crt'), now: Date.now() })
    expect([name, trouble(found).length === 0]).toEqual([name, said(name)])
  }
})
