/**
 * Every example in every help text is executed: read out of the help, so that a new command is covered when it comes. They
 * run in a project of small scenarios, in a folder with the things that examples name; one that needs what another makes
 * (a run, a key, a record) waits for it.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Conn } from '../../drivers/faces.ts'
import { putCrcX25 } from '../../drivers/protocols/hdlc/crc.ts'
import { openPty, ptyProvider } from '../../drivers/real/pty.ts'
import { place, projectWith, scenarioText } from './testing.ts'
import type { Ended, Place } from './testing.ts'

let p: Place
let project = ''
const stack = new AsyncDisposableStack()
beforeAll(() => {
  p = place()
  const demonstration = 'demonstrations/mqtt-js-drops-publishes'
  project = projectWith(p.path, {
    'capture/every-minute': scenarioText({ horizon: "'1 s'" }),
    [demonstration]: readFileSync(join(import.meta.dirname, `../../scenarios/${demonstration}.ts`), 'utf8'),
  })
})
afterAll(async () => {
  await stack.disposeAsync()
  p[Symbol.dispose]()
})

const run = (args: readonly string[]): Promise<Ended> => p.run(args, { project, cwd: project })

/** Help of the program and of every command below it. */
async function helps(above: readonly string[]): Promise<readonly { of: string; text: string }[]> {
  const { code, out } = await run([...above, '--help'])
  expect(code, `${above.join(' ')} --help`).toBe(0)
  const list = /^Commands:\n((?: {2,}.*\n)+)/m.exec(out)?.[1] ?? ''
  const names = [...list.matchAll(/^ {2}([a-z][\w-]*)/gm)].map((m) => m[1] ?? '').filter((n) => n !== 'help')
  const below = await Promise.all(names.map((n) => helps([...above, n])))
  return [{ of: ['gridproof', ...above].join(' '), text: out }, ...below.flat()]
}

/** The examples of a help text, without what is said beside them. */
function examplesIn(text: string): readonly string[] {
  const part = /^Examples?:\n((?: {2}.*\n?)+)/m.exec(text)?.[1] ?? ''
  return part
    .split('\n')
    .map((line) => line.trim().replace(/ {2,}.*$/, ''))
    .filter((line) => line !== '')
}

/** Words as a shell makes them of a line with quotes. */
function wordsOf(line: string): string[] {
  return (line.match(/(?:[^\s']|'[^']*')+/g) ?? []).map((w) => w.replaceAll("'", ''))
}

/** Two pseudo terminals wired to each other, in place of the ports that examples name. */
async function wiredPorts(): Promise<readonly string[]> {
  const settings = { baudRate: 1_000_000, dataBits: 8, parity: 'none', stopBits: 1 } as const
  const ends: Conn[] = []
  const paths: string[] = []
  for (const name of ['first', 'second']) {
    const line = stack.use(await openPty({ name, settings }))
    stack.use(await line.wire.open((c) => ends.push(c)))
    paths.push(line.path)
  }
  const [a, b] = ends
  a?.onBytes((bytes) => void b?.send(bytes))
  b?.onBytes((bytes) => void a?.send(bytes))
  return paths
}

/** Things that examples name, and no command makes by its own example. */
async function props(lines: readonly string[]): Promise<void> {
  for (const line of lines)
    for (const word of wordsOf(line)) {
      if (/\.(?:jpg|png|pdf)$/.test(word)) writeFileSync(join(project, word), 'a picture')
      if (word === 'meter.capture') writeFileSync(join(project, word), captureText())
      // Shards of one run: `shard-1/latest`.
      const shard = /^(shard-(\d))\/latest$/.exec(word)
      if (shard !== null && !existsSync(join(project, word)))
        await run(['run', '--seeds', '2', '--shard', `${shard[2]}/2`, '--out', shard[1] ?? ''])
    }
}

/** A List 1 of a Kaifa (drivers/protocols/han/han.test.ts has its origin), twice. */
function captureText(): string {
  const hex = '7ea027010201105a87e6e7000f40000000090c07e1090c0212152aff8000000201060000052800007e'
  const b = Buffer.from(hex, 'hex')
  putCrcX25(b, 1, b.length - 3)
  const line = { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 }
  return [
    { format: 'gridproof-capture/1', begun: '2026-01-15T09:00:00.000Z', from: '/dev/ttyUSB0', line },
    ...[0, 2000].map((at) => ({ at: 1_768_467_600_000 + at, hex: b.toString('hex') })),
  ]
    .map((o) => `${JSON.stringify(o)}\n`)
    .join('')
}

/** A run of long ago, `runs/2026-...`, is a copy of the newest. */
function olderRuns(line: string): void {
  for (const word of wordsOf(line)) {
    const to = join(project, word)
    const latest = join(project, 'runs/latest')
    if (/^runs\/\d{4}-/.test(word) && !existsSync(to) && existsSync(latest)) {
      mkdirSync(join(project, 'runs'), { recursive: true })
      cpSync(realpathSync(latest), to, { recursive: true })
      // Only a run without its end is resumed.
      const log = join(to, 'log.jsonl')
      if (line.includes('--resume')) writeFileSync(log, readFileSync(log, 'utf8').replace(/.*\n$/, ''))
    }
  }
}

const pty = ptyProvider()
const lacks = 'lacks' in pty ? pty.lacks : undefined

/** What an example may end with beside 0: these scenarios judge next to nothing, and no defect trips a check of theirs. */
const alsoFine: Readonly<Record<string, readonly number[]>> = {
  prove: [1],
  compare: [1],
  accept: [1, 3],
  merge: [1, 3],
  run: [3],
  // It takes root, loop devices and FUSE.
  explore: [4],
  // Nothing talks at the other end of the port.
  listen: [3],
}

test.skipIf(lacks !== undefined)(
  `every help text has examples, and each of them can be executed as it stands${lacks === undefined ? '' : ` (skipped: ${lacks})`}`,
  async () => {
    const all = await helps([])
    expect(all.length).toBeGreaterThan(10)
    expect(all.filter((h) => examplesIn(h.text).length === 0).map((h) => h.of)).toEqual([])
    for (const h of all)
      for (const line of examplesIn(h.text)) expect(line, `an example of ${h.of}`).toMatch(/^gridproof /)

    const lines = [...new Set(all.flatMap((h) => examplesIn(h.text)))]
    await props(lines)
    const ports = await wiredPorts()
    const perform = (line: string): Promise<Ended> => {
      olderRuns(line)
      const words = wordsOf(line).slice(1)
      const dry = words.includes('--dry-run')
      return run(
        words.map((w) => (dry ? w : w.replace(/^\/dev\/ttyUSB(\d)$/, (_, n) => ports[Number(n)] ?? ''))),
      )
    }
    let waiting: readonly string[] = lines
    const refused = new Map<string, string>()
    while (waiting.length > 0) {
      const left: string[] = []
      for (const line of waiting) {
        const e = await perform(line)
        const fine = [0, ...(alsoFine[wordsOf(line)[1] ?? ''] ?? [])]
        if (fine.includes(Number(e.code))) continue
        left.push(line)
        refused.set(line, `${line} ended with ${e.code}: ${e.err}${e.out}`.slice(0, 2000))
      }
      if (left.length === waiting.length) throw new Error(left.map((l) => refused.get(l)).join('\n\n'))
      waiting = left
    }
    expect(p.left()).toEqual([])
    // What a run without its own --out leaves stands in the project's folder.
    expect(readFileSync(join(project, 'runs/latest/requirements.json'), 'utf8')).toContain('requirements')
  },
  // Some twenty commands, one after the other.
  300_000,
)
