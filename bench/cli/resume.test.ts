import { appendFileSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ptyProvider } from '../../drivers/real/pty.ts'
import { gapOf } from '../evidence/gap.ts'
import { descendants, gone, latest, logsOf, place, projectWith, scenarioText } from './testing.ts'
import type { Place } from './testing.ts'

let p: Place
let project = ''
const checks = `check(
      never(figures, () => false, { id: 'goes-on', limit: 'it goes on', verifies: ['M:0024/one-hour'] }),
    )
    check(
      never(figures, () => false, { id: 'at-a-stretch', limit: 'it goes on', verifies: ['M:0024/one-hour'], least: '8 s' }),
    )
    await time.pass(time.horizon)`
beforeAll(() => {
  p = place()
  project = projectWith(p.path, {
    'long/watched': scenarioText({
      horizon: "'8 s'",
      more: "short: '3 s', resumable: true,",
      run: checks,
    }),
    'long/script': scenarioText({ horizon: "'7 s'" }),
    'brief/quiet': scenarioText({ horizon: "'1 s'" }),
  })
})
afterAll(() => p[Symbol.dispose]())

const linesOf = (file: string): string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((l) => l !== '')
const resume = (folder: string, ...more: string[]): ReturnType<Place['run']> =>
  p.run(['run', '--resume', folder, ...more], { project })

/** Resolves when a file holds so many lines that fit. */
async function holds(file: string, what: RegExp, times: number): Promise<void> {
  while (!existsSync(file) || linesOf(file).filter((l) => what.test(l)).length < times)
    await new Promise<void>((done) => {
      setTimeout(done, 20)
    })
}

/** Makes a finished run look as if its bench had been killed before it told of the last scenario's end. */
function interrupt(folder: string): void {
  const log = join(folder, 'log.jsonl')
  writeFileSync(log, `${linesOf(log).slice(0, -2).join('\n')}\n{"seq":`)
}

describe('in virtual time', () => {
  test('what was interrupted runs again whole, the try before is kept, and what had ended is not run again', async () => {
    const out = 'virtual'
    expect((await p.run(['run', '--jobs', '1', '--out', out], { project })).code).toBe(0)
    const folder = latest(join(p.path, out))
    interrupt(folder)
    const cut = join(folder, 'data/brief.quiet.jsonl')
    const before = linesOf(cut)
    writeFileSync(cut, `${before.slice(0, 5).join('\n')}\n${before[5]?.slice(0, 9)}`)
    const kept = readFileSync(join(folder, 'data/long.watched.jsonl'), 'utf8')

    const { code, out: said, err } = await resume(folder)
    expect([code, err.includes('Going on with ')]).toEqual([0, true])
    expect(said.replace(/\s+/g, ' ')).toContain('the bench was interrupted; it was run again from its')
    expect(readdirSync(join(folder, 'data')).filter((f) => f.endsWith('.jsonl'))).toEqual([
      'brief.quiet.attempt-2.jsonl',
      'brief.quiet.jsonl',
      'long.script.jsonl',
      'long.watched.jsonl',
    ])
    expect(readFileSync(join(folder, 'data/long.watched.jsonl'), 'utf8')).toBe(kept)
    // The seed brings the same events back.
    const strip = (l: string): string => l.replace(/"(?:started|wallMs|cpuMs)":[^,}]+/g, '')
    expect(linesOf(join(folder, 'data/brief.quiet.attempt-2.jsonl')).map(strip)).toEqual(before.map(strip))
    expect((await p.run(['verify', folder], { project })).out).not.toContain('✗')
    expect((await p.run(['replay', folder], { project })).out).toContain('comes out as it stands')
    expect(readFileSync(join(folder, 'index.html'), 'utf8')).toContain('The bench was away')
  }, 60_000)

  test('what stands in the run is not asked for again, and a scenario that has changed is refused', async () => {
    const out = 'refused'
    await p.run(['run', 'brief', '--out', out], { project })
    const folder = latest(join(p.path, out))
    interrupt(folder)
    const says = async (why: RegExp, ...args: string[]): Promise<void> => {
      const { code, err } = await resume(folder, ...args)
      expect([code, err]).toEqual([2, expect.stringMatching(why)])
    }
    await says(/leave away brief, --short/, 'brief', '--short')
    await says(/cannot be resumed with seed 2: its seed is 1/, '--seed', '2')
    await says(/its rig was 'virtual', and is 'local' now/, '--rig', 'local')
    appendFileSync(join(project, 'scenarios/brief/quiet.ts'), '\n// changed\n')
    // Only what would run again must be the same: so it loses its trailer.
    const data = join(folder, 'data/brief.quiet.jsonl')
    writeFileSync(data, `${linesOf(data).slice(0, -1).join('\n')}\n`)
    await says(/the scenario 'brief\/quiet' has changed since/)
  }, 60_000)
})

describe.skipIf(process.platform !== 'linux' || 'lacks' in ptyProvider())(
  'on this machine in real time (Linux, with a maker of ptys)',
  () => {
    test('a run goes on where its bench was killed: its gap is shown and judged, and a replay agrees', async () => {
      const out = 'local'
      const command = p.start(['run', '--rig', 'local', '--jobs', '2', '--out', out], { project })
      const folder = latest(join(p.path, out))
      const watched = join(folder, 'data/long.watched.jsonl')
      await holds(watched, /"alias":"host\./, 3)
      await holds(join(folder, 'data/long.script.jsonl'), /"phase":"declared"/, 1)
      const busy = await resume(folder)
      expect([busy.code, busy.err]).toEqual([
        2,
        expect.stringMatching(/its bench still goes on \(process \d+\)/),
      ])
      const below = descendants(command.child.pid ?? 0)
      command.child.kill('SIGKILL')
      await command.ended
      await gone(below)
      const before = linesOf(watched).length
      appendFileSync(watched, '{"seq":12')

      const { code, out: said } = await resume(folder)
      expect(code).toBe(3)
      const [quiet, scriptAgain, script, log] = logsOf(folder)
      expect([quiet?.cutShort, scriptAgain?.cutShort, script?.cutShort, log?.cutShort]).toEqual([
        false,
        false,
        true,
        false,
      ])
      const gap = log?.events.find((e) => gapOf(e) !== undefined)
      expect(gap?.seq).toBe(before + 1)
      expect(gap === undefined ? undefined : gapOf(gap)).toMatchObject({ torn: '{"seq":12' })
      const judged = (id: string): unknown =>
        (
          log?.events.find(
            (e) => e.kind === 'check' && JSON.stringify(e.data).startsWith(`{"phase":"judged","id":"${id}"`),
          )?.data as { result?: unknown } | undefined
        )?.result
      expect(judged('goes-on')).toMatchObject({ verdict: 'pass', observed: { 'gaps [1]': 1 } })
      expect(judged('at-a-stretch')).toMatchObject({ verdict: 'inconclusive', blame: 'rig' })
      expect(said.replace(/\s+/g, ' ')).toMatch(/needs 8 s at a stretch; the bench was away/)
      expect(said.replace(/\s+/g, ' ')).toMatch(/The bench was away once, for /)

      const replayed = await p.run(['replay', folder], { project })
      expect([replayed.code, replayed.out]).toEqual([0, expect.stringContaining('✓ goes-on: pass')])
      expect((await p.run(['verify', folder], { project })).out).not.toContain('✗')
      expect(p.left()).toEqual([])
    }, 90_000)
  },
)
