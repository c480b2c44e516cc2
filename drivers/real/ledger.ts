/**
 * What would outlive a crash of the bench - folders with what is mounted below them, links, children - is written down before or as it comes to be.
 * The next start, or `gridproof clean`, undoes what dead benches left. One file for each ledger, below the state
 * folder; a line is one JSON object. Lines are not flushed to the disk: they outlive the process, and when the
 * machine itself goes, so do its processes.
 */
import { randomUUID } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { GridproofError, messageOf } from '../errors.ts'
import { makeFolders } from '../folders.ts'
import { unmountBelow } from './block.ts'
import { isOurs, removeRule, type Rule } from './firewall.ts'
import { killTree, processPlace, processStamp } from './process.ts'

/** The names of folders that a ledger makes, and the only ones that it removes. */
const folderName = (name: string): string =>
  `gridproof-${name.replaceAll(/[^\w.-]/g, '_')}-${randomUUID().slice(0, 8)}`
const ours = /^gridproof-[\w.-]*-[0-9a-f]{8}$/

/** One thing that outlives a crash. `stamp` tells a process from a later one with the same number. */
export type Leftover =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string }
  | { readonly kind: 'rule'; readonly path: string; readonly rule: Rule }
  | { readonly kind: 'child'; readonly pid: number; readonly stamp: string; readonly name: string }

export interface Ledger {
  /** A new folder for temporary files, noted before it is made; below `under`, else where the system keeps such. */
  folder(name: string, under?: string): string
  /** Notes a symbolic link, to be called before it is made. */
  link(path: string): void
  /** Notes a rule of the packet filter, to be called before it is set; it goes by its mark. */
  rule(rule: Rule): void
  /** Notes a child process that runs now. */
  child(pid: number, name: string): void
  /** What the bench itself has undone need not be undone again. Takes a path or a process number. */
  forget(what: string | number): void
  /** Undoes one thing that it noted. */
  undo(what: string | number): void
  /** Undoes all that is left, and removes the ledger. Synchronous, so that it can run as the process exits. */
  close(): readonly Cleared[]
}

/** One thing that was undone, or could not be. */
export interface Cleared {
  readonly what: string
  /** `failed`: the next try may do better. `refused`: it is nothing of ours. */
  readonly outcome: 'undone' | 'was gone' | 'failed' | 'refused'
  readonly why?: string
}

/**
 * Where state outlives a run: $GRIDPROOF_STATE, else $XDG_STATE_HOME/gridproof, else ~/.local/state/gridproof
 * (XDG Base Directory Specification 0.8). Empty and relative values do not count there.
 */
export function stateFolder(env: NodeJS.ProcessEnv = process.env): string {
  const own = env['GRIDPROOF_STATE']
  if (own !== undefined && own !== '') return resolve(own)
  const xdg = env['XDG_STATE_HOME']
  const base = xdg !== undefined && xdg.startsWith('/') ? xdg : join(homedir(), '.local', 'state')
  return join(base, 'gridproof')
}

/** Opens a ledger of this process. Throws `rig-lacks` where the state folder cannot be written. */
export function openLedger(state: string = stateFolder()): Ledger {
  const file = join(state, 'ledgers', `${process.pid}-${randomUUID()}.jsonl`)
  const kept = new Map<string | number, Leftover>()
  try {
    makeFolders(dirname(file))
    const bench: Head = {
      kind: 'bench',
      pid: process.pid,
      stamp: processStamp(process.pid) ?? '',
      place: processPlace(),
    }
    writeFileSync(file, `${JSON.stringify(bench)}\n`, { mode: 0o600 })
  } catch (e) {
    throw new GridproofError(
      'rig-lacks',
      `the state folder ${state} cannot be written (${messageOf(e)}): set GRIDPROOF_STATE to one that can`,
      { cause: e },
    )
  }
  const note = (key: string | number, left: Leftover): void => {
    kept.set(key, left)
    appendFileSync(file, `${JSON.stringify(left)}\n`)
  }
  let closed = false
  const forget = (what: string | number): void => {
    if (!kept.delete(what) || closed) return
    appendFileSync(file, `${JSON.stringify({ kind: 'forget', what })}\n`)
  }
  return {
    folder(name, under = tmpdir()) {
      const path = join(under, folderName(name))
      note(path, { kind: 'folder', path })
      mkdirSync(path, { recursive: true, mode: 0o700 })
      return path
    },
    link(path) {
      note(path, { kind: 'link', path })
    },
    rule(rule) {
      note(rule.mark, { kind: 'rule', path: rule.mark, rule })
    },
    child(pid, name) {
      const stamp = processStamp(pid)
      // Gone already: there is nothing to undo.
      if (stamp !== undefined) note(pid, { kind: 'child', pid, stamp, name })
    },
    forget,
    undo(what) {
      const left = kept.get(what)
      if (left !== undefined && undo(left).outcome !== 'failed') forget(what)
    },
    close() {
      if (closed) return []
      closed = true
      const cleared = [...kept.values()].toReversed().map(undo)
      kept.clear()
      rmSync(file, { force: true })
      return cleared
    },
  }
}

