import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { here, place, projectWith, scenarioText } from '../cli/testing.ts'
import type { Place } from '../cli/testing.ts'
import { addressOf } from './address.ts'
import { readRig } from './schema.ts'

const shipped = readFileSync(join(here, 'fixtures/rigs/virtual.yaml'), 'utf8')
const personality = readFileSync(join(here, 'fixtures/personalities/gridkey-standin.yaml'), 'utf8')
const profile = readFileSync(join(here, 'fixtures/profiles/winter-weekday.yaml'), 'utf8')

/** The text with one part put in place of another, which must be there. */
function put(text: string, part: string, instead: string): string {
  if (!text.includes(part)) throw new Error(`no '${part}' in it`)
  return text.replace(part, instead)
}

interface Bad {
  /** Text of bad.yaml; what stands in it is the shipped virtual rig but for one part. */
  readonly text: string
  /** A text on the line that the refusal must name. */
  readonly at: string
  readonly path: string
  readonly expected: string
  /** The file at fault where it is not the rig's own, with its text. */
  readonly other?: { readonly name: string; readonly text: string }
}

const rig = put(shipped, 'name: virtual', 'name: bad')
const but = (part: string, instead: string, at: string, path: string, expected: string): Bad => ({
  text: put(rig, part, instead),
  at,
  path,
  expected,
})
const gridkeyPort = '    port: 502\n'
const gridkeyOptions = '    options: { personality: gridkey-standin }'
const serial = '    serial: { baudRate: 9600'

const bad: Readonly<Record<string, Bad>> = {
  'that is no YAML': but('time: virtual', 'time: a: b', 'time: a', '', 'is not YAML'),
  'with an unknown key': but(
    'observer:',
    'colour: red\nobserver:',
    'colour',
    'colour',
    'Unrecognized key: "colour"',
  ),
  'with an unknown key inside a role': but(
    gridkeyPort,
    `${gridkeyPort}    speed: 3\n`,
    'speed',
    'roles.gridkey.speed',
    'Unrecognized key: "speed"',
  ),
  'with an unknown role': but(
    'roles:',
    'roles:\n  toaster: { at: 9 }',
    'toaster',
    'roles.toaster',
    'toaster',
  ),
  'that is called otherwise than its file': but('name: bad', 'name: good', 'name:', 'name', "expected 'bad'"),
  'with a name that is no name': but('name: bad', 'name: Bad Rig', 'name:', 'name', 'lower-case letters'),
  'without a platform': but(
    'platform: { kind: reference, at: 10, port: 8883, topics: spec }\n',
    '',
    '# Everything',
    'platform',
    'expected object',
  ),
  'with a time of its own': but('time: virtual', 'time: soon', 'time: soon', 'time', '"virtual"|"real"'),
  'with a broker that knows no virtual time': but(
    'port: 8883, topics',
    'port: 8883, broker: mosquitto, topics',
    'mosquitto',
    'platform.broker',
    'knows no virtual time',
  ),
  'with port and serial both': but(
    gridkeyPort,
    `${gridkeyPort}    serial: { baudRate: 9600, dataBits: 8, parity: none, stopBits: 1 }\n`,
    'gridkey:',
    'roles.gridkey',
    'expected either port (a TCP device) or serial',
  ),
  'with neither port nor serial': but(
    gridkeyPort,
    '',
    'gridkey:',
    'roles.gridkey',
    'expected either port (a TCP device) or serial',
  ),
  'with a TCP device on a serial line': but(
    gridkeyPort,
    '    serial: { baudRate: 300, dataBits: 8, parity: none, stopBits: 1 }\n',
    'baudRate: 300',
    'roles.gridkey.serial',
    "expected port, by which 'gridkey-mcu520' is reached",
  ),
  'with a serial line that no port has': but(
    serial,
    `${serial}1`.replace('9600', '-9600'),
    '-9600',
    'roles.thermocouple.serial.baudRate',
    '>=50',
  ),
  'with an address outside the network': but(
    'observer: { at: 5 }',
    'observer: { at: 251 }',
    'at: 251',
    'observer.at',
    '<=250',
  ),
  'with an address that is no number': but(
    'observer: { at: 5 }',
    'observer: { at: five }',
    'five',
    'observer.at',
    'expected number',
  ),
  'with one address for two': but(
    'intruder: { at: 66 }',
    'intruder: { at: 10 }',
    'intruder:',
    'roles.intruder.at',
    'expected an address of its own: platform has 10 too',
  ),
  'with one address for two that are not devices': but(
    'peers: { at: 95',
    'peers: { at: 120',
    'peers:',
    'roles.peers.at',
    'expected an address of its own: gridkey2 has 120 too',
  ),
  'with the address of the router for another': but(
    'router: { at: 91',
    'router: { at: 5',
    'link:',
    'roles.link.router.at',
    'expected an address of its own: observer has 5 too',
  ),
  'with a network beyond 255': but(
    'network: 10.77.0',
    'network: 10.777.0',
    'network:',
    'network',
    "expected 'own' or",
  ),
  'with a multicast network': but(
    'network: 10.77.0',
    'network: 224.0.0',
    'network:',
    'network',
    "expected 'own' or",
  ),
  'with a network of four numbers': but(
    'network: 10.77.0',
    'network: 10.77.0.1',
    'network:',
    'network',
    "expected 'own' or",
  ),
  'whose marketplace has no port': but('port: 8883', 'port: 0', 'platform:', 'platform.port', '>=1'),
  'with a port beyond 65535': but('port: 502', 'port: 65536', 'port: 65536', 'roles.gridkey.port', '<=65535'),
  'with an unknown device': but(
    'gridkey-mcu520',
    'gridkey-mcu521',
    'gridkey-mcu521',
    'roles.gridkey.device',
    'expected a device that plays gridkey: gridkey-mcu520',
  ),
  'with a device of another role': but(
    'gridkey-mcu520',
    'thermocouple-tc8',
    'device: thermocouple-tc8',
    'roles.gridkey.device',
    'expected a device that plays gridkey: gridkey-mcu520',
  ),
  'with a device by a name that every object has': but(
    'gridkey-mcu520',
    'constructor',
    'constructor',
    'roles.gridkey.device',
    'expected a device that plays gridkey',
  ),
  'with an option that its device has not': but(
    gridkeyOptions,
    '    options: { personalty: gridkey-standin }',
    'personalty',
    'roles.gridkey.options',
    'Unrecognized key: "personalty"',
  ),
  'with an unknown personality': but(
    gridkeyOptions,
    '    options: { personality: gridkey-real }',
    'gridkey-real',
    'roles.gridkey.options',
    "fixtures/personalities has no 'gridkey-real'",
  ),
  'with a malformed personality': {
    ...but(
      gridkeyOptions,
      '    options: { personality: HERE/odd.yaml }',
      '',
      'averaging',
      'is not a duration',
    ),
    at: 'averaging: an hour',
    other: { name: 'odd.yaml', text: put(personality, 'averaging: 60 s', 'averaging: an hour') },
  },
  "with another device's personality": {
    ...but(gridkeyOptions, '    options: { personality: HERE/tc8.yaml }', '', '', ''),
    at: 'device: thermocouple-tc8',
    path: 'device',
    expected: 'gridkey-mcu520',
    other: {
      name: 'tc8.yaml',
      text: readFileSync(join(here, 'fixtures/personalities/tc8.yaml'), 'utf8'),
    },
  },
  'with an unknown profile': but(
    gridkeyOptions,
    '    options: { profile: { profile: sunday } }',
    'sunday',
    'roles.gridkey.options',
    "fixtures/profiles has no 'sunday'",
  ),
  'with a malformed profile': {
    ...but(gridkeyOptions, '    options: { profile: { profile: HERE/sunday.yaml } }', '', 'homes', 'number'),
    at: 'homes: many',
    other: { name: 'sunday.yaml', text: put(profile, 'homes: 100', 'homes: many') },
  },
}

