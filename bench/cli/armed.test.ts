/** A lab whose platform may move real breakers: a broker, somebody who reads the feeder monitor, and counters that go up. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { Aedes } from 'aedes'
import { connect as connectMqtt } from 'mqtt'
import { expect, test } from 'vitest'
import { place } from './testing.ts'
import type { Place } from './testing.ts'

const scenario = `import { eventually, scenario } from 'gridproof'

export default scenario({
  title: 'The feeder monitor is read and shown',
  verifies: ['M:0022'],
  needs: ['platform', 'gridkey'],
  catches: {},
  horizon: '30 s',
  async run({ platform, time, check }) {
    check(eventually(platform.watch('marketplace', 'gridkey.*'), () => true, { limit: 'it is there', within: '20 s', verifies: ['M:0022'] }))
    await time.pass(time.horizon)
  },
})
`

async function listening(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listening(server)
  server.close()
  await once(server, 'close')
  return port
}

/** Reads the feeder monitor, shows a voltage, and a counter of breaker L2 that goes up each time. */
function platformAt(mqtt: number, modbus: number): AsyncDisposable {
  const client = connectMqtt(`mqtt://127.0.0.1:${mqtt}`)
  let operations = 10
  let socket: Socket | undefined
  const publish = (topic: string, Value: number): void =>
    void client.publish(
      topic,
      JSON.stringify({ Timestamp: Math.floor(Date.now() / 1000), Value, Valid: true }),
    )
  const timer = setInterval(() => {
    socket?.destroy()
    socket = connect({ host: '127.0.0.1', port: modbus })
    socket.on('error', () => undefined)
    socket.write(Buffer.from('000100000006010400000002', 'hex'))
    socket.once('data', (b) => {
      publish('sensor/data/a_gridkey_01/Busbar/voltage/60s/L1-N_RMS', b.readFloatBE(9))
      publish('sensor/data/a_meshing_01/L2/MIR_OPEN_OPERATIONS', operations++)
    })
  }, 200)
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      socket?.destroy()
      await client.endAsync(true)
    },
  }
}

const whyOf = (p: Place): string =>
  (
    JSON.parse(readFileSync(join(p.path, 'runs/latest/requirements.json'), 'utf8')) as {
      requirements: readonly { clauses: readonly { state: string; why?: string }[] }[]
    }
  ).requirements
    .flatMap((r) => r.clauses)
    .flatMap((c) => (c.state === 'inconclusive' ? [c.why ?? ''] : []))
    .join('\n')

test('real breakers: nothing is played without --arm; with it the run ends when one has operated too often', async () => {
  using p = place()
  const aedes = await Aedes.createBroker()
  const server = createServer((s) => aedes.handle(s))
  const mqtt = await listening(server)
  const modbus = await freePort()
  p.write('scenarios/lab/read.ts', scenario)
  p.write(
    'table.yaml',
    `name: table
describes: A platform on a table, with breakers that are real.
time: real
platform: { kind: lab, maker: M, product: P, version: 1.0.0, readyWithin: 20 s }
switches: real
operationsAnHour: 3
points: { marketplace: { host: 127.0.0.1, port: ${mqtt}, clientId: observer } }
topics: { apps: { gridkey: a_gridkey_01, alvin: a_meshing_01 } }
roles: { gridkey: { device: gridkey-mcu520, address: 127.0.0.1, port: ${modbus} } }
`,
  )
  const run = (...more: string[]) =>
    p.run(['run', 'lab/read', '--rig', './table.yaml', '--scenarios', 'scenarios', ...more])
  const refused = await run()
  expect(refused.code, refused.out + refused.err).toBe(3)
  expect(whyOf(p)).toMatch(/breakers that are real, .*\(gridkey\) may move them: only with --arm/)
  expect((await run('--dry-run')).out).toContain('only with --arm')
  expect((await run('--dry-run', '--arm')).out).not.toContain('only with --arm')

  await using _ = platformAt(mqtt, modbus)
  const stopped = await run('--arm')
  expect(stopped.code, stopped.out + stopped.err).toBe(4)
  expect(whyOf(p)).toMatch(/breaker l2 was operated \d+ times within an hour, and 3 are allowed/)
  expect(p.left()).toEqual([])
  aedes.close()
  server.close()
}, 60_000)
