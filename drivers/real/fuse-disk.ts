/** A disk that remembers what it is told (fuse-main.ts), from the side of whoever mounts it; and whether it can be had. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GridproofError } from '../errors.ts'
import { loadBlock } from './block.ts'
import type { Block, LoopDevice } from './block.ts'
import { decodeLog, type LogEntry } from './write-log.ts'

export interface RecordingDisk {
  /** Where its ext4 is mounted. */
  readonly path: string
  /** Looking for a file `<name>` here (it is never there) sets a mark in the log. */
  readonly marks: string
  /**
   * Cuts its power, and gives what it was told; before `from` it was being mounted, which is the bench's own doing. Whoever
   * used it must have ended.
   */
  end(): Promise<{ readonly log: readonly LogEntry[]; readonly from: number }>
}

export interface RecordingOptions {
  /** Folder of its own, in memory. */
  readonly folder: string
  /** Image with an ext4 that it begins with; it stays as it is. */
  readonly image: string
  /** Mount options of its ext4 beyond those of all. */
  readonly options?: string
}

const mountedMark = 'mounted'

/** How long the serving process may take to start and to end, ms. Ours. */
const patience = 10_000

/** Throws `rig-broke`; ask `lacksCached` of disk.ts first. */
export async function recordDisk(o: RecordingOptions): Promise<RecordingDisk> {
  const block = loadBlock()
  if ('lacks' in block) throw new GridproofError('not-capable', block.lacks)
  const marks = join(o.folder, 'fuse')
  const path = join(o.folder, 'm')
  const logFile = join(o.folder, 'writes.log')
  mkdirSync(marks, { recursive: true })
  mkdirSync(path, { recursive: true })
  const server = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('fuse-main.ts', import.meta.url)),
      marks,
      o.image,
      logFile,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let said = ''
  server.stderr.on('data', (b: Buffer) => {
    said += String(b)
  })
  const ended = once(server, 'exit').catch(() => undefined)
  const kill = (): void => {
    server.kill('SIGKILL')
  }
  process.once('exit', kill)
  let loop: LoopDevice | undefined
  try {
    await ready(server, ended, () => said)
    loop = block.attach(join(marks, 'disk'))
    block.mount(loop.path, path, 'ext4', ['noauto_da_alloc,commit=300', o.options].filter(Boolean).join(','))
    // At the first file that is opened ext4 notes in its superblock where it is mounted: that is to be behind it.
    writeFileSync(join(path, 'first'), 'first', { flush: true })
    rmSync(join(path, 'first'))
    execFileSync('sync', ['-f', path])
    existsSync(join(marks, mountedMark))
  } catch (e) {
    release(block, loop, path, marks)
    process.off('exit', kill)
    kill()
    throw e
  }
  return {
    path,
    marks,
    async end() {
      block.shutDown(path)
      release(block, loop, path, marks)
      const late = setTimeout(kill, patience)
      await ended
      clearTimeout(late)
      process.off('exit', kill)
      if (!existsSync(logFile))
        throw new GridproofError('rig-broke', `the recording disk ended without its log: ${said.trim()}`)
      const log = decodeLog(readFileSync(logFile))
      return { log, from: 1 + log.findIndex((e) => e.kind === 'mark' && e.name === mountedMark) }
    },
  }
}

async function ready(server: ChildProcess, ended: Promise<unknown>, said: () => string): Promise<void> {
  const late = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => late.resolve('late'), patience)
  const first = server.stdout === null ? late.promise : once(server.stdout, 'data')
  const how = await Promise.race([first, ended.then(() => 'ended' as const), late.promise])
  clearTimeout(timer)
  if (!Array.isArray(how))
    throw new GridproofError('rig-broke', `the recording disk did not start (${how}): ${said().trim()}`)
}

function release(block: Block, loop: LoopDevice | undefined, path: string, marks: string): void {
  if (!block.unmount(path)) block.unmount(path, 'detach')
  loop?.[Symbol.dispose]()
  if (!block.unmount(marks)) block.unmount(marks, 'detach')
}
