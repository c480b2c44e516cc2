import { readdirSync, symlinkSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { useTrial } from './trial.fixture.ts'

const trial = useTrial()

describe.concurrent('help', () => {
  test('is there at once, and tells commands, examples and exit codes', async () => {
    const { code, out } = await trial().gridproof('--help')
    expect(code).toBe(0)
    for (const word of [
      'run',
      'prove',
      'replay',
      'requirements',
      'rigs',
      'scenarios',
      'clean',
      'Examples',
      'Exit codes',
    ])
      expect(out).toContain(word)
  })

  test('loads nothing of what a command does: only the command line itself', async () => {
    const counted = await trial().place.run(['--help'], {
      project: trial().project,
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(countModules)}` },
    })
    // The entry, the command line and what its commands take, with the error class.
    const loaded = counted.err.trim().split(' ')
    expect(loaded).toEqual([
      'bench/cli/doctor.ts',
      'bench/cli/explore.ts',
      'bench/cli/gridproof.mjs',
      'bench/cli/listen.ts',
      'bench/cli/main.ts',
      'bench/cli/material-options.ts',
      'bench/cli/operator.ts',
      'bench/cli/sim-fleet.ts',
      'bench/cli/sim-link.ts',
      'bench/cli/sim-replay.ts',
      'bench/cli/sim.ts',
      'drivers/errors.ts',
    ])
  })

  test.each([
    'run',
    'prove',
    'replay',
    'merge',
    'requirements',
    'rigs',
    'scenarios',
    'clean',
    'record',
    'accept',
    'compare',
    'verify',
    'keygen',
  ])('of %s has an example', async (command) => {
    const { code, out } = await trial().gridproof(command, '--help')
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`Examples?:\\n {2}gridproof ${command}`))
  })
})

/** Tells on standard error, as the process ends, which files of the project were loaded. */
const countModules = `
import { registerHooks } from 'node:module'
const seen = []
registerHooks({ load(url, context, next) {
  const m = /project\\/((?!node_modules)[^?]*)$/.exec(url)
  if (m !== null) seen.push(m[1])
  return next(url, context)
} })
process.on('exit', () => process.stderr.write(seen.sort().join(' ') + '\\n'))`

describe.concurrent('what cannot be understood', () => {
  test.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['run', '--frob'], "unknown option '--frob'"],
    [['rigs', 'extra'], 'too many arguments'],
    [['run', '--seed', ''], 'expected a whole number from 0'],
    [['run', '--seed', '-1'], 'expected a whole number from 0'],
    [['run', '--seed', '1.5'], 'expected a whole number from 0'],
    [['run', '--seed', '1e3'], 'expected a whole number from 0'],
    [['run', '--seed', '99999999999'], 'to 4294967295'],
    [['run', '--seeds', '0'], 'expected a whole number from 1'],
    [['run', '--jobs', '0'], 'expected a whole number from 1'],
    [['run', '--drain', 'sideways'], 'Allowed choices are sync, turn'],
    [['run', 'nothing-there'], "no scenario matches 'nothing-there'; there are: "],
    [['run', '--rig', 'virtul'], "rig 'virtul' is unknown; nearest: virtual"],
    [['run', '--rig', './gone.yaml'], "there is no rig file './gone.yaml'"],
    [['run', '--rig', '/'], 'cannot be read: EISDIR'],
    [['run', '--load', 'sunday'], "fixtures/profiles has no 'sunday'"],
    [['run', '--load', 'gone.csv:load:1'], "there is no file 'gone.csv'"],
    [['run', '--load', 'load.csv:demand:1.2.3'], 'write <file.csv>:<column>:<scale'],
    [['run', '--load', 'load.csv:demand:0'], 'write <file.csv>:<column>:<scale'],
    [['run', '--load', 'load.csv:supply:1'], 'supply'],
    [['run', '--load', 'gone.csv'], 'write <file.csv>:<column>:<scale'],
    [['run', '--twice', '--rig', 'local'], '--twice compares trace hashes, which only virtual time has'],
    [['prove', '--rig', 'local'], 'prove runs in virtual time'],
    [['prove', '--defect', 'gridkey-app/nothing'], 'is nothing that these scenarios are proven against'],
    [['replay', '.'], "'.' is no folder of a run: it has no data/"],
    [['replay', 'gone'], "'gone' is no folder of a run"],
  ])('is refused in one sentence with code 2: %j', async (args, expected) => {
    const { code, out, err } = await trial().gridproof(...args)
    expect(err).toContain(expected)
    expect(err).not.toMatch(/\n\s+at /)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(readdirSync(trial().place.path)).not.toContain('runs')
  })

  test('a command at all is missing: help, and code 2', async () => {
    const { code, out } = await trial().gridproof()
    expect(code).toBe(2)
    expect(out).toContain('Usage: gridproof')
  })

  test('a place for runs that is a file, or cannot be written, is told by its name', async () => {
    trial().place.write('afile', '')
    for (const out of ['afile', 'afile/below', '/proc/1', '/proc/no/where']) {
      const { code, err } = await trial().gridproof('run', 'good/quiet', '--out', out)
      expect(err).toContain(`no run can be kept in '${out}'`)
      expect(code).toBe(2)
    }
  })
})

describe.concurrent('lists', () => {
  test('of requirements can be searched, and tell the scenarios that look at each clause', async () => {
    const { code, out } = await trial().gridproof('requirements', '--find', 'M:0024', '--clauses')
    expect(out).toContain('M:0024/one-hour (')
    expect(out).toContain('by bad/blind, bad/fails, bad/throws, good/quiet')
    expect(out).toMatch(/1 listed, of 294 numbered requirements/)
    expect(code).toBe(0)
  })

  test('of requirements are JSON when asked', async () => {
    const { out } = await trial().gridproof('requirements', '--find', 'M:0024', '--json')
    const [r] = JSON.parse(out) as [{ id: string; clauses: { id: string; scenarios: string[] }[] }]
    expect(r.id).toBe('M:0024')
    expect(r.clauses.find((c) => c.id === 'one-hour')?.scenarios).toContain('good/quiet')
  })

  test('of requirements that fit nothing are empty', async () => {
    expect(await trial().gridproof('requirements', '--document', 'x')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^0 listed/) as string,
    })
  })

  test('of rigs tell what each plays and whether it can run here', async () => {
    const { code, out } = await trial().gridproof('rigs')
    expect(out).toMatch(/^local: /m)
    expect(out).toMatch(/^virtual: /m)
    expect(out).toMatch(/plays: gridkey, thermocouple, .*intruder/)
    expect(out).toMatch(/here: (ready|lacks )/)
    expect(code).toBe(0)
  })

  test('of scenarios tell what each verifies, needs and takes', async () => {
    const { code, out } = await trial().gridproof('scenarios')
    expect(out).toContain('good/quiet\n  A platform that is left alone goes on\n  verifies M:0024/one-hour\n')
    expect(out).toContain('needs platform, intruder; takes 3 s')
    expect(code).toBe(0)
  })

  test('of what is left behind are empty after a clean', async () => {
    expect(await trial().gridproof('clean')).toMatchObject({ code: 0, out: 'Nothing was left behind.\n' })
  })

  test('read by somebody who has seen enough end in peace', async () => {
    const { child, ended } = trial().place.start(['requirements', '--clauses'], { project: trial().project })
    child.stdout.once('data', () => child.stdout.destroy())
    expect(await ended).toMatchObject({ code: 0, err: '' })
  })
})

describe('a Node too old', () => {
  const old = olderNode()
  test.skipIf(old === undefined)(
    `is told so in one plain sentence (${old ?? 'skipped: no Node before 24.12 on the PATH'})`,
    async () => {
      const { code, out, err } = await trial().place.run(['run'], {
        project: trial().project,
        ...(old === undefined ? {} : { node: old }),
      })
      expect(err).toMatch(
        /^Gridproof needs Node 24\.12 or later and this is v[\d.]+: start it with [^\n]+\.\n$/,
      )
      expect({ code, out }).toEqual({ code: 2, out: '' })
    },
  )
})

test('the command can be linked to from anywhere, as npm links it', async () => {
  symlinkSync(join(trial().project, 'bench/cli/gridproof.mjs'), join(trial().place.path, 'gridproof'))
  const out = execFileSync(process.execPath, [join(trial().place.path, 'gridproof'), '--version'], {
    encoding: 'utf8',
  })
  expect(out).toMatch(/^\d+\.\d+\.\d+\n$/)
})

/** A Node before 24.12 on the PATH, if there is one. */
function olderNode(): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(':'))
    try {
      const node = join(folder, 'node')
      const version = execFileSync(node, ['--version'], { encoding: 'utf8' })
      const [major = 0, minor = 0] = version.slice(1).split('.').map(Number)
      if (major < 24 || (major === 24 && minor < 12)) return node
    } catch {
      // No Node there.
    }
  return undefined
}
