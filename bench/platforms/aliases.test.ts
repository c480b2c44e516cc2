import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GridkeyConfig } from '../../sim/reference/lvcap/apps/gridkey/config.ts'
import { topicOf as gridkeyTopic } from '../../sim/reference/lvcap/apps/gridkey/topics.ts'
import type { TemperatureConfig } from '../../sim/reference/lvcap/apps/temperature/config.ts'
import { topicOf as temperatureTopic } from '../../sim/reference/lvcap/apps/temperature/topics.ts'
import { quantities } from '../../sim/reference/lvcap/apps/meshing/config.ts'
import type { MeshingConfig } from '../../sim/reference/lvcap/apps/meshing/config.ts'
import { topicOf as meshingTopic } from '../../sim/reference/lvcap/apps/meshing/topics.ts'
import { aliasTable, alvinChannels, gridkeyChannels, temperatureChannels } from './aliases.ts'
import type { TopicProfile } from './aliases.ts'

const apps = {
  gridkey: 'lucy_gridkeysensor_01',
  thermocouple: 'eatl_modbusrtusensor_01',
  adam: 'eatl_adamsensor_01',
}
const profiles = ['spec', 'openlv-2018'] as const satisfies readonly TopicProfile[]
const intervals = [1, 10, 60, 3600]

/** Every topic that the apps publish a channel on, in one profile. */
function topics(profile: TopicProfile): readonly { topic: string; channel: string }[] {
  return intervals.flatMap((interval) => {
    const c = { topics: profile, interval } as GridkeyConfig & TemperatureConfig
    return [
      ...gridkeyChannels.map((channel) => ({
        channel,
        topic: `sensor/data/${apps.gridkey}/${gridkeyTopic(channel.slice('gridkey.'.length), c)}`,
      })),
      ...temperatureChannels.map((channel) => ({
        channel,
        topic: `sensor/data/${apps.thermocouple}/${temperatureTopic(channel.slice('thermocouple.'.length), c)}`,
      })),
    ]
  })
}

test('there are 66 channels of the feeder monitor and 3 of the temperature module, each once', () => {
  expect(new Set(gridkeyChannels).size).toBe(66)
  expect(new Set(temperatureChannels).size).toBe(3)
})

describe.each(profiles)('in the profile %s', (profile) => {
  const aliasOf = aliasTable(apps)

  test('every topic of every channel has the alias of that channel', () => {
    for (const { topic, channel } of topics(profile))
      expect([topic, aliasOf(topic)]).toEqual([topic, channel])
  })

  test('all channels are reached, and no two share a topic', () => {
    const reached = new Map(topics(profile).map((t) => [t.topic, aliasOf(t.topic)]))
    expect(new Set(reached.values())).toEqual(new Set([...gridkeyChannels, ...temperatureChannels]))
    expect(reached.size).toBeGreaterThanOrEqual(69)
  })

  test('metadata is known by what it is about', () => {
    for (const { topic, channel } of topics(profile))
      for (const word of ['metadata', 'meta']) expect(aliasOf(`${topic}/${word}`)).toBe(`metadata.${channel}`)
  })

  test('the busbar frequency is known too', () => {
    const c = { topics: profile, interval: 60 } as GridkeyConfig
    const topic = `sensor/data/${apps.gridkey}/${gridkeyTopic('busbar.frequency', c)}`
    expect(aliasOf(topic)).toBe('gridkey.busbar.frequency')
  })
})

