import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { csvReader } from './csv.ts'

/** Records of a text that comes in pieces of so many bytes. */
function read(text: string | Uint8Array, piece = 7): { records: string[][]; bytes: number; rest: number } {
  const records: string[][] = []
  let bytes = 0
  const reader = csvReader((fields, n) => {
    records.push([...fields])
    bytes += n
  })
  const all = Buffer.from(text)
  for (let i = 0; i < all.length; i += piece) reader.take(all.subarray(i, i + piece))
  return { records, bytes, rest: reader.rest() }
}

/** As RFC 4180 has it, always quoted. */
const quoted = (fields: readonly string[]): string =>
  `${fields.map((f) => `"${f.replaceAll('"', '""')}"`).join(',')}\r\n`

describe('CSV as RFC 4180 has it', () => {
  test('takes the examples of the standard', () => {
    expect(read('aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n').records).toEqual([
      ['aaa', 'bbb', 'ccc'],
      ['zzz', 'yyy', 'xxx'],
    ])
    expect(read('"aaa","b\r\nbb","ccc"\r\nzzz,yyy,xxx\r\n').records[0]).toEqual(['aaa', 'b\r\nbb', 'ccc'])
    expect(read('"aaa","b""bb","ccc"\r\n').records).toEqual([['aaa', 'b"bb', 'ccc']])
  })

  test('takes bare line feeds and empty fields, skips empty lines, and tells what is torn', () => {
    expect(read('a,,\n\n"",x\n').records).toEqual([
      ['a', '', ''],
      ['', 'x'],
    ])
    expect(read('a,b\r\nc,"d')).toMatchObject({ records: [['a', 'b']], rest: 4 })
  })

  test('gives back any fields, in pieces of any size, and counts each byte', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 })),
        fc.integer({ min: 1, max: 50 }),
        (records, piece) => {
          const text = records.map(quoted).join('')
          const got = read(text, piece)
          expect(got.records).toEqual(records)
          expect(got).toMatchObject({ bytes: Buffer.byteLength(text), rest: 0 })
        },
      ),
    )
  })

  test('takes any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => void read(bytes)))
  })
})
