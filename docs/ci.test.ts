/** The workflows of docs/ci do what they say: their lines are performed, in a checkout for each job, without root. */
import { spawnSync } from 'node:child_process'
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { here, projectWith, scenarioText } from '../bench/cli/testing.ts'

const scenarios = { 'a/quiet': scenarioText(), 'b/quiet': scenarioText() }

/** Nobody, where this test is root and can be somebody else. */
const nobody = 65_534
const root = process.getuid?.() === 0
const asNobody = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups', '--']
const can =
  !root ||
  spawnSync('setpriv', [...asNobody, 'test', '-r', join(here, 'node_modules/.bin/node')]).status === 0
const npx = spawnSync('npx', ['--version']).status === 0
const why = !can
  ? ' (skipped: this is root, and nobody may not read this checkout)'
  : npx
    ? ''
    : ' (skipped: no npx)'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gridproof-ci-'))
  if (root) chownSync(folder, nobody, nobody)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A checkout of the bench, with its packages, and a place for what a job may write. */
function checkout(name: string): string {
  const at = join(folder, name)
  mkdirSync(at)
  const project = projectWith(at, scenarios)
  mkdirSync(join(at, 'home'))
  // npx sets the mode of what it links to: a checkout belongs to whoever works in it.
  if (root) spawnSync('chown', ['-RhP', `${nobody}:${nobody}`, at])
  return project
}

/** Performs lines as a runner does, packages being there already; they must end well. Gives what they print. */
function perform(lines: string, project: string, env: Readonly<Record<string, string>>): string {
  const command = ['bash', '-e', '-o', 'pipefail', '-c', lines.replaceAll(/^npm ci$/gm, 'true')]
  const [program = '', ...args] = root ? ['setpriv', ...asNobody, ...command] : command
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: project,
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: join(project, '../home'),
      TMPDIR: join(project, '../home'),
      ...env,
    },
  })
  expect(status, stdout + stderr).toBe(0)
  return stdout
}

/** What anyone would look for in the folder that the last job keeps. */
function expectReport(at: string): void {
  expect(readdirSync(at)).toEqual(
    expect.arrayContaining(['index.html', 'junit.xml', 'requirements.json', 'summary.md']),
  )
  const r = JSON.parse(readFileSync(join(at, 'requirements.json'), 'utf8')) as {
    notice: string | null
    scenarios: { id: string; ended: string }[]
  }
  expect(r.notice).toBeNull()
  const ended = Object.fromEntries(r.scenarios.map((s) => [s.id, s.ended]))
  expect(ended).toEqual({ 'a/quiet': 'finished', 'b/quiet': 'finished' })
}

const workflow = (file: string): unknown => parse(readFileSync(join(here, 'docs/ci', file), 'utf8'))

describe('the workflow', () => {
  test.skipIf(why !== '')(`for GitHub Actions ends with one report${why}`, () => {
    interface Step {
      readonly run?: string
      readonly uses?: string
      readonly with?: Readonly<Record<string, string>>
    }
    interface Job {
      readonly steps: readonly Step[]
      readonly strategy?: { readonly matrix: { readonly shard: readonly number[] } }
    }
    const { jobs } = workflow('github.yml') as { jobs: { shard: Job; report: Job } }
    const artifacts = join(folder, 'github-artifacts')
    const job = (j: Job, shard: string): void => {
      const project = checkout(`github-${shard}`)
      const filled = (text: string): string => text.replaceAll('${{ matrix.shard }}', shard)
      const env = { GITHUB_STEP_SUMMARY: join(project, '../home/summary.md') }
      for (const s of j.steps) {
        const path = join(project, filled(s.with?.['path'] ?? ''))
        if (s.run !== undefined) perform(filled(s.run), project, env)
        else if (s.uses?.startsWith('actions/upload-artifact@') === true)
          cpSync(path, join(artifacts, filled(s.with?.['name'] ?? '')), { recursive: true })
        else if (s.uses?.startsWith('actions/download-artifact@') === true)
          cpSync(artifacts, path, { recursive: true })
        else expect(s.uses).toMatch(/^actions\/(checkout|setup-node)@/)
      }
    }
    for (const shard of jobs.shard.strategy?.matrix.shard ?? []) job(jobs.shard, String(shard))
    job(jobs.report, 'report')
    expectReport(join(artifacts, 'acceptance-report'))
    expect(readFileSync(join(folder, 'github-report/home/summary.md'), 'utf8')).toContain('M:0024')
  })

  test.skipIf(why !== '')(`for GitLab CI ends with one report${why}`, () => {
    interface Job {
      readonly script: readonly string[]
      readonly parallel?: number
      readonly artifacts: {
        readonly paths: readonly string[]
        readonly reports?: Readonly<Record<string, string>>
      }
    }
    const jobs = workflow('gitlab.yml') as { scenarios: Job; report: Job }
    const artifacts = join(folder, 'gitlab-artifacts')
    const job = (j: Job, name: string, env: Readonly<Record<string, string>> = {}): void => {
      const project = checkout(`gitlab-${name}`)
      // A job has what jobs of stages before it kept.
      if (name === 'report') cpSync(artifacts, project, { recursive: true })
      perform(j.script.join('\n'), project, env)
      for (const path of j.artifacts.paths)
        cpSync(join(project, path), join(artifacts, path), { recursive: true })
      for (const path of Object.values(j.artifacts.reports ?? {}))
        expect(existsSync(join(project, path)), path).toBe(true)
    }
    const n = jobs.scenarios.parallel ?? 0
    expect(n).toBeGreaterThan(1)
    for (let i = 1; i <= n; i++) {
      const env = { CI_NODE_INDEX: String(i), CI_NODE_TOTAL: String(n) }
      job(jobs.scenarios, String(i), env)
    }
    job(jobs.report, 'report')
    expectReport(join(artifacts, 'report'))
  })
})

test.skipIf(why !== '')(`without root, every rig says whether it can run here${why}`, () => {
  expect(perform('npx gridproof rigs', checkout('rigs'), {})).toMatch(/^virtual: [^]*?here: ready/m)
})
