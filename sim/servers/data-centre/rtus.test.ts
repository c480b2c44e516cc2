import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { openRtus, unpack } from './rtus.ts'

const rows = [{ table: 'sensor_a_01', id: 1, timestamp: 1_500_000_000, subTopic: null, data: '{"Value":1}' }]
const packed = gzipSync(rows.map((r) => `${JSON.stringify(r)}\n`).join(''))
const sha256 = createHash('sha256').update(packed).digest('hex')

test('a batch is taken once, and is known by its name and by what it was packed in, over a restart too', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gridproof-rtus-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const b = { rtu: 'a', batch: '1', sha256 }
  const first = openRtus(folder)
  expect(first.has(b)).toBe(false)
  expect(first.take({ ...b, rows })).toBe(true)
  expect(first.take({ ...b, rows })).toBe(false)
  first.close()
  const second = openRtus(folder)
  onTestFinished(() => second.close())
  expect(second.has(b)).toBe(true)
  expect(second.has({ ...b, rtu: 'b' })).toBe(false)
  expect(second.has({ ...b, batch: '2' })).toBe(false)
  // Under the same name came something else: that is looked at.
  expect(second.has({ ...b, sha256: '0'.repeat(64) })).toBe(false)
  expect(second.rows('a')).toEqual(rows)
})

test('what is packed is unpacked where its digest is right, and each of its lines is a row', () => {
  expect(unpack(packed, sha256)).toEqual({ ok: true, rows })
  expect(unpack(packed, '0'.repeat(64))).toMatchObject({ ok: false, why: expect.stringContaining('SHA-256') })
  const bad = gzipSync('{"table":""}\n')
  expect(unpack(bad, createHash('sha256').update(bad).digest('hex'))).toEqual({
    ok: false,
    why: 'line 1 is no row',
  })
})
