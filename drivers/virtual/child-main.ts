/** The other side of `runInChild`: reads its task from standard input, and writes the result to descriptor 3. */
import { readFileSync, writeSync } from 'node:fs'
import type { ChildTask } from './child.ts'
import { installKernel } from './install.ts'
import type { KernelOptions } from './kernel.ts'

const order = JSON.parse(readFileSync(0, 'utf8')) as { module: string; arg: never; kernel: KernelOptions }
const parent = process.ppid
const exit = process.exit.bind(process)
const kit = installKernel(order.kernel)
// Nobody waits for the result any more: end.
kit.kernel.onWall = () => {
  if (process.ppid !== parent) exit(1)
}
const answer = await work()
let at = 0
const bytes = Buffer.from(JSON.stringify(answer))
while (at < bytes.length) at += write(bytes.subarray(at))
exit(0)

async function work(): Promise<unknown> {
  try {
    const { task } = (await import(order.module)) as { task: ChildTask }
    return { value: await task(kit, order.arg) }
  } catch (e) {
    return { error: e instanceof Error ? (e.stack ?? e.message) : String(e) }
  }
}

/** The pipe may be full for a moment. */
function write(b: Uint8Array): number {
  try {
    return writeSync(3, b)
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'EAGAIN') return 0
    throw e
  }
}
