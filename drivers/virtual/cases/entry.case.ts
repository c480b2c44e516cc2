/** Every way in that libraries take to a socket or a serial port, each used once; see entry.test.ts. */
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Json } from '../../faces.ts'
import type { Installed } from '../install.ts'
import { createVirtualWorld } from '../world.ts'
import type { TestPki } from './certificates.ts'

/** What has events: net.Socket and mqtt.js' client alike. */
interface Emits {
  once(name: string, f: (...args: unknown[]) => void): unknown
}

const once = (emitter: unknown, name: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const e = emitter as Emits
    e.once(name, resolve)
    if (name !== 'error') e.once('error', reject)
  })

/** Resources of the machine that a virtual run must never hold. */
const machine = /^(?:TCP|Pipe|UDP|GetAddrInfo|FSReq|Timeout|Immediate|Process)/

export async function task({ kernel }: Installed, arg: Json): Promise<Json> {
  const { pki } = arg as unknown as { pki: TestPki }
  const before = kernel.natives.resources().filter((r) => machine.test(r)).length
  const net = await import('node:net')
  const tls = await import('node:tls')
  const http = await import('node:http')
  const https = await import('node:https')
  const { default: mqtt } = await import('mqtt')
  const { Aedes } = await import('aedes')
  const { default: modbus, ServerTCP: modbusServer } = await import('modbus-serial')
  const { SerialPort } = await import('serialport')
  const server = {
    ca: pki.ca,
    cert: pki.server.cert,
    key: pki.server.key,
    requestCert: true,
    rejectUnauthorized: true,
  }
  const client = { ca: pki.ca, cert: pki.client.cert, key: pki.client.key }

  return kernel.run(async () => {
    await using world = await createVirtualWorld()
    const found: Record<string, Json> = {}
    const show = async (name: string, f: () => Promise<string>): Promise<void> => {
      const escapes = kernel.escapes.length
      const at = kernel.now
      const said = await f()
      const moved = kernel.now > at
      // The kernel itself turns the machine's loop now and then, on a busy machine also just now: what a way in has made
      // stays, what the kernel holds for that turn does not.
      const holds = (): boolean => kernel.natives.resources().filter((r) => machine.test(r)).length > before
      for (let i = 0; i < 20 && holds(); i++) await world.pass(1000)
      found[name] = { said, virtual: moved && !holds() && kernel.escapes.length === escapes }
    }
    const echo = async (s: Socket): Promise<string> => {
      s.write('ping')
      const got = String(await once(s, 'data'))
      s.destroy()
      return got
    }
    net.createServer((s) => s.pipe(s)).listen(7)
    net.createServer((s) => s.pipe(s)).listen({ port: 8, host: '127.0.0.1' })
    new net.Server((s) => s.pipe(s)).listen(9, 'localhost')
    await show('net.connect(port)', () => echo(net.connect(7)))
    await show('net.connect({host, port})', () => echo(net.connect({ host: '127.0.0.1', port: 8 })))
    await show('net.createConnection(port, host)', () => echo(net.createConnection(9, 'localhost')))
    await show('new net.Socket().connect()', () => echo(new net.Socket().connect(7, '127.0.0.1')))

    tls.createServer(server, (s) => s.pipe(s)).listen(17)
    new tls.Server(server, (s) => s.pipe(s)).listen({ port: 18, host: '127.0.0.1' })
    await show('tls.connect(port, options)', () => echo(tls.connect(17, client)))
    await show('tls.connect(port, host, options)', () => echo(tls.connect(17, 'localhost', client)))
    await show('tls.connect({host, port})', () =>
      echo(tls.connect({ host: '127.0.0.1', port: 18, ...client })),
    )
    await show('tls.connect({socket})', () =>
      echo(tls.connect({ socket: net.connect(17), servername: 'localhost', ...client })),
    )
    await show('tls.connect({socket}) on a connection that stands', async () => {
      const socket = net.connect(17)
      await once(socket, 'connect')
      return echo(tls.connect({ socket, servername: 'localhost', ...client }))
    })
    const handed = tls.createServer(server, (s) => s.pipe(s))
    net.createServer((s) => setTimeout(() => handed.emit('connection', s), 5)).listen(21)
    await show('tls.Server given a connection that stands', () => echo(tls.connect(21, client)))
    await show('tls without a client certificate', async () => {
      const s = tls.connect({ port: 17, ca: pki.ca, host: 'localhost' })
      const e = (await once(s, 'error')) as NodeJS.ErrnoException
      return e.code ?? e.message
    }).catch((e: unknown) => {
      found['tls without a client certificate'] = {
        said: String((e as NodeJS.ErrnoException).code),
        virtual: true,
      }
    })

    const body = async (r: ClientRequest): Promise<string> => {
      const res = (await once(r, 'response')) as IncomingMessage
      let text = ''
      res.on('data', (b) => (text += String(b)))
      await once(res, 'end')
      return text
    }
    const answer = (q: IncomingMessage, s: ServerResponse): void => {
      void s.end(`you asked ${q.url}`)
    }
    http.createServer(answer).listen(80)
    https.createServer(server, answer).listen(443)
    await show('http.get', () => body(http.get('http://localhost/a')))
    await show('http.request with an agent that keeps alive', async () => {
      const agent = new http.Agent({ keepAlive: true })
      const first = await body(http.request({ agent, host: '127.0.0.1', path: '/b' }).end())
      const second = await body(http.request({ agent, host: '127.0.0.1', path: '/c' }).end())
      agent.destroy()
      return `${first}, ${second}`
    })
    await show('https.get with a client certificate', () => body(https.get('https://localhost/d', client)))

    const plain = await Aedes.createBroker()
    net.createServer(plain.handle).listen(1883)
    const secure = await Aedes.createBroker()
    tls.createServer(server, secure.handle).listen(8883)
    for (const [name, url, o] of [
      ['mqtt.connect(mqtt:)', 'mqtt://localhost:1883', {}],
      ['mqtt.connect(mqtts:)', 'mqtts://localhost:8883', client],
    ] as const)
      await show(name, async () => {
        const c = mqtt.connect(url, o)
        await once(c, 'connect')
        await c.subscribeAsync('t', { qos: 2 })
        const got = once(c, 'message')
        await c.publishAsync('t', 'hello', { qos: 2 })
        const topic = String(await got)
        await c.endAsync()
        return topic
      })

    const vector = {
      getHoldingRegister: (a: number, _unit: number, done: (e: Error | null, v: number) => void) =>
        done(null, a + 1),
    }
    const slave = new modbusServer(vector, { host: '127.0.0.1', port: 502, unitID: 1 })
    await once(slave, 'initialized')
    await show('modbus-serial connectTCP and ServerTCP', async () => {
      const c = new modbus.default()
      await c.connectTCP('127.0.0.1', { port: 502 })
      c.setID(1)
      const r = await c.readHoldingRegisters(4, 2)
      await new Promise<void>((done) => c.close(() => done()))
      return r.data.join()
    })

    const realm = world.realm({ name: 'device', address: '10.0.0.9' })
    const settings = { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const
    const line = await world.serial({ name: 'device/serial', realm, settings })
    await line.wire.open((c) => {
      c.onBytes((b) => void c.send(b[1] === 3 ? registerAnswer : b))
    })
    await show('new SerialPort', async () => {
      const p = new SerialPort({ path: line.path, baudRate: 9600 })
      await once(p, 'open')
      const at = kernel.now
      p.write('0123456789')
      const got = String(await once(p, 'data'))
      // Ten characters of ten bits, there and back.
      const took = (kernel.now - at).toFixed(1)
      await new Promise<void>((done) => p.close(() => done()))
      return `${got} in ${took} ms`
    })
    for (const [name, how] of [
      ['modbus-serial connectRTUBuffered', 'connectRTUBuffered'],
      ['modbus-serial connectRTU', 'connectRTU'],
    ] as const)
      await show(name, async () => {
        const c = new modbus.default()
        await c[how](line.path, { baudRate: 9600 })
        c.setID(1)
        c.setTimeout(1000)
        const r = await c.readHoldingRegisters(0, 1)
        await new Promise<void>((done) => c.close(() => done()))
        return r.data.join()
      })
    await show('SerialPort of a path that is not there', async () => {
      const p = new SerialPort({ path: '/dev/ttyNone', baudRate: 9600, autoOpen: false })
      const e = await new Promise<Error | null>((done) => p.open(done))
      await world.pass(1)
      return e?.message ?? 'opened'
    })
    return { found, escapes: kernel.escapes as never }
  })
}

/** Unit 1, function 3, two octets, 0x004d, CRC (Modbus over serial line V1.02, 2.5.1.2). */
const registerAnswer = Buffer.from([1, 3, 2, 0x00, 0x4d, 0x78, 0x71])
