/** Programs that the Container Manager keeps running beside the applications: the Data Marketplace, the maintenance service. */
import type { Proc, Program, ProgramEnv } from '../env.ts'
import { textOf } from '../errors.ts'

/** Milliseconds before a core service is started again. Ours. */
const coreRestartDelay = 1_000

export interface Core {
  start(): Promise<void>
  stop(): Promise<void>
  /** Another takes its place, and has been started when this resolves. */
  replace(program: Program): Promise<void>
}

/** Keeps a core service running: ended by itself, it is started again. */
export function keepCore(env: ProgramEnv, first: Program, name = 'marketplace'): Core {
  let program = first
  let proc: Proc | undefined
  let stopping = false
  let timer: NodeJS.Timeout | undefined
  const start = async (): Promise<void> => {
    try {
      const mine = await env.start(name, program)
      proc = mine
      void mine.ended.then(again)
    } catch (error) {
      again(textOf(error))
    }
  }
  const again = (how: number | string): void => {
    proc = undefined
    if (stopping) return
    env.log({ event: 'core-ended', how })
    timer = setTimeout(() => void start(), coreRestartDelay)
  }
  const stop = async (): Promise<void> => {
    stopping = true
    clearTimeout(timer)
    const mine = proc
    if (mine === undefined) return
    mine.signal('TERM')
    await mine.ended
  }
  return {
    start,
    stop,
    async replace(next) {
      await stop()
      program = next
      stopping = false
      await start()
    },
  }
}
