import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { here, place } from '../cli/testing.ts'
import { labLacks } from './lab-cast.ts'
import { isLab, readRig } from './schema.ts'
import type { LabRig } from './lab.ts'

const least = `name: table
describes: A platform on a table, for a test.
time: real
platform: { kind: lab, maker: M, product: P, version: 1.0.0 }
`

function read(text: string, more: Readonly<Record<string, string>> = {}): LabRig {
  using p = place()
  for (const [name, other] of Object.entries(more)) p.write(name, other)
  const file = join(p.path, 'table.yaml')
  writeFileSync(file, text)
  const rig = readRig(file)
  if (!isLab(rig)) throw new Error('it is no lab')
  return rig
}

describe("a lab's rig file", () => {
  test('that comes with the project as an example is good', () => {
    const rig = readRig(join(here, 'fixtures/rigs/lab-example.yaml'))
    expect(isLab(rig)).toBe(true)
    expect(rig.time).toBe('real')
  })

  test('may name nothing but the platform: then nothing can be seen', () => {
    expect(read(least)).toMatchObject({ points: {}, roles: {}, topics: { apps: {}, aliases: {} } })
  })

  test('counts its paths from its own folder', () => {
    const rig = read(
      `${least}points:
  marketplace: { host: h, port: 1, clientId: c, tls: { ca: pki/ca.crt, cert: /abs/o.crt, key: o.key } }
  csv: { folder: files }
`,
    )
    const tls = rig.points.marketplace?.tls
    expect(tls?.ca).toMatch(/^\/.*\/pki\/ca\.crt$/)
    expect(tls?.cert).toBe('/abs/o.crt')
    expect(rig.points.csv?.folder).toMatch(/^\/.*\/files$/)
  })

  test('takes aliases as they stand, or from a file beside it', () => {
    const aliases = { 'gridkey.busbar.l1n.voltage': 'site/u1' }
    const inside = read(`${least}topics: { aliases: ${JSON.stringify(aliases)} }\n`)
    const beside = read(`${least}topics: { aliases: names.yaml }\n`, {
      'names.yaml': `format: gridproof-aliases/1\naliases: ${JSON.stringify(aliases)}\n`,
    })
    expect(inside.topics.aliases).toEqual(aliases)
    expect(beside.topics.aliases).toEqual(aliases)
  })

  test.each([
    ['virtual time', least.replace('time: real', 'time: virtual'), /table\.yaml:3.*\(time\).*expected real/],
    ['a kind that is none', least.replace('kind: lab', 'kind: lap'), /\(platform\.kind\).*reference or lab/],
    ['another name than the file', least.replace('name: table', 'name: desk'), /\(name\).*'table'/],
    [
      'a digest that is none',
      least.replace('version: 1.0.0', 'version: 1.0.0, digest: sha256:12'),
      /\(platform\.digest\).*64/,
    ],
    [
      'a certificate without its key',
      `${least}points: { marketplace: { host: h, port: 1, clientId: c, tls: { ca: a, cert: b } } }\n`,
      /expected cert and key together/,
    ],
    ['a point that is none', `${least}points: { kitchen: {} }\n`, /points\.kitchen/],
    [
      'a TCP device without an address',
      `${least}roles: { gridkey: { device: gridkey-mcu520, port: 502 } }\n`,
      /expected address beside port/,
    ],
    [
      'a serial device without a path',
      `${least}roles: { thermocouple: { device: thermocouple-tc8, serial: { baudRate: 9600, dataBits: 8, parity: none, stopBits: 1 } } }\n`,
      /expected path beside serial/,
    ],
    [
      'a role that the bench does not play there',
      `${least}roles: { intruder: { at: 3 } }\n`,
      /roles\.intruder/,
    ],
    ['a topic with a wildcard', `${least}topics: { aliases: { gridkey.a: 'x/#' } }\n`, /without wildcards/],
    [
      'one topic for two aliases',
      `${least}topics: { aliases: { gridkey.a: x, gridkey.b: x } }\n`,
      /'x' is gridkey\.a already/,
    ],
    ['aliases that are not there', `${least}topics: { aliases: gone.yaml }\n`, /gone\.yaml: cannot be read/],
  ])('with %s is refused by its place', (_, text, why) => {
    expect(() => read(text)).toThrow(why)
  })

  test('says of each role that it cannot play why not', () => {
    const rig = read(least)
    expect(labLacks(rig, ['platform'])).toEqual([])
    for (const role of ['intruder', 'clock', 'laptop', 'scripted', 'storage', 'recorder', 'gridkey'])
      expect(labLacks(rig, ['platform', role])).toEqual([expect.stringContaining(`cannot play ${role}`)])
    const files = read(`${least}points: { csv: { folder: x } }\n`)
    expect(labLacks(files, ['recorder'])).toEqual([])
  })
})
