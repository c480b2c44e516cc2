/** The work of `gridproof explore`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GridproofError } from '../../drivers/errors.ts'
import { lacksCached, memoryFolder } from '../../drivers/real/disk.ts'
import { clearLeftovers, openLedger } from '../../drivers/real/ledger.ts'
import { subjects } from '../../sim/explore/index.ts'
import type { Subject } from '../../sim/explore/index.ts'
import { explore } from '../main/explore/explore.ts'
import type { Explored } from '../main/explore/explore.ts'
import { exitCodes } from '../verdicts/exit-code.ts'
import type { ExploreCommandOptions } from './explore.ts'
import { pathText } from './formats.ts'
import { onStop } from './on-stop.ts'

/** Performs the command and returns its exit code. */
export async function performExplore(names: readonly string[], o: ExploreCommandOptions): Promise<number> {
  const chosen = chosenOf(names)
  const lacks = lacksCached()
  if (lacks !== undefined)
    throw new GridproofError(
      'rig-lacks',
      `crash states cannot be explored here: ${lacks}. It takes root, /dev/fuse, loop devices and mkfs.ext4`,
    )
  clearLeftovers()
  const ledger = openLedger()
  const leave = (): void => void ledger.close()
  process.once('exit', leave)
  let stopped = false
  const forget = onStop(() => {
    if (stopped) process.exit(exitCodes.aborted)
    stopped = true
    process.stderr.write('Stopping; what was explored so far is kept. (Ctrl-C again leaves at once.)\n')
  })
  const out = join(o.out, `${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}Z-explore`)
  mkdirSync(out, { recursive: true })
  const found: Explored[] = []
  const live = process.stderr.isTTY
  try {
    for (const subject of chosen) {
      if (stopped) break
      const scratch = ledger.folder(`explore-${subject.id}`, memoryFolder())
      const show = progress(live, subject, o.states)
      const e = await explore({
        subject,
        states: o.states,
        seed: o.seed,
        items: o.items,
        scratch,
        keep: out,
        stopped: () => stopped,
        onState: show,
      })
      ledger.undo(scratch)
      // Of one that was interrupted nothing can be said.
      if (e.states === 0) break
      found.push(e)
      if (live) process.stderr.write('\r\u001B[K')
      if (o.json !== true) process.stdout.write(`${lineOf(e)}\n`)
    }
  } finally {
    forget()
    process.off('exit', leave)
    ledger.close()
  }
  const result = {
    format: 'gridproof-explore/1',
    seed: o.seed,
    items: o.items,
    stopped,
    subjects: found,
  }
  const file = join(out, 'explore.json')
  writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`)
  writeFileSync(join(out, 'summary.txt'), `${found.map(lineOf).join('\n')}\n${sumOf(found)}\n`)
  process.stdout.write(
    o.json === true ? `${JSON.stringify(result, null, 1)}\n` : `${sumOf(found)}\nResult: ${pathText(file)}\n`,
  )
  if (stopped) return exitCodes.aborted
  if (found.some((e) => e.is === 'sound' && !e.good)) return exitCodes.failed
  return found.every((e) => e.good) ? exitCodes.ok : exitCodes.benchFault
}

/** Throws `no-such` for a name that no subject has. */
function chosenOf(names: readonly string[]): readonly Subject[] {
  for (const name of names)
    if (!subjects.some((s) => s.id === name))
      throw new GridproofError(
        'no-such',
        `there is nothing called '${name}' to explore; there are: ${subjects.map((s) => s.id).join(', ')}`,
      )
  return names.length === 0 ? subjects : subjects.filter((s) => names.includes(s.id))
}

function progress(live: boolean, subject: Subject, all: number): (done: number, bad: number) => void {
  let last = 0
  return (done, bad) => {
    const now = performance.now()
    if (!live || now - last < 100) return
    last = now
    process.stderr.write(`\r\u001B[K  ${subject.id}: ${done} of ${all} states, ${bad} with an alarm`)
  }
}

/** Images and counts as a person reads them. */
function lineOf(e: Explored): string {
  const mark = e.good ? '✓' : '✗'
  const sorts = Object.entries(e.alarms)
    .filter(([, n]) => n > 0)
    .map(([what, n]) => `${what} ${n}`)
  const rate = e.ms === 0 ? '' : `, ${((1000 * e.states) / e.ms).toFixed(0)} states/s`
  const said =
    e.bad === 0
      ? `kept all ${e.promises} promises in ${e.states} states`
      : `alarm in ${e.bad} of ${e.states} states (${sorts.join(', ')}; at most ${e.worst} lost in one)`
  const first =
    e.first === undefined || e.good ? '' : `\n    first: ${e.first.text}\n    disk:  ${e.image ?? ''}`
  return `  ${mark} ${e.is.padEnd(6)} ${e.subject.padEnd(24)} ${said}${rate}\n    ${e.describes}${first}`
}

function sumOf(found: readonly Explored[]): string {
  const of = (is: Subject['is']): readonly Explored[] => found.filter((e) => e.is === is)
  const sum = (list: readonly Explored[], f: (e: Explored) => number): number =>
    list.reduce((n, e) => n + f(e), 0)
  const flawed = of('flawed')
  return [
    `Sound: ${sum(of('sound'), (e) => e.bad)} alarms in ${sum(of('sound'), (e) => e.states)} states.`,
    `Flawed: ${flawed.filter((e) => e.good).length} of ${flawed.length} found out.`,
    `${(
      (1000 * sum(found, (e) => e.states)) /
      Math.max(
        1,
        sum(found, (e) => e.ms),
      )
    ).toFixed(0)} states a second.`,
  ].join(' ')
}
