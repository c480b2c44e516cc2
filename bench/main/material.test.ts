import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { here, place, scenarioText } from '../cli/testing.ts'
import type { Place } from '../cli/testing.ts'
import { shippedCatalogue } from '../requirements/load.ts'
import { readMaterial, readRigWith } from './material.ts'

let p: Place
beforeAll(() => {
  p = place()
  p.write('a/quiet.ts', scenarioText().replace('../../bench/index.ts', 'gridproof'))
  p.write('b/quiet.ts', scenarioText().replace('../../bench/index.ts', 'gridproof'))
  p.write('c/nothing.txt', '')
  p.write('meters/tc8.yaml', '')
  p.write('rigs/mine.yaml', '')
})
afterAll(() => p[Symbol.dispose]())

const run = (...words: string[]) => p.run(['run', '--short', ...words])

describe('own material', () => {
  test("is the project's where nothing is given, and the project's among it where that is asked for", () => {
    const own = readMaterial()
    expect(own).toEqual({
      scenarios: [join(here, 'scenarios')],
      requirements: [shippedCatalogue],
      personalities: [],
      rigs: [],
    })
    const both = readMaterial({ scenarios: [join(p.path, 'a'), 'shipped'] })
    expect(both.scenarios).toEqual([join(p.path, 'a'), join(here, 'scenarios')])
  })

  test('finds a personality by its bare name in the folders given, and by its path from the rig file', () => {
    const rig = p.write(
      'rigs/local.yaml',
      `name: local
describes: A rig of a test.
time: real
platform: { kind: lab, maker: M, product: P, version: '1' }
roles:
  thermocouple:
    device: thermocouple-tc8
    path: /dev/null
    serial: { baudRate: 9600, dataBits: 8, parity: none, stopBits: 1 }
    options: { personality: tc8 }
  gridkey: { device: gridkey-mcu520, address: 127.0.0.1, port: 502, options: { personality: ../meters/tc8.yaml } }
`,
    )
    const names = (folders: readonly string[]) => {
      const { roles } = readRigWith(rig, folders)
      return [roles.thermocouple?.options?.['personality'], roles.gridkey?.options?.['personality']]
    }
    const mine = join(p.path, 'meters/tc8.yaml')
    expect(names([join(p.path, 'meters')])).toEqual([mine, mine])
    expect(names([])).toEqual(['tc8', mine])
  })

  test('of scenarios outside the project runs, although no package is installed there', async () => {
    const { code, out, err } = await run('--scenarios', 'a', '--operator', 'Nobody')
    expect(err).not.toMatch(/Warning/)
    expect(out).toContain('operator Nobody')
    expect(code, `${out}${err}`).toBe(0)
    expect(p.left()).toEqual([])
  })

  test('is listed by the commands that list', async () => {
    const { code, out } = await p.run(['scenarios', '--scenarios', 'a'])
    expect(out).toMatch(/^quiet$/m)
    expect(out).not.toContain('capture/')
    expect(code).toBe(0)
  })

  test.each([
    [['--scenarios', 'a', '--scenarios', 'b'], /b\/quiet\.ts.*another folder has 'quiet' too/],
    [['--scenarios', 'c'], /expected at least one scenario/],
    [['--scenarios', 'nowhere'], /--scenarios: 'nowhere' is no folder/],
    [['--requirements', 'c'], /holds no catalogue/],
    [['--personalities', 'shipped'], /--personalities: 'shipped' is no folder/],
    [['--rigs', 'rigs', '--rig', 'mind'], /rig 'mind' is unknown; nearest: mine/],
    [['--subject', 'serial=1'], /the bench's own/],
  ] as const)('%j is refused', async (words, why) => {
    const { code, err } = await run(...words)
    expect(err).toMatch(why)
    expect(code).toBe(2)
  })
})
