/** One child process that runs one Program. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { GridproofError } from '../errors.ts'
import type { Json, Program } from '../faces.ts'
import type { Ledger } from './ledger.ts'
import type { FromChild, ToChild } from './proc-talk.ts'

/** Programs are named by their path from here. */
const root = new URL('../../', import.meta.url)

/** How long output of a process may still arrive when the process itself is gone (ms). Ours. */
const lastWords = 1000

/** Longest line of standard output or error that becomes one log entry (characters). Ours. */
const longestLine = 16_384

export interface ChildOptions {
  readonly name: string
  readonly program: Program
  readonly address: string
  readonly disk: string
  readonly ledger: Ledger
  /** `env.log`, and each line of standard output and error. */
  readonly onLog: (entry: Json) => void
  /** It asks for another program, or signals one: see proc-talk.ts. */
  readonly onAsk: (m: Extract<FromChild, { say: 'start' | 'signal' }>) => void
}

export interface Child {
  /** Exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>
  /** Its module is loaded and its main runs. Rejects with why not. */
  readonly ready: Promise<void>
  tell(m: ToChild): void
  /** Undefined where it could not be started. */
  readonly pid: number | undefined
  signal(s: 'TERM' | 'KILL'): void
  /** Stops it and all that it has started by itself (SIGSTOP): it neither runs nor ends until it is killed. */
  hang(): void
}

/** Whether this machine can confine a program to one core: Linux, and util-linux's taskset, which replaces itself by it. */
export function canOneCore(): boolean {
  const places = (process.env['PATH'] ?? '').split(delimiter)
  return process.platform === 'linux' && places.some((p) => existsSync(join(p, 'taskset')))
}

/** What stands before a program's own command line to confine it to the first core that this process may use. */
function onOneCore(): readonly string[] {
  if (!canOneCore()) throw new GridproofError('not-capable', 'there is no taskset: install util-linux')
  const status = readFileSync('/proc/self/status', 'latin1')
  const core = /^Cpus_allowed_list:\s*(\d+)/m.exec(status)?.[1] ?? '0'
  return ['taskset', '-c', core, process.execPath]
}

/** Starts a process of its own group, which ends when this one does. */
export function startChild(o: ChildOptions): Child {
  const [command = process.execPath, ...before] = o.program.oneCore === true ? onOneCore() : []
  const child = spawn(
    command,
    [
      ...before,
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('proc-main.ts', import.meta.url)),
    ],
    {
      cwd: o.disk,
      env: childEnv(),
      // A group of its own: Ctrl-C at the terminal reaches the bench alone, and all of it can be killed at once.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  )
  const ready = Promise.withResolvers<void>()
  ready.promise.catch(() => {})
  let saidLast = ''
  lines(child.stdout, (text) => o.onLog({ stdout: text }))
  lines(child.stderr, (text) => {
    saidLast = text
    o.onLog({ stderr: text })
  })
  child.on('message', (m: FromChild) => {
    if (m.say === 'ready') ready.resolve()
    else if (m.say === 'failed') ready.reject(new GridproofError(m.code, `${o.name}: ${m.message}`))
    else if (m.say === 'log') o.onLog(m.entry)
    else if (m.say !== 'bye') o.onAsk(m)
  })
  const ended = endOf(child).then((how) => {
    if (child.pid !== undefined) o.ledger.forget(child.pid)
    ready.reject(
      new GridproofError(
        'rig-broke',
        `${o.name} ended (${how}) before its main ran${saidLast === '' ? '' : `: ${saidLast}`}`,
      ),
    )
    return how
  })
  if (child.pid !== undefined) o.ledger.child(child.pid, o.name)
  const tell = (m: ToChild): void => {
    if (child.connected) child.send(m, () => {})
  }
  tell({
    do: 'run',
    name: o.name,
    address: o.address,
    disk: o.disk,
    module: new URL(o.program.entry, root).href,
    config: o.program.config,
    defects: o.program.defects,
  })
  return {
    pid: child.pid,
    ended,
    ready: ready.promise,
    tell,
    signal(s) {
      if (child.exitCode !== null || child.signalCode !== null) return
      if (s === 'KILL') signalGroup(child, 'SIGKILL')
      else child.kill('SIGTERM')
    },
    hang() {
      if (child.exitCode === null && child.signalCode === null) signalGroup(child, 'SIGSTOP')
    },
  }
}

/** Resolves when the process is gone and all it said has arrived. */
async function endOf(child: ChildProcess): Promise<number | string> {
  const closed = once(child, 'close').catch(() => {})
  let how: number | string
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    how = code ?? signal ?? 1
  } catch (e) {
    // It could not be started at all.
    return e instanceof Error ? e.message : String(e)
  }
  // What the program started by itself ends with it.
  signalGroup(child, 'SIGKILL')
  const patience = Promise.withResolvers<void>()
  const timer = setTimeout(patience.resolve, lastWords)
  await Promise.race([closed, patience.promise])
  clearTimeout(timer)
  child.stdout?.destroy()
  child.stderr?.destroy()
  return how
}

function signalGroup(child: ChildProcess, signal: 'SIGKILL' | 'SIGSTOP'): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The group is gone.
  }
}

/** What of the bench's environment a program gets: nothing that would change how it runs. */
function childEnv(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { TZ: 'UTC' }
  for (const name of ['PATH', 'HOME', 'LANG', 'TMPDIR', 'NODE_COMPILE_CACHE']) {
    const value = process.env[name]
    if (value !== undefined) env[name] = value
  }
  return env
}

function lines(stream: Readable | null, f: (text: string) => void): void {
  if (stream === null) return
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const all = (rest + text).split('\n')
    rest = all.pop() ?? ''
    for (const line of all) f(line.slice(0, longestLine))
    if (rest.length > longestLine) {
      f(rest.slice(0, longestLine))
      rest = ''
    }
  })
  stream.on('end', () => {
    if (rest !== '') f(rest)
  })
}
