import { readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { here, logsOf, place, projectWith, scenarioText } from './testing.ts'
import type { Ended, Place } from './testing.ts'

const personality = readFileSync(join(here, 'fixtures/personalities/gridkey-standin.yaml'), 'utf8')
const virtual = readFileSync(join(here, 'fixtures/rigs/virtual.yaml'), 'utf8')

const at = (minutes: number): string =>
  new Date(Date.UTC(2018, 0, 15, 0, minutes)).toISOString().slice(0, 19).replace('T', ' ')

/** A day of load, in units of which each is an ampere. */
const series = ['time,demand', ...Array.from({ length: 48 }, (_, i) => `${at(30 * i)},${100 + i}`)].join('\n')

const check = (id: string, what: string): string =>
  `check(${what}(figures, () => true, { id: '${id}', limit: 'none', verifies: ['M:0024/one-hour'] }))\n`

const scenarios = {
  'good/quiet': scenarioText(),
  'good/readings': scenarioText({ needs: "['platform', 'gridkey']", horizon: "'70 s'" }),
  'bad/fails': scenarioText({ run: `${check('never-seen', 'never')} await time.pass(time.horizon)` }),
  // Nothing is ever seen in so short a run: the figures come once a second.
  'bad/blind': scenarioText({
    horizon: "'500 ms'",
    run: `${check('nothing-seen', 'always')} await time.pass(time.horizon)`,
  }),
  'bad/throws': scenarioText({
    run: `${check('cut', 'always')} await time.pass('2 s'); if (time.now() > 1e12) throw new Error('woe of the scenario')`,
  }),
  'needs/intruder': scenarioText({ needs: "['platform', 'intruder']" }),
  'needs/gridkey': readFileSync(join(here, 'scenarios/capture/every-ten-seconds.ts'), 'utf8'),
}

let p: Place
let project = ''
beforeAll(() => {
  p = place()
  project = projectWith(p.path, scenarios)
  p.write('load.csv', series)
})
// Whatever the commands did and however they ended: nothing of them is left.
afterAll(() => {
  const left = p.left()
  p[Symbol.dispose]()
  expect(left).toEqual([])
})

const gridproof = (...args: string[]): Promise<Ended> => p.run(args, { project })

/** A run into a folder of its own; `folder` is the newest run there. */
async function run(...args: string[]): Promise<Ended & { readonly folder: string }> {
  const out = `runs-${++count}`
  return { ...(await gridproof('run', ...args, '--out', out)), folder: join(p.path, out, 'latest') }
}
let count = 0

describe.concurrent('help', () => {
  test('is there at once, and tells commands, examples and exit codes', async () => {
    const { code, out } = await gridproof('--help')
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
    const counted = await p.run(['--help'], {
      project,
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(countModules)}` },
    })
    // The entry, the command line and what its commands take, with the error class.
    const loaded = counted.err.trim().split(' ')
    expect(loaded).toEqual([
      'bench/cli/gridproof.mjs',
      'bench/cli/main.ts',
      'bench/cli/material-options.ts',
      'bench/cli/operator.ts',
      'bench/cli/sim.ts',
      'drivers/errors.ts',
    ])
  })

  test.each([
    ...['run', 'prove', 'replay', 'requirements', 'rigs', 'scenarios', 'clean'],
    ...['record', 'accept', 'compare', 'verify', 'keygen'],
  ])('of %s has an example', async (command) => {
    const { code, out } = await gridproof(command, '--help')
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`Example:\\n {2}gridproof ${command}`))
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
    const { code, out, err } = await gridproof(...args)
    expect(err).toContain(expected)
    expect(err).not.toMatch(/\n\s+at /)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(readdirSync(p.path)).not.toContain('runs')
  })

  test('a command at all is missing: help, and code 2', async () => {
    const { code, out } = await gridproof()
    expect(code).toBe(2)
    expect(out).toContain('Usage: gridproof')
  })

  test('a place for runs that is a file, or cannot be written, is told by its name', async () => {
    p.write('afile', '')
    for (const out of ['afile', 'afile/below', '/proc/1', '/proc/no/where']) {
      const { code, err } = await gridproof('run', 'good/quiet', '--out', out)
      expect(err).toContain(`no run can be kept in '${out}'`)
      expect(code).toBe(2)
    }
  })
})

describe.concurrent('a run', () => {
  test('that passes ends with 0, prints its table and leaves its reports where latest points', async () => {
    const { code, out, err, folder } = await run('good/quiet')
    expect(err).not.toContain('gridproof:')
    expect(out).toMatch(/M:0024/)
    expect(out).toContain('Judged: LV-CAP reference platform')
    expect(out).toMatch(/Report: runs-\d+\/[^/]+-virtual\/index\.html\n$/)
    expect(code).toBe(0)
    expect(readdirSync(folder).toSorted()).toEqual([
      'ctrf.json',
      'data',
      'index.html',
      'junit.xml',
      'log.jsonl',
      'requirements.json',
      'summary.md',
    ])
    const [log] = logsOf(folder)
    expect(log?.cutShort).toBe(false)
    expect(log?.events.at(-1)?.data).toMatchObject({ outcome: 'finished' })
  })

  test('twice gives equal hashes, and latest is the one with the reports', async () => {
    const { code, out, folder } = await run('good/quiet', '--twice')
    expect(out).toContain('Run twice: 1 trace hashes, each equal both times.')
    expect(code).toBe(0)
    expect(readdirSync(folder)).toContain('index.html')
  })

  test('with three seeds runs each of them', async () => {
    const { code, folder } = await run('good/readings', '--seeds', '3', '--seed', '7')
    expect(code).toBe(0)
    const logs = logsOf(folder)
    expect(logs.map((l) => (l.events[0]?.data as { seed?: number } | undefined)?.seed)).toEqual([7, 8, 9])
    const hashes = logs.map(
      (l) => (l.events.at(-1)?.data as { world?: { traceHash?: string } } | undefined)?.world?.traceHash,
    )
    expect(new Set(hashes).size).toBe(3)
  })

  test('in which a check fails ends with 1', async () => {
    const { code, out } = await run('bad/fails')
    expect(out).toMatch(/✗ fail +M:0024/)
    expect(code).toBe(1)
  })

  test('of a platform that reads a wrong register ends with 1, by a rig and personality of its own', async () => {
    p.write(
      'swapped/odd.yaml',
      personality.replace('current: 0 #', 'current: 12 #').replace('real_power: 12 #', 'real_power: 0 #'),
    )
    const rig = p.write(
      'swapped/swapped.yaml',
      virtual
        .replace('name: virtual', 'name: swapped')
        .replace('gridkey-standin', join(p.path, 'swapped/odd.yaml')),
    )
    const { code, out, folder } = await run('needs/gridkey', '--short', '--rig', rig)
    expect(out).toContain('rig swapped')
    expect(out).toMatch(/check +values, in needs\/gridkey/)
    expect(code).toBe(1)
    // Its evidence is judged again with that rig, and not without.
    const same = await gridproof('replay', folder, '--rig', rig)
    expect(same.out).toContain('Every verdict comes out as it stands in the evidence.')
    expect(same.code).toBe(0)
    const unknown = await gridproof('replay', folder)
    expect(unknown.out).toContain("its rig is 'swapped': give the file of that rig by --rig")
    expect(unknown.code).toBe(1)
  })

  test('in which something could not be judged ends with 3', async () => {
    const { code, out } = await run('bad/blind')
    expect(out).toMatch(/\? inconclusive +M:0024/)
    expect(code).toBe(3)
  })

  test('on a rig that lacks a role ends with 4 and says which', async () => {
    const rig = p.write(
      'bare.yaml',
      virtual.replace('name: virtual', 'name: bare').replace('  intruder: { at: 66 }', ''),
    )
    const { code, out } = await run('needs/intruder', '--rig', rig)
    expect(out).toContain("the rig 'bare' has no intruder")
    expect(code).toBe(4)
  })

  test('whose scenario throws ends with 5, and the bench is to blame', async () => {
    const { code, out, err, folder } = await run('bad/throws')
    expect(err + out).toContain('woe of the scenario')
    expect(code).toBe(5)
    const [log] = logsOf(folder)
    expect(log?.events.at(-1)?.data).toMatchObject({ outcome: 'broke', blame: 'bench' })
  })

  test('can follow a load of a file, named from where the command is given', async () => {
    const { code, err, folder } = await run('needs/gridkey', '--short', '--load', 'load.csv:demand:1')
    expect(err).not.toContain('gridproof:')
    expect(code).toBe(0)
    const [log] = logsOf(folder)
    expect(JSON.stringify(log?.events)).toContain('load.csv')
  })

  test('of several ends with the gravest', async () => {
    const { code } = await run('good/quiet', 'bad/fails', 'bad/blind')
    expect(code).toBe(1)
  })

  test('whose reader leaves early is not disturbed', async () => {
    const { child, ended } = p.start(['run', 'good/quiet', '--out', 'early'], { project })
    child.stdout.destroy()
    expect((await ended).code).toBe(0)
  })

  test('can be started from another folder, and keeps its runs there', async () => {
    p.write('elsewhere/x', '')
    const { code, out } = await p.run(['run', 'good/quiet'], { project, cwd: join(p.path, 'elsewhere') })
    expect(out).toMatch(/Report: runs\//)
    expect(code).toBe(0)
    expect(readdirSync(join(p.path, 'elsewhere'))).toContain('runs')
  })
})

describe.concurrent('replay', () => {
  /** A fresh run: its evidence, judged again or altered. */
  const fresh = async (...what: string[]) => {
    const { folder } = await run(...what)
    const file = logsOf(folder)[0]?.file ?? ''
    return {
      folder,
      file,
      again: (...args: string[]): Promise<Ended> => gridproof('replay', folder, ...args),
      alter: (f: (text: string) => string): void => {
        const text = readFileSync(file, 'utf8')
        const altered = f(text)
        expect(altered).not.toBe(text)
        writeFileSync(file, altered)
      },
    }
  }

  test('comes to the verdicts of the run', async () => {
    const { again } = await fresh('good/quiet', 'bad/fails', 'bad/blind', 'needs/gridkey', '--short')
    const { code, out } = await again()
    expect(out).toContain('✓ never-seen: fail')
    expect(out).toContain('✓ goes-on: pass')
    expect(out).toContain('✓ nothing-seen: inconclusive')
    expect(out).toContain('✓ values: pass')
    expect(out).toMatch(/Every verdict comes out as it stands in the evidence\.\n$/)
    expect(code).toBe(0)
  })

  test('says so where one figure of the log has been altered', async () => {
    const { alter, again } = await fresh('needs/gridkey', '--short')
    // One reading, of which the platform said another thing.
    alter((text) =>
      text.replace(
        /("alias":"gridkey\.feeder3\.l2\.current".*?"Value":)(-?[\d.]+)/,
        (_, head: string, v: string) => `${head}${Number(v) + 7}`,
      ),
    )
    const { code, out } = await again()
    expect(out).toContain('✗ values: pass in the evidence, fail now')
    expect(out).toContain('1 verdict does not agree.')
    expect(code).toBe(1)
  })

  test('says so where a verdict, or only a figure beside it, has been altered', async () => {
    const { alter, again } = await fresh('bad/fails')
    alter((text) => text.replace('"verdict":"fail"', '"verdict":"pass"'))
    expect((await again()).out).toContain('✗ never-seen: pass in the evidence, fail now')
    alter((text) => text.replace('"verdict":"pass"', '"verdict":"fail"'))
    expect((await again()).code).toBe(0)
    alter((text) => text.replace(/"events \[1\]":\d+/, '"events [1]":999'))
    const { code, out } = await again()
    expect(out).toContain('✗ never-seen: fail both times, but from other figures')
    expect(code).toBe(1)
  })

  test('tells a log whose lines are missing, torn or no log at all', async () => {
    const { file, alter, again } = await fresh('good/quiet')
    alter((text) => text.slice(0, -20))
    expect((await again()).out).toContain('! the last line of the log is torn')
    alter((text) => text.slice(0, text.indexOf('"phase":"judged"')))
    const cut = await again()
    expect(cut.out).toMatch(/  - [a-z-]+: not judged, the run was cut short before\n/)
    expect(cut.out).toMatch(/1 check was never judged, since .*\nEvery verdict that there is comes out/)
    expect(cut.code).toBe(0)
    alter((text) => text.split('\n').toSpliced(3, 1).join('\n'))
    expect((await again()).out).toMatch(/cannot be replayed: .*:4: sequence number 5 on line 4/)
    writeFileSync(file, 'nonsense\n')
    const { code, out } = await again()
    expect(out).toMatch(/cannot be replayed: .*:1: no JSON/)
    expect(code).toBe(1)
  })

  test('never imports a file because a log names it', async () => {
    const { alter, again } = await fresh('good/quiet')
    p.write('evil.ts', "process.stdout.write('EVIL\\n')\n")
    alter((text) => text.replace('"scenario":"good/quiet"', '"scenario":"../../evil"'))
    const { code, out } = await again()
    expect(out).toContain("its scenario '../../evil' is not there any more")
    expect(out).not.toContain('EVIL')
    expect(code).toBe(1)
  })

  test('writes the reports anew when asked', async () => {
    const { again, folder } = await fresh('good/quiet')
    rmSync(join(folder, 'index.html'))
    const { code } = await again('--report')
    expect(code).toBe(0)
    expect(readdirSync(folder)).toContain('index.html')
  })
})

describe.concurrent('lists', () => {
  test('of requirements can be searched, and tell the scenarios that look at each clause', async () => {
    const { code, out } = await gridproof('requirements', '--find', 'M:0024', '--clauses')
    expect(out).toContain('M:0024/one-hour (')
    expect(out).toContain('by bad/blind, bad/fails, bad/throws, good/quiet')
    expect(out).toMatch(/1 listed, of 294 numbered requirements/)
    expect(code).toBe(0)
  })

  test('of requirements are JSON when asked', async () => {
    const { out } = await gridproof('requirements', '--find', 'M:0024', '--json')
    const [r] = JSON.parse(out) as [{ id: string; clauses: { id: string; scenarios: string[] }[] }]
    expect(r.id).toBe('M:0024')
    expect(r.clauses.find((c) => c.id === 'one-hour')?.scenarios).toContain('good/quiet')
  })

  test('of requirements that fit nothing are empty', async () => {
    expect(await gridproof('requirements', '--document', 'x')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^0 listed/) as string,
    })
  })

  test('of rigs tell what each plays and whether it can run here', async () => {
    const { code, out } = await gridproof('rigs')
    expect(out).toMatch(/^local: /m)
    expect(out).toMatch(/^virtual: /m)
    expect(out).toMatch(/plays: gridkey, thermocouple, intruder/)
    expect(out).toMatch(/here: (ready|lacks )/)
    expect(code).toBe(0)
  })

  test('of scenarios tell what each verifies, needs and takes', async () => {
    const { code, out } = await gridproof('scenarios')
    expect(out).toContain('good/quiet\n  A platform that is left alone goes on\n  verifies M:0024/one-hour\n')
    expect(out).toContain('needs platform, intruder; takes 3 s')
    expect(code).toBe(0)
  })

  test('of what is left behind are empty after a clean', async () => {
    expect(await gridproof('clean')).toMatchObject({ code: 0, out: 'Nothing was left behind.\n' })
  })

  test('read by somebody who has seen enough end in peace', async () => {
    const { child, ended } = p.start(['requirements', '--clauses'], { project })
    child.stdout.once('data', () => child.stdout.destroy())
    expect(await ended).toMatchObject({ code: 0, err: '' })
  })
})

describe('a Node too old', () => {
  const old = olderNode()
  test.skipIf(old === undefined)(
    `is told so in one plain sentence (${old ?? 'skipped: no Node before 24.12 on the PATH'})`,
    async () => {
      const { code, out, err } = await p.run(['run'], {
        project,
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
  symlinkSync(join(project, 'bench/cli/gridproof.mjs'), join(p.path, 'gridproof'))
  const out = execFileSync(process.execPath, [join(p.path, 'gridproof'), '--version'], { encoding: 'utf8' })
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
