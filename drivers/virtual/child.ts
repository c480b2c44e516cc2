/**
 * Runs a module in a fresh process under the kernel, and gives its result: for tests, where the kernel must not be
 * installed in the test's own process, and for running many seeds.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { GridproofError } from '../errors.ts'
import type { Json } from '../faces.ts'
import type { Installed } from './install.ts'
import type { KernelOptions } from './kernel.ts'

/** What a module for a child process exports as `task`. Its result must be JSON. */
export type ChildTask = (kit: Installed, arg: Json) => Promise<Json>

export interface ChildOptions {
  /** The module that exports `task`. */
  readonly module: string | URL
  readonly arg?: Json
  readonly kernel: KernelOptions
  /** Wall time after which the child is killed, in ms; 120 s unless given. */
  readonly within?: number
  readonly nodeArgs?: readonly string[]
}

const main = fileURLToPath(new URL('child-main.ts', import.meta.url))

/**
 * Throws `rig-broke` with what the child wrote when it ends without a result, and `timeout`; what the task threw comes
 * back as `internal`, with its stack.
 */
export async function runInChild<T extends Json>(o: ChildOptions): Promise<T> {
  const module = o.module instanceof URL ? o.module.href : o.module
  const child = spawn(process.execPath, [...(o.nodeArgs ?? []), main], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  })
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  process.once('exit', kill)
  const texts = ['', '', '', '']
  for (const fd of [1, 2, 3] as const)
    child.stdio[fd]?.on('data', (b: Buffer) => {
      texts[fd] += String(b)
    })
  child.stdin.on('error', () => {})
  child.stdin.end(JSON.stringify({ module, arg: o.arg ?? null, kernel: o.kernel }))
  let late = false
  const limit = setTimeout(() => {
    late = true
    kill()
  }, o.within ?? 120_000)
  const code = await new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (c, signal) => resolve(c ?? signal))
  })
  clearTimeout(limit)
  process.off('exit', kill)
  const said = [texts[1], texts[2]].join('').trim()
  if (late) throw new GridproofError('timeout', `${module}: no result in ${o.within ?? 120_000} ms. ${said}`)
  let answer: { value?: T; error?: string }
  try {
    answer = JSON.parse(texts[3] ?? '') as typeof answer
  } catch (cause) {
    throw new GridproofError(
      'rig-broke',
      `${module}: the process ended (${String(code)}) without a result. ${said}`,
      { cause },
    )
  }
  if (answer.error !== undefined) throw new GridproofError('internal', `${module}: ${answer.error}\n${said}`)
  return answer.value as T
}
