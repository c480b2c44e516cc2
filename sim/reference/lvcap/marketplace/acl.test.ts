import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { admit, identityOf, matches, mayPublish, mayRetain, type Directory } from './acl.ts'

const guid = '96d6f19b-7022-45f2-b753-cb5012626b4d'
const directory: Directory = {
  managerIid: 'eatl_containermanager_00',
  apps: [
    { apid: 'lucy_gridkeysensor_2.0', iid: guid },
    { apid: 'eatl_modbusrtusensor_1.3', iid: 'eatl_modbusrtusensor_01' },
    { apid: 'eatl_modbusrtusensor_1.3', iid: 'eatl_modbusrtusensor_02' },
  ],
}
const gridkey = identityOf('lucy_gridkeysensor_2.0', directory)
const twice = identityOf('eatl_modbusrtusensor_1.3', directory)
const manager = identityOf('container-manager', directory)

test('filters match as MQTT 3.1.1 has it (section 4.7.1)', () => {
  for (const [filter, topic, fits] of [
    ['sport/tennis/#', 'sport/tennis', true],
    ['sport/tennis/#', 'sport/tennis/player1/ranking', true],
    ['sport/tennis/#', 'sport/tennisx', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['sport/+', 'sport/a/b', false],
    ['sport', 'sport/', false],
    ['#', '', true],
  ] as const)
    expect(matches(filter, topic), `${filter} ${topic}`).toBe(fits)
})

describe('who may publish what', () => {
  test('an application publishes on its own topics of each API', () => {
    for (const topic of [
      `config/request/${guid}`,
      `status/response/${guid}`,
      `storage/data/error/${guid}`,
      `sensor/data/${guid}/Busbar/voltage/60s/L1-N_RMS`,
      `algorithm/data/${guid}/T1/forecast/4h/capacity`,
      `storage/data/${guid}`,
      `storage/data/${guid}/`,
      `storage/request/${guid}`,
      `storage/request/newdata/${guid}`,
      `storage/uploaded/${guid}`,
    ])
      expect(mayPublish(gridkey, topic), topic).toBe(true)
  })

  test('and on nobody else’s, nor on the platform’s', () => {
    for (const topic of [
      'config/request/eatl_modbusrtusensor_01',
      'status/response/eatl_modbusrtusensor_01',
      'sensor/data/eatl_modbusrtusensor_01/Ambient',
      `sensor/data/${guid}x/Busbar`,
      `sensor/data`,
      `sensor/data/`,
      `status/response/${guid}/more`,
      `config/response/${guid}`,
      `command/${guid}`,
      'status/request',
      'manager/request',
      'manager/response',
      'storage/data/error/eatl_modbusrtusensor_01',
      '$SYS/broker',
      `Sensor/data/${guid}/Busbar`,
      '',
    ])
      expect(mayPublish(gridkey, topic), topic).toBe(false)
  })

  test('an application that runs twice publishes for both instances', () => {
    expect(mayPublish(twice, 'sensor/data/eatl_modbusrtusensor_01/x')).toBe(true)
    expect(mayPublish(twice, 'sensor/data/eatl_modbusrtusensor_02/x')).toBe(true)
  })

  test('the Container Manager’s topics are its own', () => {
    for (const topic of [
      'status/request',
      `config/response/${guid}`,
      `command/${guid}`,
      'manager/response',
      'storage/data/error/eatl_containermanager_00',
    ]) {
      expect(mayPublish(manager, topic), topic).toBe(true)
      expect(mayPublish(gridkey, topic), topic).toBe(false)
    }
    expect(mayPublish(manager, `sensor/data/${guid}/x`)).toBe(false)
    expect(mayPublish(manager, `command/${guid}/x`)).toBe(false)
  })

  test('the operator asks the Container Manager, and does nothing else', () => {
    const operator = identityOf('operator', directory)
    expect(mayPublish(operator, 'manager/request')).toBe(true)
    expect(mayPublish(operator, `command/${guid}`)).toBe(false)
  })

  test('an observer, and whoever is not installed, publishes nothing at all', () => {
    fc.assert(
      fc.property(fc.constantFrom('observer', 'stranger_app_1.0', ''), fc.string(), (name, topic) => {
        expect(mayPublish(identityOf(name, directory), topic)).toBe(false)
      }),
    )
  })

  test('no topic lets an application speak for another instance', () => {
    const pieces = fc.constantFrom(
      'sensor',
      'data',
      'status',
      'response',
      'storage',
      'error',
      'config',
      'request',
      '',
      'eatl_modbusrtusensor_01',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 6 }), (levels) => {
        expect(mayPublish(gridkey, levels.join('/'))).toBe(false)
      }),
    )
  })
})

describe('what may be retained', () => {
  test('metadata of either spelling, and nothing else', () => {
    expect(mayRetain(`sensor/data/${guid}/Busbar/voltage/60s/L1-N_RMS/metadata`)).toBe(true)
    expect(mayRetain(`sensor/data/${guid}/Busbar/voltage/60s/L1-N_RMS/meta`)).toBe(true)
    expect(mayRetain(`sensor/data/${guid}/meta/Busbar`)).toBe(true)
    expect(mayRetain(`sensor/data/${guid}/Busbar/voltage/60s/L1-N_RMS`)).toBe(false)
    expect(mayRetain(`status/response/metadata`)).toBe(false)
  })
})

describe('introductions', () => {
  const hello = { clientId: 'lucy_gridkeysensor_2.0', username: 'lucy_gridkeysensor_2.0' }

  test('as table 4 asks raise no warning', () => {
    const r = admit('lucy_gridkeysensor_2.0', { ...hello, willTopic: `status/response/${guid}` }, directory)
    expect(r.ok && r.session.warnings).toEqual([])
  })

  test('with a random client ID, no user name or no will are tolerated with a warning', () => {
    const r = admit('lucy_gridkeysensor_2.0', { clientId: 'mqttjs_1' }, directory)
    expect(r.ok && r.session.warnings.length).toBe(3)
  })

  test('a claimed user name changes nothing of the rights', () => {
    const r = admit('observer', hello, directory)
    expect(r.ok && r.session.identity).toEqual({ name: 'observer', role: 'none', iids: [] })
  })

  test('a will on somebody else’s topic is refused', () => {
    expect(admit('observer', { ...hello, willTopic: `status/response/${guid}` }, directory)).toEqual({
      ok: false,
      reason: 'will-topic',
    })
  })

  test('sessions are told apart by identity, client ID and instance', () => {
    const key = (name: string, clientId: string, willTopic?: string): string => {
      const r = admit(name, { clientId, ...(willTopic === undefined ? {} : { willTopic }) }, directory)
      return r.ok ? r.session.key : 'refused'
    }
    const app = 'eatl_modbusrtusensor_1.3'
    const one = key(app, app, 'status/response/eatl_modbusrtusensor_01')
    expect(key(app, app, 'status/response/eatl_modbusrtusensor_02')).not.toBe(one)
    expect(key('observer', app)).not.toBe(one)
    expect(key(app, app, 'status/response/eatl_modbusrtusensor_01')).toBe(one)
  })
})