describe('a malformed rig file, given to gridproof run', () => {
  let p: Place
  let project = ''
  beforeAll(() => {
    p = place()
    project = projectWith(p.path, { 'good/quiet': scenarioText() })
  })
  afterAll(() => p[Symbol.dispose]())

  for (const [n, [what, b]] of Object.entries(bad).entries())
    test.concurrent(`${what}: refused with file, line, path and what was expected`, async () => {
      const folder = join(p.path, `bad-${n}`)
      const text = b.text.replaceAll('HERE', folder)
      p.write(`bad-${n}/bad.yaml`, text)
      if (b.other !== undefined) p.write(`bad-${n}/${b.other.name}`, b.other.text)
      const lines = (b.other?.text ?? text).split('\n')
      const line = lines.findIndex((l) => l.includes(b.at)) + 1
      expect(line).toBeGreaterThan(0)
      const { code, out, err } = await p.run(['run', '--rig', 'bad.yaml'], { project, cwd: folder })
      const file = b.other === undefined ? 'bad.yaml' : join(folder, b.other.name)
      expect(err).toMatch(/^gridproof: /)
      expect(err).toContain(`${file}:${line}`)
      expect(err).toContain(b.path === '' ? ': ' : ` (${b.path}): `)
      expect(err).toContain(b.expected)
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(existsSync(join(folder, 'runs'))).toBe(false)
    })

  test('leaves no temporary folder and no ledger', () => {
    expect(p.left()).toEqual([])
  })
})

describe('a rig file', () => {
  test('that comes with the project is good', () => {
    for (const name of ['virtual', 'local'])
      expect(readRig(join(here, `fixtures/rigs/${name}.yaml`)).name).toBe(name)
  })

  test('with another broker differs from the local one in nothing else', () => {
    const [local, other] = ['local', 'local-mosquitto'].map((n) =>
      readRig(join(here, `fixtures/rigs/${n}.yaml`)),
    )
    if (local === undefined || other === undefined) throw new Error('no rig')
    const { name, describes, platform } = local
    expect(other.platform).toEqual({ ...platform, broker: 'mosquitto' })
    expect({ ...other, name, describes, platform }).toEqual(local)
  })

  test('that is not there is refused by its name', () => {
    expect(() => readRig('/nowhere/gone.yaml')).toThrow('/nowhere/gone.yaml: cannot be read: ENOENT')
  })

  test('may leave out what has a usual value', () => {
    using p = place()
    const file = p.write('bad.yaml', rig)
    expect(readRig(file).platform).toMatchObject({ intervalSeconds: 60, statusSeconds: 120 })
  })

  test('gives addresses inside its network', () => {
    expect(addressOf('10.77.0', 20)).toBe('10.77.0.20')
  })
})
