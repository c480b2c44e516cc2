/** Two serial ports wired to each other: whether what goes in at one comes out at the other, whole and only there. */
import { messageOf } from '../../../drivers/errors.ts'
import type { Conn, SerialSettings } from '../../../drivers/faces.ts'
import { benchNow } from '../../../drivers/real/clock.ts'
import { serialWire } from '../../../drivers/wires/serial.ts'
import { missing, ok, warn } from './finding.ts'
import type { Finding } from './finding.ts'

/** Settings that are tried, slow to fast: those of devices that the bench plays, and the fastest of common ones. */
const tried: readonly SerialSettings[] = [
  { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 },
  { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1 },
  { baudRate: 115_200, dataBits: 8, parity: 'none', stopBits: 1 },
]
/** Beyond the time on the line, for drivers and this program, ms; ours. */
const patience = 1500
/** After what was awaited, for what should not come, ms; ours: an adapter's driver holds bytes 16 ms. */
const afterwards = 60

/** Every byte value once, so that flow control and terminal modes show. */
const sample = (from: number): Uint8Array => Uint8Array.from({ length: 256 }, (_, i) => (i * 7 + from) & 0xff)

const textOf = (s: SerialSettings): string =>
  `${s.baudRate} baud ${s.dataBits}${s.parity[0]?.toUpperCase() ?? ''}${s.stopBits}`

interface Port {
  readonly path: string
  readonly conn: Conn
  heard: Buffer
  readonly close: () => Promise<void>
}

async function open(path: string, settings: SerialSettings): Promise<Port> {
  const opened = Promise.withResolvers<Conn>()
  const held = await serialWire({ name: path, path, settings, now: benchNow }).open((c) => opened.resolve(c))
  const conn = await opened.promise
  const port: Port = {
    path,
    conn,
    heard: Buffer.alloc(0),
    close: async () => held[Symbol.asyncDispose](),
  }
  conn.onBytes((b) => {
    port.heard = Buffer.concat([port.heard, b])
  })
  return port
}

const passed = (ms: number): Promise<void> =>
  new Promise((done) => {
    setTimeout(done, ms)
  })

/** Sends at one port, and says what came out at both. */
async function across(a: Port, b: Port, settings: SerialSettings): Promise<Finding[]> {
  const sent = Buffer.from(sample(settings.baudRate & 0xff))
  a.heard = Buffer.alloc(0)
  b.heard = Buffer.alloc(0)
  await a.conn.send(sent)
  const end = benchNow() + (sent.length * 12_000) / settings.baudRate + patience
  while (b.heard.length < sent.length && benchNow() < end) await passed(5)
  await passed(afterwards)
  const way = `${a.path} to ${b.path} at ${textOf(settings)}`
  const found: Finding[] = []
  if (b.heard.equals(sent)) found.push(ok('loopback-line', `${way}: 256 bytes came through`))
  else if (b.heard.length === 0)
    found.push(
      missing(
        'loopback-line',
        `${way}: nothing came through`,
        'look at the wiring: TX to RX both ways, or A to A and B to B',
      ),
    )
  else
    found.push(
      missing(
        'loopback-line',
        `${way}: ${b.heard.length} of 256 bytes came, ${wrong(sent, b.heard)} of them wrong`,
        'look at ground, termination and bias; A and B may be swapped',
      ),
    )
  if (a.heard.length > 0)
    found.push(
      warn(
        'echo',
        `${a.path} hears what it sends (${a.heard.length} of 256 bytes): an RS-485 adapter with its receiver on`,
        'switch its echo off (a jumper, or RE tied to DE): a device would take its own answer for a request',
      ),
    )
  else found.push(ok('echo', `${a.path} does not hear what it sends`))
  return found
}

function wrong(sent: Buffer, heard: Buffer): number {
  let n = 0
  for (let i = 0; i < heard.length; i++) if (heard[i] !== sent[i]) n++
  return n
}

/** Both ways, at each of the settings. The ports must be wired to each other and to nothing else. */
export async function loopback(first: string, second: string): Promise<readonly Finding[]> {
  const found: Finding[] = []
  for (const settings of tried) {
    const open_: Port[] = []
    try {
      for (const path of [first, second]) open_.push(await open(path, settings))
      const [a, b] = open_
      if (a === undefined || b === undefined) continue
      found.push(...(await across(a, b, settings)), ...(await across(b, a, settings)))
    } catch (e) {
      found.push(
        missing(
          'loopback-line',
          messageOf(e),
          `give two ports that are wired to each other, each free and yours`,
        ),
      )
      return found
    } finally {
      for (const p of open_) await p.close()
    }
  }
  return once(found)
}

/** Each thing once: an echo shows at every setting. */
function once(found: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>()
  return found.filter((f) => {
    const key = `${f.check} ${f.what}`
    return !seen.has(key) && seen.add(key)
  })
}
