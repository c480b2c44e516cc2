/**
 * The small program that a child process of a host runs: it is told which Program to run, and gives it its
 * environment. It ends at once when the bench is gone, however that came about.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { GridproofError, isGridproofError, messageOf } from '../errors.ts'
import type { Proc, Program, ProgramEnv, ProgramModule } from '../faces.ts'
import { loadLibc } from './libc.ts'
import type { FromChild, ToChild } from './proc-talk.ts'

/** Ends this process and all of its group, which it leads. */
const endAll = (): void => {
  try {
    process.kill(-process.pid, 'SIGKILL')
  } catch {
    // It leads no group: somebody has started it by hand.
    process.kill(process.pid, 'SIGKILL')
  }
}

function say(m: FromChild, then?: () => void): void {
  if (process.connected) process.send?.(m, () => then?.())
  else then?.()
}

function main(): void {
  // A program that hogs its thread would not see the channel close; the kernel then ends it.
  const libc = loadLibc()
  if (!('lacks' in libc)) libc.dieWithParent()
  process.on('disconnect', endAll)
  if (!process.connected) endAll()

  const term = new AbortController()
  process.on('SIGTERM', () => term.abort())
  // Ctrl-C is the bench's own matter: it ends its children in order.
  process.on('SIGINT', () => {})

  const family = createFamily()
  process.on('message', (m: ToChild) => {
    if (m.do === 'run') void run(m, term.signal, family)
    else family.told(m)
  })
}

async function run(m: Extract<ToChild, { do: 'run' }>, term: AbortSignal, family: Family): Promise<void> {
  let module: ProgramModule
  try {
    module = await load(m.module)
  } catch (e) {
    const code = isGridproofError(e) ? e.code : 'rig-broke'
    say({ say: 'failed', code, message: messageOf(e) }, () => process.exit(1))
    return
  }
  const env: ProgramEnv = {
    name: m.name,
    address: m.address,
    disk: m.disk,
    config: m.config,
    defects: m.defects,
    term,
    log: (entry) => say({ say: 'log', entry }),
    start: (name, program) => family.start(name, program),
  }
  say({ say: 'ready' })
  let code = 1
  try {
    code = (await module.main(env)) ?? 0
  } catch (e) {
    process.stderr.write(`${e instanceof Error ? (e.stack ?? e.message) : String(e)}\n`)
  }
  // Once this is through, so is every log entry before.
  say({ say: 'bye' }, () => process.exit(code & 0xff))
}

async function load(url: string): Promise<ProgramModule> {
  if (url.startsWith('file:') && !existsSync(fileURLToPath(url)))
    throw new GridproofError('no-such', `there is no program ${fileURLToPath(url)}`)
  const module = (await import(url)) as Partial<ProgramModule>
  if (typeof module.main !== 'function')
    throw new GridproofError('bad-value', `${url} is no program: it exports no main(env)`)
  return module as ProgramModule
}

/** The programs that this one has started. */
interface Family {
  start(name: string, p: Program): Promise<Proc>
  told(m: Exclude<ToChild, { do: 'run' }>): void
}

function createFamily(): Family {
  interface Child {
    readonly started: PromiseWithResolvers<void>
    readonly ended: PromiseWithResolvers<number | string>
  }
  const children = new Map<number, Child>()
  let made = 0
  return {
    async start(name, program) {
      made += 1
      const id = made
      const child: Child = { started: Promise.withResolvers(), ended: Promise.withResolvers() }
      children.set(id, child)
      say({ say: 'start', id, name, program })
      await child.started.promise
      return {
        name,
        ended: child.ended.promise,
        signal: (signal) => say({ say: 'signal', id, signal }),
      }
    },
    told(m) {
      const child = children.get(m.id)
      if (child === undefined) return
      if (m.do === 'ended') {
        children.delete(m.id)
        child.ended.resolve(m.how)
      } else if (m.failed === undefined) child.started.resolve()
      else {
        children.delete(m.id)
        child.started.reject(new GridproofError(m.failed.code, m.failed.message))
      }
    },
  }
}

main()
