import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { isGridproofError } from '../../drivers/errors.ts'
import type { GridproofError } from '../../drivers/errors.ts'
import type { Event } from '../faces.ts'
import { type Entry, type LogIo, logWriter, nodeLogIo } from './log.ts'
import { readLog } from './read.ts'
import { redactor } from './redact.ts'

const folder = mkdtempSync(join(tmpdir(), 'gridproof-log-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const fresh = (): string => join(folder, `${++files}.jsonl`)

const header: Entry = { at: 1, src: 'bench', kind: 'run', data: { format: 'gridproof-scenario/1' } }
const trailer: Entry = { at: 9, src: 'bench', kind: 'end', data: { outcome: 'finished' } }
const seen = (n: number): Entry => ({
  at: 1000 + n,
  src: 'marketplace',
  kind: 'seen',
  stamp: n * 1000,
  data: {
    alias: 'gridkey.busbar.l1n.voltage',
    payload: { Timestamp: n, Value: 230.5 + n, Valid: true, unit: '°C' },
  },
})

/** A memory disk that takes `room` bytes and then is full. */
function disk(
  room: number,
  atOnce = Number.POSITIVE_INFINITY,
): LogIo & { bytes(): Buffer; grow(n: number): void } {
  let content = Buffer.alloc(0)
  let left = room
  return {
    open: () => 3,
    reopen: () => 3,
    write(_fd, bytes, offset, length) {
      if (left === 0)
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
      const n = Math.min(length, left, atOnce)
      content = Buffer.concat([content, bytes.subarray(offset, offset + n)])
      left -= n
      return n
    },
    truncate(_fd, length) {
      content = content.subarray(0, length)
    },
    sync: () => undefined,
    close: () => undefined,
    bytes: () => content,
    grow: (n) => {
      left += n
    },
  }
}

function caught(f: () => unknown): GridproofError {
  try {
    f()
  } catch (e) {
    if (isGridproofError(e)) return e
    throw e
  }
  throw new Error('nothing was thrown')
}

describe('the evidence log', () => {
  it('gives back every event as it was, numbered by its line', () => {
    for (const buffer of [0, 300, 65_536]) {
      const file = fresh()
      const w = logWriter(file, { buffer })
      const entries = [header, ...Array.from({ length: 500 }, (_, i) => seen(i)), { ...trailer, cause: 7 }]
      const seqs = entries.map((e) => w.append(e))
      w.close()
      expect(seqs).toEqual(entries.map((_, i) => i + 1))
      const log = readLog(file)
      expect([...log]).toEqual(entries.map((e, i) => ({ seq: i + 1, ...e })))
      expect([log.torn, log.cutShort]).toEqual([undefined, false])
    }
  })

  it('has every event in the file before append returns, unless told to wait', () => {
    const file = fresh()
    const w = logWriter(file)
    for (let n = 0; n < 5; n++) {
      w.append(n === 0 ? header : seen(n))
      expect([...readLog(file)]).toHaveLength(n + 1)
    }
    w.close()
  })

  it('goes on where a killed bench had left it, without the line that was torn', () => {
    const file = fresh()
    const first = logWriter(file)
    first.append(header)
    first.append(seen(1))
    first[Symbol.dispose]()
    const bytes = statSync(file).size
    appendFileSync(file, '{"seq":3,"at":10')
    const next = logWriter(file, { after: { seq: 2, bytes } })
    expect(next.append(seen(2))).toBe(3)
    next.append(trailer)
    next.close()
    const log = readLog(file)
    expect([...log].map((e) => [e.seq, e.at])).toEqual([
      [1, 1],
      [2, 1001],
      [3, 1002],
      [4, 9],
    ])
    expect([log.torn, log.cutShort]).toEqual([undefined, false])
    expect(caught(() => logWriter(`${file}.no`, { after: { seq: 2, bytes } })).code).toBe('rig-broke')
  })

  it('never lets a step, fault, note or verdict wait in memory', () => {
    const file = fresh()
    const w = logWriter(file, { buffer: 65_536 })
    w.append(header)
    w.append(seen(1))
    expect([...readLog(file)]).toHaveLength(1)
    w.append({ at: 3, src: 'bench', kind: 'fault', data: { phase: 'on' } })
    expect([...readLog(file)]).toHaveLength(3)
    w.append(seen(2))
    w.flush()
    expect([...readLog(file)]).toHaveLength(4)
    w.close()
  })

  it('refuses to write over a log that is there', () => {
    const file = fresh()
    logWriter(file).close()
    expect(caught(() => logWriter(file)).code).toBe('rig-broke')
  })

  it('refuses an event without time or data', () => {
    const w = logWriter('x', { io: disk(1000) })
    expect(caught(() => w.append({ ...header, at: Number.NaN })).code).toBe('internal')
    const nothing = { ...header, data: undefined } as unknown as Entry
    expect(caught(() => w.append(nothing)).code).toBe('internal')
  })

  it('reports a full disk once and ends with a whole line, wherever the disk ends', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4000 }),
        fc.constantFrom(0, 400, 5000),
        fc.constantFrom(1, 7, 10_000),
        (room, buffer, atOnce) => {
          const io = disk(room, atOnce)
          const told: string[] = []
          const w = logWriter('full', { io, buffer, onTrouble: (e) => told.push(e.code) })
          w.append(header)
          for (let n = 0; n < 40; n++) w.append(seen(n))
          expect(w.seq).toBe(41)
          const error = caught(() => w.close())
          expect(error.message).toContain('ENOSPC')
          expect(told).toEqual(['rig-broke'])
          const lines = io.bytes().toString('utf8')
          expect(lines === '' || lines.endsWith('\n')).toBe(true)
          const events = lines.split('\n').slice(0, -1)
          events.forEach((l, i) => expect((JSON.parse(l) as Event).seq).toBe(i + 1))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('writes nothing more once the disk was full, so that no event is missing in between', () => {
    const io = disk(300)
    const w = logWriter('full', { io })
    w.append(header)
    w.append(seen(1))
    w.append(seen(2))
    const before = io.bytes().length
    io.grow(10_000)
    w.append(seen(3))
    expect(io.bytes()).toHaveLength(before)
    expect(w.trouble?.code).toBe('rig-broke')
    w[Symbol.dispose]()
  })

  it('takes secrets out before they reach the file', () => {
    const file = fresh()
    const r = redactor()
    r.add('meter number', '2000024512368')
    const w = logWriter(file, { redactor: r })
    w.append({
      ...header,
      data: { format: 'gridproof-scenario/1', password: 'p4ss', note: 'meter 2000024512368!' },
    })
    w.close()
    const text = readFileSync(file, 'utf8')
    expect(text).not.toContain('2000024512368')
    expect(text).not.toContain('p4ss')
    expect(text).toContain('[redacted meter number]')
  })
})

describe('a writer that is killed', () => {
  const program = `
    const { logWriter } = await import(${JSON.stringify(new URL('./log.ts', import.meta.url).href)})
    const w = logWriter(process.argv[1], { buffer: Number(process.argv[2]) })
    w.append({ at: 1, src: 'bench', kind: 'run', data: { format: 'gridproof-scenario/1' } })
    for (let n = 0; ; n++)
      w.append({ at: n, src: 'marketplace', kind: 'seen', data: { alias: 'x', payload: { n, text: '€'.repeat(n % 300) } } })
  `
  for (const [buffer, bytes] of [
    [0, 5000],
    [0, 300_000],
    [4096, 20_000],
    [65_536, 700_000],
  ] as const)
    it(`leaves a readable log (buffer ${buffer}, killed after ${bytes} bytes)`, async () => {
      const file = fresh()
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, file, String(buffer)], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      const size = (): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0
      while (size() < bytes && child.exitCode === null) await new Promise((go) => setImmediate(go))
      child.kill('SIGKILL')
      await once(child, 'exit')
      const log = readLog(file)
      let events = 0
      for (const e of log) {
        events++
        expect(e.seq).toBe(events)
      }
      expect(events).toBeGreaterThan(1)
      expect(log.cutShort).toBe(true)
    })

  it('may be cut at any byte: what is whole is read, the torn line is told', () => {
    const file = fresh()
    const w = logWriter(file)
    w.append(header)
    for (let n = 0; n < 4; n++) w.append(seen(n))
    w.append(trailer)
    w.close()
    const bytes = readFileSync(file)
    const cut = fresh()
    for (let n = 0; n <= bytes.length; n++) {
      writeFileSync(cut, bytes.subarray(0, n))
      const log = readLog(cut)
      const events = [...log].length
      const whole = bytes.subarray(0, n).filter((b) => b === 10).length
      const atEnd = n > 0 && bytes[n - 1] === 10
      // A last line that lacks nothing but its line feed is whole.
      const complete = !atEnd && n < bytes.length && bytes[n] === 10
      expect(events).toBe(whole + (complete ? 1 : 0))
      expect(log.torn !== undefined).toBe(n > 0 && !atEnd && !complete)
      expect(log.cutShort).toBe(events < 6)
    }
  })

  it('may leave a tail of zeros where its power was cut', () => {
    const file = fresh()
    const w = logWriter(file)
    w.append(header)
    w.close()
    appendFileSync(file, Buffer.alloc(4096))
    const log = readLog(file)
    expect([...log]).toHaveLength(1)
    expect(log.torn?.line).toBe(2)
  })
})

describe('the reader', () => {
  const good = (n: number): string => JSON.stringify({ seq: n, at: n, src: 'a', kind: 'note', data: {} })
  const first = JSON.stringify({ seq: 1, ...header })
  const file = fresh()
  const reading = (text: string | Uint8Array): GridproofError => {
    writeFileSync(file, text)
    return caught(() => [...readLog(file)])
  }

  for (const [what, text, line] of [
    ['a line that is no JSON', `${first}\n{"seq":2\n${good(3)}\n`, 2],
    ['a line that is no object', `${first}\n[]\n`, 2],
    ['an empty line', `${first}\n\n${good(3)}\n`, 2],
    ['an unknown kind', `${first}\n{"seq":2,"at":1,"src":"a","kind":"gossip","data":1}\n`, 2],
    ['a missing time', `${first}\n{"seq":2,"src":"a","kind":"note","data":1}\n`, 2],
    ['missing data', `${first}\n{"seq":2,"at":1,"src":"a","kind":"note"}\n`, 2],
    ['a line that was taken out', `${first}\n${good(2)}\n${good(4)}\n`, 3],
    ['a line that is there twice', `${first}\n${good(2)}\n${good(2)}\n`, 3],
    ['no header', `${good(1)}\n`, 1],
    [
      'an unknown format',
      `{"seq":1,"at":1,"src":"bench","kind":"run","data":{"format":"gridproof-run/9"}}\n`,
      1,
    ],
    ['something after the trailer', `${first}\n${JSON.stringify({ seq: 2, ...trailer })}\n${good(3)}\n`, 3],
  ] as const)
    it(`refuses ${what}, with file and line`, () => {
      const e = reading(text)
      expect(e.code).toBe('bad-log')
      expect(e.place).toMatchObject({ file, line })
    })

  it('says on which line bytes are no UTF-8', () => {
    const bytes = Buffer.from(`${first}\n${good(2)}\nx\n${good(4)}\n`)
    bytes[bytes.indexOf('x\n')] = 0xff
    expect(reading(bytes).place).toMatchObject({ line: 3 })
  })

  it('takes an empty file for a log that was cut short before its header', () => {
    writeFileSync(file, '')
    const log = readLog(file)
    expect([...log]).toEqual([])
    expect(log.cutShort).toBe(true)
  })

  it('says bad-log for a file that is not there', () => {
    expect(caught(() => [...readLog(join(folder, 'nothing'))]).code).toBe('bad-log')
  })

  it('reads lines across the edges of its buffer', () => {
    const long = fresh()
    const w = logWriter(long)
    w.append(header)
    const sizes = [1_048_000, 3_000_000, 10, 1_048_576]
    for (const n of sizes) w.append({ at: 2, src: 'a', kind: 'note', data: `€${'x'.repeat(n)}` })
    w.append(trailer)
    w.close()
    const events = [...readLog(long)]
    expect(events.slice(1, -1).map((e) => (e.data as string).length)).toEqual(sizes.map((n) => n + 1))
  })

  it('ends garbage of any kind with events or bad-log, never otherwise', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        first,
        good(2),
        good(3),
        '\n',
        '{',
        '}',
        '"',
        'null',
        '\u0000',
        '\r\n',
        JSON.stringify({ seq: 2, ...trailer }),
      ),
      fc.json(),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 400 }),
          fc.array(piece, { maxLength: 12 }).map((p) => Buffer.from(p.join('\n'))),
        ),
        (bytes) => {
          writeFileSync(file, bytes)
          try {
            for (const e of readLog(file)) expect(typeof e.seq).toBe('number')
          } catch (e) {
            expect(isGridproofError(e, 'bad-log')).toBe(true)
          }
        },
      ),
      { numRuns: 400 },
    )
  })
})

describe('what the log takes from the file system', () => {
  it('is taken when the log is opened, so that later patches do not reach it', () => {
    const io = nodeLogIo()
    expect(Object.keys(io).sort()).toEqual(['close', 'open', 'reopen', 'sync', 'truncate', 'write'])
  })
})
