import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { carriedByDefault } from '../../../../../bench/platforms/peer-parties.ts'
import type { AppConfig } from '../../config.ts'
import type { JsonObject } from '../../env.ts'
import { makePki } from '../../pki.ts'
import {
  freePort,
  listen,
  tempFolder,
  testHost,
  type Heard,
  type Listener,
  type TestHost,
} from '../../testing.ts'
import { defaultDataSet, readConfig } from './config.ts'
import { main } from './main.ts'

/** The apps of both platforms at one marketplace, each under an instance of its own. */
const apps = { a: 'eatl_peer_01', b: 'eatl_peer_02' } as const
const apid = (iid: string): string => `${iid.slice(0, -3)}_1.${iid.slice(-1)}`
const source = { apid: 'eatl_source_1.0', iid: 'eatl_source_01' }
const topic = `algorithm/data/${source.iid}/x`

describe('two Peer-to-Peer applications', () => {
  const folder = tempFolder()
  const pki = join(folder.path, 'pki')
  let host: TestHost
  let manager: Listener
  let origin: Listener

  beforeAll(async () => {
    makePki(pki, {
      apps: [...Object.values(apps).map(apid), source.apid],
      algorithm: 'ed25519',
      platforms: ['platform-a', 'platform-b'],
    })
    const port = await freePort()
    const marketplace = { address: '127.0.0.1', port }
    host = testHost(folder.path, async (entry) =>
      entry === 'peer' ? main : (await import('../../marketplace/main.ts')).main,
    )
    await host.start('marketplace', {
      entry: 'marketplace',
      defects: [],
      config: {
        iid: 'eatl_marketplace_00',
        pki,
        ...marketplace,
        managerIid: 'eatl_containermanager_00',
        apps: [...Object.values(apps).map((iid) => ({ apid: apid(iid), iid })), source],
        revoked: [],
      },
    })
    await host.logged((l) => l.entry['event'] === 'listening', 'the marketplace')
    manager = await listen(pki, 'container-manager', port)
    origin = await listen(pki, source.apid, port)
    for (const iid of Object.values(apps))
      await host.start(iid, {
        entry: 'peer',
        defects: [],
        config: { apid: apid(iid), iid, pki, marketplace, topics: 'spec' },
      })
  })
  afterAll(async () => {
    await host.stop()
    await manager.close()
    await origin.close()
    folder.remove()
  })

  const configure = async (iid: string, config: JsonObject): Promise<void> => {
    await manager.hears((m) => m.topic === `config/request/${iid}`, 'the request for a configuration')
    await manager.publish({ topic: `config/response/${iid}`, payload: { Configuration: config } })
  }
  const on =
    (iid: string, name: string) =>
    (m: Heard): boolean =>
      m.topic === `algorithm/data/${iid}/${name}`
  const alive = (iid: string, value: boolean) => (m: Heard) =>
    on(iid, 'alive')(m) && (m.payload as JsonObject)['Value'] === value

  test('tell that the partner is dead, find each other, and carry what was published before and after', async () => {
    const port = await freePort()
    const often = { heartbeat: 0.5, deadAfter: 1, retry: { first: 0.1, longest: 0.2 } }
    await configure(apps.a, {
      platform: 'platform-a',
      partner: 'platform-b',
      road: { connect: { address: '127.0.0.1', port } },
      dataSet: [{ name: 'one/x', topic }],
      ...often,
    })
    await manager.hears((m) => m.topic === `status/response/${apps.a}`, 'the status of a')
    await manager.hears(alive(apps.a, false), 'that b is dead')
    const payload = { Timestamp: 7, Value: 230.1, Valid: false, Confidence: [0.9] }
    await origin.publish({ topic, payload })
    await configure(apps.b, {
      platform: 'platform-b',
      partner: 'platform-a',
      road: { listen: { port } },
      dataSet: [],
      ...often,
    })
    await manager.hears(alive(apps.a, true), 'that b lives')
    await manager.hears(alive(apps.b, true), 'that a lives')
    expect((await manager.hears(on(apps.b, 'partner/one/x'), 'what was said before')).payload).toEqual(
      payload,
    )
    await origin.publish({ topic, payload: { ...payload, Timestamp: 8 } })
    await origin.client.publishAsync(topic, 'no JSON', { qos: 1 })
    await origin.publish({ topic, payload: { ...payload, Timestamp: 9 } })
    await manager.hears(
      (m) => on(apps.b, 'partner/one/x')(m) && (m.payload as JsonObject)['Timestamp'] === 9,
      'what was said last',
    )
    expect(
      manager.heard.filter(on(apps.b, 'partner/one/x')).map((m) => (m.payload as JsonObject)['Timestamp']),
    ).toEqual([7, 8, 9])
    await manager.hears((m) => m.topic === `storage/data/error/${apps.a}`, 'the error about what is no JSON')
    await manager.publish({ topic: `command/${apps.b}`, payload: { Command: 1 } })
    const since = manager.heard.length
    await manager.hears(
      (m) => manager.heard.indexOf(m) >= since && alive(apps.a, false)(m),
      'that b is dead again',
    )
  })

  test('read their configuration, and say what does not fit', () => {
    const app: AppConfig = {
      apid: 'eatl_peer_1.0',
      iid: 'eatl_peer_01',
      pki,
      marketplace: { address: '127.0.0.1', port: 1 },
      topics: 'spec',
    }
    const good = { platform: 'platform-a', partner: 'platform-b', road: { listen: { port: 1 } } }
    expect(readConfig(good, app)).toMatchObject({ heartbeat: 5, deadAfter: 15, window: 32 })
    for (const [more, why] of [
      [{ partner: '../x' }, 'partner'],
      [{ road: { listen: {} } }, 'road'],
      [{ road: { relay: { address: 'x', port: 1, pair: 'P 1', as: 'client' } } }, 'road'],
      [{ heartbeat: 10 }, 'deadAfter: expected at least two heartbeats'],
      [{ dataSet: [{ name: 'a/#', topic: 'x' }] }, 'dataSet.0.name'],
      [{ dataSet: [{ name: 'a', topic: 'x/#' }] }, 'dataSet.0.topic'],
      [
        {
          dataSet: [
            { name: 'a', topic: 'x' },
            { name: 'a', topic: 'y' },
          ],
        },
        'each name once',
      ],
    ] as const)
      expect(() => readConfig({ ...good, ...more }, app)).toThrow(why)
  })

  test('carry unless told otherwise what the bench takes for it, in both topic profiles', () => {
    for (const profile of ['spec', 'openlv-2018'] as const)
      expect(defaultDataSet(profile)).toEqual(carriedByDefault(profile))
  })
})
