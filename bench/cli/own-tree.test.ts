/** docs/first-scenario.md, executed: a tree of a user outside the project, and a platform that is none of ours, in Python. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { here, logsOf, place } from './testing.ts'
import type { Ended, Place } from './testing.ts'

const page = readFileSync(join(here, 'docs/first-scenario.md'), 'utf8')
const platform = join(here, 'docs/first-scenario/platform.py')
const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0
if (!python)
  process.stderr.write('skipped: the platform of docs/first-scenario.md needs python3, 3.8 or later\n')

/** Each block that has the name of a file above it. */
const files = [...page.matchAll(/^`([\w/.-]+)`:\n\n```\w+\n([\s\S]*?)```/gm)].map(
  (m) => [m[1] ?? '', m[2] ?? ''] as const,
)
/** The changed lines of the personality. */
const changes = [
  ...(/Here two places:\n\n```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '').matchAll(/^(\w+): (\d+)$/gm),
]
/** The commands, as words without `gridproof`. */
const commands = [...page.matchAll(/^gridproof (.*)$/gm)].map((m) => (m[1] ?? '').split(' '))

interface Tree extends Place {
  readonly modbus: string
  readonly mqtt: string
  gridproof(words: readonly string[]): Promise<Ended>
}

/** Of a test's own: tests go side by side. */
type Finished = (undo: () => void) => void

/** Makes the tree as the page says, at ports that are free. */
async function tree(onTestFinished: Finished): Promise<Tree> {
  const p = place()
  onTestFinished(() => p[Symbol.dispose]())
  const [a, b] = [await freePort(), await freePort()]
  for (const [name, text] of files)
    p.write(join('mine', name), text.replace('15020', String(a)).replace('18830', String(b)))
  let meter = readFileSync(join(here, 'fixtures/personalities/gridkey-standin.yaml'), 'utf8')
  for (const [, key, value] of changes)
    meter = meter.replace(new RegExp(`\\b${key}: \\d+`), `${key}: ${value}`)
  p.write('mine/personalities/table-meter.yaml', meter)
  return {
    ...p,
    modbus: `127.0.0.1:${a}`,
    mqtt: `127.0.0.1:${b}`,
    gridproof: (words) => p.run(words, { cwd: join(p.path, 'mine') }),
  }
}

async function freePort(): Promise<number> {
  const s = createServer()
  s.listen(0, '127.0.0.1')
  await once(s, 'listening')
  const { port } = s.address() as AddressInfo
  s.close()
  await once(s, 'close')
  return port
}

/** Starts the platform, which is none of the bench's; resolves when it listens. */
async function start(t: Tree, manner: string, onTestFinished: Finished): Promise<void> {
  const child = spawn('python3', [platform, t.modbus, t.mqtt, manner], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
}

interface ClauseWord {
  readonly ref: string
  readonly state: string
  readonly why?: string
}

function clausesOf(t: Tree): Readonly<Record<string, ClauseWord>> {
  const file = join(t.path, 'mine/runs/latest/requirements.json')
  const { requirements } = JSON.parse(readFileSync(file, 'utf8')) as {
    requirements: readonly { id: string; clauses: readonly ClauseWord[] }[]
  }
  expect(requirements.map((r) => r.id)).toEqual(['TABLE-1'])
  return Object.fromEntries((requirements[0]?.clauses ?? []).map((c) => [c.ref, c]))
}

const [dry = [], run = []] = commands

describe('the tree of docs/first-scenario.md', () => {
  test('is all on the page', () => {
    expect(files.map(([name]) => name)).toEqual([
      'requirements/table.yaml',
      'rigs/table.yaml',
      'scenarios/table/voltage.ts',
    ])
    expect(changes.length).toBe(2)
    expect(dry).toEqual(expect.arrayContaining(['run', '--dry-run']))
    expect(run).toEqual(expect.arrayContaining(['run', '--operator', '--site']))
  })

  test('fits its types with the tsconfig.json of the page', async ({ onTestFinished }) => {
    const t = await tree(onTestFinished)
    const config = /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
    t.write('mine/tsconfig.json', config.replace('/path/to/gridproof', here))
    const tsc = join(here, 'node_modules/typescript/bin/tsc')
    const types = spawnSync(
      process.execPath,
      [tsc, '-p', join(t.path, 'mine'), '--typeRoots', join(here, 'node_modules/@types'), '--types', 'node'],
      { encoding: 'utf8' },
    )
    expect(types.stdout).toBe('')
  })

  test('is shown by a dry run, which touches nothing', async ({ onTestFinished }) => {
    const t = await tree(onTestFinished)
    const { code, out, err } = await t.gridproof(dry)
    expect(err).toBe('')
    expect(out).toContain('Judged: Table platform 0.1.0, by Me (real)')
    expect(out).toContain(`Played: gridkey at ${t.modbus}`)
    expect(out).toContain('table/voltage: 20 s\n  verifies TABLE-1')
    expect(out).toContain('Nothing was started.')
    expect(code).toBe(0)
    expect(existsSync(join(t.path, 'mine/runs'))).toBe(false)
    expect(t.left()).toEqual([])
  })

  test('without a platform is a fault of the rig, which says what could not be reached', async ({
    onTestFinished,
  }) => {
    const t = await tree(onTestFinished)
    const rig = join(t.path, 'mine/rigs/table.yaml')
    writeFileSync(rig, readFileSync(rig, 'utf8').replace('readyWithin: 30 s', 'readyWithin: 2 s'))
    const { code, out } = await t.gridproof(run)
    expect(out).toMatch(/no connection to the marketplace at 127\.0\.0\.1:\d+[\s\S]*ECONNREFUSED/)
    expect(code).toBe(4)
  })

  for (const manner of ['whole', 'sloppy', 'stale'])
    test
      .skipIf(!python)
      .concurrent(`judges a platform in another language that is ${manner}`, async ({ onTestFinished }) => {
        const t = await tree(onTestFinished)
        await start(t, manner, onTestFinished)
        const { code, out, err } = await t.gridproof(run)
        const clauses = clausesOf(t)
        const truth = clauses['TABLE-1/true-to-the-meter']
        const spacing = clauses['TABLE-1/every-two-seconds']
        expect(truth?.state, `${out}${err}`).toBe(manner === 'whole' ? 'pass' : 'fail')
        // On a machine that steals time from the bench the spacing is left open, and says so.
        if (spacing?.state === 'inconclusive') expect(spacing.why).toMatch(/stolen from the bench/)
        else expect(spacing?.state).toBe('pass')
        expect(code).toBe(manner === 'whole' ? (spacing?.state === 'pass' ? 0 : 3) : 1)
        const [log] = logsOf(join(t.path, 'mine/runs/latest'))
        expect(log?.events[0]?.data).toMatchObject({
          subject: { kind: 'real', maker: 'Me', product: 'Table platform', version: '0.1.0' },
          identity: { operator: 'Me', site: 'Home' },
          played: { gridkey: expect.stringContaining('table-meter') as string },
        })
        const clocks = log?.events.filter((e) => e.src === 'clock') ?? []
        expect(clocks.length).toBeGreaterThan(0)
        // Both clocks are this machine's.
        for (const { data } of clocks)
          expect(Math.abs((data as { offsetMs: number }).offsetMs)).toBeLessThan(
            (data as { uncertaintyMs: number }).uncertaintyMs,
          )
        expect(t.left()).toEqual([])
        const replayed = await t.gridproof([
          'replay',
          'runs/latest',
          ...run.slice(run.indexOf('--scenarios'), run.indexOf('--operator')),
        ])
        expect(replayed.out).toContain('Every verdict comes out as it stands in the evidence.')
        expect(replayed.code).toBe(0)
      })
})
