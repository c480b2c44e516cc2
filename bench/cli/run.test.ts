import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { here, logsOf } from './testing.ts'
import type { Ended } from './testing.ts'
import { useTrial } from './trial.fixture.ts'

const trial = useTrial()
const personality = readFileSync(join(here, 'fixtures/personalities/gridkey-standin.yaml'), 'utf8')
const virtual = readFileSync(join(here, 'fixtures/rigs/virtual.yaml'), 'utf8')

describe.concurrent('a run', () => {
  test('that passes ends with 0, prints its table and leaves its reports where latest points', async () => {
    const { code, out, err, folder } = await trial().run('good/quiet')
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
    const { code, out, folder } = await trial().run('good/quiet', '--twice')
    expect(out).toContain('Run twice: 1 trace hashes, each equal both times.')
    expect(code).toBe(0)
    expect(readdirSync(folder)).toContain('index.html')
  })

  test('with three seeds runs each of them', async () => {
    const { code, folder } = await trial().run('good/readings', '--seeds', '3', '--seed', '7')
    expect(code).toBe(0)
    const logs = logsOf(folder)
    expect(logs.map((l) => (l.events[0]?.data as { seed?: number } | undefined)?.seed)).toEqual([7, 8, 9])
    const hashes = logs.map(
      (l) => (l.events.at(-1)?.data as { world?: { traceHash?: string } } | undefined)?.world?.traceHash,
    )
    expect(new Set(hashes).size).toBe(3)
  })

  test('in which a check fails ends with 1', async () => {
    const { code, out } = await trial().run('bad/fails')
    expect(out).toMatch(/✗ fail +M:0024/)
    expect(code).toBe(1)
  })

  test('of a platform that reads a wrong register ends with 1, by a rig and personality of its own', async () => {
    trial().place.write(
      'swapped/odd.yaml',
      personality.replace('current: 0 #', 'current: 12 #').replace('real_power: 12 #', 'real_power: 0 #'),
    )
    const rig = trial().place.write(
      'swapped/swapped.yaml',
      virtual
        .replace('name: virtual', 'name: swapped')
        .replace('gridkey-standin', join(trial().place.path, 'swapped/odd.yaml')),
    )
    const { code, out, folder } = await trial().run('needs/gridkey', '--short', '--rig', rig)
    expect(out).toContain('rig swapped')
    expect(out).toMatch(/check +values, in needs\/gridkey/)
    expect(code).toBe(1)
    // Its evidence is judged again with that rig, and not without.
    const same = await trial().gridproof('replay', folder, '--rig', rig)
    expect(same.out).toContain('Every verdict comes out as it stands in the evidence.')
    expect(same.code).toBe(0)
    const unknown = await trial().gridproof('replay', folder)
    expect(unknown.out).toContain("its rig is 'swapped': give the file of that rig by --rig")
    expect(unknown.code).toBe(1)
  })

  test('in which something could not be judged ends with 3', async () => {
    const { code, out } = await trial().run('bad/blind')
    expect(out).toMatch(/\? inconclusive +M:0024/)
    expect(code).toBe(3)
  })

  test('on a rig that lacks a role ends with 4 and says which', async () => {
    const rig = trial().place.write(
      'bare.yaml',
      virtual.replace('name: virtual', 'name: bare').replace('  intruder: { at: 66 }', ''),
    )
    const { code, out } = await trial().run('needs/intruder', '--rig', rig)
    expect(out).toContain("the rig 'bare' has no intruder")
    expect(code).toBe(4)
  })

  test('whose scenario throws ends with 5, and the bench is to blame', async () => {
    const { code, out, err, folder } = await trial().run('bad/throws')
    expect(err + out).toContain('woe of the scenario')
    expect(code).toBe(5)
    const [log] = logsOf(folder)
    expect(log?.events.at(-1)?.data).toMatchObject({ outcome: 'broke', blame: 'bench' })
  })

  test('can follow a load of a file, named from where the command is given', async () => {
    const { code, err, folder } = await trial().run('needs/gridkey', '--short', '--load', 'load.csv:demand:1')
    expect(err).not.toContain('gridproof:')
    expect(code).toBe(0)
    const [log] = logsOf(folder)
    expect(JSON.stringify(log?.events)).toContain('load.csv')
  })

  test('of several ends with the gravest', async () => {
    const { code } = await trial().run('good/quiet', 'bad/fails', 'bad/blind')
    expect(code).toBe(1)
  })

  test('whose reader leaves early is not disturbed', async () => {
    const { child, ended } = trial().place.start(['run', 'good/quiet', '--out', 'early'], {
      project: trial().project,
    })
    child.stdout.destroy()
    expect((await ended).code).toBe(0)
  })

  test('can be started from another folder, and keeps its runs there', async () => {
    trial().place.write('elsewhere/x', '')
    const { code, out } = await trial().place.run(['run', 'good/quiet'], {
      project: trial().project,
      cwd: join(trial().place.path, 'elsewhere'),
    })
    expect(out).toMatch(/Report: runs\//)
    expect(code).toBe(0)
    expect(readdirSync(join(trial().place.path, 'elsewhere'))).toContain('runs')
  })
})

describe.concurrent('replay', () => {
  /** A fresh run: its evidence, judged again or altered. */
  const fresh = async (...what: string[]) => {
    const { folder } = await trial().run(...what)
    const file = logsOf(folder)[0]?.file ?? ''
    return {
      folder,
      file,
      again: (...args: string[]): Promise<Ended> => trial().gridproof('replay', folder, ...args),
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
    trial().place.write('evil.ts', "process.stdout.write('EVIL\\n')\n")
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
