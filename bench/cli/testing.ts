/** For tests: the command line as a child process, in a world of its own, and a project of its own to run in. */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { processStamp } from '../../drivers/real/process.ts'
import { readLog } from '../evidence/read.ts'
import type { Event } from '../faces.ts'

/** Root of this project. */
export const here = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** A folder that a test works in: nothing of the bench may be left in `tmp` or `state` after a command. */
export interface Place extends Disposable {
  readonly path: string
  /** Where the bench keeps temporary files. */
  readonly tmp: string
  /** Where it keeps its ledgers. */
  readonly state: string
  /** Environment of commands that work here. */
  readonly env: Readonly<Record<string, string>>
  /** Writes a file below `path` and returns its own path. */
  write(name: string, text: string): string
  /** Starts the command line. */
  start(args: readonly string[], more?: StartOptions): Command
  /** Runs the command line to its end. */
  run(args: readonly string[], more?: StartOptions): Promise<Ended>
  /** Temporary folders and ledgers that are there now, by name. */
  left(): readonly string[]
}

export interface StartOptions {
  /** Root of the project to run; this one unless given. */
  readonly project?: string
  readonly cwd?: string
  readonly node?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface Command {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  readonly ended: Promise<Ended>
  /** Resolves when its standard error has told something that fits; rejects if it ends before. */
  readonly told: (what: RegExp) => Promise<void>
}

export interface Ended {
  /** Exit code, or the name of the signal that ended it. */
  readonly code: number | string
  readonly out: string
  readonly err: string
}

export function place(): Place {
  const path = mkdtempSync(join(tmpdir(), 'cli-test-'))
  const tmp = join(path, 'tmp')
  const state = join(path, 'state')
  mkdirSync(tmp)
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: path,
    TMPDIR: tmp,
    GRIDPROOF_STATE: state,
    // Compiled code is shared with other tests, and is no temporary file of a run.
    NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'),
  }
  const start = (args: readonly string[], more: StartOptions = {}): Command => {
    const child = spawn(
      more.node ?? process.execPath,
      [join(more.project ?? here, 'bench/cli/gridproof.mjs'), ...args],
      {
        cwd: more.cwd ?? path,
        env: { ...env, ...more.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    let out = ''
    let err = ''
    const waiting = new Set<() => void>()
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
      for (const look of waiting) look()
    })
    const ended = once(child, 'close').then(([code, signal]) => ({
      code: (code ?? signal) as number | string,
      out,
      err,
    }))
    return {
      child,
      ended,
      told(what) {
        const told = Promise.withResolvers<void>()
        const look = (): void => {
          if (what.test(err)) told.resolve()
        }
        waiting.add(look)
        look()
        void ended.then(() => told.reject(new Error(`it ended without a word like ${what}: ${out}${err}`)))
        return told.promise.finally(() => waiting.delete(look))
      },
    }
  }
  return {
    path,
    tmp,
    state,
    env,
    write(name, text) {
      const file = join(path, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      return file
    },
    start,
    run: (args, more) => start(args, more).ended,
    left() {
      const ledgers = join(state, 'ledgers')
      return [...readdirSync(tmp), ...(existsSync(ledgers) ? readdirSync(ledgers) : [])]
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }),
  }
}

/**
 * A copy of this project in a folder, with only those scenarios (by ID, as text), so that a test can have some of its
 * own. Packages are shared.
 */
export function projectWith(folder: string, scenarios: Readonly<Record<string, string>>): string {
  const root = join(folder, 'project')
  mkdirSync(root)
  for (const part of ['bench', 'drivers', 'sim', 'reports', 'fixtures', 'package.json'])
    cpSync(join(here, part), join(root, part), {
      recursive: true,
      filter: (f) => !f.endsWith('.test.ts'),
    })
  symlinkSync(join(here, 'node_modules'), join(root, 'node_modules'))
  mkdirSync(join(root, 'scenarios'))
  for (const [id, text] of Object.entries(scenarios)) {
    const file = join(root, 'scenarios', `${id}.ts`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return root
}

/** Every process below another one, by number; nothing where the system has no /proc. */
export function descendants(pid: number): readonly number[] {
  const found: number[] = []
  for (const thread of existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [])
    try {
      const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').trim()
      for (const c of children === '' ? [] : children.split(' ').map(Number)) found.push(c, ...descendants(c))
    } catch {
      // The thread has ended meanwhile.
    }
  return found
}

/** Resolves when each of these processes has ended; the test's own time limit is the bound. */
export async function gone(pids: readonly number[]): Promise<void> {
  for (const pid of pids)
    while (processStamp(pid) !== undefined)
      await new Promise((done) => {
        setTimeout(done, 5)
      })
}

/** Logs of the scenarios of a run's folder, each read whole; throws where one cannot be read. */
export function logsOf(
  run: string,
): readonly { file: string; events: readonly Event[]; cutShort: boolean }[] {
  const data = join(run, 'data')
  return readdirSync(data)
    .filter((f) => f.endsWith('.jsonl'))
    .sort()
    .map((f) => {
      const log = readLog(join(data, f))
      const events = [...log]
      return { file: join(data, f), events, cutShort: log.cutShort }
    })
}

/** The newest run in a folder of runs. */
export function latest(out: string): string {
  return join(out, 'latest')
}

/** A scenario's text: nothing but its parts that a test wants otherwise. `run` is the body of its function. */
export function scenarioText(
  o: {
    readonly title?: string
    readonly verifies?: string
    readonly needs?: string
    readonly catches?: string
    readonly horizon?: string
    readonly more?: string
    readonly run?: string
  } = {},
): string {
  return `import { always, never, scenario } from '../../bench/index.ts'

const figures = { src: 'host', kind: 'seen', select: 'host.*' } as const

export default scenario({
  title: ${o.title ?? "'A platform that is left alone goes on'"},
  verifies: ${o.verifies ?? "['M:0024/one-hour']"},
  needs: ${o.needs ?? "['platform']"},
  catches: ${o.catches ?? '{}'},
  horizon: ${o.horizon ?? "'3 s'"},
  ${o.more ?? ''}
  async run({ time, check }) {
    ${o.run ?? quiet}
  },
})
`
}

const quiet = `check(
      never(figures, () => false, { id: 'goes-on', limit: 'it goes on', verifies: ['M:0024/one-hour'] }),
    )
    await time.pass(time.horizon)`
