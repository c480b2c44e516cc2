/** An outlet that switches the power of real equipment, from the bench's side: a guardian process holds the board. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { GridproofError } from '../errors.ts'
import type { Outlet } from '../faces.ts'
import { stateFolder } from '../real/ledger.ts'
import type { FromGuardian, OutletSpec, ToGuardian } from './guardian-talk.ts'

export type { OutletSpec } from './guardian-talk.ts'

/** How long a guardian may take to begin, and to leave its outlet safe, ms: longer than a board's answers. Ours. */
const patience = 15_000

/**
 * Puts the outlet into its safe state, and holds it. Throws `rig-lacks` where its board is not reached, and what its first
 * operation throws. The caller has made sure that the operator wants it to move.
 */
export async function openOutlet(spec: OutletSpec, state: string = stateFolder()): Promise<Outlet> {
  const child = fork(fileURLToPath(new URL('guardian-main.ts', import.meta.url)), [], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // Of a group of its own: what ends the bench does not end it too.
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const opened = Promise.withResolvers<void>()
  opened.promise.catch(() => undefined)
  const waiting = new Map<number, PromiseWithResolvers<void>>()
  let last = 0
  let trouble: GridproofError | undefined
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const gone = (): GridproofError =>
    trouble ?? new GridproofError('rig-broke', 'the guardian of the power board is gone')
  void ended.then(() => {
    opened.reject(gone())
    for (const w of waiting.values()) w.reject(gone())
  })
  child.on('message', (m: FromGuardian) => {
    if (m.say === 'open') opened.resolve()
    else if (m.say === 'done') waiting.get(m.id)?.resolve()
    else {
      const e = new GridproofError(m.code, m.message)
      if (m.id === undefined) {
        trouble = e
        opened.reject(e)
      } else waiting.get(m.id)?.reject(e)
    }
  })
  const tell = (m: ToGuardian): void => {
    if (child.connected) child.send(m, () => undefined)
  }
  const power = async (on: boolean): Promise<void> => {
    if (!child.connected) throw gone()
    const id = ++last
    const done = Promise.withResolvers<void>()
    waiting.set(id, done)
    tell({ do: 'power', id, on })
    try {
      await done.promise
    } finally {
      waiting.delete(id)
    }
  }
  const close = async (): Promise<void> => {
    tell({ do: 'end' })
    const late = setTimeout(() => child.kill('SIGKILL'), patience)
    await ended
    clearTimeout(late)
    if (trouble !== undefined)
      throw new GridproofError('rig-broke', `the outlet may not be in its safe state: ${trouble.message}`, {
        cause: trouble,
      })
  }
  tell({ do: 'open', spec, state })
  const late = setTimeout(
    () => opened.reject(new GridproofError('timeout', 'the guardian of the power board did not begin')),
    patience,
  )
  try {
    await opened.promise
  } catch (e) {
    trouble = undefined
    await close().catch(() => undefined)
    throw e
  } finally {
    clearTimeout(late)
  }
  let closing: Promise<void> | undefined
  return {
    power,
    [Symbol.asyncDispose]() {
      closing ??= close()
      return closing
    },
  }
}