test('the topics that the documents give as examples are known', () => {
  const aliasOf = aliasTable(apps)
  const at = `sensor/data/${apps.gridkey}`
  for (const [topic, alias] of [
    // OpenLV requirements, Appendix C, section 4
    [`${at}/Busbar/voltage/1s/L1-N_RMS`, 'gridkey.busbar.l1n.voltage'],
    [`${at}/Busbar/voltage/1s/L3-L1_RMS`, 'gridkey.busbar.l3l1.voltage'],
    [`${at}/Feeder5/current/1s/L3_RMS`, 'gridkey.feeder5.l3.current'],
    // as fielded in 2018
    [`${at}/gridkey-mcu520/60/busbar/l1/voltage-mean`, 'gridkey.busbar.l1n.voltage'],
    [`${at}/gridkey-mcu520/60/feeder/2/l2/current-mean`, 'gridkey.feeder2.l2.current'],
    [`sensor/data/${apps.thermocouple}/outside_temperature`, 'thermocouple.ambient.temperature'],
    [`sensor/data/${apps.adam}/TopOil/temperature/60s/C`, 'adam.top_oil.temperature'],
    [`sensor/data/${apps.adam}/outside_temperature/metadata`, 'metadata.adam.ambient.temperature'],
    // LV-CAP API 6 to 8
    ['status/request', 'status.request'],
    [`status/response/${apps.gridkey}`, `status.response.${apps.gridkey}`],
    [`config/request/${apps.gridkey}`, `config.request.${apps.gridkey}`],
    [`config/response/${apps.gridkey}`, `config.response.${apps.gridkey}`],
    [`command/${apps.gridkey}`, `command.${apps.gridkey}`],
    [`storage/data/error/${apps.gridkey}`, `error.${apps.gridkey}`],
  ])
    expect([topic, aliasOf(topic ?? '')]).toEqual([topic, alias])
})

describe('what is nobody’s topic is unknown', () => {
  const aliasOf = aliasTable(apps)
  const at = `sensor/data/${apps.gridkey}`
  test.each([
    '',
    '/',
    '#',
    'sensor',
    'sensor/data',
    at,
    `${at}/`,
    `sensor/data/somebody_else_01/Busbar/voltage/60s/L1-N_RMS`,
    // An app speaks of its own device alone.
    `sensor/data/${apps.thermocouple}/Busbar/voltage/60s/L1-N_RMS`,
    `${at}/outside_temperature`,
    `${at}/Busbar/voltage/60s/L1-L1_RMS`,
    `${at}/Busbar/voltage/60s/L2-L1_RMS`,
    `${at}/Busbar/voltage/60s/L4-N_RMS`,
    `${at}/Busbar/voltage/60s/L1-N_RMS/more`,
    `${at}/Feeder6/current/60s/L1_RMS`,
    `${at}/Feeder1/current/60s/L4_RMS`,
    `${at}/Feeder1/voltage/60s/L1_RMS`,
    // Names that every JavaScript object has.
    `${at}/Feeder1/constructor/60s/L1`,
    `${at}/Feeder1/__proto__/60s/L1`,
    `${at}/Feeder1/toString/60s/L1`,
    `${at}/gridkey-mcu520/60/feeder/1/l1/constructor`,
    `${at}/gridkey-mcu520/60/feeder/6/l1/current-mean`,
    `${at}/gridkey-mcu520/60/feeder/1/l1/current`,
    `${at}/gridkey-mcu520/60/busbar/l1-l1/voltage-mean`,
    `${at}/Busbar/voltage/60s/L1-N_RMS/metadata/metadata`,
    `${at}/metadata`,
    `sensor/data/${apps.thermocouple}/basement_temperature`,
    'status/response',
    'status/response/',
    'status/response/a/b',
    'status/request/more',
    'config/response',
    'config//x',
    'config/response/a/b',
    'command',
    'command/',
    'command/a/b',
    'storage/data/error',
    'storage/data/error/',
    'storage/data/error/a/b',
  ])('%s', (topic) => {
    expect(aliasOf(topic)).toBe('unknown')
  })
})

