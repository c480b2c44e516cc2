/** The machine on which the platform runs, at the disposal of a scenario: everything on it ended at once, and started again. */
import { statfsSync } from 'node:fs'
import { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import type { Host, Json, Proc, Program, World } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'

/** Told in the evidence when every process is killed: checks of what is kept look for it. */
export const killed = 'every process of the platform is killed at once'
const startedAgain = 'the platform is started again'

const request = z.strictObject({
  /** Kills every process of the platform, and starts the platform again. What a loss of power costs beside is not played. */
  do: z.literal('restart'),
})

export interface Machine {
  /** A request at the port `machine`. Throws `bad-value` for what does not fit. */
  ask(asked: Json): Promise<Json>
  /** The platform's first process. */
  proc(): Proc
  /** Power is back: these run now. */
  restored(procs: readonly Proc[]): void
}

/** Starts the platform. `ended` is told when it ends otherwise than by a request. */
export async function startMachine(o: {
  readonly host: Host
  readonly program: Program
  readonly emit: Emit
  readonly ended: (how: number | string) => void
}): Promise<Machine> {
  const watched = (proc: Proc): Proc => {
    void proc.ended.then((how) => {
      if (proc === current) o.ended(how)
    })
    return proc
  }
  const begin = async (): Promise<Proc> => watched(await o.host.start('platform', o.program))
  let current: Proc | undefined
  let proc = await begin()
  current = proc
  return {
    proc: () => proc,
    restored(procs) {
      const again = procs.find((p) => p.name === 'platform')
      if (again === undefined) return
      proc = watched(again)
      current = again
    },
    async ask(asked) {
      const r = request.safeParse(asked)
      if (!r.success)
        throw new GridproofError('bad-value', `a request to the machine: ${z.prettifyError(r.error)}`)
      o.emit('host', { what: killed, proc: 'platform' })
      current = undefined
      o.host.kill('platform')
      await proc.ended
      o.emit('host', { what: startedAgain, proc: 'platform' })
      proc = await begin()
      current = proc
      return { Ok: true }
    },
  }
}

/** Magic numbers of Linux's file systems in memory (statfs(2)): tmpfs and ramfs. */
const inMemory = new Set([0x01021994, 0x858458f6])

/** Whether what a host writes lies on a disk. A host in virtual time plays one, wherever its files really are. */
export function hasDisk(host: Host, world: Pick<World, 'time'>): boolean {
  return world.time === 'virtual' || !inMemory.has(statfsSync(host.disk).type)
}
