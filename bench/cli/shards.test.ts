/** What CI asks of a run: shards and their merge, time limits, tries. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { messageOf } from '../../drivers/errors.ts'
import type { RequirementsJson } from '../../reports/requirements-json.ts'
import { readPart, together } from '../main/merge.ts'
import { logsOf, place, projectWith, scenarioText } from './testing.ts'
import type { Ended, Place } from './testing.ts'

const check = (id: string, what: string): string =>
  `check(${what}(figures, () => true, { id: '${id}', limit: 'none', verifies: ['M:0024/one-hour'] }))\n`

/** Breaks by the fault of the rig, the first so many times. */
const breaks = (times: number): string =>
  scenarioText({
    run: `${check('goes-on', 'always')} await time.pass('2 s')
    const fs = await import('node:fs')
    const file = process.env['TRIES'] + '/tries-${times}'
    // Before it runs, a scenario is rehearsed on paper by the command line itself.
    const tries = !process.argv[1].endsWith('worker.ts') ? ${times} : fs.existsSync(file) ? fs.readFileSync(file, 'utf8').length : 0
    if (process.argv[1].endsWith('worker.ts')) fs.writeFileSync(file, 'x'.repeat(tries + 1))
    if (tries < ${times}) throw new (await import('../../drivers/errors.ts')).GridproofError('rig-broke', 'the adapter was pulled out')
    await time.pass('1 s')`,
  })

const scenarios = {
  'a/quiet': scenarioText(),
  'a/fails': scenarioText({
    horizon: "'4 s'",
    run: `${check('never-seen', 'never')} await time.pass(time.horizon)`,
  }),
  'b/blind': scenarioText({
    horizon: "'500 ms'",
    run: `${check('nothing-seen', 'always')} await time.pass(time.horizon)`,
  }),
  'b/readings': scenarioText({ needs: "['platform', 'gridkey']", horizon: "'70 s'" }),
  'c/once': breaks(1),
  'c/thrice': breaks(3),
  'd/endless': scenarioText({
    horizon: "'200000 h'",
    run: `${check('never-seen', 'never')} await time.pass(time.horizon)`,
  }),
}

let p: Place
let project = ''
beforeAll(() => {
  p = place()
  project = projectWith(p.path, scenarios)
  p.write('numbers.yaml', 'M:0024: four\n')
})
afterAll(() => {
  const left = p.left()
  p[Symbol.dispose]()
  expect(left).toEqual([])
})

const gridproof = (...args: string[]): Promise<Ended> => p.run(args, { project, env: { TRIES: p.path } })

/** Runs into a folder of its own, whose newest run is returned. */
async function run(out: string, ...args: string[]): Promise<Ended & { folder: string }> {
  return { ...(await gridproof('run', ...args, '--out', out)), folder: join(p.path, out, 'latest') }
}

const read = (folder: string): RequirementsJson =>
  JSON.parse(readFileSync(join(folder, 'requirements.json'), 'utf8')) as RequirementsJson

/** All that is judged, without what differs between two runs of the same: when, how long, how it was called. */
function verdicts(folder: string): unknown {
  const r = read(folder)
  return {
    requirements: r.requirements,
    counts: r.counts,
    outcome: r.outcome,
    scenarios: r.scenarios
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map((s) => ({ ...s, checks: s.checks.map(({ evidence, ...c }) => ({ ...c, seq: evidence.seq })) })),
  }
}

