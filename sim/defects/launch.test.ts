import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { runInChild } from '../../drivers/virtual/child.ts'
import { makePki } from '../reference/lvcap/pki.ts'
import { tempFolder, testHost } from '../reference/lvcap/testing.ts'
import type { Order } from './cases/platform.case.ts'

const apps = ['lucy_gridkeysensor_1.0', 'eatl_modbusrtusensor_1.0']

interface Outcome {
  readonly messages: number
  readonly topics: number
  readonly shortest: number
  readonly longest: number
  readonly invalid: number
  readonly ended: number
  readonly stages: string[]
  readonly seen: string
  readonly report: { readonly traceHash: string; readonly escapes: Json[] }
  readonly [k: string]: Json
}

describe('the platform in virtual time', () => {
  const folder = tempFolder()
  beforeAll(() => makePki(folder.path, { apps, addresses: ['10.0.0.10'] }))
  afterAll(() => folder.remove())

  const run = (order: Partial<Order>): Promise<Outcome> =>
    runInChild<Outcome>({
      module: new URL('cases/platform.case.ts', import.meta.url),
      arg: { pki: folder.path, minutes: 10, interval: 60, defects: [], launched: true, ...order },
      kernel: { seed: 1, epoch: Date.parse('2018-01-15T17:00:00Z') },
    })

  test('launched without defects it is as shipped, to the byte and the millisecond', async () => {
    const shipped = await run({ launched: false })
    expect(shipped).toMatchObject({
      topics: 69,
      messages: 690,
      shortest: 60_000,
      longest: 60_000,
      invalid: 0,
      ended: 0,
    })
    expect(shipped.report.escapes).toEqual([])
    const launched = await run({ launched: true })
    expect(launched.seen).toBe(shipped.seen)
    expect(launched.report.traceHash).toBe(shipped.report.traceHash)
    expect(launched.stages).toEqual([])
  })

  test('a defect reaches its app through the platform’s own start, and the log says so', async () => {
    const broken = await run({
      defects: [
        'gridkey-app/skips-a-minute',
        'temperature-app/local-time',
        'mutation/gridkey-app/publish/drop/99',
      ],
    })
    expect(broken.stages.toSorted()).toEqual([
      'applied gridkey-app/skips-a-minute',
      'applied mutation/gridkey-app/publish/drop/99',
      'applied temperature-app/local-time',
      'reached gridkey-app/skips-a-minute',
      'reached mutation/gridkey-app/publish/drop/99',
      'reached temperature-app/local-time',
    ])
    expect(broken.longest).toBe(120_000)
    expect(broken.report.escapes).toEqual([])
  })
})

describe('the launcher', () => {
  test('refuses a defect that does not exist, and a configuration without an app', async () => {
    const folder = tempFolder()
    const host = testHost(folder.path)
    const start = async (config: Json, defects: string[]): Promise<number | string> =>
      (await host.start('x', { entry: 'sim/defects/launch.ts', config, defects })).ended
    expect(await start({ app: 'sim/reference/lvcap/platform.ts', config: {} }, ['gridkey-app/no-such'])).toBe(
      1,
    )
    expect(await start({ config: {} }, [])).toBe(1)
    const text = JSON.stringify(host.logs)
    expect(text).toContain("there is no defect 'gridkey-app/no-such'")
    expect(text).toContain('{ app, config }')
    folder.remove()
  })

  test('runs somebody else’s program as it is', async () => {
    const folder = tempFolder()
    const host = testHost(folder.path)
    const proc = await host.start('x', {
      entry: 'sim/defects/launch.ts',
      config: { app: join('sim', 'defects', 'cases', 'stranger.ts'), config: { say: 'hello' } },
      defects: ['gridkey-app/drifts'],
    })
    expect(await proc.ended).toBe(3)
    expect(host.logs.map((l) => l.entry)).toEqual([{ said: 'hello', defects: [] }])
    folder.remove()
  })
})
