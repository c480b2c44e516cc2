import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { descendants, gone, here } from '../cli/testing.ts'
import { readLog } from '../evidence/read.ts'
import { exitCodeFor } from '../verdicts/exit-code.ts'
import { virtualEpoch } from './job.ts'
import type { Job } from './job.ts'
import { digest } from './plan.ts'
import { startPool } from './pool.ts'
import type { Done } from './pool.ts'
import { makeScratch } from './scratch.ts'
import type { Scratch } from './scratch.ts'
import { readRig } from '../rigs/schema.ts'

const rigFile = join(here, 'fixtures/rigs/virtual.yaml')
const minute = 60_000
/** Longer than any test: such a job never ends by itself. */
const endless = 365 * 24 * 60 * minute

let folder = ''
let scratch: Scratch
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pool-test-'))
  process.env['GRIDPROOF_STATE'] = join(folder, 'state')
  scratch = makeScratch(readRig(rigFile))
})
afterAll(() => {
  scratch[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

let count = 0
function job(o: Partial<Job> = {}): Job {
  const id = `job-${++count}`
  return {
    id,
    scenario: 'capture/every-ten-seconds',
    file: join(here, 'scenarios/capture/every-ten-seconds.ts'),
    rigFile,
    rigSha256: digest(rigFile),
    seed: 1,
    horizonMs: minute,
    fullHorizonMs: 60 * minute,
    log: join(folder, `${id}.jsonl`),
    pki: scratch.pki,
    disks: scratch.disks,
    defects: [],
    drain: 'sync',
    epoch: virtualEpoch,
    commit: 'test',
    subject: { kind: 'reference', maker: 'test', product: 'test', version: '0' },
    ...o,
  }
}
const outcomes = (done: readonly Done[]): Record<string, unknown> =>
  Object.fromEntries(
    done.map((d) => [d.job.id, d.record.trouble?.blame ?? d.record.end?.outcome ?? 'nothing']),
  )
const linux = process.platform === 'linux'

describe('a job over its time limit', () => {
  test('ends in good order by the fault of the rig, and the next one is performed by another worker', async () => {
    const [late, next] = [job({ horizonMs: endless, timeoutMs: 1 }), job()]
    const done = await startPool({ jobs: [late, next], workers: 1 }).finished
    expect(outcomes(done)).toEqual({ [late.id]: 'rig', [next.id]: 'finished' })
    expect(done[0]?.record.trouble?.why).toContain('after 1 ms of wall time')
    const log = readLog(late.log)
    expect([...log].at(-1)).toMatchObject({ kind: 'end', data: { outcome: 'broke', blame: 'rig' } })
    expect(log.cutShort).toBe(false)
  })

  test('is killed where it cannot even hear it, and the bench is to blame', async () => {
    const file = join(folder, 'deaf.ts')
    writeFileSync(file, 'for (;;);\n')
    const [deaf, next] = [job({ scenario: 'x/deaf', file, timeoutMs: 1 }), job()]
    const done = await startPool({ jobs: [deaf, next], workers: 1, patience: 2000 }).finished
    expect(outcomes(done)).toEqual({ [deaf.id]: 'bench', [next.id]: 'finished' })
    expect(done[0]?.record.trouble?.why).toContain('it did not stop when it was asked to')
  })

  test('may be tried again, and only the last try is among the results', async () => {
    const first = job({ horizonMs: endless, timeoutMs: 1 })
    const told: [string, boolean][] = []
    const pool = startPool({
      jobs: [first],
      workers: 1,
      again: ({ job: { timeoutMs, ...same } }) =>
        timeoutMs === undefined
          ? undefined
          : { ...same, attempt: 2, horizonMs: minute, log: `${first.log}.2` },
      onDone: ({ job: j }, again) => void told.push([j.log, again]),
    })
    expect((await pool.finished).map((d) => d.job.attempt)).toEqual([2])
    expect(told).toEqual([
      [first.log, true],
      [`${first.log}.2`, false],
    ])
  })
})

describe('a pool', () => {
  test('leaves out a job that is not wanted any more when its turn comes', async () => {
    const jobs = [job(), job({ seed: 2 }), job({ seed: 3 }), job({ seed: 4 })]
    const asked: string[] = []
    const ended: string[] = []
    const pool = startPool({
      jobs,
      workers: 1,
      skip(j) {
        asked.push(`${j.id} after ${ended.length}`)
        return j.seed === 2 || j.seed === 4
      },
      onDone: (d) => void ended.push(d.job.id),
    })
    expect((await pool.finished).map((d) => d.job.seed)).toEqual([1, 3])
    const [a, b, c, d] = jobs.map((j) => j.id)
    expect(asked).toEqual([`${a} after 0`, `${b} after 1`, `${c} after 1`, `${d} after 2`])
    const none = startPool({ jobs: [job()], workers: 2, skip: () => true })
    expect(await none.finished).toEqual([])
  })

  test('performs every job, and tells of each once when it begins and once when it ends', async () => {
    const jobs = [job(), job({ seed: 2 }), job({ seed: 3 })]
    const told: string[] = []
    const pool = startPool({
      jobs,
      workers: 2,
      onBegin: (j) => void told.push(`begin ${j.id}`),
      onDone: (d) => void told.push(`done ${d.job.id}`),
    })
    const done = await pool.finished
    expect(outcomes(done)).toEqual(Object.fromEntries(jobs.map((j) => [j.id, 'finished'])))
    expect(told.toSorted()).toEqual(jobs.flatMap((j) => [`begin ${j.id}`, `done ${j.id}`]).toSorted())
    for (const d of done) expect(exitCodeFor([d.record], { aborted: false })).toBe(0)
    // A job that a worker has as its second one leaves the same trace as one that it has as its first.
    const again = await startPool({ jobs: [job({ seed: 3 })], workers: 1 }).finished
    const hash = (d: Done | undefined): string | undefined => d?.record.end?.world.traceHash
    const third = done.find((d) => d.job.id === jobs[2]?.id)
    expect(hash(third)).toMatch(/^[0-9a-f]{64}$/)
    expect(hash(again[0])).toBe(hash(third))
  })

  test('of no jobs is finished at once', async () => {
    expect(await startPool({ jobs: [], workers: 4 }).finished).toEqual([])
  })

  test('sees a defect come to bear and a check fail because of it', async () => {
    const broken = job({ defects: ['gridkey-app/wrong-scale'], horizonMs: 2 * minute })
    const [done] = await startPool({ jobs: [broken], workers: 1 }).finished
    expect(done?.reached).toEqual(['gridkey-app/wrong-scale'])
    expect(done?.record.checks.filter((c) => c.result.verdict === 'fail').map((c) => c.id)).toEqual([
      'values',
    ])
    expect(exitCodeFor(done === undefined ? [] : [done.record], { aborted: false })).toBe(1)
  })

  test('tells a job that could not begin with its reason, and its worker goes on', async () => {
    const jobs = [
      job({ log: join(folder, 'nowhere', 'x.jsonl') }),
      job({ file: join(folder, 'gone.ts') }),
      job(),
    ]
    const done = await startPool({ jobs, workers: 1 }).finished
    expect(Object.values(outcomes(done))).toEqual(['rig', 'rig', 'finished'])
    expect(done[0]?.record.trouble?.why).toMatch(/cannot create the evidence log: ENOENT/)
    expect(done[1]?.record.trouble?.why).toMatch(/gone\.ts: cannot be read: ENOENT/)
    expect(done[0]?.record.scenario).toBe('capture/every-ten-seconds')
  })
})

describe('a worker that is killed', () => {
  test.skipIf(!linux)(
    'takes only its own job along: the bench is to blame, and the others finish',
    async () => {
      const victim = job({ horizonMs: endless })
      const others = [job(), job({ seed: 2 }), job({ seed: 3 })]
      const began = new Map<string, readonly number[]>()
      let known: readonly number[] = descendants(process.pid)
      const pool = startPool({
        jobs: [victim, ...others],
        workers: 2,
        onBegin(j) {
          const now = descendants(process.pid)
          began.set(
            j.id,
            now.filter((p) => !known.includes(p)),
          )
          known = now
        },
        onProgress(j, passed) {
          if (j.id === victim.id && passed > minute)
            for (const pid of began.get(victim.id) ?? []) process.kill(pid, 'SIGKILL')
        },
      })
      const done = await pool.finished
      expect(began.get(victim.id)).toHaveLength(1)
      expect(outcomes(done)).toEqual({
        [victim.id]: 'bench',
        ...Object.fromEntries(others.map((j) => [j.id, 'finished'])),
      })
      const broken = done.find((d) => d.job.id === victim.id)
      expect(broken?.record.trouble?.why).toBe(`the worker of '${victim.id}' died (SIGKILL)`)
      expect(
        exitCodeFor(
          done.map((d) => d.record),
          { aborted: false },
        ),
      ).toBe(5)
      // What it saw until then can be read.
      const log = readLog(victim.log)
      expect([...log].length).toBeGreaterThan(10)
      expect(log.cutShort).toBe(true)
    },
  )

  test.skipIf(!linux)('is replaced, so that one worker still does every job', async () => {
    const victim = job({ horizonMs: endless })
    const after = [job(), job({ seed: 2 })]
    const before = descendants(process.pid)
    const pool = startPool({
      jobs: [victim, ...after],
      workers: 1,
      onProgress(j) {
        if (j.id !== victim.id) return
        for (const pid of descendants(process.pid)) if (!before.includes(pid)) process.kill(pid, 'SIGKILL')
      },
    })
    expect(Object.values(outcomes(await pool.finished))).toEqual(['bench', 'finished', 'finished'])
  })
})

describe('stopping a pool', () => {
  test('ends what runs, with a trailer that says who stopped it, and begins nothing more', async () => {
    const running = [job({ horizonMs: endless }), job({ horizonMs: endless, seed: 2 })]
    const never = [job(), job()]
    const disks = readdirSync(scratch.disks)
    const before = descendants(process.pid)
    let workers: readonly number[] = []
    const moving = new Set<string>()
    const pool = startPool({
      jobs: [...running, ...never],
      workers: 2,
      onProgress(j, passed) {
        if (passed > minute) moving.add(j.id)
        if (moving.size < 2) return
        workers = descendants(process.pid).filter((p) => !before.includes(p))
        pool.stop()
        // Again is once.
        pool.stop()
      },
    })
    const done = await pool.finished
    expect(outcomes(done)).toEqual(Object.fromEntries(running.map((j) => [j.id, 'operator'])))
    for (const d of done) {
      expect(d.record.end?.outcome).toBe('aborted')
      const log = readLog(d.job.log)
      expect([...log].at(-1)?.data).toMatchObject({ outcome: 'aborted', blame: 'operator' })
      expect(log.cutShort).toBe(false)
      // What was seen until then is judged, and nothing passes.
      expect(d.record.checks.length).toBeGreaterThan(0)
      for (const c of d.record.checks)
        expect(c.result).toMatchObject({ verdict: 'inconclusive', blame: 'operator' })
    }
    if (linux) expect(workers).toHaveLength(2)
    await gone(workers)
    expect(readdirSync(scratch.disks)).toEqual(disks)
  })

  test('before any worker is ready ends them all, and blames nobody but the operator', async () => {
    const pool = startPool({ jobs: [job({ horizonMs: endless }), job({ horizonMs: endless })], workers: 2 })
    pool.stop()
    const done = await pool.finished
    expect(Object.values(outcomes(done))).toEqual(['operator', 'operator'])
  })

  test('when all is done does nothing', async () => {
    const pool = startPool({ jobs: [], workers: 1 })
    await pool.finished
    pool.stop()
    await pool.finished
  })
})

test.skipIf(!linux)('workers whose bench is killed end by themselves', async () => {
  const file = join(folder, 'jobs.json')
  writeFileSync(file, JSON.stringify([job({ horizonMs: endless }), job({ horizonMs: endless, seed: 2 })]))
  const bench = spawn(
    process.execPath,
    [fileURLToPath(new URL('testing/doomed.ts', import.meta.url)), file],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const [line] = (await once(createInterface(bench.stdout), 'line')) as [string]
  const workers = JSON.parse(line) as number[]
  expect(workers).toHaveLength(2)
  bench.kill('SIGKILL')
  await once(bench, 'exit')
  await gone(workers)
})
