/** What a machine must have for the bench: its folders, its disk, its time. */
import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { messageOf } from '../../../drivers/errors.ts'
import { probeAddress } from '../../../drivers/real/addresses.ts'
import { lacksCached, probeDurable } from '../../../drivers/real/disk.ts'
import { stateFolder } from '../../../drivers/real/ledger.ts'
import { ptyProvider } from '../../../drivers/real/pty.ts'
import { startStolenProbe } from '../../../drivers/real/stolen.ts'
import { freeAt } from '../room.ts'
import { missing, ok, warn } from './finding.ts'
import type { Finding } from './finding.ts'

/**
 * Bytes that the evidence of a run of 24 h takes, with reports: about 200 MB for a scenario that sees every reading, of
 * which a lab runs a few beside each other. Ours, with room.
 */
export const dayOfEvidence = 2_000_000_000
/** Share of time stolen from the bench above which timing is not judged (bench/runner/perform.ts). */
const mostStolen = 0.01
/** How long the probe looks, ms; it spins 10 ms each half second. */
const probeMs = 2200

export function system(): readonly Finding[] {
  const found: Finding[] = [ok('node', `Node ${process.version}`)]
  found.push(
    process.platform === 'linux'
      ? ok('system', `Linux, ${process.arch}`)
      : warn('system', `${process.platform} is untested`, 'take Linux for rigs in real time'),
  )
  const pty = ptyProvider()
  found.push(
    'lacks' in pty
      ? missing(
          'pty',
          pty.lacks,
          "npm ci brings koffi; else install socat. Without, the rig 'local' has no serial line",
        )
      : ok('pty', `pseudo terminals by ${pty.kind}`),
  )
  const durable = probeDurable()
  found.push(
    'lacks' in durable
      ? warn(
          'durable-disk',
          `power cuts lose nothing here (${durable.lacks}): checks of durability will be inconclusive`,
          'run as root on Linux with loop devices and mkfs.ext4 (e2fsprogs)',
        )
      : ok('durable-disk', 'disks that lose at a power cut what was not flushed'),
  )
  if ('lacks' in durable) return found
  const noCache = lacksCached()
  found.push(
    noCache === undefined
      ? ok('write-cache', 'disks with a write cache of which a power cut leaves some sectors')
      : warn(
          'write-cache',
          `no disk here has a write cache (${noCache}): checks that need one will be inconclusive, and gridproof explore has nothing to run on`,
          'load the fuse module, and let the bench use /dev/fuse',
        ),
  )
  return found
}

/** A free loopback address, of which the rig `local` takes several. */
export async function loopbackAddresses(): Promise<Finding> {
  try {
    await probeAddress('127.64.0.1')
    return ok('loopback', 'every address of 127.0.0.0/8 can be listened on')
  } catch (e) {
    return missing(
      'loopback',
      messageOf(e),
      "the rig 'local' needs Linux, or these addresses on the loopback interface",
    )
  }
}

function writable(folder: string): string | undefined {
  let at = resolve(folder)
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at)
  try {
    accessSync(at, constants.W_OK | constants.X_OK)
    return undefined
  } catch {
    return at
  }
}

/** Where the bench keeps state and runs. `free`: bytes there, for tests. */
export function folders(out: string, free?: number): readonly Finding[] {
  const found: Finding[] = []
  const state = stateFolder()
  const stateTrouble = writable(state)
  found.push(
    stateTrouble === undefined
      ? ok('state-folder', state)
      : missing(
          'state-folder',
          `${stateTrouble} cannot be written`,
          'set GRIDPROOF_STATE to a folder that can',
        ),
  )
  const outTrouble = writable(out)
  if (outTrouble !== undefined)
    return [...found, missing('disk', `${outTrouble} cannot be written`, 'take another folder: --out')]
  const bytes = free ?? freeAt(out)
  if (bytes === undefined) return [...found, warn('disk', `the room at ${out} is not known`, 'look with df')]
  const text = `${(bytes / 1e9).toFixed(1)} GB free at ${out}`
  if (bytes >= 2 * dayOfEvidence) found.push(ok('disk', `${text}: enough for the evidence of 24 h`))
  else if (bytes >= dayOfEvidence)
    found.push(
      warn('disk', `${text}: just enough for the evidence of 24 h`, 'make room, or take another disk: --out'),
    )
  else
    found.push(
      missing(
        'disk',
        `${text}: too little for the evidence of 24 h (${dayOfEvidence / 1e9} GB)`,
        'make room, or take another disk: --out',
      ),
    )
  return found
}

/** Time that the machine gives to others. Takes a little over two seconds. */
export async function stolen(ms = probeMs): Promise<Finding> {
  await using probe = startStolenProbe()
  await new Promise((done) => {
    setTimeout(done, ms)
  })
  const share = probe.share()
  if (share === undefined)
    return warn(
      'stolen-time',
      'the probe could not run',
      'look at the load of this machine and run doctor again',
    )
  const text = `${(100 * share).toFixed(1)} % of the bench's time went to others`
  return share <= mostStolen
    ? ok('stolen-time', text)
    : warn(
        'stolen-time',
        `${text}: above ${100 * mostStolen} % timing is not judged`,
        'end other programs, or give the bench cores of its own',
      )
}

/** Runs a program; its output, or nothing where it is not there or fails. */
function output(program: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((done) => {
    execFile(program, args, { timeout: 3000, encoding: 'utf8' }, (e, out) =>
      done(e === null ? out : undefined),
    )
  })
}

/** Whether the machine's clock follows another. `ask` runs a program, for tests. */
export async function clock(ask = output): Promise<Finding> {
  const todo = 'start systemd-timesyncd or chrony: verdicts on time stamps widen by what the clock may be off'
  const systemd = await ask('timedatectl', ['show', '--property=NTPSynchronized', '--value'])
  if (systemd?.trim() === 'yes') return ok('clock', 'synchronised, says timedatectl')
  const chrony = await ask('chronyc', ['-c', 'tracking'])
  const fields = chrony?.trim().split(',') ?? []
  const offset = Number(fields[4])
  if (fields.length > 10 && Number.isFinite(offset) && fields[13]?.trim() !== 'Not synchronised')
    return ok('clock', `synchronised, says chronyc: off by ${Math.abs(1000 * offset).toFixed(1)} ms`)
  if (systemd === undefined && chrony === undefined)
    return warn('clock', 'neither timedatectl nor chronyc tells whether the clock is synchronised', todo)
  return warn('clock', 'the clock of this machine is not synchronised', todo)
}
