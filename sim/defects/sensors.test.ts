import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as gridkeyConfig from '../reference/lvcap/apps/gridkey/config.ts'
import * as gridkeyDecode from '../reference/lvcap/apps/gridkey/decode.ts'
import * as gridkey from '../reference/lvcap/apps/gridkey/main.ts'
import * as temperatureConfig from '../reference/lvcap/apps/temperature/config.ts'
import * as temperatureDecode from '../reference/lvcap/apps/temperature/decode.ts'
import * as temperature from '../reference/lvcap/apps/temperature/main.ts'
import type { Message } from '../reference/lvcap/api.ts'
import type { AppConfig } from '../reference/lvcap/config.ts'
import type { JsonObject } from '../reference/lvcap/env.ts'
import { LvcapError } from '../reference/lvcap/errors.ts'
import type { RegisterBlock, RegisterLink } from '../reference/lvcap/sdk/modbus.ts'
import {
  operateSensor,
  type SensorConfig,
  type SensorKind,
  type SensorParts,
} from '../reference/lvcap/sdk/sensor.ts'
import type { Defect } from './defect.ts'
import { gridkeyDefects } from './gridkey.ts'
import { isMeasurement } from './payload.ts'
import { temperatureDefects } from './temperature.ts'

const minute = 60_000
/** Ten minutes before midnight, so that a new day begins in every run. */
const begin = Date.parse('2018-01-15T23:50:30Z')

beforeEach(() => {
  vi.useFakeTimers({ now: begin })
})
afterEach(() => {
  vi.useRealTimers()
})

interface Sent {
  readonly at: number
  readonly message: Message
}

/** Runs a sensor application's engine against a scripted device: no broker, no wire. Returns what it sent. */
async function play<C extends SensorConfig, R, M>(
  p: SensorParts<C, R, M>,
  kind: Omit<SensorKind<C>, 'link' | 'linkErrno' | 'unitOf'>,
  words: (address: number, t: number) => number | 'dead',
  config: JsonObject,
  length: number,
  clockBack = false,
): Promise<Sent[]> {
  const app: AppConfig = {
    apid: 'some_app_1.0',
    iid: 'some_app_01',
    pki: '/nowhere',
    marketplace: { address: '127.0.0.1', port: 8883 },
    topics: 'spec',
  }
  const sent: Sent[] = []
  const start = performance.now()
  const link: RegisterLink = {
    read: (block: RegisterBlock) => {
      const t = performance.now() - start
      const list: number[] = []
      for (let i = 0; i < block.count; i++) {
        const word = words(block.start + i, t)
        if (word === 'dead') return Promise.reject(new LvcapError('link', 'dead'))
        list.push(word)
      }
      return Promise.resolve(list)
    },
    close: () => Promise.resolve(),
    counts: () => ({ opened: 1, open: 1 }),
  }
  const operate = operateSensor(p, { ...kind, link: () => link, linkErrno: 4, unitOf: () => '1' })
  p.present(app)
  const operation = operate(config, {
    config: app,
    log: () => {},
    publish: (message) =>
      void p.publish(message, (m) => {
        sent.push({ at: performance.now() - start, message: m })
        return Promise.resolve()
      }),
    deliver: () => Promise.resolve(),
    hear: () => Promise.resolve(),
    error: () => {},
    stats: () => ({ connected: true, queued: 0, inFlight: 0, reconnects: 0, givenUp: 0 }),
  })
  if (clockBack) {
    // After four minutes the clock is set back by an hour; intervals pass all the same.
    await vi.advanceTimersByTimeAsync(4 * minute)
    vi.setSystemTime(Date.now() - 60 * minute)
    await vi.advanceTimersByTimeAsync(length - 4 * minute)
  } else await vi.advanceTimersByTimeAsync(length)
  p.answer(app.iid, 1, Date.now())
  await operation.stop()
  return sent
}

function float(value: number, half: number): number {
  const b = Buffer.alloc(4)
  b.writeFloatBE(value)
  return b.readUInt16BE(half * 2)
}

/** A feeder monitor: dead in minute 5, frozen in 7, booting in 9, one phase doubtful in 11, not a number in 13. */
function monitor(address: number, t: number): number | 'dead' {
  const m = Math.floor(t / minute) + 1
  if (m === 5) return 'dead'
  const second = Math.floor((m === 7 ? 6.2 * minute : t) / 1_000)
  if (address === 1_003) return second & 0xffff
  if (address === 1_004) return m === 11 ? 0x7ffe : 0x7fff
  if (address === 1_005) return m === 9 ? 1 : 0
  if (address >= 1_000) return 0
  if (m === 13) return 0xffff
  const even = address & ~1
  const wave = 1 + Math.sin(second / 50) / 10
  const offset = even % 100
  if (even < 100) return float((even < 6 ? 240 + even : 415 + even) * wave, address & 1)
  if (offset >= 6 && offset <= 10) return float(-0.9 * wave, address & 1)
  return float((offset >= 12 ? -1_000 - 10 * even : 100 + even) * wave, address & 1)
}

/** A thermocouple module: dead in minute 5, top oil open in 7, cold junction lost in 9, ambient open but plausible in 11; frost. */
function module(address: number, t: number): number | 'dead' {
  const m = Math.floor(t / minute) + 1
  if (m === 5) return 'dead'
  const wave = Math.round(30 * Math.sin(t / 100_000))
  const values: Readonly<Record<number, number>> = {
    0: -53 + wave,
    1: 142 + wave,
    2: m === 7 ? 0x7fff : 555 + wave,
    8: -1_000,
    9: 0,
    10: 1_700 + wave,
    16: 160,
    17: 0xf8 + (m === 7 ? 4 : 0) + (m === 11 ? 1 : 0),
    20: m === 9 ? 1 : 0,
  }
  return (values[address] ?? 0) & 0xffff
}

