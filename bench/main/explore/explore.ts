/**
 * Explores the states in which a loss of power may leave a disk. A subject keeps items on a disk that remembers every write
 * and every flush, and marks each promise. Then, for any moment: everything flushed by then, and a seeded choice of the
 * 512-byte sectors that were not. Each such disk is mounted, the subject starts on it, and all that it had promised by then
 * must be there. Half of the moments lie just behind a promise.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GridproofError, messageOf } from '../../../drivers/errors.ts'
import { stream } from '../../../drivers/random.ts'
import { crashDisks } from '../../../drivers/real/crash-disk.ts'
import { makeExt4 } from '../../../drivers/real/disk.ts'
import { recordDisk } from '../../../drivers/real/fuse-disk.ts'
import { crashState } from '../../../drivers/real/write-log.ts'
import type { CrashState } from '../../../drivers/real/write-log.ts'
import type { Kept, Subject } from '../../../sim/explore/index.ts'

/** Size of the disk, bytes. Ours: the smallest with room for the journal and what a subject writes. */
const diskBytes = 24 * 1024 * 1024

export interface ExploreOptions {
  readonly subject: Subject
  readonly states: number
  readonly seed: number
  /** Items that the subject keeps. */
  readonly items: number
  /** Folder in memory, of its own. */
  readonly scratch: string
  /** Where the first image that raised an alarm is kept. */
  readonly keep?: string
  onState?(done: number, alarms: number): void
  /** Asked before each state. */
  stopped?(): boolean
}

/** What is wrong in one state. */
export interface Alarm {
  readonly state: number
  readonly what: 'lost' | 'damaged' | 'does not start' | 'cannot be mounted'
  readonly text: string
  /** Writes and flushes that had happened; sectors since the last flush that made it, and that did not. */
  readonly index: number
  readonly kept: number
  readonly gone: number
}

export interface Explored {
  readonly subject: string
  readonly describes: string
  readonly is: Subject['is']
  readonly states: number
  readonly alarms: Readonly<Record<Alarm['what'], number>>
  /** States with an alarm. */
  readonly bad: number
  readonly first?: Alarm
  /** Most items that were lost in one state. */
  readonly worst: number
  readonly entries: number
  readonly flushes: number
  readonly promises: number
  /** Wall time of the states alone, ms. */
  readonly ms: number
  readonly image?: string
  /** Whether it is as it should be: sound without an alarm, flawed with one. */
  readonly good: boolean
}

/** Throws `rig-broke` where the subject cannot write on an undisturbed disk. */
export async function explore(o: ExploreOptions): Promise<Explored> {
  const { subject } = o
  mkdirSync(o.scratch, { recursive: true })
  const image = join(o.scratch, 'begin.img')
  makeExt4(image, diskBytes)
  const disk = await recordDisk({
    folder: o.scratch,
    image,
    ...(subject.mount === undefined ? {} : { options: subject.mount }),
  })
  const trouble = await write(o, disk.path, disk.marks)
  const { log, from } = await disk.end()
  const promises = log.filter((e) => e.kind === 'mark' && e.name.startsWith('promised-')).length
  if (trouble !== undefined || promises !== o.items)
    throw new GridproofError(
      'rig-broke',
      `${subject.id} made ${promises} of ${o.items} promises on a disk in good order: ${trouble ?? 'and said nothing'}`,
    )
  const random = stream(o.seed, `explore/${subject.id}`)
  const states = Array.from({ length: o.states }, (_, n) => ({ n, state: crashState(log, random, from) }))
  const disks = crashDisks({ folder: o.scratch, image, log })
  const alarms = { lost: 0, damaged: 0, 'does not start': 0, 'cannot be mounted': 0 }
  let first: Alarm | undefined
  let kept: string | undefined
  let bad = 0
  let worst = 0
  let done = 0
  const began = performance.now()
  for (const { n, state } of states.toSorted((a, b) => a.state.durable - b.state.durable)) {
    if (o.stopped?.() === true) break
    disks.put(state)
    const found = look(
      subject,
      disks.mounted((folder) => read(subject, folder)),
      state,
    )
    worst = Math.max(worst, found.lost)
    for (const a of found.alarms) {
      alarms[a.what]++
      first ??= { ...a, state: n, index: state.index, kept: state.kept.length, gone: state.lost }
    }
    if (found.alarms.length > 0 && bad++ === 0 && o.keep !== undefined) {
      // As the power left it, not as the look did.
      disks.put(state)
      mkdirSync(o.keep, { recursive: true })
      kept = join(o.keep, `${subject.id}.img`)
      copyFileSync(disks.image, kept)
    }
    done++
    o.onState?.(done, bad)
    if (done % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    subject: subject.id,
    describes: subject.describes,
    is: subject.is,
    states: done,
    alarms,
    bad,
    ...(first === undefined ? {} : { first }),
    worst,
    entries: log.length,
    flushes: log.filter((e) => e.kind === 'flush').length,
    promises,
    ms: Math.round(performance.now() - began),
    ...(kept === undefined ? {} : { image: kept }),
    good: subject.is === 'sound' ? bad === 0 : bad > 0,
  }
}

/** Lets the subject write, and end without closing anything. What went wrong, if anything did. */
async function write(o: ExploreOptions, folder: string, marks: string): Promise<string | undefined> {
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('../../../sim/explore/write-main.ts', import.meta.url)),
      o.subject.id,
      folder,
      String(o.items),
      marks,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  child.stderr.on('data', (b: Buffer) => {
    said += String(b)
  })
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  return signal === 'SIGKILL' ? undefined : `it ended with ${code ?? signal ?? ''}: ${said.trim()}`
}

type Read = { readonly kept: Kept } | { readonly why: string }

function read(subject: Subject, folder: string): Read {
  try {
    return { kept: subject.read(folder) }
  } catch (e) {
    return { why: messageOf(e) }
  }
}

function look(
  subject: Subject,
  found: { readonly value: Read } | undefined,
  state: CrashState,
): { readonly alarms: readonly Pick<Alarm, 'what' | 'text'>[]; readonly lost: number } {
  if (found === undefined)
    return { alarms: [{ what: 'cannot be mounted', text: 'ext4 does not mount what is left' }], lost: 0 }
  const r = found.value
  if ('why' in r)
    return { alarms: [{ what: 'does not start', text: `${subject.id} does not start: ${r.why}` }], lost: 0 }
  const alarms: Pick<Alarm, 'what' | 'text'>[] = []
  const lost = state.marks
    .filter((m) => m.startsWith('promised-'))
    .map((m) => Number(m.slice('promised-'.length)))
    .filter((n) => !r.kept.items.has(n))
  if (lost.length > 0)
    alarms.push({
      what: 'lost',
      text: `${lost.length} of ${state.marks.length} promised items are not there, the first of them ${lost[0] ?? ''}`,
    })
  const [damage] = r.kept.damaged
  if (damage !== undefined) alarms.push({ what: 'damaged', text: damage })
  return { alarms, lost: lost.length }
}
