import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { inflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumAt } from '../../reports/acceptance/pdf.ts'
import type { Acceptance } from '../acceptance/faces.ts'
import { filesBelow } from '../acceptance/digest.ts'
import { here, place, projectWith, scenarioText } from './testing.ts'
import type { Ended, Place } from './testing.ts'

const chromium = chromiumAt(process.env)
if (chromium === undefined) process.stderr.write('no acceptance is printed as PDF: there is no Chromium\n')

/** What must not be found again. Each is made up. */
const pem = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()
const body = pem.split('\n').filter((l) => l !== '' && !l.startsWith('-'))
const secrets = { meter: '1012345678901', password: 'Tr0mbone in B flat' } as const
const told = { mpan: '2000055555555', unlisted: 'password under its name' } as const
const hex = (text: string): string => Buffer.from(text).toString('hex')
const canaries = [
  ...body,
  body.join(''),
  ...Object.values(secrets).flatMap((s) => [s, hex(s), Buffer.from(s).toString('base64')]),
  ...Object.values(told),
]

/** A scenario that has the platform see and say all of it, in every way there is. */
const spill = (met: boolean): string =>
  scenarioText({
    title: "'A platform says what it should keep for itself'",
    needs: "['platform', 'storage']",
    horizon: "'8 s'",
    run: `
    const secrets = ${JSON.stringify({ pem, body, ...secrets, hex: hex(secrets.meter), n: Number(secrets.meter) })}
    check(never(storage.sent, () => ${!met}, {
      id: 'kept', limit: 'nothing of ' + secrets.meter + ' is sent', verifies: ['M:0024/one-hour'],
    }))
    await storage.publish({
      subTopic: 'meter-' + secrets.meter, kept: true,
      messages: [secrets, { deep: [{ text: 'is ' + secrets.password + ', or ' + secrets.body.join('') }] },
        'no JSON ' + secrets.pem, { mpan: '${told.mpan}', Password: '${told.unlisted}' }],
    })
    await time.pass(time.horizon)`,
  }).replace('async run({ time, check })', 'async run({ time, check, storage })')

let p: Place
let project = ''
const gridproof = (...args: string[]): Promise<Ended> => p.run(args, { project })
const ran: string[] = []

/** Runs the scenario; its folder. */
async function run(met: boolean): Promise<string> {
  writeFileSync(join(project, 'scenarios/canary/spill.ts'), spill(met))
  const { code, err } = await gridproof('run', 'canary', '--rig', join(p.path, 'canaries.yaml'))
  expect(code, err).toBe(met ? 0 : 1)
  const folder = realpathSync(join(p.path, 'runs/latest'))
  ran.push(basename(folder))
  return folder
}

beforeAll(async () => {
  p = place()
  project = projectWith(p.path, { 'canary/spill': spill(true) })
  const virtual = readFileSync(join(here, 'fixtures/rigs/virtual.yaml'), 'utf8')
  p.write('canaries.yaml', virtual.replace(/^name: .*$/m, 'name: canaries\nsecrets: hidden.yaml'))
  p.write('hidden.yaml', JSON.stringify({ ...secrets, pem }))
  p.write('photo.jpg', 'a photo')
  await run(true)
  await run(false)
}, 180_000)
afterAll(() => {
  const left = p.left()
  p[Symbol.dispose]()
  expect(left).toEqual([])
})

/** Every text of a file: of a PDF also what its streams hold. */
function textsOf(file: string): readonly string[] {
  const bytes = readFileSync(file)
  const raw = bytes.toString('latin1')
  if (!file.endsWith('.pdf')) return [raw]
  const streams = [...raw.matchAll(/stream\r?\n/g)].flatMap((m) => {
    try {
      return [inflateSync(bytes.subarray(m.index + m[0].length)).toString('latin1')]
    } catch {
      return []
    }
  })
  // Text strings of a PDF may stand in UTF-16.
  return [raw, ...streams].flatMap((t) => [t, t.replaceAll('\u0000', '')])
}

function found(folder: string): readonly string[] {
  return filesBelow(folder).files.flatMap((f) =>
    textsOf(join(folder, f)).flatMap((t) => canaries.filter((c) => t.includes(c)).map((c) => `${f}: ${c}`)),
  )
}

test('secrets that the platform spills stand in no file of the run', () => {
  for (const id of ran) {
    const folder = join(p.path, 'runs', id)
    expect(found(folder)).toEqual([])
    // They were there: their places are marked.
    const log = readFileSync(join(folder, 'data/canary.spill.jsonl'), 'utf8')
    for (const label of ['[redacted meter]', '[redacted password]', '[redacted key]', '"mpan":"[redacted]"'])
      expect(log).toContain(label)
  }
  const page = join(p.path, 'runs', ran[1] ?? '', 'data/canary.spill.html')
  expect(readFileSync(page, 'utf8')).toContain('nothing of [redacted meter] is sent')
})

