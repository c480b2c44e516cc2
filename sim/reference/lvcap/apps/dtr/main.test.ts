import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Message } from '../../api.ts'
import type { Json, JsonObject } from '../../env.ts'
import type { AppContext, Hears, Operation } from '../../sdk/app.ts'
import { matches } from '../../marketplace/acl.ts'
import { readConfig } from './config.ts'
import { operate, parts } from './main.ts'

const begin = Date.UTC(2018, 0, 18, 14, 0, 30)
const start = Math.floor(begin / 1000) - 30
const how = { qos: 1, retain: false, dup: false } as const

describe('the thermal rating app', () => {
  let operation: Operation | undefined
  const sent: Message[] = []
  const errors: (readonly [code: number, text: string])[] = []
  const heard: (readonly [filters: readonly string[], f: Hears])[] = []

  beforeEach(async () => {
    for (const list of [sent, errors, heard]) list.length = 0
    vi.useFakeTimers({ now: begin })
    const context: AppContext = {
      config: {
        apid: 'eatl_weathersense_1.0',
        iid: 'eatl_weathersense_01',
        pki: '',
        marketplace: { address: '', port: 1 },
        topics: 'spec',
      },
      log: () => {},
      publish: (m) => void sent.push(m),
      deliver: async () => {},
      error: (code, text) => void errors.push([code, text]),
      stats: () => ({ connected: true, queued: 0, inFlight: 0, reconnects: 0, givenUp: 0 }),
      hear: async (filters, f) => void heard.push([filters, f]),
    }
    operation = operate(parts(null), readConfig({ transformer: { ratedCurrent: 500 } }), context)
    await operation.ready
  })
  afterEach(async () => {
    await operation?.stop()
    vi.useRealTimers()
  })

  function tell(topic: string, payload: Json | string): void {
    const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
    for (const [filters, f] of heard) if (filters.some((x) => matches(x, topic))) f(topic, bytes, how)
  }
  const now = (): number => Math.floor(Date.now() / 1000)
  const reading = (value: number, valid = true): Json => ({ Timestamp: now(), Value: value, Valid: valid })
  const thermocouple = 'sensor/data/eatl_modbusrtusensor_01'
  function readings(of: { oil?: Json; air?: Json; amps?: Json } = {}): void {
    tell(`${thermocouple}/TopOil/temperature/60s/C`, of.oil ?? reading(60))
    tell(`${thermocouple}/Ambient/temperature/60s/C`, of.air ?? reading(10))
    for (const phase of [1, 2, 3])
      tell(`sensor/data/lucy_gridkeysensor_01/Feeder1/current/60s/L${phase}_RMS`, of.amps ?? reading(300))
  }
  const forecast = (more: JsonObject = {}): JsonObject => ({
    Timestamp: now(),
    StartPoint: start,
    Interval: 1800,
    Value: Array.from({ length: 48 }, () => 250),
    Valid: true,
    ...more,
  })
  const predictor = 'algorithm/data/eatl_loadpredictor_01/transformer/forecast'
  const names = (): string[] => sent.map((m) => m.topic.replace('algorithm/data/eatl_weathersense_01/', ''))
  const set = ['top_oil', 'hot_spot', 'rating'].map((n) => `transformer/${n}/forecast`)
  const bodies = (): JsonObject[] => sent.map((m) => m.payload as JsonObject)

  test('answers each forecast with one set, and one that is delivered again with none', () => {
    readings()
    tell(predictor, forecast())
    expect(names()).toEqual(set)
    for (const b of bodies())
      expect(b).toMatchObject({
        Valid: true,
        StartPoint: start,
        Interval: 3600,
        Timestamp: now(),
        ToStore: true,
      })
    tell(predictor, forecast())
    expect(sent).toHaveLength(3)
    tell(predictor, forecast({ Value: Array.from({ length: 48 }, () => 251) }))
    expect(sent).toHaveLength(6)
  })

  test('tells its rating of now each minute, and that it has none without readings', () => {
    vi.advanceTimersByTime(60_010)
    expect(names()).toEqual(['transformer/hot_spot', 'transformer/rating'])
    expect(bodies()).toEqual([
      { Timestamp: now(), Value: null, Valid: false, ToStore: true },
      { Timestamp: now(), Value: null, Valid: false, ToStore: true },
    ])
    expect(errors).toHaveLength(1)
    readings()
    sent.length = 0
    vi.advanceTimersByTime(60_010)
    const [hot, rating] = bodies()
    expect(hot).toMatchObject({ Valid: true })
    expect(hot?.['Value']).toBeGreaterThan(60)
    expect(rating?.['Value']).toBeGreaterThan(500)
    expect(rating?.['Value']).toBeLessThanOrEqual(750)
    expect(errors).toHaveLength(1)
  })

  test.each<[string, Parameters<typeof readings>[0]]>([
    ['top oil', { oil: { Timestamp: start, Value: 60, Valid: false } }],
    ['air', { air: { Timestamp: start, Value: null, Valid: true } }],
    ['load', { amps: { Timestamp: start, Value: 5, Valid: false } }],
    ['plausible top oil', { oil: { Timestamp: start + 30, Value: 3276.7, Valid: true } }],
  ])('without %s its forecast is not valid, and comes all the same', (_, of) => {
    readings(of)
    tell(predictor, forecast())
    expect(names()).toEqual(set)
    for (const b of bodies()) expect(b).toMatchObject({ Valid: false, Value: [], StartPoint: start })
  })

  test('what is older than three minutes says nothing of now, and neither does what lies ahead', () => {
    readings()
    vi.advanceTimersByTime(181_000)
    sent.length = 0
    tell(predictor, forecast())
    expect(bodies()[0]).toMatchObject({ Valid: false })
    readings()
    vi.setSystemTime(Date.now() - 3_600_000)
    sent.length = 0
    tell(predictor, forecast({ Timestamp: 1 }))
    expect(bodies()[0]).toMatchObject({ Valid: false })
  })

  test('hears the topics as fielded too', () => {
    tell(`${thermocouple}/top_oil_temperature`, reading(60))
    tell(`${thermocouple}/outside_temperature`, reading(10))
    for (const l of ['l1', 'l2', 'l3'])
      tell(`sensor/data/lucy_gridkeysensor_01/gridkey-mcu520/60/feeder/1/${l}/current-mean`, reading(300))
    tell(predictor, forecast())
    expect(bodies()[0]).toMatchObject({ Valid: true })
  })

  test.each<[string, Json | string]>([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['no beginning', { Valid: true, Value: [1] }],
  ])('with %s for a forecast it says so, and nothing else', (_, payload) => {
    readings()
    tell(predictor, payload)
    expect(sent).toEqual([])
    expect(errors).toEqual([[14, expect.stringMatching(/no Series/)]])
  })

  test.each<[string, JsonObject]>([
    ['not valid', { Valid: false }],
    ['with a gap', { Value: [1, null] }],
    ['of truth values', { Value: [true, false] }],
    ['without interval', { Interval: 0 }],
    ['of yesterday', { StartPoint: start - 86_400 }],
  ])('a load forecast %s leads to none of its own that is valid', (_, more) => {
    readings()
    tell(predictor, forecast(more))
    expect(names()).toEqual(set)
    for (const b of bodies()) expect(b).toMatchObject({ Valid: false })
  })
})