describe('shards', () => {
  const shard = (i: number, of: number, ...more: string[]) =>
    run(`s${i}-of-${of}${more.join('')}`, 'a', 'b', '--shard', `${i}/${of}`, ...more)

  test('merged give the verdicts of the whole run, its exit code, and every format', async () => {
    const [whole, one, two] = await Promise.all([run('whole', 'a', 'b'), shard(1, 2), shard(2, 2)])
    expect(whole.code).toBe(1)
    const ids = [one, two].map((s) => read(s.folder).scenarios.map((x) => x.id))
    expect(ids.flat().toSorted()).toEqual(['a/fails', 'a/quiet', 'b/blind', 'b/readings'])
    expect(ids.every((list) => list.length === 2)).toBe(true)

    const merged = await gridproof('merge', two.folder, one.folder, '--out', 'merged')
    expect(merged.err).toBe('')
    expect(merged.code).toBe(1)
    expect(merged.out).toContain('Merged of 2 shards.\nReport: merged/')
    const folder = join(p.path, 'merged/latest')
    expect(verdicts(folder)).toEqual(verdicts(whole.folder))
    expect(readdirSync(folder).toSorted()).toEqual(readdirSync(whole.folder).toSorted())
    const log = readFileSync(join(folder, 'log.jsonl'), 'utf8').trimEnd().split('\n')
    expect(JSON.parse(log[0] ?? '')).toMatchObject({
      data: { merged: [{ shard: '1/2' }, { shard: '2/2' }], scenarios: expect.arrayContaining(['a/quiet']) },
    })
    expect(JSON.parse(log.at(-1) ?? '')).toMatchObject({ kind: 'end', data: { exitCode: 1 } })
    // Its evidence can be judged again like that of any run.
    expect((await gridproof('replay', folder)).code).toBe(0)

    const refused = (...shards: string[]): string => {
      try {
        together(shards.map(readPart))
      } catch (e) {
        return messageOf(e)
      }
      return 'not refused'
    }
    const told = await gridproof('merge', one.folder, '--out', 'refused')
    expect(told).toMatchObject({ code: 2, out: '' })
    expect(told.err).toContain('these shards do not make one run: shard 2 of 2 is missing')
    expect(existsSync(join(p.path, 'refused'))).toBe(false)
    expect(refused(one.folder, one.folder, two.folder)).toContain('shard 1 is there 2 times')
    expect(refused(whole.folder)).toContain('is a whole run and no shard')
    expect(refused('gone')).toContain("'gone' is no folder of a run")
    const alter = (name: string, from: RegExp, to: string): string => {
      const log = join(two.folder, 'log.jsonl')
      const text = readFileSync(log, 'utf8')
      expect(text).toMatch(from)
      p.write(`${name}/log.jsonl`, text.replace(from, to))
      return join(p.path, name)
    }
    for (const [words, from, to] of [
      ['another commit', /"commit":"[^"]*"/, '"commit":"abc"'],
      ['another seed', /"seed":1/, '"seed":2'],
      ['another rig than', /"rig":"virtual"/, '"rig":"lab"'],
      ['another rig file', /"rigSha256":"/, '"rigSha256":"0'],
      ['another catalogue', /"revisions":\{"M:0024":"/, '"revisions":{"M:0024":"0'],
      ['another length', /"short":false/, '"short":true'],
      ['another list of scenarios', /"all":\["/, '"all":["x/y","'],
      ['one of 3 shards', /"of":2/, '"of":3'],
    ] as const)
      expect(refused(one.folder, alter(words.replaceAll(' ', '-'), from, to))).toContain(words)

    // One that was killed is merged as it is: nothing of it is held to be whole.
    const cut = alter('cut', /\n[^\n]*"kind":"end"[^\n]*\n$/, '\n')
    await gridproof('merge', one.folder, cut, '--out', 'cut-merged')
    expect(read(join(p.path, 'cut-merged/latest')).notice).toContain('This run was cut short')
  })

  test('of more parts than there are scenarios may be empty', async () => {
    const { code, folder } = await run('empty', 'a/quiet', '--shard', '2/2')
    expect(code).toBe(0)
    expect(read(folder).scenarios).toEqual([])
  })
})

describe.concurrent('tries', () => {
  test('for a reason of the rig are told one by one, and the last one counts', async () => {
    const { code, err, folder } = await run('once', 'c/once', '--retries', '2')
    expect(code).toBe(0)
    expect(err).toContain('c/once: the adapter was pulled out (rig); tried again')
    expect(logsOf(folder).map((l) => l.file.slice(folder.length + 1))).toEqual([
      'data/c.once.attempt-2.jsonl',
      'data/c.once.jsonl',
    ])
    const [scenario] = read(folder).scenarios
    expect(scenario).toMatchObject({
      ended: 'finished',
      log: 'data/c.once.attempt-2.jsonl',
      earlier: [{ log: 'data/c.once.jsonl', why: 'the adapter was pulled out' }],
    })
    expect(read(folder).evidence.map((e) => e.file)).toContain('data/c.once.jsonl')
    for (const format of ['index.html', 'summary.md', 'junit.xml', 'ctrf.json', 'data/c.once.attempt-2.html'])
      expect(readFileSync(join(folder, format), 'utf8'), format).toContain('the adapter was pulled out')
    expect(readFileSync(join(folder, 'data/c.once.html'), 'utf8')).toContain('This try does not count')
    expect((await gridproof('replay', folder)).code).toBe(0)
  })

  test('end when their number is used up', async () => {
    const { code, folder } = await run('thrice', 'c/thrice', '--retries', '1')
    expect(code).toBe(4)
    expect(read(folder).scenarios[0]).toMatchObject({ ended: 'broke', blame: 'rig' })
    expect(logsOf(folder)).toHaveLength(2)
  })
})

test('a scenario over its time limit is a rig fault, and keeps its evidence', async () => {
  const { code, folder } = await run('late', 'd/endless', '--timeout', '500 ms')
  expect(code).toBe(4)
  const [late] = read(folder).scenarios
  expect(late).toMatchObject({ ended: 'broke', blame: 'rig', checks: [{ verdict: 'inconclusive' }] })
  expect(late?.why).toContain('after 500 ms of wall time, the limit given by --timeout')
  expect(logsOf(folder).every((l) => !l.cutShort)).toBe(true)
})

test.concurrent.each([
  [['run', '--shard', '0/2'], "'0/2' is no shard"],
  [['run', '--shard', '3/2'], "'3/2' is no shard"],
  [['run', '--shard', 'half'], "'half' is no shard"],
  [['run', '--timeout', '10'], '10'],
  [['run', '--timeout', '90 d'], 'give a time from 1 ms to'],
  [['run', '--retries', '-1'], 'expected a whole number from 0 to 20'],
  [['run', '--junit-faults', 'hidden'], 'Allowed choices are error, skipped'],
  [['run', '--gitlab', 'gone.yaml'], 'gone.yaml'],
  [['run', '--gitlab', 'numbers.yaml'], 'expected the number (iid) of a requirement in GitLab'],
  [['merge'], "missing required argument 'shards'"],
])('nonsense is refused with code 2: %j', async (args, expected) => {
  const { code, err, out } = await gridproof(...args)
  expect(err).toContain(expected)
  expect({ code, out }).toEqual({ code: 2, out: '' })
})
