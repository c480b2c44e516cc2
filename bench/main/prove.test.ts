import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defectOf, defects } from '../../sim/defects/index.ts'
import type { LoadedScenario } from '../scenario/load.ts'
import type { Plan } from './plan.ts'
import type { Proof, ProveJob } from './proof.ts'
import { keep, proveFolder, proveJobs, settling, writeProofs } from './prove.ts'

function scenario(id: string, needs: readonly string[], catches: Record<string, string>): LoadedScenario {
  return {
    id,
    file: `/scenarios/${id}.ts`,
    sha256: '',
    scenario: {
      title: id,
      verifies: ['X:1'],
      needs: needs as LoadedScenario['scenario']['needs'],
      catches,
      horizon: '24 h',
      short: '10 min',
      prove: '3 min',
      run: async () => undefined,
    },
  }
}

const feeder = scenario('a/feeder', ['platform', 'gridkey'], { 'gridkey-app/drifts': 'X:1' })
const recorder = scenario('b/recorder', ['platform', 'gridkey', 'recorder'], {
  'csv-recorder/truncates-payload': 'X:1',
  'csv-recorder/doubles-after-restart': 'X:1',
})
const bare = scenario('c/bare', ['platform'], {})

const subject = { kind: 'reference', maker: 'test', product: 'test', version: '0' } as const
const plan = {
  scenarios: [feeder, recorder, bare],
  rigFile: '/rig.yaml',
  rigSha256: '0',
  commit: 'test',
  subject,
} as unknown as Plan

const options = { plan, seed: 1, mutations: 0, logs: '/logs', pki: '/pki', disks: '/disks' }
const ids = (list: readonly ProveJob[], of: ProveJob['expectation']): string[] =>
  list.filter((p) => p.expectation === of).map((p) => p.job.id)

function proof(more: Partial<Proof>): Proof {
  return {
    scenario: 'a/feeder',
    expectation: 'mutation',
    id: 'mutation/marketplace/judge/alter/1',
    describes: '',
    word: 'survived',
    tripped: [],
    log: 'data/x.jsonl',
    ...more,
  }
}

const legal = defects.find((d) => d.kind === 'variant' && d.app === 'gridkey-app')?.id ?? ''

describe('the runs of a proof', () => {
  test('are each scenario healthy, with each defect that it catches, and with each variant of an app of its', () => {
    const list = proveJobs(options)
    expect(ids(list, 'healthy')).toEqual(['a/feeder+healthy', 'b/recorder+healthy', 'c/bare+healthy'])
    expect(ids(list, 'defect')).toEqual([
      'a/feeder+gridkey-app/drifts',
      'b/recorder+csv-recorder/truncates-payload',
      'b/recorder+csv-recorder/doubles-after-restart',
    ])
    const variants = list.filter((p) => p.expectation === 'variant')
    for (const d of defects.filter((x) => x.kind === 'variant')) {
      const where = variants.filter((p) => p.id === d.id).map((p) => p.scenario.id)
      if (d.app === 'marketplace' || d.app === 'container-manager')
        expect(where).toEqual(['a/feeder', 'b/recorder', 'c/bare'])
      else if (d.app === 'gridkey-app') expect(where).toEqual(['a/feeder', 'b/recorder'])
      else if (d.app === 'csv-recorder') expect(where).toEqual(['b/recorder'])
      else expect(where).toEqual([])
    }
    expect(new Set(list.map((p) => p.job.id)).size).toBe(list.length)
  })
  test('take a variant for a defect where the scenario catches it', () => {
    const strict = scenario('d/strict', ['platform', 'gridkey'], { [legal]: 'X:1' })
    const list = proveJobs({ ...options, plan: { ...plan, scenarios: [feeder, strict] } })
    const where = (of: ProveJob['expectation']): string[] =>
      list.filter((p) => p.expectation === of && p.id === legal).map((p) => p.scenario.id)
    expect(where('variant')).toEqual(['a/feeder'])
    expect(where('defect')).toEqual(['d/strict'])
  })

  test('have the length that the scenario gives for it, the defect on, and a log of their own', () => {
    const list = proveJobs(options)
    expect(list[0]?.job).toMatchObject({ horizonMs: 180_000, fullHorizonMs: 86_400_000, defects: [] })
    const broken = list.find((p) => p.id === 'gridkey-app/drifts')
    expect(broken).toMatchObject({ target: 'X:1', job: { defects: ['gridkey-app/drifts'] } })
    expect(broken?.job.log).toBe('/logs/a.feeder+gridkey-app.drifts.jsonl')
  })

  test('may be as long as a defect takes; the healthy platform gets the longest', () => {
    const prove = { 'gridkey-app/drifts': '25 min', others: '2 min' }
    const long = { ...feeder, scenario: { ...feeder.scenario, prove } }
    const list = proveJobs({ ...options, plan: { ...plan, scenarios: [long] }, mutations: 20 })
    const minutes = (of: ProveJob['expectation']): number[] => [
      ...new Set(list.filter((p) => p.expectation === of).map((p) => p.job.horizonMs / 60_000)),
    ]
    expect([minutes('healthy'), minutes('defect')]).toEqual([[25], [25]])
    expect([minutes('variant'), minutes('mutation')]).toEqual([[2], [2]])
  })

  test('of one thing alone are its own and the healthy ones', () => {
    const of = (only: string): string[] => proveJobs({ ...options, mutations: 50, only }).map((p) => p.id)
    expect(of('gridkey-app/drifts')).toEqual(['', '', '', 'gridkey-app/drifts'])
    expect(of('mutation/csv-recorder/row/alter/3')).toEqual(['', '', '', 'mutation/csv-recorder/row/alter/3'])
    expect(of('gridkey-app/no-such')).toEqual(['', '', ''])
  })

  test('of mutations go where their app plays, first where most of its defects are known', () => {
    const list = proveJobs({ ...options, mutations: 90 }).filter((p) => p.expectation === 'mutation')
    expect(new Set(list.map((p) => p.id)).size).toBeGreaterThan(30)
    for (const id of new Set(list.map((p) => p.id))) {
      const where = list.filter((p) => p.id === id).map((p) => p.scenario.id)
      const { app } = defectOf(id)
      if (app === 'gridkey-app') expect(where).toEqual(['a/feeder', 'b/recorder'])
      if (app === 'csv-recorder') expect(where).toEqual(['b/recorder'])
      if (app === 'marketplace') expect(where).toHaveLength(3)
    }
    // One scenario each before any has a second: most need no second one.
    const firsts = list.slice(0, new Set(list.map((p) => p.id)).size)
    expect(new Set(firsts.map((p) => p.id)).size).toBe(firsts.length)
  })

  test('are the same for the same seed, and draw variants and mutations anew for another', () => {
    const of = (seed: number): string[] =>
      proveJobs({ ...options, seed, mutations: 40, variants: 1 }).map((p) => p.job.id)
    expect(of(3)).toEqual(of(3))
    expect(of(3)).not.toEqual(of(4))
    expect(of(3).toSorted()).not.toEqual(of(4).toSorted())
  })
})

