import { appendFileSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../env.ts'
import { tempFolder } from '../../testing.ts'
import { readConfig, type RecorderConfig } from './config.ts'
import { openRecords, shippedFileParts, type FileParts, type RecordFiles } from './files.ts'
import { repeats, type Key } from './resume.ts'
import { fieldOf, fieldsOf, lineOf, payloadText, publisherOf, rowOf, wholeLines } from './row.ts'

const config = (more: JsonObject = {}): RecorderConfig => readConfig(more)
const text = (s: string): Uint8Array => Buffer.from(s)
const noon = Date.UTC(2018, 0, 15, 12)

describe('a line', () => {
  test('holds time, publisher, topic, the message’s own words and the payload as it came', () => {
    const payload = '{"Timestamp":1516017600,"Value":-0.125,"Valid":false}'
    const topic = 'sensor/data/lucy_gridkeysensor_01/Busbar/voltage/60s/L1-N_RMS'
    const row = rowOf({ topic, payload: text(payload) }, noon, publisherOf(topic, config()))
    expect(fieldsOf(lineOf(row, config()).trimEnd())).toEqual([
      '2018-01-15T12:00:00.000Z',
      'lucy_gridkeysensor_01',
      topic,
      '1516017600',
      '-0.125',
      'false',
      payload,
    ])
  })

  test('stays empty where the payload has no such key, and never takes one from a prototype', () => {
    for (const p of ['', 'x', '[1]', 'null', '5', '{"toString":1}'])
      expect(rowOf({ topic: 't', payload: text(p) }, noon, 'p')).toMatchObject({
        Timestamp: '',
        Value: '',
        Valid: '',
      })
  })

  test('gives back whatever text stands in a field, quoted or not', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }),
        fc.constantFrom('needed', 'always'),
        (list, q) => {
          const line = list.map((f) => fieldOf(f, q)).join(',')
          // A field that is quoted as needed may begin with anything but a quote.
          expect(fieldsOf(line)).toEqual(list)
        },
      ),
    )
  })

  test('keeps any bytes: text as text, all else in base64', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const t = payloadText(bytes)
        const back = t.startsWith('base64:') ? Buffer.from(t.slice(7), 'base64') : Buffer.from(t)
        expect(back.equals(Buffer.from(bytes))).toBe(true)
      }),
    )
  })

  test('of a torn file is whole up to its last line end outside quotes', () => {
    expect(wholeLines(text('a,b\r\n"x\n,""y",2\r\nto'))).toEqual({ end: 17, starts: [0, 5] })
    expect(wholeLines(text('a\n"torn\nwithin'))).toEqual({ end: 2, starts: [0] })
  })
})

describe('who published', () => {
  test('is told by the topic, as the marketplace lets nobody else publish there', () => {
    for (const t of [
      'sensor/data/a_b_01/x/y',
      'algorithm/data/a_b_01/x',
      'storage/data/error/a_b_01',
      'storage/data/a_b_01/x',
      'storage/request/newdata/a_b_01',
      'storage/request/a_b_01',
      'storage/uploaded/a_b_01',
      'status/response/a_b_01',
      'config/request/a_b_01',
    ])
      expect(publisherOf(t, config()), t).toBe('a_b_01')
    for (const t of ['status/request', 'config/response/a_b_01', 'command/a_b_01', 'manager/response'])
      expect(publisherOf(t, config()), t).toBe('eatl_containermanager_00')
    for (const t of ['manager/request', '', '/', 'sensor', 'x/y/z'])
      expect(publisherOf(t, config()), t).toBe('unknown')
  })
})

describe('after a lost session', () => {
  const key = (n: number, stamped = true): Key => ({
    topic: `t/${n}`,
    payload: stamped ? `{"Timestamp":${n}}` : '{}',
  })
  const once = { qos: 1, dup: false } as const
  const tail = [key(1), key(2), key(3, false), key(4)]

  test('what stands in the last lines is known again, in order, until something new comes', () => {
    const isRepeated = repeats(tail)
    expect([key(2), key(3, false), key(4), key(5), key(4)].map((k) => isRepeated(k, once))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ])
  })

  test('nothing new is taken for old: not at QoS 0, and not without a time unless it follows a known one', () => {
    expect(repeats(tail)(key(4), { qos: 0, dup: false })).toBe(false)
    expect(repeats(tail)(key(3, false), once)).toBe(false)
    expect(repeats(tail)(key(3, false), { qos: 1, dup: true })).toBe(true)
    expect(repeats([])(key(1), once)).toBe(false)
  })

  test('each line is known once', () => {
    const isRepeated = repeats([key(1)])
    expect([isRepeated(key(1), once), isRepeated(key(1), once)]).toEqual([true, false])
  })
})