interface Under<P> {
  readonly name: string
  readonly defects: readonly Defect<P>[]
  parts(): P
  run(parts: P, interval: number, length: number, clockBack?: boolean): Promise<Sent[]>
}

const underTest: [Under<gridkey.GridkeyParts>, Under<temperature.TemperatureParts>] = [
  {
    name: 'gridkey',
    defects: gridkeyDefects,
    parts: () => gridkey.parts({}),
    run: (p, interval, length, clockBack) =>
      play(
        p,
        { readConfig: gridkeyConfig.readConfig, blocks: gridkeyDecode.blocks },
        monitor,
        // Nobody listens there: for the defect that leaks connections.
        { address: '127.0.0.1', port: 1, interval, feeders: [1, 2, 5] },
        length,
        clockBack,
      ),
  },
  {
    name: 'temperature',
    defects: temperatureDefects,
    parts: () => temperature.parts({}),
    run: (p, interval, length, clockBack) =>
      play(
        p,
        { readConfig: temperatureConfig.readConfig, blocks: temperatureDecode.blocks },
        module,
        { serial: { path: '/nowhere' }, interval },
        length,
        clockBack,
      ),
  },
]

/** Defects that show elsewhere than in what is sent: in sockets, or in answers. */
const silent = ['leaks-connections', 'ignores-status-requests', 'reads-slowly']
/** Defects that need a second configuration: `gridproof prove capture/as-configured` shows them. */
const reconfigured = [
  // Answers are asked for once in these runs: `prove capture/round-the-clock` shows it.
  'answers-with-an-old-stamp',
  'keeps-its-first-topics',
  'keeps-the-first-address',
]
/** Variants that show in the session or in requests to the device. */
const elsewhere = ['random-client-id', 'persistent-session', 'reads-flags-apart']

function suite<P extends { present: unknown }>(app: Under<P>): void {
  describe(`the ${app.name} application`, () => {
    const conditions = (id: string): [interval: number, length: number] => {
      if (/fast|(ignores|rounds)-its-interval/.test(id)) return [10, 3 * minute]
      if (id.includes('slower-than')) return [600, 25 * minute]
      if (id.includes('six-hours')) return [60, 6.1 * 60 * minute]
      if (/once-an-hour/.test(id)) return [60, 70 * minute]
      return [60, 15.5 * minute]
    }

    test('is on time and honest without defects', async () => {
      const sent = await app.run(app.parts(), 60, 15.5 * minute)
      const topics = new Set(sent.map((s) => s.message.topic))
      expect(sent.length).toBe(15 * topics.size)
      expect(sent.every((s) => s.at % minute === 0)).toBe(true)
      const invalid = new Set(
        sent.filter((s) => (s.message.payload as JsonObject)['Valid'] !== true).map((s) => s.at / minute),
      )
      // A sweep begins 0.9 s before its minute ends, so the disturbance of minute n shows in output n.
      expect([...invalid]).toEqual(app.name === 'gridkey' ? [5, 7, 9, 11, 13] : [5, 7, 9, 11])
    })

    for (const d of app.defects.filter(
      (x) => x.kind === 'defect' && !reconfigured.some((r) => x.id.endsWith(r)),
    )) {
      test(`${d.id} comes to bear, and shows`, async () => {
        const [interval, length] = conditions(d.id)
        const clockBack = /clock-of-its-own|by-the-date/.test(d.id)
        const healthy = await app.run(app.parts(), interval, length, clockBack)
        vi.setSystemTime(begin)
        let reached = 0
        const broken = await app.run(
          d.wrap(app.parts(), () => reached++),
          interval,
          length,
          clockBack,
        )
        expect(reached).toBeGreaterThan(0)
        if (silent.some((s) => d.id.endsWith(s))) expect(broken).toEqual(healthy)
        else expect(broken).not.toEqual(healthy)
      })
    }

    for (const d of app.defects.filter((x) => x.kind === 'variant')) {
      test(`${d.id} comes to bear, and keeps to the rules`, async () => {
        const healthy = await app.run(app.parts(), 60, 15.5 * minute)
        vi.setSystemTime(begin)
        let reached = 0
        const other = await app.run(
          d.wrap(app.parts(), () => reached++),
          60,
          15.5 * minute,
        )
        expect(reached).toBeGreaterThan(0)
        if (elsewhere.some((e) => d.id.endsWith(e))) expect(other).toEqual(healthy)
        else expect(other).not.toEqual(healthy)
        for (const { message } of other.filter((s) => isMeasurement(s.message))) {
          const { Timestamp, Value, Valid } = message.payload as JsonObject
          expect(Number.isInteger(Timestamp)).toBe(true)
          expect(typeof Value).toBe('number')
          expect(typeof Valid).toBe('boolean')
          expect([message.qos, message.retain]).toEqual([1, false])
        }
        const measured = (list: Sent[]): number => list.filter((s) => isMeasurement(s.message)).length
        expect(measured(other)).toBeGreaterThanOrEqual(measured(healthy))
      })
    }
  })
}

suite(underTest[0])
suite(underTest[1])