describe('what need not be run any more', () => {
  test('is a mutation that was noticed, and none that survived or never came to bear', () => {
    const s = settling()
    const p = proof({})
    for (const word of ['survived', 'not reached', 'broke'] as const) s.see({ ...p, word })
    expect(s.settled(p)).toBe(false)
    s.see({ ...p, word: 'as expected' })
    expect(s.settled(p)).toBe(true)
    expect(s.settled({ ...p, id: 'mutation/marketplace/judge/alter/2' })).toBe(false)
  })

  test('is a variant that came to bear in as many scenarios as asked for, whatever came of it', () => {
    const p = proof({ expectation: 'variant', id: 'marketplace/tls-1.3-only' })
    const [all, two] = [settling(), settling(2)]
    for (const s of [all, two])
      for (const word of ['not reached', 'as expected', 'not reached'] as const) s.see({ ...p, word })
    expect(two.settled(p)).toBe(false)
    for (const s of [all, two]) s.see({ ...p, word: 'over-strict' })
    expect(two.settled(p)).toBe(true)
    expect(all.settled(p)).toBe(false)
    expect(settling(0).settled(p)).toBe(true)
  })

  test('is never a healthy platform or a defect', () => {
    const s = settling(0)
    for (const expectation of ['healthy', 'defect'] as const) {
      const p = proof({ expectation, id: 'gridkey-app/drifts', word: 'as expected' })
      s.see(p)
      expect(s.settled(p)).toBe(false)
    }
  })
})

describe('the folder of a proof', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'prove-test-'))
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  test('keeps the logs that need a look, those of mutations only where one was asked for', () => {
    mkdirSync(join(folder, 'data'))
    const kept = (p: Partial<Proof>, asked = false): boolean => {
      const log = join(folder, 'some.jsonl')
      writeFileSync(log, 'log')
      keep(proof(p), log, folder, asked)
      expect(existsSync(log)).toBe(false)
      const there = existsSync(join(folder, 'data/some.jsonl'))
      rmSync(join(folder, 'data/some.jsonl'), { force: true })
      return there
    }
    expect(kept({ expectation: 'healthy', word: 'as expected' })).toBe(true)
    expect(kept({ expectation: 'defect', word: 'as expected' })).toBe(false)
    for (const word of ['missed', 'not reached', 'broke'] as const)
      expect(kept({ expectation: 'defect', word })).toBe(true)
    expect(kept({ expectation: 'variant', word: 'over-strict' })).toBe(true)
    expect(kept({ word: 'survived' })).toBe(false)
    expect(kept({ word: 'survived' }, true)).toBe(true)
    expect(kept({ word: 'broke' })).toBe(true)
    // A worker that died before it wrote anything.
    keep(proof({ word: 'broke' }), join(folder, 'gone.jsonl'), folder, false)
  })

  test('is a new one each time, and holds every proof', () => {
    const [first, second] = [proveFolder(join(folder, 'runs')), proveFolder(join(folder, 'runs'))]
    expect(first).not.toBe(second)
    writeProofs(first, plan, 7, [proof({}), proof({ word: 'broke' })], ['a/feeder: idle'])
    const json = JSON.parse(readFileSync(join(first, 'prove.json'), 'utf8')) as Record<string, unknown>
    expect(json).toMatchObject({
      format: 'gridproof-prove/1',
      seed: 7,
      checksWithoutDefect: ['a/feeder: idle'],
      proofs: [{ word: 'survived' }, { word: 'broke' }],
    })
  })
})
