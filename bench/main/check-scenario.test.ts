import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { here } from '../cli/testing.ts'
import { readRig } from '../rigs/schema.ts'
import { loadScenario } from '../scenario/load.ts'
import { checkScenario } from './check-scenario.ts'

const bench = pathToFileURL(join(here, 'bench/index.ts')).href
const rig = readRig(join(here, 'fixtures/rigs/virtual.yaml'))
const clausesOf = (r: string): readonly string[] =>
  r === 'X:1' ? ['X:1/a', 'X:1/b'] : r.startsWith('X:1/') ? [r] : []

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'check-scenario-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

let count = 0
/** What comes of a scenario with this head and this body; undefined: nothing, it is let through. */
async function refusal(
  verifies: string,
  body: string,
  load?: string,
  more = '',
): Promise<string | undefined> {
  const file = join(folder, `s${++count}.ts`)
  // The body begins on line 10.
  writeFileSync(
    file,
    `import { arrivesEvery, scenario } from '${bench}'

export default scenario({
  title: 'A scenario to be refused',
  verifies: [${verifies}],
  needs: ['platform', 'gridkey'],
  catches: {},
  horizon: '1 h',${more}
  async run({ platform, gridkey, check, load, time }) {
${body}
  },
})
`,
  )
  const s = await loadScenario(`s${count}`, file, { clausesOf, defects: new Set() })
  try {
    await checkScenario(s, {
      rig,
      horizonMs: 3_600_000,
      clausesOf,
      ...(load === undefined ? {} : { load: { profile: load } }),
    })
    return undefined
  } catch (e) {
    return (e as Error).message.replace(relative(process.cwd(), file), 'file')
  }
}

const check = (id: string, verifies: string): string =>
  `check(arrivesEvery('60 s', platform.watch('marketplace', '*'), { id: '${id}', gap: '±6 s', drift: '1 %', verifies: [${verifies}] }))`

describe('a scenario is looked at before anything starts, and', () => {
  test('passes where all that it promises is judged', async () => {
    expect(await refusal(`'X:1'`, check('a', `'X:1'`))).toBeUndefined()
  })

  test('is refused where its run never ends on paper, by name and line', async () => {
    expect(await refusal(`'X:1'`, `for (;;)\n  await time.pass('1 h')`)).toMatch(
      /^file:11: its run does not come to an end /,
    )
  })

  test('one that can be resumed does nothing but let its time pass, once', async () => {
    const of = (body: string): Promise<string | undefined> =>
      refusal(`'X:1'`, body, undefined, ' resumable: true,')
    const a = check('a', `'X:1/a'`)
    const b = check('b', `'X:1/b'`)
    expect(await of(`${a}\n${b}\nawait time.pass(time.horizon)`)).toBeUndefined()
    const why =
      'file:8: it is declared resumable, and does more after its set-up than to let time.horizon pass once'
    expect(await of(`${a}\n${b}`)).toBe(why)
    expect(await of(`${a}\nawait time.pass(time.horizon)\n${b}`)).toBe(why)
    expect(await of(`${a}\n${b}\nawait time.pass('1 min')\nawait time.pass(time.horizon)`)).toBe(why)
  })

  test('two checks of one id are refused, at the second', async () => {
    expect(await refusal(`'X:1'`, `${check('a', `'X:1'`)}\n\n${check('a', `'X:1'`)}`)).toBe(
      "file:12: two of its checks are called 'a': give one another id",
    )
  })

  test('a check of what the scenario does not name is refused where it is declared', async () => {
    expect(await refusal(`'X:1/a'`, `await time.pass('1 s')\n${check('a', `'X:1/a', 'X:1/b'`)}`)).toBe(
      "file:11: the check 'a' verifies X:1/b, which the scenario does not name",
    )
  })

  test('a promise without a check is refused where it is made', async () => {
    expect(await refusal(`\n    'X:1/a',\n    'X:1/b',\n  `, check('a', `'X:1/a'`))).toBe(
      'file:7: it says that it verifies X:1/b, and declares no check for it',
    )
  })

  test('a load that does not exist is refused where it is named, also the operator’s', async () => {
    const body = `gridkey.follow(\n  load('no-such-day'))\n${check('a', `'X:1'`)}`
    expect(await refusal(`'X:1'`, body)).toMatch(/^file:11: .*no-such-day/)
    expect(await refusal(`'X:1'`, body, 'no-such-night')).toMatch(/^file:11: .*no-such-night/)
    expect(await refusal(`'X:1'`, body, 'winter-weekday')).toBeUndefined()
  })

  test('a value that a check cannot take is refused where it stands', async () => {
    expect(await refusal(`'X:1'`, check('a', `'X:1'`).replace('±6 s', 'six'))).toMatch(/^file:10: .*six/)
  })

  test('what only the real parts can tell is left to the run', async () => {
    expect(await refusal(`'X:1'`, `throw new Error('only with a platform')`)).toBeUndefined()
  })
})
