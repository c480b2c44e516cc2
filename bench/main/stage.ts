/** What a worker imports once it knows its first job: in virtual time, only after the kernel has been installed. */
import type { World } from '../../drivers/faces.ts'
import { GridproofError } from '../../drivers/errors.ts'
import type { TraceOptions } from '../../drivers/virtual/trace.ts'
import type { Outcome } from './perform-job.ts'
import type { Job, Stop, WorkerLine } from './job.ts'

export interface Natives {
  tell(line: WorkerLine): void
  wallMs(): number
  cpuMs(): number
  /** Wall clock, ms since 1970. */
  wallNow(): number
  /** Resolves when the job is to stop before its end. */
  readonly stopped: Promise<Stop>
}

export type PerformJob = (job: Job) => Promise<Outcome>

/** Wall time between two lines of progress, in ms. */
const progressEvery = 200

/** Prepares this process for jobs of the same kind of time as the first one. */
export async function stage(first: Job, natives: Natives): Promise<PerformJob> {
  const { isLab, readRig } = await import('../rigs/schema.ts')
  const { nodeLogIo } = await import('../evidence/log.ts')
  const { loadCatalogue, shippedCatalogue } = await import('../requirements/load.ts')
  // Once for all jobs of this worker: it does not change under a run, and reading it takes as long as a short one.
  const catalogue = loadCatalogue(first.material?.requirements ?? shippedCatalogue)
  // Taken before the kernel takes the file system over.
  const io = nodeLogIo()
  const rig = readRig(first.rigFile)
  const run =
    rig.time === 'virtual' ? await virtualRunner(first) : await realRunner(isLab(rig) ? 'given' : 'loopback')
  const { performJob } = await import('./perform-job.ts')
  return (job) => {
    const news = progress(job, natives)
    return run(job, (log, world, onWall) => {
      onWall(() => news.maybe(world.now() - news.begin(world.now())))
      return performJob(
        { ...job, log },
        {
          world,
          catalogue,
          io,
          natives,
          stopped: natives.stopped,
          onProgress: (now, begin) => news.maybe(now - begin),
        },
      )
    })
  }
}

/** `log`: the file to write, which differs where a job is run more than once. */
type Body = (log: string, world: World, onWall: (f: () => void) => void) => Promise<Outcome>
type Runner = (job: Job, body: Body) => ReturnType<PerformJob>

async function virtualRunner(first: Job): Promise<Runner> {
  const { installKernel } = await import('../../drivers/virtual/install.ts')
  const { kernel } = installKernel({ seed: first.seed, epoch: first.epoch, drain: first.drain })
  const { createVirtualWorld } = await import('../../drivers/virtual/world.ts')
  const { compareTraces } = await import('../../drivers/virtual/trace.ts')
  return async (job, body) => {
    kernel.drain = job.drain
    const once = (log: string, trace: TraceOptions = {}): Promise<Outcome> =>
      kernel.run(
        async () => {
          await using world = await createVirtualWorld({ disks: job.disks })
          return await body(log, world, (f) => {
            kernel.onWall = f
          })
        },
        { seed: job.seed, epoch: job.epoch, trace },
      )
    if (job.findDivergence !== true) return await once(job.log)
    let n = 0
    let outcome: Outcome | undefined
    const found = await compareTraces(async (trace) => {
      outcome = await once(`${job.log}.${++n}`, trace)
      return kernel.summary()
    })
    if (outcome === undefined) throw new GridproofError('internal', 'nothing was compared')
    const { first = '', second = '', context = [] } = found ?? {}
    return { ...outcome, divergence: found === undefined ? [] : [first, second, ...context] }
  }
}

async function realRunner(addresses: 'given' | 'loopback'): Promise<Runner> {
  const { createRealWorld } = await import('../../drivers/real/world.ts')
  return async (job, body) => {
    await using world = await createRealWorld({ seed: job.seed, addresses })
    let tick: NodeJS.Timeout | undefined
    try {
      return await body(job.log, world, (f) => {
        tick = setInterval(f, 1000)
      })
    } finally {
      clearInterval(tick)
    }
  }
}

function progress(job: Job, natives: Natives): { maybe(passedMs: number): void; begin(now: number): number } {
  let last = 0
  let begin: number | undefined
  return {
    begin: (now) => (begin ??= now),
    maybe(passedMs) {
      const wall = natives.wallMs()
      if (wall - last < progressEvery) return
      last = wall
      natives.tell({ tell: 'progress', id: job.id, passedMs })
    },
  }
}
