import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Message } from '../../api.ts'
import type { JsonObject } from '../../env.ts'
import type { AppContext, Hears, Operation } from '../../sdk/app.ts'
import { tempFolder } from '../../testing.ts'
import { readConfig } from './config.ts'
import { operate, parts } from './main.ts'

const half = 1_800_000
/** 14:10 of a Thursday in 2018. */
const begin = Date.UTC(2018, 0, 18, 14, 10)
const start = (begin - (begin % half)) / 1000

describe('the predictor', () => {
  let temp: ReturnType<typeof tempFolder>
  let operation: Operation | undefined
  const sent: Message[] = []
  const errors: (readonly [code: number, text: string])[] = []
  let hears: Hears = () => {}

  beforeEach(() => {
    temp = tempFolder()
    sent.length = 0
    errors.length = 0
    vi.useFakeTimers({ now: begin })
  })
  afterEach(async () => {
    await operation?.stop()
    operation = undefined
    vi.useRealTimers()
    temp.remove()
  })

  function run(config: JsonObject = {}): void {
    const context: AppContext = {
      config: {
        apid: 'eatl_loadpredictor_1.0',
        iid: 'eatl_loadpredictor_01',
        pki: '',
        marketplace: { address: '', port: 1 },
        topics: 'spec',
      },
      log: () => {},
      publish: (m) => void sent.push(m),
      deliver: async () => {},
      error: (code, text) => void errors.push([code, text]),
      stats: () => ({ connected: true, queued: 0, inFlight: 0, reconnects: 0, givenUp: 0 }),
      hear: async (_filters, f) => void (hears = f),
    }
    operation = operate(parts(null), readConfig(config), context, temp.path)
  }
  const starts = (circuit: string): number[] =>
    sent
      .filter((m) => m.topic.includes(`/${circuit}/`))
      .map((m) => ((m.payload as { StartPoint: number }).StartPoint - start) / 1800)
  const last = (): JsonObject =>
    sent.findLast((m) => m.topic.includes('/transformer/'))?.payload as JsonObject

  /** A reading of all phases of both circuits once a minute, for so long. */
  function measure(minutes: number, amps: number, valid = true): void {
    for (let i = 0; i < minutes; i++) {
      vi.advanceTimersByTime(60_000)
      const at = Math.floor(Date.now() / 1000)
      const payload = Buffer.from(JSON.stringify({ Timestamp: at, Value: amps, Valid: valid }))
      for (const feeder of [1, 2])
        for (const phase of [1, 2, 3])
          hears(`sensor/data/lucy_gridkeysensor_01/Feeder${feeder}/current/60s/L${phase}_RMS`, payload, {
            qos: 1,
            retain: false,
            dup: false,
          })
    }
  }

  test('forecasts soon after its start, and 5 s after each half-hour', () => {
    run()
    vi.advanceTimersByTime(9_000)
    expect(sent).toEqual([])
    vi.advanceTimersByTime(2_000)
    expect([starts('transformer'), starts('feeder')]).toEqual([[0], [0]])
    vi.advanceTimersByTime(begin - (begin % half) + half + 4_000 - Date.now())
    expect(starts('feeder')).toEqual([0])
    vi.advanceTimersByTime(1_100)
    expect(starts('feeder')).toEqual([0, 1])
    vi.advanceTimersByTime(4 * half)
    expect(starts('transformer')).toEqual([0, 1, 2, 3, 4, 5])
    expect(last()).toMatchObject({ Valid: false, Interval: 1800, ToStore: true })
  })

  test('a clock that is set leads to the forecast of its time, and a small correction to none', () => {
    run({ firstAfter: 600 })
    vi.advanceTimersByTime(20 * 60_000 + 6_000)
    expect(starts('feeder')).toEqual([0, 1])
    // 10 s back, over the half-hour: 14:29:56
    vi.setSystemTime(Date.now() - 10_000)
    vi.advanceTimersByTime(60_000)
    expect(starts('feeder')).toEqual([0, 1])
    vi.setSystemTime(Date.now() + 5 * half)
    vi.advanceTimersByTime(10_000)
    expect(starts('feeder')).toEqual([0, 1, 6])
    vi.setSystemTime(Date.now() - 3 * half)
    vi.advanceTimersByTime(10_000)
    expect(starts('feeder')).toEqual([0, 1, 6, 3])
  })

  test('what it has measured and been given outlasts its end, and what is wrong with a file is told', async () => {
    const imports = join(temp.path, 'predictor', 'import')
    mkdirSync(imports, { recursive: true })
    const rows = ['time,circuit,amps']
    for (let t = start - 29 * 86_400; t < start; t += 1800)
      for (const circuit of ['transformer', 'feeder']) rows.push(`${t},${circuit},100`)
    writeFileSync(join(imports, 'good.csv'), rows.join('\n'))
    writeFileSync(join(imports, 'bad.csv'), `${rows.join('\n')}\nrubbish`)
    run()
    expect(errors).toEqual([[8, expect.stringMatching(/bad\.csv, line 2786/)]])
    vi.advanceTimersByTime(11_000)
    expect(last()).toMatchObject({ Valid: true })
    expect((last()['Value'] as number[])[0]).toBeCloseTo(100, 9)
    measure(55, 150)
    await operation?.stop()
    rmSync(imports, { recursive: true })
    run()
    vi.advanceTimersByTime(11_000)
    // two half-hours of 48 were half as much again
    const level = (46 / 48 + 3 / 48) ** 0.7
    expect(last()).toMatchObject({ Valid: true, TimestampEnd: start + 2 * 1800 })
    expect((last()['Value'] as number[])[0]).toBeCloseTo(100 * level, 9)
  })

  test('begins again with what it had, even where nobody asked it to end', () => {
    run({ saveEvery: 60 })
    measure(55, 50)
    const before = operation
    run()
    vi.advanceTimersByTime(11_000)
    expect(last()['Confidence']).toEqual(Array.from({ length: 48 }, () => 0))
    // a week later the half-hour is known
    void before?.stop()
    vi.setSystemTime(Date.now() + 7 * 86_400_000 - 3_600_000)
    vi.advanceTimersByTime(11_000)
    expect((last()['Confidence'] as number[]).some((c) => c === 0.25)).toBe(true)
  })

  test('readings that are not valid, and those of a clock that was never set, teach it nothing', () => {
    run()
    measure(80, 50, false)
    vi.setSystemTime(3_600_000)
    measure(80, 50)
    expect(operation?.gauges()).toMatchObject({ kept: 0 })
  })
})