describe('files', () => {
  let folder: ReturnType<typeof tempFolder>
  let logs: JsonObject[]
  beforeEach(() => {
    folder = tempFolder()
    logs = []
  })
  afterEach(() => folder.remove())

  const open = (more: JsonObject = {}, parts: Partial<FileParts> = {}): RecordFiles =>
    openRecords(folder.path, config(more), { ...shippedFileParts, ...parts }, (l) => void logs.push(l))
  const names = (): string[] => readdirSync(folder.path).sort()
  const lines = (name: string): string[] =>
    readFileSync(join(folder.path, name), 'utf8').split('\r\n').slice(0, -1)
  const header = 'RecordedAt,Publisher,Topic,Timestamp,Value,Valid,Payload'
  const line = (n: number): string => `2018,p,t/${n},,,,"{""Timestamp"":${n}}"\r\n`

  test('begin with a header, and go on after a restart with what was last', () => {
    const first = open()
    first.append(line(1), noon)
    first.close()
    const second = open()
    expect(second.tail).toEqual([{ topic: 't/1', payload: '{"Timestamp":1}' }])
    second.append(line(2), noon)
    second.close()
    expect(names()).toEqual(['00000001_2018-01-15.csv'])
    expect(lines(names()[0] ?? '')).toEqual([header, line(1).trimEnd(), line(2).trimEnd()])
  })

  test('are mended where a loss of power has torn the last line, even in the header', () => {
    const first = open()
    first.append(line(1), noon)
    first.close()
    appendFileSync(join(folder.path, names()[0] ?? ''), '2018,p,"torn\r\n')
    const second = open()
    second.append(line(2), noon)
    second.close()
    expect(logs).toMatchObject([{ event: 'mended', bytes: 14 }])
    expect(lines(names()[0] ?? '')).toEqual([header, line(1).trimEnd(), line(2).trimEnd()])
    writeFileSync(join(folder.path, '00000002_2018-01-15.csv'), 'Reco')
    const third = open()
    third.append(line(3), noon)
    third.close()
    expect(lines('00000002_2018-01-15.csv')).toEqual([header, line(3).trimEnd()])
  })

  test('begin anew by size, by day, and where the columns have changed', () => {
    const first = open({ rotate: { bytes: 1_000 } })
    for (let n = 0; n < 40; n++) first.append(line(n), noon)
    first.append(line(40), noon + 86_400_000)
    first.close()
    const made = names().length
    expect(made).toBeGreaterThan(2)
    expect(names().at(-1)).toContain('2018-01-16')
    const columns = header.split(',').toReversed()
    const other = open({ columns })
    other.append(line(41), noon + 86_400_000)
    other.close()
    expect(lines(names().at(-1) ?? '')[0]).toBe(columns.join(','))
    expect(names()).toHaveLength(made + 1)
  })

  test('give way from the oldest on, beyond what may be kept', () => {
    const files = open({ rotate: { bytes: 1_000 }, keepBytes: 10_000 })
    for (let n = 0; n < 600; n++) files.append(line(n), noon)
    expect(files.counts().bytes).toBeLessThan(11_100)
    expect(lines(names().at(-1) ?? '').at(-1)).toBe(line(599).trimEnd())
    expect(logs.every((l) => l['event'] === 'file-given-up')).toBe(true)
    files.close()
  })

  test('a full disk costs the oldest file, then the line, and never half a line', () => {
    let room = 3_000
    const files = open(
      { rotate: { bytes: 1_000 } },
      {
        write(fd, bytes) {
          const n = Math.min(bytes.length, room)
          if (n === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
          room -= n
          return writeSync(fd, bytes.subarray(0, n))
        },
      },
    )
    let kept = 0
    expect(() => {
      for (let n = 0; n < 500; n++, kept++) files.append(line(n), noon)
    }).toThrow(/was not kept/)
    expect(kept).toBeGreaterThan(30)
    expect(logs.some((l) => l['why'] === 'the disk is full')).toBe(true)
    files.close()
    for (const name of names()) expect(readFileSync(join(folder.path, name), 'utf8')).toMatch(/(^|\r\n)$/)
  })

  test('any bytes in the folder are taken for what they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        writeFileSync(join(folder.path, '00000001_2018-01-15.csv'), bytes)
        const files = open()
        files.append(line(1), noon)
        files.close()
        expect(readFileSync(join(folder.path, names().at(-1) ?? ''), 'utf8').endsWith(line(1))).toBe(true)
        for (const n of names().slice(1)) writeFileSync(join(folder.path, n), '')
      }),
      { numRuns: 30 },
    )
  })
})

test('a configuration that does not fit is refused with its path', () => {
  expect(() => config({ columns: ['Topic'] })).toThrow(/columns/)
  expect(() => config({ folder: '../x' })).toThrow(/folder/)
})
