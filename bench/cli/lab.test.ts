/**
 * A lab: the reference platform in processes that the bench did not start, and gridproof run beside them, over TCP with TLS,
 * Modbus/TCP, and two pseudo terminals that are joined as a cable would join two serial ports.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Conn, World } from '../../drivers/faces.ts'
import { ptyProvider } from '../../drivers/real/pty.ts'
import { createRealWorld } from '../../drivers/real/world.ts'
import { makePki } from '../../sim/reference/lvcap/pki.ts'
import { recorderApp } from '../platforms/recorder.ts'
import { sensorApps } from '../platforms/apps.ts'
import { logsOf, place } from './testing.ts'
import type { Ended, Place } from './testing.ts'

const pty = ptyProvider()
const here = 'lacks' in pty ? pty.lacks : process.platform === 'linux' ? undefined : 'only tried on Linux'
if (here !== undefined) process.stderr.write(`skipped: a lab on this machine: ${here}\n`)

const settings = { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const

const catalogue = `document: lab
title: Requirements of a test
source: this file
requirements:
  - id: LAB-1
    section: '1'
    priority: must
    statement: What a platform in a lab shows is true and stands in its files
    subject: platform
    method: test
    clauses:
      - { id: feeders, asks: readings of the feeder monitor are true }
      - { id: temperatures, asks: readings of the thermocouple module are true }
      - { id: stamps, asks: time stamps are those of the platform's clock }
      - { id: files, asks: what was published stands in the recorder's files }
      - { id: log, asks: the log tells of what happened }
      - { id: restart, asks: the operator can restart an app }
`

const scenario = (horizon: string): string => `import {
  equalsTruth, eventually, gridkeyChannels, recordsTruly, scenario, stampedByPlatformClock, temperatureChannels,
} from 'gridproof'

export default scenario({
  title: 'A platform in a lab is observed where its rig file says',
  verifies: ['LAB-1/feeders', 'LAB-1/temperatures', 'LAB-1/stamps', 'LAB-1/files', 'LAB-1/log'],
  needs: ['platform', 'gridkey', 'thermocouple', 'recorder'],
  catches: {},
  horizon: '${horizon}',
  async run({ platform, gridkey, thermocouple, recorder, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 5 })
    const feeders = platform.watch('marketplace', 'gridkey.*')
    const temperatures = platform.watch('marketplace', 'thermocouple.*')
    check(equalsTruth(feeders, gridkey, { id: 'feeders', verifies: ['LAB-1/feeders'], channels: gridkeyChannels }))
    check(equalsTruth(temperatures, thermocouple, { id: 'temperatures', verifies: ['LAB-1/temperatures'], channels: temperatureChannels }))
    check(stampedByPlatformClock(feeders, { verifies: ['LAB-1/stamps'], within: '4 s' }))
    check(recordsTruly(platform.watch('marketplace', '*'), recorder.lines, { id: 'files', start: '3 s', verifies: ['LAB-1/files'] }))
    check(eventually(platform.watch('log', 'log.*'), () => true, { id: 'log', limit: 'it tells something', within: '10 s', verifies: ['LAB-1/log'] }))
    await time.pass(time.horizon)
    await recorder.collect()
  },
})
`

const restarts = `import { eventually, scenario } from 'gridproof'

export default scenario({
  title: 'The operator restarts an app, which a lab does not let the bench do',
  verifies: ['LAB-1/restart'],
  needs: ['platform'],
  catches: {},
  horizon: '10 s',
  async run({ platform, time, check }) {
    check(eventually(platform.watch('marketplace', '*'), () => true, { limit: 'it is there', within: '5 s', verifies: ['LAB-1/restart'] }))
    await platform.ask('operator', { do: 'restart', app: 'gridkey' })
    await time.pass(time.horizon)
  },
})
`

describe.skipIf(here !== undefined)('a platform that the bench did not start', () => {
  let p: Place
  let world: World
  let ports: { readonly mqtt: number; readonly modbus: number }
  let cable: { readonly bench: string; readonly platform: string }
  let csv = ''

  beforeAll(async () => {
    p = place()
    world = await createRealWorld({ seed: 1, state: join(p.path, 'platform-state'), addresses: 'given' })
    const pki = join(p.path, 'lab/pki')
    makePki(pki, {
      apps: [sensorApps.gridkey.apid, sensorApps.thermocouple.apid, recorderApp.apid],
      addresses: ['127.0.0.1'],
      algorithm: 'ed25519',
    })
    ports = { mqtt: await freePort(), modbus: await freePort() }
    cable = await joined(world)
    const host = await world.host({ name: 'somebody', address: '127.0.0.1' })
    const { gridkey, thermocouple } = sensorApps
    await host.start('platform', {
      entry: 'sim/reference/lvcap/platform.ts',
      config: {
        pki,
        marketplace: { address: '127.0.0.1', port: ports.mqtt },
        topics: 'spec',
        apps: [
          { ...recorderApp, config: {} },
          { ...gridkey, config: { address: '127.0.0.1', port: ports.modbus, interval: 5 } },
          { ...thermocouple, config: { serial: { path: cable.platform, ...settings }, interval: 5 } },
        ],
      },
      defects: [],
    })
    csv = join(host.disk, 'csv')
    p.write('lab/requirements/lab.yaml', catalogue)
    p.write('lab/scenarios/lab/observed.ts', scenario('16 s'))
    p.write('lab/scenarios/lab/restart.ts', restarts)
  })

  afterAll(async () => {
    await world?.[Symbol.asyncDispose]()
    p?.[Symbol.dispose]()
  })

  /** Writes a rig file; `points` as its text. */
  function rig(name: string, points: string, more = ''): void {
    p.write(
      `lab/${name}.yaml`,
      `name: ${name}
describes: The reference platform, started by a test.
time: real
platform:
  kind: lab
  maker: Gridproof
  product: LV-CAP reference platform
  model: R
  version: 0.1.0
  configured: { gridkey: { intervalSeconds: 5 } }
  readyWithin: 30 s
instruments: [{ name: two pseudo terminals, serial: none }]
points: ${points}
topics: { apps: { gridkey: ${sensorApps.gridkey.iid}, thermocouple: ${sensorApps.thermocouple.iid} } }
roles:
  gridkey: { device: gridkey-mcu520, address: 127.0.0.1, port: ${ports.modbus} }
  thermocouple: { device: thermocouple-tc8, path: ${cable.bench}, serial: ${JSON.stringify(settings)} }
${more}`,
    )
  }

  const door = (who: string): string =>
    `{ host: 127.0.0.1, port: ${ports.mqtt}, clientId: observer, username: observer, tls: { ca: pki/ca.crt, cert: pki/${who}.crt, key: pki/${who}.key, serverName: marketplace } }`

  const run = (name: string, ...words: string[]): Promise<Ended> =>
    p.run(
      [
        'run',
        ...words,
        '--rig',
        `./${name}.yaml`,
        '--scenarios',
        'scenarios',
        '--requirements',
        'requirements',
      ],
      {
        cwd: join(p.path, 'lab'),
      },
    )

  const states = (): Readonly<Record<string, { state: string; why?: string }>> => {
    const { requirements } = JSON.parse(
      readFileSync(join(p.path, 'lab/runs/latest/requirements.json'), 'utf8'),
    ) as {
      requirements: readonly { clauses: readonly { ref: string; state: string; why?: string }[] }[]
    }
    return Object.fromEntries(requirements.flatMap((r) => r.clauses.map((c) => [c.ref, c])))
  }

  test('is judged by what it shows at its marketplace and in its files; what is not declared stays open', async () => {
    rig('whole', `{ marketplace: ${door('observer')}, csv: { folder: ${csv} } }`)
    const { code, out, err } = await run('whole', '--subject', 'serial=R-1', '--site', 'a test')
    const s = states()
    for (const ref of ['LAB-1/feeders', 'LAB-1/temperatures', 'LAB-1/files'])
      expect(s[ref], `${out}${err}`).toMatchObject({ state: 'pass' })
    // On a machine that steals time from the bench time stamps are left open, and say so.
    if (s['LAB-1/stamps']?.state === 'inconclusive') expect(s['LAB-1/stamps'].why).toMatch(/stolen/)
    else expect(s['LAB-1/stamps']?.state).toBe('pass')
    expect(s['LAB-1/log']).toMatchObject({
      state: 'inconclusive',
      why: expect.stringContaining('not to be observed here: no log') as string,
    })
    expect(s['LAB-1/restart']).toMatchObject({
      state: 'inconclusive',
      blame: 'rig',
      why: expect.stringContaining("the rig 'whole' has no way to ask the platform at 'operator'") as string,
    })
    expect(code).toBe(3)
    const [log] = logsOf(join(p.path, 'lab/runs/latest'))
    expect(log?.events[0]?.data).toMatchObject({
      subject: { kind: 'real', product: 'LV-CAP reference platform', model: 'R', serial: 'R-1' },
      identity: { site: 'a test', instruments: [{ name: 'two pseudo terminals', serial: 'none' }] },
    })
    expect(p.left()).toEqual([])
  })

  test('without any point is seen by the wires of its devices alone', async () => {
    rig('wires', '{}')
    p.write('lab/scenarios/lab/wires.ts', wires)
    const { code, out, err } = await run('wires', 'lab/wires')
    expect(states()['LAB-1/feeders'], `${out}${err}`).toMatchObject({ state: 'pass' })
    expect(states()['LAB-1/stamps']).toMatchObject({
      state: 'inconclusive',
      why: expect.stringContaining('not to be observed here: no marketplace') as string,
    })
    expect(code).toBe(3)
  })

  test('lets nobody watch who has no certificate of its authority, and the run says what it said', async () => {
    rig('stranger', `{ marketplace: ${door('intruder/self-signed')} }`)
    const file = join(p.path, 'lab/stranger.yaml')
    p.write('lab/stranger.yaml', readFileSync(file, 'utf8').replace('readyWithin: 30 s', 'readyWithin: 3 s'))
    const { code, out } = await run('stranger', 'lab/restart')
    expect(out.replaceAll(/\s+/g, ' ')).toMatch(
      /no connection to the marketplace at 127.0.0.1:\d+; at the marketplace: .+/,
    )
    expect(code).toBe(4)
  })

  test('has one of each device: scenarios go one after the other', async () => {
    rig('one', '{}')
    const { code, err } = await run('one', '--jobs', '2')
    expect(err).toContain('has one platform')
    expect(code).toBe(2)
  })
})