test('a rig whose file of secrets is missing or none is refused, and no run is kept', async () => {
  const before = readdirSync(join(p.path, 'runs'))
  for (const [name, text] of [
    ['none', undefined],
    ['short', 'pin: 123\n'],
  ] as const) {
    if (text !== undefined) p.write(`${name}-secrets.yaml`, text)
    const rig = readFileSync(join(p.path, 'canaries.yaml'), 'utf8')
    p.write(
      `${name}.yaml`,
      rig.replace('name: canaries', `name: ${name}`).replace('hidden.yaml', `${name}-secrets.yaml`),
    )
    const { code, err } = await gridproof('run', 'canary', '--rig', join(p.path, `${name}.yaml`))
    expect(err).toContain(`${name}-secrets.yaml`)
    expect(code).toBe(2)
  }
  expect(readdirSync(join(p.path, 'runs'))).toEqual(before)
})

/** The example in a command's help, as a shell would split it. */
async function example(command: string): Promise<readonly string[]> {
  const { out } = await gridproof(command, '--help')
  const line = /Example:\n {2}gridproof (.*)/.exec(out)?.[1] ?? ''
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map((m) => m[1] ?? m[2] ?? '')
}

describe('from the example of each command', () => {
  test('a key, a record, a signed acceptance that verifies, until a byte is another', async () => {
    for (const command of ['keygen', 'record', 'accept', 'verify'] as const) {
      const { code, out, err } = await gridproof(...(await example(command)))
      // The newest run has failed, the older one is outdated: the scenario has changed.
      expect(code, `${command}: ${out}${err}`).toBe(command === 'accept' ? 1 : 0)
      if (command === 'accept')
        expect(out).toMatch(chromium === undefined ? /No PDF: there is no/ : /^PDF: /m)
    }
    const folder = join(p.path, 'acceptance')
    expect(statSync(join(p.path, 'operator.pem')).mode & 0o777).toBe(0o600)
    expect(existsSync(join(folder, 'acceptance.pdf'))).toBe(chromium !== undefined)
    expect(found(folder)).toEqual([])
    const acceptance = JSON.parse(readFileSync(join(folder, 'acceptance.json'), 'utf8')) as Acceptance
    const stateOf = (id: string): string | undefined =>
      acceptance.requirements.find((r) => r.id === id)?.state
    expect([stateOf('M:005'), stateOf('M:0024')]).toEqual(['pass', 'fail'])

    const log = join(folder, 'runs', ran[1] ?? '', 'data/canary.spill.jsonl')
    const bytes = readFileSync(log)
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(log, bytes)
    const { code, out } = await gridproof('verify', 'acceptance')
    expect(code).toBe(1)
    expect(out).toContain(`changed: runs/${ran[1]}/data/canary.spill.jsonl`)
  }, 180_000)

  test('two runs compare: the way of the change, its figures, and the exit code', async () => {
    const words = await example('compare')
    expect(words.slice(0, 1)).toEqual(['compare'])
    const [a, b] = ran.map((r) => join('runs', r))
    const worse = await gridproof('compare', a ?? '', b ?? '')
    expect(worse.code, worse.out).toBe(1)
    expect(worse.out).toContain('scenario canary/spill: one revision → another')
    expect(worse.out).toMatch(/↓ canary\/spill kept \(M:0024\/one-hour\): pass → fail/)
    expect((await gridproof('compare', b ?? '', a ?? '')).code).toBe(0)
    expect((await gridproof('compare', b ?? '', words[2] ?? '')).out).toContain('No verdict differs.')
  })
})

test('an acceptance of an older revision says so, and leaves nothing where it fails', async () => {
  const older = join('runs', ran[0] ?? '')
  const { code, out } = await gridproof('accept', older, '--out', 'older', '--no-pdf')
  expect(code, out).toBe(3)
  expect(out).toMatch(/outdated: M:0024 .*the scenario has changed since/)
  const whole = await gridproof('verify', 'older')
  expect([whole.code, whole.out]).toEqual([3, expect.stringContaining('not signed')])

  for (const [args, why] of [
    [['accept', older, '--out', 'older'], /something is in it already/],
    [['accept', 'state', '--out', 'new'], /is no run and no record/],
    [['accept', older, '--out', join(older, 'inside')], /lies within the evidence/],
    [['compare', older, 'state'], /no folder of a run/],
  ] as const) {
    const refused = await gridproof(...args)
    expect(refused.err).toMatch(why)
    expect(refused.code, args.join(' ')).toBe(2)
  }
  expect(existsSync(join(p.path, 'new'))).toBe(false)
}, 120_000)

test('a private key anywhere in what is handed in is refused by its name', async () => {
  p.write('keyed/record.json', '{}')
  p.write('keyed/attachments/a.txt', `notes\n${pem}`)
  const { code, err } = await gridproof('accept', 'keyed', '--out', 'new')
  expect([code, err]).toEqual([
    2,
    expect.stringContaining('records/keyed/attachments/a.txt holds a private key'),
  ])
  expect(existsSync(join(p.path, 'new'))).toBe(false)
})
