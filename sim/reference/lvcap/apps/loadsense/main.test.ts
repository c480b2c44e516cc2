import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Json, JsonObject } from '../../env.ts'
import { makePki } from '../../pki.ts'
import {
  freePort,
  listen,
  marketplaceConfig,
  tempFolder,
  testHost,
  type Heard,
  type Listener,
  type TestHost,
} from '../../testing.ts'

const apps = {
  loadsense: { apid: 'eatl_loadsense_1.0', iid: 'eatl_loadsense_01' },
  predictor: { apid: 'eatl_loadpredictor_1.0', iid: 'eatl_loadpredictor_01' },
  dtr: { apid: 'eatl_weathersense_1.0', iid: 'eatl_weathersense_01' },
  peer: { apid: 'eatl_peer_1.0', iid: 'eatl_peer_01' },
  gridkey: { apid: 'lucy_gridkeysensor_1.0', iid: 'lucy_gridkeysensor_01' },
  meshing: { apid: 'eatl_lvmeshing_1.0', iid: 'eatl_lvmeshing_01' },
} as const
type Speaker = Exclude<keyof typeof apps, 'loadsense'>
const phases = ['l1', 'l2', 'l3'] as const
const quick = {
  operations: { rest: 1, aDay: 8 },
  part: { dwell: 1 },
  sequence: { between: 0.05, readBack: 1, settle: 0.2 },
  every: 1,
  gather: 0.05,
}

