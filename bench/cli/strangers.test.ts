/** Masters that are none of ours read devices that `gridproof sim` plays: what they read is what was true. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ptyProvider } from '../../drivers/real/pty.ts'
import { aloneKinds } from '../main/alone/kinds.ts'
import { here, place } from './testing.ts'
import type { Command, Place } from './testing.ts'

const folder = join(here, 'bench/cli/strangers')
let p: Place
beforeAll(() => {
  p = place()
})
afterAll(() => p[Symbol.dispose]())

/** A device that is played, and what it says that it has answered. */
interface Playing {
  readonly at: string
  /** Every quantity that it was asked for so far: `[answered, true]`, of the last answer. */
  readonly said: () => Promise<Readonly<Record<string, readonly [number, number]>>>
  end(): Promise<void>
}

async function playing(args: readonly string[]): Promise<Playing> {
  const command: Command = p.start(['sim', ...args, '--json'])
  const said: Record<string, readonly [number, number]> = {}
  const count = { told: 0, seen: 0 }
  let news = Promise.withResolvers<void>()
  const ready = Promise.withResolvers<string>()
  createInterface({ input: command.child.stdout }).on('line', (line) => {
    const o = JSON.parse(line) as {
      what: string
      place: string
      kind?: string
      data: { answers: typeof said }
    }
    if (o.what === 'ready') ready.resolve(o.place)
    if (o.kind === 'said') {
      count.told++
      Object.assign(said, o.data.answers)
      news.resolve()
      news = Promise.withResolvers()
    }
  })
  const ended = command.ended.then((e) => {
    throw new Error(`it ended: ${e.err}`)
  })
  ended.catch(() => {})
  return {
    at: await Promise.race([ready.promise, ended]),
    async said() {
      // The client may be through before the device's line has arrived here.
      while (count.seen >= count.told) await Promise.race([news.promise, ended])
      count.seen = count.told
      return said
    },
    async end() {
      command.child.kill('SIGINT')
      expect((await command.ended).code).toBe(130)
    },
  }
}

