/** Processes by number and start: a number alone may long belong to somebody else. */
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

/**
 * What tells a process from any other that had or will have its number: on Linux the boot and the start in clock
 * ticks since (proc_pid_stat(5), field 22), elsewhere what `ps` says of its start. Nothing if there is no such
 * process, or if it has ended and is only not yet collected.
 */
export function processStamp(pid: number): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
  try {
    if (process.platform !== 'linux') {
      const said = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim()
      return said === '' ? undefined : said
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in field 2 may hold blanks and parentheses; the fields behind it start after the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, start] = [fields[0], fields[19]]
    if (start === undefined || state === 'Z' || state === 'X') return undefined
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}/${start}`
  } catch {
    return undefined
  }
}

/** Where numbers of processes count: the PID namespace on Linux (pid_namespaces(7)), else one place for all. */
export function processPlace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return 'machine'
  }
}

/**
 * Kills a process and its group, if it is the one with that stamp. False if there is no such process any more.
 * Throws what the system answers, for instance EPERM.
 */
export function killTree(pid: number, stamp: string): boolean {
  if (processStamp(pid) !== stamp) return false
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (e) {
    // It leads no group of its own.
    if ((e as NodeJS.ErrnoException).code !== 'ESRCH') throw e
  }
  try {
    process.kill(pid, 'SIGKILL')
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'ESRCH') throw e
  }
  return true
}

/**
 * Open files and resident memory of processes, summed (proc_pid_fd(5), proc_pid_statm(5)): `handles [1]`, `memory [B]`.
 * Empty where the system does not tell; a process that has just ended counts nothing.
 */
export function figuresOf(pids: readonly number[]): Readonly<Record<string, number>> {
  if (process.platform !== 'linux') return {}
  let handles = 0
  let memory = 0
  for (const pid of pids)
    try {
      handles += readdirSync(`/proc/${pid}/fd`).length
      memory += Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * pageSize
    } catch {
      // It has ended.
    }
  return { 'handles [1]': handles, 'memory [B]': memory }
}

/** Size of a page of memory, bytes: 4096 on the machines that Node 24 is built for, beside Apple's. */
const pageSize = 4096
