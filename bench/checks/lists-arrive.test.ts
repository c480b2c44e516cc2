import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { readerDown, readerUp } from '../platforms/reader-events.ts'
import type { Event } from '../faces.ts'
import { listLatency } from './list-latency.ts'
import { type ListsArriveOptions, listsArrive } from './lists-arrive.ts'

const readings = { src: 'cloud', kind: 'seen', select: 'cloud.reading' } as const
const began = Date.UTC(2018, 0, 15)

/** A history, by seconds after its beginning. */
function history(): {
  said(s: number, watts: number, more?: { list?: number; baud?: number; to?: number }): void
  read(s: number, watts: number, number: number, more?: { stamp?: number; volts?: number }): void
  other(s: number, src: string, kind: Event['kind'], data: Json): void
  readonly events: Event[]
} {
  const events: Event[] = []
  const add = (s: number, src: string, kind: Event['kind'], data: Json): void => {
    events.push({ seq: events.length + 1, at: began + s * 1000, src, kind, data })
  }
  add(0, 'bench', 'check', { phase: 'declared', id: 'lists-arrive' })
  return {
    events,
    other: add,
    said(s, watts, more = {}) {
      add(s, 'meter', 'said', {
        answers: { 'active_power_import [W]': [watts, watts] },
        asked: { list: 1, took_ms: 200, to: 1, baud: 2400, format: '8E1', ...more },
      })
    },
    read(s, watts, number, more = {}) {
      add(s, 'cloud', 'seen', {
        alias: 'cloud.reading',
        payload: {
          DataID: number,
          Timestamp: new Date(began + (more.stamp ?? s) * 1000).toISOString(),
          data: { ActiveImportPower: watts, ...(more.volts === undefined ? {} : { VoltageL1: more.volts }) },
        },
      })
    },
  }
}

function judge(events: readonly Event[], at: number, o: Partial<ListsArriveOptions> = {}) {
  const c = listsArrive(readings, { verifies: ['SR-1.3'], ...o })
  for (const e of events) c.see(e)
  return c.result(began + at * 1000)
}

describe('lists arrive', () => {
  test('passes where each comes out once, and one may come again under its number', () => {
    const h = history()
    h.said(10, 500)
    h.said(12, 510)
    h.read(10.3, 500, 1)
    h.read(12.3, 510, 2)
    h.read(12.4, 510, 2, { stamp: 12.3 })
    expect(judge(h.events, 30)).toMatchObject({
      verdict: 'pass',
      observed: { 'lists sent [1]': 2, 'arrived [1]': 2, 'repeated [1]': 1 },
    })
  })

  test.each<[string, (h: ReturnType<typeof history>) => void]>([
    ['lost', (h) => h.read(12.3, 510, 2)],
    [
      'altered',
      (h) => {
        h.read(10.3, 5000, 1)
        h.read(12.3, 510, 2)
      },
    ],
    [
      'altered',
      (h) => {
        h.read(10.3, 500, 1, { volts: 230 })
        h.read(12.3, 510, 2)
      },
    ],
    [
      'doubled',
      (h) => {
        h.read(10.3, 500, 1)
        h.read(12.3, 510, 2)
        h.read(12.5, 510, 3)
      },
    ],
    [
      'late',
      (h) => {
        h.read(12.3, 510, 2)
        h.read(16, 500, 1)
      },
    ],
    [
      'wrong time',
      (h) => {
        h.read(10.3, 500, 1, { stamp: 3610 })
        h.read(12.3, 510, 2)
      },
    ],
    [
      'invented',
      (h) => {
        h.read(10.3, 500, 1)
        h.read(12.3, 510, 2)
        h.read(13, 42, 3)
      },
    ],
  ])('%s: fails, and says so', (word, tell) => {
    const h = history()
    h.said(10, 500)
    h.said(12, 510)
    tell(h)
    const r = judge(h.events, 30, { stamps: '3 s' })
    expect(r.verdict).toBe('fail')
    expect(r.observed).toMatchObject({ [word]: 1 })
  })

  test('what no line carried and what is not of the rate is not expected', () => {
    const h = history()
    h.said(10, 500, { to: 0 })
    h.said(12, 510, { baud: 300 })
    h.said(14, 520)
    h.read(14.3, 520, 1)
    expect(judge(h.events, 60, { baud: 2400 }).observed).toMatchObject({ 'lists sent [1]': 1 })
    expect(judge(h.events.slice(0, 3), 60, { baud: 2400 })).toMatchObject({ verdict: 'inconclusive' })
  })

  test('what came while the cloud was away may come when it is back, and must', () => {
    const h = history()
    h.other(5, 'cloud', 'fault', { phase: 'on', id: 'cloud-1', name: 'away', params: {} })
    h.said(10, 500)
    h.other(60, 'cloud', 'fault', { phase: 'lifted', id: 'cloud-1', name: 'away', params: {} })
    expect(judge(h.events, 100)).toMatchObject({ verdict: 'fail', observed: { lost: 1 } })
    h.read(65, 500, 1, { stamp: 10.2 })
    expect(judge(h.events, 100, { stamps: '3 s' })).toMatchObject({ verdict: 'pass' })
  })

  test('what came while the reader was down is nobody’s', () => {
    const h = history()
    h.said(2, 480)
    h.read(2.3, 480, 1)
    h.other(5, 'reader', 'host', { what: readerDown })
    h.said(10, 500)
    h.other(11, 'reader', 'host', { what: readerUp })
    expect(judge(h.events, 60)).toMatchObject({ verdict: 'pass', observed: { 'lists sent [1]': 1 } })
  })

  test('of two lists that say the same, the one is lost whose time no reading has', () => {
    const h = history()
    h.said(10, 500)
    h.said(12, 500)
    h.said(14, 500)
    h.read(12.3, 500, 1)
    h.read(14.3, 500, 2)
    const r = judge(h.events, 30)
    expect(r).toMatchObject({ verdict: 'fail', observed: { lost: 1 } })
    expect(r.because).toEqual([2])
  })
})

describe('list latency', () => {
  const latency = (tell: (h: ReturnType<typeof history>) => void) => {
    const h = history()
    h.said(10, 500, { list: 3 })
    tell(h)
    const c = listLatency(readings, { verifies: ['SR-2.1.1'] })
    for (const e of h.events) c.see(e)
    return c.result(began + 60_000)
  }

  test('is told by the setting of the line', () => {
    const r = latency((h) => {
      h.read(10.2, 500, 1)
      h.other(12, 'meter', 'note', { what: 'left out', list: 1, baud: 300, format: '8N1' })
    })
    expect(r).toMatchObject({
      verdict: 'pass',
      observed: { '2400 baud 8E1 [s]': 0.2, '300 baud 8N1: lists left out [1]': 1 },
    })
  })

  test('is too long, or a list lost', () => {
    expect(latency((h) => h.read(12, 500, 1))).toMatchObject({ verdict: 'fail', observed: { slow: 1 } })
    expect(latency(() => undefined)).toMatchObject({ verdict: 'fail', observed: { lost: 1 } })
  })
})