describe('whatever topics a hostile client chooses', () => {
  const level = fc.oneof(
    fc
      .constantFrom(
        'sensor data status response config command storage error Busbar voltage Feeder1 current 60s L1-N_RMS L1'.split(
          ' ',
        ),
        'metadata meta gridkey-mcu520 feeder busbar l1 1 current-mean voltage-mean __proto__ constructor'.split(
          ' ',
        ),
        Object.values(apps),
      )
      .chain((some) => fc.constantFrom(...some)),
    fc.string({ maxLength: 12 }),
  )
  const topic = fc.oneof(
    fc.array(level, { maxLength: 9 }).map((l) => l.join('/')),
    fc.string({ unit: 'binary', maxLength: 300 }),
  )
  const channels = new Set([...gridkeyChannels, 'gridkey.busbar.frequency', ...temperatureChannels])

  test('the alias is a channel that exists, its metadata, one of the few others, or unknown', () => {
    const aliasOf = aliasTable(apps)
    fc.assert(
      fc.property(topic, (t) => {
        const alias = aliasOf(t)
        const bare = alias.replace(/^metadata\./, '')
        expect(
          channels.has(bare) || /^(unknown$|status\.|config\.|command\.|error\.|pulse\.)/.test(alias),
          `${t} became ${alias}`,
        ).toBe(true)
        expect(alias.length).toBeLessThan(300)
        // The same again, from memory or not.
        expect(aliasOf(t)).toBe(alias)
        expect(aliasTable(apps)(t)).toBe(alias)
      }),
      { numRuns: 3000 },
    )
  })

  test('a topic as long and as deep as MQTT allows costs nothing', () => {
    const aliasOf = aliasTable(apps)
    for (const t of [
      'meta/'.repeat(13_107),
      '/'.repeat(65_535),
      `sensor/data/${apps.gridkey}/${'meta/'.repeat(13_000)}`,
    ])
      expect(aliasOf(t)).toBe('unknown')
  })

  test('a hundred thousand of them do not fill the memory, and honest ones keep their names', () => {
    const remembered = new Set<Map<unknown, unknown>>()
    const set = Reflect.get(Map.prototype, 'set') as (k: unknown, v: unknown) => Map<unknown, unknown>
    // The only memory is a Map: watched from outside, since it must not show.
    const watched = function (this: Map<unknown, unknown>, k: unknown, v: unknown): unknown {
      remembered.add(this)
      return set.call(this, k, v)
    }
    Reflect.set(Map.prototype, 'set', watched)
    try {
      const aliasOf = aliasTable(apps)
      for (let i = 0; i < 100_000; i++) aliasOf(`status/response/${i.toString(36)}`)
      for (let i = 0; i < 1000; i++) aliasOf(`status/response/${i}${'x'.repeat(1000)}`)
      expect(aliasOf(`sensor/data/${apps.gridkey}/Busbar/voltage/60s/L2-N_RMS`)).toBe(
        'gridkey.busbar.l2n.voltage',
      )
    } finally {
      Reflect.set(Map.prototype, 'set', set)
    }
    const [memory, ...more] = remembered
    expect(more).toEqual([])
    expect(memory?.size).toBeLessThanOrEqual(10_000)
    expect(Math.max(...[...(memory?.keys() ?? [])].map((k) => String(k).length))).toBeLessThanOrEqual(256)
  })
})

test('what an app of LV automation publishes is named after the app, and only in plain names', () => {
  const aliasOf = aliasTable({ ...apps, automation: new Map([['eatl_lvmeshing_01', 'meshing']]) })
  const of = (rest: string): string => aliasOf(`algorithm/data/eatl_lvmeshing_01${rest}`)
  expect(of('/operation/l1/before')).toBe('meshing.operation.l1.before')
  expect(of('/transformer/top_oil/forecast')).toBe('meshing.transformer.top_oil.forecast')
  expect(aliasOf('algorithm/data/eatl_loadsense_01/control/l1')).toBe('unknown')
  for (const rest of ['', '/', '/Operation', '/a//b', '/a.b', '/a/b/c/d/e/f/g'])
    expect(of(rest)).toBe('unknown')
})

test('what the meshing app reads of the breakers has the alias of the breakers, in either profile', () => {
  const aliasOf = aliasTable({ ...apps, automation: new Map([['eatl_lvmeshing_01', 'meshing']]) })
  const c = { topics: 'spec' } as MeshingConfig
  const fielded = { topics: 'openlv-2018' } as MeshingConfig
  expect(alvinChannels).toHaveLength(36)
  for (const phase of ['l1', 'l2', 'l3'] as const)
    for (const q of quantities)
      for (const profile of [c, fielded]) {
        const topic = `sensor/data/eatl_lvmeshing_01/${meshingTopic(phase, q, profile)}`
        expect([topic, aliasOf(topic)]).toEqual([topic, `alvin.${phase}.${q}`])
      }
  expect(aliasOf('sensor/data/eatl_lvmeshing_01/L4/MIR_BUS_VOLTAGE_RMS')).toBe('unknown')
  expect(aliasOf('sensor/data/eatl_lvmeshing_01/L1')).toBe('unknown')
})