/** The program at a marketplace, with everybody that it listens to played by the test. */
describe('LoadSense', () => {
  const folder = tempFolder()
  const pki = join(folder.path, 'pki')
  let host: TestHost
  let manager: Listener
  const speakers = new Map<Speaker, Listener>()
  let port: number
  let disk: string
  let n = 0

  beforeAll(() => {
    makePki(pki, { apps: Object.values(apps).map((a) => a.apid) })
    return () => folder.remove()
  })
  beforeEach(async () => {
    disk = join(folder.path, `disk-${++n}`)
    port = await freePort()
    host = testHost(disk)
    await host.start('marketplace', {
      entry: 'sim/reference/lvcap/marketplace/main.ts',
      defects: [],
      config: marketplaceConfig(pki, port, Object.values(apps)),
    })
    await host.logged((l) => l.entry['event'] === 'listening', 'the marketplace')
    manager = await listen(pki, 'container-manager', port)
    for (const s of ['predictor', 'dtr', 'peer', 'gridkey', 'meshing'] as const)
      speakers.set(s, await listen(pki, apps[s].apid, port))
  })
  afterEach(async () => {
    await host.stop()
    await manager.close()
    for (const s of speakers.values()) await s.close()
  })

  const begin = async (config: JsonObject = quick): Promise<{ end(): Promise<void> }> => {
    const { apid, iid } = apps.loadsense
    const earlier = manager.heard.length
    const proc = await host.start(iid, {
      entry: 'sim/reference/lvcap/apps/loadsense/main.ts',
      defects: [],
      config: { apid, iid, pki, marketplace: { address: '127.0.0.1', port }, topics: 'spec' },
    })
    const later = (fits: (m: Heard) => boolean) => (m: Heard) =>
      manager.heard.indexOf(m) >= earlier && fits(m)
    await manager.hears(
      later((m) => m.topic === `config/request/${iid}`),
      'its request',
    )
    await manager.publish({ topic: `config/response/${iid}`, payload: { Configuration: config } })
    await manager.hears(
      later((m) => m.topic === `status/response/${iid}` && (m.payload as JsonObject)['Status'] === 1),
      'its word that it runs',
    )
    return {
      async end() {
        proc.signal('TERM')
        await proc.ended
      },
    }
  }
  const stamp = (): number => Math.floor(Date.now() / 1000)
  const say = (by: Speaker, top: 'sensor' | 'algorithm', name: string, payload: Json): Promise<void> =>
    speakers.get(by)?.publish({ topic: `${top}/data/${apps[by].iid}/${name}`, payload }) ?? Promise.resolve()
  const scalar = (Value: Json, more: JsonObject = {}): JsonObject => ({
    Timestamp: stamp(),
    Value,
    Valid: true,
    ...more,
  })
  const series = (amps: number, count: number, interval: number): JsonObject => ({
    Timestamp: stamp(),
    StartPoint: Math.floor(stamp() / interval) * interval,
    Interval: interval,
    Value: Array.from({ length: count }, () => amps),
    Valid: true,
  })
  const local = (load: number): Promise<void> =>
    say('predictor', 'algorithm', 'transformer/forecast', series(load, 48, 1800))
  const breakers = async (flags: number, which: readonly string[] = phases): Promise<void> => {
    for (const p of which)
      await say('meshing', 'sensor', `${p.toUpperCase()}/MHR_SHADOW_FAULT_STATUS`, scalar(flags))
  }
  /** All that a decision needs, but the local forecast: its transformer has 800 A. */
  const world = async (): Promise<void> => {
    await say('predictor', 'algorithm', 'feeder/forecast', series(100, 48, 1800))
    await say('dtr', 'algorithm', 'transformer/rating/forecast', series(800, 24, 3600))
    await say('dtr', 'algorithm', 'transformer/hot_spot', scalar(60))
    await say('peer', 'algorithm', 'alive', scalar(true))
    await say('peer', 'algorithm', 'partner/transformer/forecast', series(200, 48, 1800))
    await say('peer', 'algorithm', 'partner/feeder/forecast', series(100, 48, 1800))
    await say('peer', 'algorithm', 'partner/rating/forecast', series(800, 24, 3600))
    await say('peer', 'algorithm', 'partner/hot_spot', scalar(60))
    for (const p of phases) {
      const P = p.toUpperCase()
      await say('gridkey', 'sensor', `Feeder1/current/60s/${P}_RMS`, scalar(300))
      await say('peer', 'algorithm', `partner/current/${p}`, scalar(200))
      await say('peer', 'algorithm', `partner/breaker/${p}`, scalar(1))
      await say('meshing', 'sensor', `${P}/MIR_BUS_VOLTAGE_RMS`, scalar(240))
      await say('meshing', 'sensor', `${P}/MIR_CABLE_VOLTAGE_RMS`, scalar(238))
    }
    await breakers(2)
  }
  const controls = (): readonly (readonly [string, Json])[] =>
    manager.heard
      .filter((m) => m.topic.startsWith(`algorithm/data/${apps.loadsense.iid}/control/`))
      .map((m) => [m.topic.split('/').at(-1) ?? '', (m.payload as JsonObject)['Value'] ?? null])
  const commands = async (count: number): Promise<void> => {
    const fits = (m: Heard): boolean => m.topic.includes('/control/') && controls().length >= count
    await manager.hears(fits, `${count} commands`)
  }
  const decision = (fits: (d: JsonObject) => boolean, what: string): Promise<Heard> =>
    manager.hears((m) => m.topic.endsWith('/decision') && fits(m.payload as JsonObject), what)
  const kept = (): JsonObject =>
    JSON.parse(readFileSync(join(disk, 'loadsense', 'kept.json'), 'utf8')) as JsonObject

  test('meshes where it is needed, reads back, parts again; both are counted and outlast a restart', async () => {
    const first = await begin()
    await world()
    await local(900)
    await commands(3)
    expect(controls()).toEqual(phases.map((p) => [p, true]))
    await decision((d) => d['Decision'] === 'mesh' && d['Because'] === 'needed-and-safe', 'the record')
    for (const p of phases) await say('meshing', 'algorithm', `operation/${p}/after`, scalar(true))
    await host.logged((l) => l.entry['event'] === 'read-back', 'the read-back')
    await local(300)
    await commands(6)
    expect(controls().slice(3)).toEqual(phases.map((p) => [p, false]))
    await breakers(2)
    await first.end()
    expect(kept()).toMatchObject({ operations: 2, lockedOut: null, commanded: 'open' })
    // nothing is commanded because of a start alone
    await begin()
    await decision((d) => d['OperationsToday'] === 2 && d['Decision'] === 'hold', 'a decision after it')
    expect(controls()).toHaveLength(6)
  })

  test('a phase that does not follow: all are opened, and the automation stays out until it is let in', async () => {
    const first = await begin()
    await world()
    await local(900)
    await commands(3)
    for (const p of ['l1', 'l3'] as const)
      await say('meshing', 'algorithm', `operation/${p}/after`, scalar(true))
    await commands(6)
    expect(controls().slice(3)).toEqual(phases.map((p) => [p, false]))
    await breakers(2)
    await decision((d) => d['Decision'] === 'open-all' && d['LockedOut'] === true, 'the record of it')
    await manager.hears(
      (m) =>
        m.topic === `storage/data/error/${apps.loadsense.iid}` &&
        JSON.stringify(m.payload).includes('locked out'),
      'the alarm',
    )
    await first.end()
    expect(kept()).toMatchObject({ lockedOut: { why: 'l2 did not close' } })
    const second = await begin()
    await world()
    await local(900)
    await decision(
      (d) => (d['Conditions'] as JsonObject)['automation-on'] === false && d['LockedOut'] === true,
      'why',
    )
    await second.end()
    expect(controls()).toHaveLength(6)
    await begin({ ...quick, letIn: 'looked at on 7 November, J. Smith' })
    await world()
    await local(900)
    await commands(9)
    expect(controls().slice(6)).toEqual(phases.map((p) => [p, true]))
  })

  test('what is of a wrong shape is refused once, with an error, and what was known stands', async () => {
    await begin()
    for (const bad of [
      { Value: 1 },
      scalar('much'),
      scalar(null),
      { ...scalar(1), Timestamp: 'now' },
    ] as const)
      await say('dtr', 'algorithm', 'transformer/hot_spot', bad)
    await say('predictor', 'algorithm', 'feeder/forecast', { ...series(1, 2, 1800), Value: [1, true] })
    await world()
    await local(900)
    await commands(3)
    const errors = manager.heard.filter((m) => m.topic === `storage/data/error/${apps.loadsense.iid}`)
    expect(errors).toHaveLength(2)
  })

  test('without breakers it decides and commands all the same, by what it commanded last', async () => {
    await begin({ ...quick, fitted: false })
    await world()
    await local(900)
    await commands(3)
    await local(300)
    await commands(6)
    expect(controls().map(([, close]) => close)).toEqual([true, true, true, false, false, false])
  })

  test('what was kept and cannot be read is taken for a lock-out', async () => {
    mkdirSync(join(disk, 'loadsense'), { recursive: true })
    writeFileSync(join(disk, 'loadsense', 'kept.json'), '{"lockedOut":')
    await begin()
    await world()
    await local(900)
    await decision((d) => d['LockedOut'] === true && d['Decision'] === 'hold', 'its decision')
    await host.logged((l) => l.entry['event'] === 'locked-out', 'why')
    expect(controls()).toEqual([])
  })
})
