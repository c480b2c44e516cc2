/**
 * What the link's proxy costs beside a direct connection, round by round in one run: `gridproof sim link` as anybody would
 * start it, a server and this client, each in a process of its own. And whether a delay that it injects is ever short.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { othersWorked, percentile } from './calm.ts'

/** Goals on an idle machine with two cores, as toxiproxy reaches them beside it. */
export const addedBarUs = 60
export const rateBar = 700
/** Injected each way in the last part, and how much later the p99 may be, ms. */
const injected = 50
export const lateBarMs = 5

export interface LinkFigures {
  /** Of the calmest round, µs. */
  readonly directUs: number
  readonly linkUs: number
  /** The least of linkUs - directUs of a round. */
  readonly addedUs: number
  /** MiB/s on one connection, of the best round. */
  readonly directRate: number
  readonly linkRate: number
  /** Round trips through a link that adds 50 ms each way: the shortest, and how late the p99 is, ms. */
  readonly shortestMs: number
  readonly lateMs: number
  readonly trips: number
  /** ms of a core that other work of the machine took, and the whole, ms. Undefined where the system does not tell. */
  readonly othersMs: number | undefined
  readonly tookMs: number
}

/** An echo through `port`, so many times; µs each. */
async function trips(port: number, count: number): Promise<number[]> {
  const s = await open(port)
  const message = Buffer.alloc(100, 1)
  const all: number[] = []
  for (let i = 0; i < count; i++) {
    const from = performance.now()
    s.write(message)
    let n = 0
    while (n < message.length) {
      const [b] = (await once(s, 'data')) as [Buffer]
      n += b.length
    }
    all.push((performance.now() - from) * 1000)
  }
  s.destroy()
  return all
}

/** Sends so many MiB, until the server says that it has them; MiB/s. */
async function rate(port: number, mib: number): Promise<number> {
  const s = await open(port)
  const chunk = Buffer.alloc(1024 * 1024, 2)
  const from = performance.now()
  for (let i = 0; i < mib; i++) if (!s.write(chunk)) await once(s, 'drain')
  s.end()
  const [b] = (await once(s, 'data')) as [Buffer]
  const took = (performance.now() - from) / 1000
  s.destroy()
  if (Number(String(b)) !== mib * chunk.length) throw new Error(`the server has ${String(b)} bytes`)
  return mib / took
}

async function open(port: number): Promise<Socket> {
  const s = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  await once(s, 'connect')
  return s
}

async function firstLine(p: ChildProcess): Promise<string> {
  if (p.stdout === null) throw new Error('no output')
  const [line] = (await once(createInterface({ input: p.stdout }), 'line')) as [string]
  return line
}

export async function measureLink(rounds = 15): Promise<LinkFigures> {
  const children: ChildProcess[] = []
  const start = (file: string, ...args: string[]): ChildProcess => {
    const p = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    children.push(p)
    return p
  }
  const link = async (to: number, ...more: string[]): Promise<number> => {
    const p = start(
      '../cli/gridproof.mjs',
      'sim',
      'link',
      '--listen',
      '127.0.0.1:0',
      '--to',
      `127.0.0.1:${to}`,
      '--profile',
      'wire',
      '--json',
      '--every',
      '1h',
      ...more,
    )
    return Number((JSON.parse(await firstLine(p)) as { place: string }).place.split(':')[1])
  }
  try {
    const [echo = 0, sink = 0] = (await firstLine(start('link-peer.ts'))).split(' ').map(Number)
    const [linkedEcho, linkedSink, slow] = await Promise.all([
      link(echo),
      link(sink),
      link(echo, '--do', `fault delay up="${injected}ms" down="${injected}ms"`),
    ])
    // Three processes on two cores wait for one another at times, on an idle machine too: what counts is the work of others.
    const others = (): number | undefined => othersWorked(['self', ...children.map((c) => String(c.pid))])
    // What the first ones compile is not measured.
    for (const port of [echo, linkedEcho]) await trips(port, 1500)
    for (const port of [sink, linkedSink]) await rate(port, 200)
    const before = others()
    const from = performance.now()
    const direct: number[] = []
    const linked: number[] = []
    const directRates: number[] = []
    const linkRates: number[] = []
    for (let i = 0; i < rounds; i++) {
      direct.push(percentile(await trips(echo, 600), 0.5))
      linked.push(percentile(await trips(linkedEcho, 600), 0.5))
      directRates.push(await rate(sink, 300))
      linkRates.push(await rate(linkedSink, 300))
    }
    const after = others()
    const tookMs = performance.now() - from
    // A few side by side, so that a p99 is not the worst of them all.
    const delayed: number[] = []
    for (const each of await Promise.all(Array.from({ length: 8 }, () => trips(slow, 41))))
      delayed.push(...each.slice(1).map((us) => us / 1000))
    return {
      directUs: Math.min(...direct),
      linkUs: Math.min(...linked),
      addedUs: Math.min(...linked.map((l, i) => l - (direct[i] ?? 0))),
      directRate: Math.max(...directRates),
      linkRate: Math.max(...linkRates),
      shortestMs: Math.min(...delayed),
      lateMs: percentile(delayed, 0.99) - 2 * injected,
      trips: delayed.length,
      othersMs: before === undefined || after === undefined ? undefined : after - before,
      tookMs,
    }
  } finally {
    for (const c of children) c.kill('SIGKILL')
  }
}
