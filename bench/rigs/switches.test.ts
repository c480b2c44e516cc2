import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { place } from '../cli/testing.ts'
import { labLacks } from './lab-cast.ts'
import type { LabRig } from './lab.ts'
import { isLab, readRig } from './schema.ts'
import { operationLimit } from './switches.ts'

const text = `name: table
describes: A platform on a table, with breakers that are real.
time: real
platform: { kind: lab, maker: M, product: P, version: 1.0.0 }
switches: real
points: { marketplace: { host: h, port: 1883, clientId: observer } }
topics: { apps: { gridkey: a_gridkey_01, alvin: a_meshing_01 } }
roles: { gridkey: { device: gridkey-mcu520, address: 127.0.0.1, port: 1502 } }
`

function read(t: string): LabRig {
  using p = place()
  const file = join(p.path, 'table.yaml')
  writeFileSync(file, t)
  const rig = readRig(file)
  if (!isLab(rig)) throw new Error('it is no lab')
  return rig
}

describe('a lab whose breakers are real', () => {
  test('plays nothing to its platform without --arm, and may be watched', () => {
    const rig = read(text)
    expect(labLacks(rig, ['platform', 'gridkey'])).toEqual([
      expect.stringMatching(/breakers that are real.*\(gridkey\).*only with --arm/),
    ])
    expect(labLacks(rig, ['platform'])).toEqual([])
    expect(labLacks(rig, ['platform', 'gridkey'], true)).toEqual([])
    expect(labLacks(rig, ['platform', 'commander'])).toEqual([expect.stringContaining('only with --arm')])
    // What it cannot play at all it cannot play armed.
    expect(labLacks(rig, ['platform', 'alvin'], true)).toEqual([expect.stringContaining('cannot play alvin')])
  })

  test('is not armed where its operations could not be counted', () => {
    for (const without of [text.replace(/^points.*\n/m, ''), text.replace(', alvin: a_meshing_01', '')])
      expect(labLacks(read(without), ['platform', 'gridkey'], true)).toEqual([
        expect.stringContaining('could not be counted'),
      ])
  })

  test('any other lab needs no --arm', () => {
    expect(labLacks(read(text.replace('switches: real\n', '')), ['platform', 'gridkey'])).toEqual([])
  })

  test.each([
    [
      'breakers that are played beside it',
      text.replace(
        'roles: {',
        `roles: { alvin: { device: alvin-reclose, path: /dev/null, serial: { baudRate: 19200, dataBits: 8, parity: even, stopBits: 1 } },`,
      ),
      /roles\.alvin.*expected no alvin/,
    ],
    ['another word', text.replace('switches: real', 'switches: perhaps'), /switches/],
    ['no operation at all', `${text}operationsAnHour: 0\n`, /operationsAnHour/],
  ])('%s is refused', (_, t, why) => {
    expect(() => read(t)).toThrow(why)
  })
})

describe('the limit of operations an hour', () => {
  const minute = 60_000
  function limit(most: number) {
    const p = place()
    const clock = { now: 0 }
    const file = join(p.path, 'operations.json')
    return { p, clock, file, make: () => operationLimit(most, file, () => clock.now) }
  }
  const counter = (n: number) => ({ Timestamp: 1, Value: n, Valid: true })

  test('counts what the counters say from their first reading on, over their wrap, each breaker by itself', () => {
    const { p, make } = limit(2)
    using _ = p
    const l = make()
    expect(l.see('alvin.l1.open_operations', counter(65_535))).toBeUndefined()
    expect(l.see('alvin.l1.open_operations', counter(0))).toBeUndefined()
    expect(l.see('alvin.l2.open_operations', counter(7))).toBeUndefined()
    expect(l.see('alvin.l2.open_operations', counter(9))).toBeUndefined()
    expect(l.see('alvin.l1.close_operations', counter(4))).toBeUndefined()
    expect(l.see('alvin.l1.close_operations', counter(5))).toBeUndefined()
    expect(l.see('alvin.l1.open_operations', counter(1))).toMatch(/breaker l1 was operated 3 times/)
  })

  test('counts commands, forgets them after an hour, and knows those of the scenarios before', () => {
    const { p, clock, make } = limit(2)
    using _ = p
    const command = { Timestamp: 1, Value: true, Valid: true, ToStore: true }
    const l = make()
    expect(l.see('loadsense.control.l3', command)).toBeUndefined()
    clock.now = 30 * minute
    expect(l.see('loadsense.control.l3', command)).toBeUndefined()
    clock.now = 61 * minute
    expect(l.see('loadsense.control.l3', command)).toBeUndefined()
    const next = make()
    expect(next.over()).toBeUndefined()
    expect(next.see('loadsense.control.l3', command)).toMatch(/breaker l3 was commanded 3 times/)
    expect(make().over()).toMatch(/l3/)
    clock.now = 200 * minute
    expect(make().over()).toBeUndefined()
  })

  test('nothing else counts', () => {
    const { p, make } = limit(1)
    using _ = p
    const l = make()
    for (let i = 0; i < 5; i++)
      for (const [alias, payload] of [
        ['loadsense.control.l1', 'yes'],
        ['loadsense.control.l1', { Value: 1 }],
        ['loadsense.decision', { Value: true }],
        ['alvin.l1.open_operations', { notJson: 'x' }],
        ['alvin.l1.fault_status', { Value: i }],
      ] as const)
        expect(l.see(alias, payload)).toBeUndefined()
  })
})
