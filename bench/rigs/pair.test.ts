import { expect, test } from 'vitest'
import { aliasFor, emitFor, wantedAt } from './pair.ts'

test('each platform is told of the roles at its own substation, and of those of the pair', () => {
  const wanted = new Set(['platform', 'platform2', 'gridkey2', 'alvin', 'network', 'meter2'] as const)
  expect([...wantedAt('', wanted)]).toEqual(['platform', 'alvin', 'network', 'meter2'])
  expect([...wantedAt('2', wanted)]).toEqual(['platform', 'gridkey', 'network'])
})

test('aliases of the second substation end with 2 where they name an app or a device', () => {
  const of = aliasFor('2', (topic) => topic)
  expect(of('gridkey.busbar.l1n.voltage')).toBe('gridkey2.busbar.l1n.voltage')
  expect(of('metadata.thermocouple.ambient.temperature')).toBe('metadata.thermocouple2.ambient.temperature')
  expect(of('loadsense.decision')).toBe('loadsense2.decision')
  for (const same of ['unknown', 'status.response.eatl_peer_01', 'error.eatl_peer_01'])
    expect(of(same)).toBe(same)
  expect(aliasFor('', (topic) => topic)('gridkey.x')).toBe('gridkey.x')
})

test('sources of the second substation end with 2, but for what defects tell', () => {
  const names: string[] = []
  const emitAs = emitFor('2', (src) => {
    names.push(src)
    return () => 0
  })
  emitAs('marketplace')
  emitAs('defect')
  expect(names).toEqual(['marketplace2', 'defect'])
})
