/** For tests of the command line: a project with a few small scenarios, and commands that are given in it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { here, place, projectWith, scenarioText } from './testing.ts'
import type { Ended, Place } from './testing.ts'

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

export interface Trial {
  readonly place: Place
  /** Root of the project. */
  readonly project: string
  gridproof(...args: string[]): Promise<Ended>
  /** A run into a folder of its own; `folder` is the newest run there. */
  run(...args: string[]): Promise<Ended & { readonly folder: string }>
}

/**
 * Makes it before the tests of a file and takes it away after them. Whatever the commands did and however they ended:
 * nothing of them may be left then.
 */
export function useTrial(): () => Trial {
  let trial: Trial | undefined
  beforeAll(() => {
    const p = place()
    const project = projectWith(p.path, scenarios)
    p.write('load.csv', series)
    const gridproof = (...args: string[]): Promise<Ended> => p.run(args, { project })
    let count = 0
    trial = {
      place: p,
      project,
      gridproof,
      async run(...args) {
        const out = `runs-${++count}`
        return { ...(await gridproof('run', ...args, '--out', out)), folder: join(p.path, out, 'latest') }
      },
    }
  })
  afterAll(() => {
    const left = trial?.place.left()
    trial?.place[Symbol.dispose]()
    expect(left).toEqual([])
  })
  return () => {
    if (trial === undefined) throw new Error('the trial is there in tests alone')
    return trial
  }
}
