/** Files that users bring: rigs, personalities, profiles, requirements, load series, logs. Read as the bench reads them. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAlvin } from '../../../sim/devices/alvin/device.ts'
import { alvinSchema } from '../../../sim/devices/alvin/personality.ts'
import { gridkeySchema } from '../../../sim/devices/gridkey/personality.ts'
import { readPersonality } from '../../../sim/devices/personality.ts'
import { profile } from '../../../sim/devices/profile.ts'
import { meterSchema } from '../../../sim/devices/meter/personality.ts'
import { adamSchema, tc8Schema } from '../../../sim/devices/thermocouple/personality.ts'
import { createGridKey } from '../../../sim/devices/gridkey/device.ts'
import { createThermocouple } from '../../../sim/devices/thermocouple/device.ts'
import { readLog } from '../../evidence/read.ts'
import { readCapture } from '../../main/listen/capture.ts'
import { readKeys } from '../../main/listen/keys.ts'
import { loadCatalogue } from '../../requirements/load.ts'
import { readRig } from '../../rigs/schema.ts'
import { recordFold } from '../../verdicts/record.ts'
import { bytesOf, parser } from '../target.ts'
import type { Target } from '../target.ts'
import { refusal } from './text.ts'

const fixtures = join(import.meta.dirname, '../../../fixtures')

function shipped(kind: string, most = 20_000): Uint8Array[] {
  const folder = join(fixtures, kind)
  return readdirSync(folder)
    .filter((f) => f.endsWith('.yaml'))
    .map((f) => readFileSync(join(folder, f)).subarray(0, most))
}

/** A reader of a file of this name. */
function fileTarget(
  o: Pick<Target, 'name' | 'weight' | 'examples' | 'words'> & {
    readonly file: string
    read(file: string, folder: string): unknown
  },
): Target {
  return {
    name: o.name,
    weight: o.weight,
    examples: () => o.examples(),
    ...(o.words === undefined ? {} : { words: o.words }),
    open(folder) {
      mkdirSync(folder, { recursive: true })
      const file = join(folder, o.file)
      return parser((input) => {
        writeFileSync(file, input)
        return o.read(file, folder)
      }, refusal)
    },
  }
}

const header =
  '{"seq":1,"at":1510000000000,"src":"bench","kind":"run","data":{"format":"gridproof-scenario/1"}}'
const log = [
  header,
  '{"seq":2,"at":1510000000001,"src":"gridkey","kind":"said","data":{"answers":{"busbar.frequency [Hz]":[50,50.01]},"asked":{"function":4}}}',
  '{"seq":3,"at":1510000000002,"src":"marketplace","kind":"seen","stamp":1510000000000,"cause":2,"data":{"alias":"gridkey.busbar.frequency","payload":{"Value":50}}}',
  '{"seq":4,"at":1510000000003,"src":"bench","kind":"check","data":{"phase":"declared","id":"spacing","verifies":["M:0023"],"limit":"60 s"}}',
  '{"seq":5,"at":1510000000004,"src":"bench","kind":"end","data":{"outcome":"finished","wallMs":1}}',
]

export const fileTargets: readonly Target[] = [
  fileTarget({
    name: 'rig-files',
    weight: 1.5,
    examples: () => shipped('rigs'),
    words: ['device: ', 'options: {', 'platform:', 'kind: lab', 'at: 999'],
    file: 'local.yaml',
    read: readRig,
  }),
  fileTarget({
    name: 'personalities',
    weight: 1.5,
    examples: () => shipped('personalities'),
    words: ['registers:', 'baud_rate: 0', 'origin: ours'],
    file: 'p.yaml',
    read(file) {
      // As every kind, and what the device makes of one that fits.
      for (const make of [
        () => createGridKey(readPersonality(file, gridkeySchema)),
        () => createThermocouple(readPersonality(file, tc8Schema)),
        () => readPersonality(file, adamSchema),
        () => readPersonality(file, meterSchema),
        () => createAlvin(readPersonality(file, alvinSchema)),
      ])
        try {
          make()
        } catch (e) {
          if (!refusal(e)) throw e
        }
    },
  }),
  fileTarget({
    name: 'load-profiles',
    weight: 2,
    examples: () => shipped('profiles'),
    words: ['shape:', 'bumps:', "at: '24:00'"],
    file: 'p.yaml',
    read: (file) => profile({ profile: file }, 1).amps(1_510_000_000_000),
  }),
  fileTarget({
    name: 'load-series',
    weight: 6,
    examples: () => [
      bytesOf('time,a,b\n2018-01-15 00:00:00,1,2\n2018-01-15 00:30:00,3,4\n2018-01-15 01:00,5,6\n'),
      bytesOf('time,a\r\n2018-01-15T00:00:00,1.5\r\n2018-01-15T00:30:00,-2e3\r\n'),
    ],
    words: ['2018-01-15 01:30:00,', '\n2018-02-30 00:00:00,1'],
    file: 'p.csv',
    read: (file) =>
      profile({ csv: file, column: 'a', scale: 1, from: '2018-01-15' }, 1, 0).amps(1_510_000_000_000),
  }),
  fileTarget({
    name: 'captures-and-keys',
    weight: 3,
    examples: () => [
      bytesOf(
        '{"format":"gridproof-capture/1","begun":"2026-01-15T09:00:00.000Z","from":"x","line":null}\n{"at":1,"hex":"7ea0"}\n',
      ),
      bytesOf(
        '# ours\n4b464d6750000001 00112233445566778899aabbccddeeff\necb 00112233445566778899aabbccddeeff\n',
      ),
    ],
    words: [
      '"line":{"baudRate":2400,"dataBits":8,"parity":"even","stopBits":1}',
      '{"at":2,"hex":"00"}\n',
      'any ',
    ],
    file: 'a.capture',
    read(file) {
      for (const read of [readCapture, readKeys])
        try {
          read(file)
        } catch (e) {
          if (!refusal(e)) throw e
        }
    },
  }),
  fileTarget({
    name: 'requirement-files',
    weight: 1,
    examples: () => shipped('requirements', 2000),
    words: ['clauses:', 'method: test', 'id: ', 'subject: platform'],
    file: 'r.yaml',
    read: (_, folder) => loadCatalogue(folder),
  }),
  fileTarget({
    name: 'evidence-logs',
    weight: 8,
    examples: () => [bytesOf(`${log.join('\n')}\n`), bytesOf(`${log.slice(0, 3).join('\n')}\n{"seq":4,"a`)],
    words: [...log, '"seq":', '"kind":"end"', '"data":null'],
    file: 'l.jsonl',
    read(file) {
      const fold = recordFold()
      for (const e of readLog(file)) fold.see(e)
      return fold.record()
    },
  }),
]