const wires = `import { eventually, scenario } from 'gridproof'

export default scenario({
  title: 'The platform asks its feeder monitor, as the wire shows',
  verifies: ['LAB-1/feeders', 'LAB-1/stamps'],
  needs: ['platform', 'gridkey'],
  catches: {},
  horizon: '8 s',
  async run({ platform, time, check }) {
    const asked = { src: 'gridkey', kind: 'said', select: '*' } as const
    check(eventually(asked, () => true, { id: 'asked', limit: 'it asks', within: '7 s', verifies: ['LAB-1/feeders'] }))
    check(eventually(platform.watch('marketplace', '*'), () => true, { id: 'shown', limit: 'it shows', within: '7 s', verifies: ['LAB-1/stamps'] }))
    await time.pass(time.horizon)
  },
})
`

async function freePort(): Promise<number> {
  const s = createServer()
  s.listen(0, '127.0.0.1')
  await once(s, 'listening')
  const { port } = s.address() as AddressInfo
  s.close()
  await once(s, 'close')
  return port
}

/** Two serial ports with a cable between them. */
async function joined(world: World): Promise<{ bench: string; platform: string }> {
  const realm = world.realm({ name: 'cable', address: '127.0.0.1' })
  const ends = [
    await world.serial({ name: 'bench', realm, settings }),
    await world.serial({ name: 'platform', realm, settings }),
  ] as const
  const conns: Conn[] = []
  for (const [i, line] of ends.entries())
    await line.wire.open((c) => {
      conns[i] = c
      c.onBytes((b) => void conns[1 - i]?.send(b).catch(() => undefined))
    })
  return { bench: ends[0].path, platform: ends[1].path }
}
