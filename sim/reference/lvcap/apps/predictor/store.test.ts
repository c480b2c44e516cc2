import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tempFolder } from '../../testing.ts'
import { importFiles, loadKept, readImport, rowsOf, saveKept } from './store.ts'

const start = 1_516_000_000 - (1_516_000_000 % 1800)
const now = start + 10 * 1800

describe('what is brought along', () => {
  const header = 'time,circuit,amps\n'
  const line = `${start},transformer,12.5\n`

  test('is read line by line', () => {
    expect(rowsOf(`${header}${line}${start},feeder,0\r\n`, 'a.csv', now)).toEqual([
      { circuit: 'transformer', start, amps: 12.5 },
      { circuit: 'feeder', start, amps: 0 },
    ])
  })

  test.each([
    ['no header', line, /line 1.*header/],
    ['another header', `time,amps\n${line}`, /line 1/],
    ['a line of another form', `${header}${line}hello\n`, /line 3: expected/],
    ['a load below zero', `${header}${start},feeder,-1\n`, /line 2/],
    ['a number as nobody writes one', `${header}${start},feeder,1e3\n`, /line 2/],
    ['no number', `${header}${start},feeder,NaN\n`, /line 2/],
    ['an unknown circuit', `${header}${start},feeders,1\n`, /no circuit 'feeders'/],
    ['a time within a half-hour', `${header}${start + 60},feeder,1\n`, /beginning of a half-hour/],
    ['a half-hour twice', `${header}${line}${line}`, /line 3.*twice/],
    ['a half-hour that is not over', `${header}${now},feeder,1\n`, /not over/],
    ['more than any circuit carries', `${header}${start},feeder,999999\n`, /more than any/],
    ['an empty line in the middle', `${header}\n${line}`, /line 2/],
  ])('with %s is refused as a whole, with its line', (_, text, why) => {
    expect(() => rowsOf(text, 'a.csv', now)).toThrow(why)
    expect(() => rowsOf(text, 'a.csv', now)).toThrow(/a\.csv.*nothing of the file is taken/)
  })

  test('whatever it is, is read or refused', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.constant(line.trim()))), (lines) => {
        try {
          rowsOf(`${header}${lines.join('\n')}`, 'a.csv', now)
        } catch (e) {
          expect(e).toMatchObject({ code: 'config' })
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('on the disk', () => {
  let temp: ReturnType<typeof tempFolder>
  let folder: string
  beforeEach(() => {
    temp = tempFolder()
    folder = join(temp.path, 'predictor')
  })
  afterEach(() => temp.remove())

  test('what was saved comes back, and nothing where nothing was', () => {
    expect(loadKept(folder)).toBeUndefined()
    const loads = { transformer: [[start, 1234.5, 1800] as const], feeder: [] }
    saveKept(folder, loads)
    expect(loadKept(folder)).toEqual(loads)
    saveKept(folder, { transformer: [], feeder: [] })
    expect(loadKept(folder)).toEqual({ transformer: [], feeder: [] })
  })

  test('a crash while it is being saved leaves the last one', () => {
    saveKept(folder, { transformer: [[start, 1, 1800]], feeder: [] })
    writeFileSync(join(folder, 'history.json.new'), '{"format":"load-hist')
    expect(loadKept(folder)?.transformer).toHaveLength(1)
  })

  test.each([
    '',
    '{',
    'null',
    '{"format":"load-history/2"}',
    '{"format":"load-history/1","circuits":{"transformer":[[1,2,3]],"feeder":[]}}',
  ])('what was never saved so lies aside: %s', (text) => {
    mkdirSync(folder)
    writeFileSync(join(folder, 'history.json'), text)
    expect(() => loadKept(folder)).toThrow(/damaged/)
    expect(readFileSync(join(folder, 'history.damaged.json'), 'utf8')).toBe(text)
    expect(loadKept(folder)).toBeUndefined()
  })

  test('a disk that takes nothing is told of', () => {
    writeFileSync(folder, 'a file where the folder should be')
    expect(() => saveKept(folder, { transformer: [], feeder: [] })).toThrow(/cannot be saved/)
    expect(existsSync(folder)).toBe(true)
  })

  test('files to import are those of their folder, in order, and too long ones are refused', () => {
    expect(importFiles(folder)).toEqual([])
    const imports = join(folder, 'import')
    mkdirSync(imports, { recursive: true })
    for (const name of ['b.csv', 'a.csv', 'notes.txt'])
      writeFileSync(join(imports, name), 'time,circuit,amps\n')
    expect(importFiles(folder)).toEqual(['a.csv', 'b.csv'])
    expect(readImport(folder, 'a.csv', now)).toEqual([])
    writeFileSync(join(imports, 'c.csv'), Buffer.alloc(17 * 2 ** 20, 'x'))
    expect(() => readImport(folder, 'c.csv', now)).toThrow(/longer than/)
  })
})
