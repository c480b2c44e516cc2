import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MarketplaceConfig } from '../config.ts'
import { identityOf, matches, mayPublish } from './acl.ts'
import { aclText, configText } from './mosquitto-files.ts'

const config: MarketplaceConfig = {
  iid: 'eatl_marketplace_00',
  pki: '/etc/lvcap/pki of ours',
  address: '127.0.0.1',
  port: 8883,
  managerIid: 'eatl_containermanager_00',
  apps: [
    { apid: 'lucy_gridkeysensor_2.0', iid: 'lucy_gridkeysensor_01' },
    { apid: 'eatl_datastorage_1.0', iid: 'eatl_datastorage_00', service: 'storage' },
    { apid: 'eatl_modbusrtusensor_1.3', iid: 'eatl_modbusrtusensor_01' },
    { apid: 'eatl_modbusrtusensor_1.3', iid: 'eatl_modbusrtusensor_02' },
  ],
  revoked: [],
  backlog: { seconds: 20, bytes: 600_000_000 },
}

/** What mosquitto reads in its list of rights: topics to write, by name (mosquitto.conf(5), acl_file). */
function rightsIn(text: string): ReadonlyMap<string, readonly string[]> {
  const rights = new Map<string, string[]>()
  let mine: string[] | undefined
  for (const line of text.split('\n')) {
    if (line.startsWith('user ')) rights.set(line.slice('user '.length), (mine = []))
    else if (line.startsWith('topic write ')) mine?.push(line.slice('topic write '.length))
    else expect(['', 'pattern read #']).toContain(line)
  }
  return rights
}

describe('the files of mosquitto', () => {
  const rights = rightsIn(aclText(config))
  const directory = { managerIid: config.managerIid, apps: config.apps }
  const may = (name: string, topic: string): boolean =>
    (rights.get(name) ?? []).some((filter) => matches(filter, topic))

  test('give everybody the rights that the other broker gives, and no others', () => {
    const levels = fc.array(
      fc.constantFrom(
        'sensor',
        'data',
        'algorithm',
        'status',
        'storage',
        'request',
        'response',
        'config',
        'command',
        'newdata',
        'uploaded',
        'error',
        'manager',
        '',
        config.iid,
        config.managerIid,
        'x',
        ...config.apps.map((a) => a.iid),
      ),
      { minLength: 1, maxLength: 5 },
    )
    const names = fc.constantFrom(
      'container-manager',
      'operator',
      'observer',
      'x',
      ...config.apps.map((a) => a.apid),
    )
    fc.assert(
      fc.property(names, levels, (name, l) => {
        const topic = l.join('/')
        expect(may(name, topic), topic).toBe(mayPublish(identityOf(name, directory), topic))
      }),
      { numRuns: 2000 },
    )
  })

  test('give the further sessions of an application its own rights, and the marketplace its errors', () => {
    for (const apid of new Set(config.apps.map((a) => a.apid)))
      for (const s of ['recording', 'records', 'requests'])
        expect(rights.get(`${apid}.${s}`)).toEqual(rights.get(apid))
    expect(rights.get('eatl_datastorage_1.0.requests')).toContain('storage/response/+')
    expect(rights.get('marketplace')).toEqual(['storage/data/error/eatl_marketplace_00'])
  })

  test('ask for certificates, TLS 1.2 and answers without delay, and take names from certificates alone', () => {
    const lines = configText(config, '/var/lib/lvcap/marketplace', 'lvcap').split('\n')
    for (const line of [
      'listener 8883 127.0.0.1',
      'tls_version tlsv1.2',
      'require_certificate true',
      'crlfile /etc/lvcap/pki of ours/ca.crl',
      'use_identity_as_username true',
      'use_username_as_clientid true',
      'set_tcp_nodelay true',
      'persistence_location /var/lib/lvcap/marketplace/',
    ])
      expect(lines).toContain(line)
    const pki = '/tmp/x\nallow_anonymous true'
    expect(() => configText({ ...config, pki }, '/tmp', 'lvcap')).toThrow('one line')
  })
})