interface Head {
  readonly kind: 'bench'
  readonly pid: number
  readonly stamp: string
  /** Where its process number counts. */
  readonly place: string
}

/**
 * Undoes what benches left that no longer run, and says what it did. A process is ended only when its number *and*
 * its start are those in the ledger; a folder is removed only where this bench makes them. Safe to call while other
 * benches run or do the same.
 */
export function clearLeftovers(state: string = stateFolder()): readonly Cleared[] {
  const folder = join(state, 'ledgers')
  if (!existsSync(folder)) return []
  const cleared: Cleared[] = []
  for (const name of readdirSync(folder).filter((n) => n.endsWith('.jsonl'))) {
    const file = join(folder, name)
    const read = readLedger(file)
    if (read === undefined) continue
    if (benchMayRun(name, read.head)) continue
    const done = read.left.toReversed().map(undo)
    if (read.unread > 0)
      done.push({
        what: `${read.unread} lines of ${file}`,
        outcome: 'refused',
        why: 'they cannot be read',
      })
    cleared.push(...done)
    if (!done.some((c) => c.outcome === 'failed')) rmSync(file, { force: true })
  }
  return cleared
}

function benchMayRun(file: string, head: Head | undefined): boolean {
  // Without its first line: a bench is just about to write it, unless that bench is gone.
  if (head === undefined) return processStamp(Number(file.split('-')[0])) !== undefined
  // Of another container that shares the folder: its numbers mean nothing here.
  if (head.place !== processPlace()) return true
  return processStamp(head.pid) === head.stamp
}

function readLedger(
  file: string,
): { head: Head | undefined; left: readonly Leftover[]; unread: number } | undefined {
  let lines: readonly string[]
  try {
    lines = readFileSync(file, 'utf8').split('\n')
  } catch {
    // Another bench has cleared it meanwhile.
    return undefined
  }
  let head: Head | undefined
  let unread = 0
  const left = new Map<string | number, Leftover>()
  for (const line of lines) {
    if (line === '') continue
    const entry = readLine(line)
    if (entry === undefined) unread++
    else if (entry.kind === 'bench') head = entry
    else if (entry.kind === 'forget') left.delete(entry.what)
    else left.set(entry.kind === 'child' ? entry.pid : entry.path, entry)
  }
  return { head, left: [...left.values()], unread }
}

function readLine(line: string): Head | Leftover | { kind: 'forget'; what: string | number } | undefined {
  let o: unknown
  try {
    o = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof o !== 'object' || o === null) return undefined
  const { kind, path, pid, stamp, place, name, what } = o as Record<string, unknown>
  if ((kind === 'folder' || kind === 'link') && typeof path === 'string') return { kind, path }
  if (kind === 'rule' && typeof path === 'string' && typeof o === 'object' && 'rule' in o)
    return { kind, path, rule: o.rule as Rule }
  if (kind === 'forget' && (typeof what === 'string' || typeof what === 'number')) return { kind, what }
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 1) return undefined
  if (typeof stamp !== 'string' || stamp === '') return undefined
  if (kind === 'bench' && typeof place === 'string') return { kind, pid, stamp, place }
  if (kind === 'child') return { kind, pid, stamp, name: typeof name === 'string' ? name : '' }
  return undefined
}

function undo(l: Leftover): Cleared {
  if (l.kind === 'child') return attempt(`process ${l.pid} (${l.name})`, () => killTree(l.pid, l.stamp))
  if (l.kind === 'link') return attempt(`link ${l.path}`, () => removeLink(l.path))
  if (l.kind === 'rule') {
    const what = `rule ${l.path} of the packet filter`
    // A ledger that somebody has damaged must not open somebody else's filter.
    if (!isOurs(l.rule)) return { what, outcome: 'refused', why: 'it is no rule that we make' }
    return attempt(what, () => removeRule(l.rule))
  }
  const what = `folder ${l.path}`
  // A ledger that somebody has damaged must not remove a folder of somebody else.
  if (!isAbsolute(l.path) || !ours.test(basename(l.path)))
    return { what, outcome: 'refused', why: 'no folder of ours has such a name' }
  return attempt(what, () => {
    const there = existsSync(l.path)
    // Disks that stand in images below it: whoever still uses one keeps it until it ends.
    if (there) unmountBelow(l.path)
    rmSync(l.path, { recursive: true, force: true, maxRetries: 3, retryDelay: 20 })
    return there
  })
}

function removeLink(path: string): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there === undefined) return false
  if (!there.isSymbolicLink()) throw new Error('it is not a symbolic link')
  rmSync(path, { force: true })
  return true
}

function attempt(what: string, f: () => boolean): Cleared {
  try {
    return { what, outcome: f() ? 'undone' : 'was gone' }
  } catch (e) {
    return { what, outcome: 'failed', why: messageOf(e) }
  }
}