/** Runs a client to its end; its standard output. */
async function client(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.on('data', (b: Buffer) => (out += b.toString()))
  child.stderr.on('data', (b: Buffer) => (err += b.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${out}${err}`)
  return out
}

/** What a client is told to read, by whichever transport. */
interface Read {
  readonly transport: 'tcp' | 'rtu'
  /** Host or path, and port or speed. */
  readonly place: string
  readonly number: string
  readonly unit: number
  readonly address: number
  readonly count: number
}

interface Client {
  readonly name: string
  /** Why it is not here. */
  readonly lacks: string | undefined
  words(r: Read): Promise<readonly number[]>
}

const wordsIn = (out: string): readonly number[] =>
  out
    .trim()
    .split('\n')
    .map((w) => Number.parseInt(w, 16))
const arguments_ = (r: Read): string[] => [
  r.transport,
  r.place,
  r.number,
  `${r.unit}`,
  '4',
  `${r.address}`,
  `${r.count}`,
]

const python = ['/usr/bin/python3', 'python3'].find(
  (py) => spawnSync(py, ['-c', 'import pymodbus.client, serial']).status === 0,
)
const built = mkdtempSync(join(tmpdir(), 'strangers-'))
const compiled = spawnSync('gcc', [
  '-O1',
  '-Wall',
  '-Werror',
  '-o',
  join(built, 'client'),
  join(folder, 'client.c'),
  '-lmodbus',
])
afterAll(() => rmSync(built, { recursive: true, force: true }))

const clients: readonly Client[] = [
  {
    name: 'mbpoll',
    lacks: spawnSync('mbpoll', ['-h']).error === undefined ? undefined : 'mbpoll is not installed',
    async words(r) {
      const where =
        r.transport === 'tcp'
          ? ['-m', 'tcp', '-p', r.number]
          : ['-m', 'rtu', '-b', r.number, '-d', '8', '-P', 'none', '-s', '1']
      const what = [
        '-a',
        `${r.unit}`,
        '-0',
        '-r',
        `${r.address}`,
        '-c',
        `${r.count}`,
        '-t',
        '3:hex',
        '-o',
        '5',
        '-1',
      ]
      const out = await client('mbpoll', [...where, ...what, r.place])
      return [...out.matchAll(/^\[\d+\]:\s+0x([0-9A-F]{4})\s*$/gm)].map((m) =>
        Number.parseInt(m[1] ?? '', 16),
      )
    },
  },
  {
    name: 'a C program on libmodbus',
    lacks: compiled.status === 0 ? undefined : 'gcc or the headers of libmodbus are not installed',
    words: async (r) => wordsIn(await client(join(built, 'client'), arguments_(r))),
  },
  {
    name: 'pymodbus',
    lacks: python === undefined ? 'no Python has pymodbus and serial' : undefined,
    words: async (r) => wordsIn(await client(python ?? '', [join(folder, 'client.py'), ...arguments_(r)])),
  },
]

const float = (words: readonly number[], at: number): number => {
  const view = new DataView(new ArrayBuffer(4))
  view.setUint16(0, words[at] ?? 0)
  view.setUint16(2, words[at + 1] ?? 0)
  return view.getFloat32(0)
}

const skipped = (c: Client, more?: string): string => {
  const why = c.lacks ?? more
  return why === undefined ? c.name : `${c.name} (skipped: ${why})`
}

describe('the feeder monitor over TCP is read by', () => {
  let device: Playing
  beforeAll(async () => {
    device = await playing(['gridkey', '--tcp', '127.0.0.1:0'])
  })
  afterAll(() => device.end())
  const judge = aloneKinds['gridkey']?.make({})

  for (const c of clients)
    test.skipIf(c.lacks !== undefined)(skipped(c), async () => {
      const [place = '', number = ''] = device.at.split(':')
      const r = { transport: 'tcp', place, number, unit: 1 } as const
      // Voltages and frequency; then feeder 1.
      const busbar = await c.words({ ...r, address: 0, count: 14 })
      const first = await device.said()
      expect(busbar.length).toBe(14)
      expect(float(busbar, 0)).toBe(first['busbar.l1n.voltage [V]']?.[0])
      expect(float(busbar, 12)).toBe(first['busbar.frequency [Hz]']?.[0])
      const feeder = await c.words({ ...r, address: 100, count: 24 })
      const said = await device.said()
      expect(feeder.length).toBe(24)
      for (const [at, what] of [
        [0, 'l1.current [A]'],
        [8, 'l2.power_factor [1]'],
        [16, 'l3.real_power [W]'],
        [18, 'l1.reactive_power [var]'],
      ] as const)
        expect(float(feeder, at), what).toBe(said[`feeder1.${what}`]?.[0])
      for (const [q, [answered, truth]] of Object.entries(said))
        expect(Math.abs(answered - truth), q).toBeLessThanOrEqual(judge?.accuracy(q, truth) ?? 0)
    })
})

const pty = ptyProvider()
const noPty = 'lacks' in pty ? pty.lacks : undefined

describe('the thermocouple module on a pseudo terminal is read by', () => {
  let device: Playing | undefined
  beforeAll(async () => {
    if (noPty === undefined) device = await playing(['thermocouple', '--pty', '--do', 'set top_oil 71.5'])
  })
  afterAll(() => device?.end())
  const judge = aloneKinds['thermocouple']?.make({})

  for (const c of clients)
    test.skipIf((c.lacks ?? noPty) !== undefined)(skipped(c, noPty), async () => {
      if (device === undefined) throw new Error('it is not played')
      const place = device.at.split(',')[0] ?? ''
      const words = await c.words({
        transport: 'rtu',
        place,
        number: '9600',
        unit: 10,
        address: 0,
        count: 30,
      })
      const said = await device.said()
      expect(words.length).toBe(30)
      for (const [i, input] of ['ambient', 'indoor', 'top_oil'].entries()) {
        const q = `${input}.temperature [°C]`
        const [answered = Number.NaN, truth = Number.NaN] = said[q] ?? []
        expect((((words[i] ?? 0) << 16) >> 16) / 10, q).toBe(answered)
        expect(Math.abs(answered - truth), q).toBeLessThanOrEqual(judge?.accuracy(q, truth) ?? 0)
      }
      expect(said['top_oil.temperature [°C]']?.[1]).toBe(71.5)
      // Five channels with nothing connected are open.
      expect(words[17]).toBe(0b1111_1000)
    })
})
