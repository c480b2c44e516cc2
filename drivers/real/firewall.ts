/**
 * This machine's packet filter, where it can be had: rules that drop the packets of one TCP port, all of them or by chance.
 * They act below TCP, as no proxy can: a SYN is not answered, and the kernels themselves send again.
 */
import { execFile, execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { GridproofError, messageOf } from '../errors.ts'

const run = promisify(execFile)

/** One rule, as data: what undoes it is made from this alone. */
export interface Rule {
  /** The comment by which it is known for ours. */
  readonly mark: string
  /** `to`: packets to this place; `from`: packets from it. */
  readonly which: 'to' | 'from'
  readonly address: string
  readonly port: number
  /** Share of packets dropped; all of them unless given. */
  readonly share?: number
}

const marks = /^gridproof-[0-9a-f]{8}$/
export const newMark = (): string => `gridproof-${randomUUID().slice(0, 8)}`

/** Whether a rule, perhaps read from a file, is one that we make. */
export function isOurs(r: Partial<Rule> | null): r is Rule {
  return (
    typeof r === 'object' &&
    r !== null &&
    typeof r.mark === 'string' &&
    marks.test(r.mark) &&
    (r.which === 'to' || r.which === 'from') &&
    typeof r.address === 'string' &&
    /^\d{1,3}(\.\d{1,3}){3}$/.test(r.address) &&
    typeof r.port === 'number' &&
    Number.isInteger(r.port) &&
    r.port > 0 &&
    r.port < 65_536 &&
    (r.share === undefined || (typeof r.share === 'number' && r.share > 0 && r.share <= 1))
  )
}

/** What iptables calls it, behind -I or -D and the chain. */
function words(r: Rule): string[] {
  const to = r.which === 'to'
  return [
    '-p',
    'tcp',
    to ? '-d' : '-s',
    `${r.address}/32`,
    to ? '--dport' : '--sport',
    String(r.port),
    ...(r.share === undefined
      ? []
      : ['-m', 'statistic', '--mode', 'random', '--probability', r.share.toFixed(6)]),
    '-m',
    'comment',
    '--comment',
    r.mark,
    '-j',
    'DROP',
  ]
}

/** Why rules cannot be set here; nothing where they can. Sets one that hits nothing, and takes it away. */
export async function lacksFirewall(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `it needs iptables of Linux, and this is ${process.platform}`
  if (process.getuid?.() !== 0) return 'it needs root'
  // A port of an address for documentation (RFC 5737), with a share, so that all that is used is tried.
  const trial: Rule = { mark: newMark(), which: 'to', address: '192.0.2.1', port: 9, share: 0.5 }
  try {
    await addRule(trial)
  } catch (e) {
    return `iptables does not work here: ${messageOf(e).split('\n').slice(-2).join(' ').trim()}`
  }
  removeRule(trial)
  return undefined
}

/** Throws `rig-broke`. */
export async function addRule(r: Rule): Promise<void> {
  try {
    await run('iptables', ['-w', '5', '-I', 'INPUT', ...words(r)])
  } catch (e) {
    throw new GridproofError(
      'rig-broke',
      `iptables refused a rule: ${messageOf(e).split('\n').slice(1).join(' ').trim()}`,
      { cause: e },
    )
  }
}

/** Takes a rule away, at once. False: it was not there. Throws where iptables cannot be run. */
export function removeRule(r: Rule): boolean {
  try {
    execFileSync('iptables', ['-w', '5', '-D', 'INPUT', ...words(r)], { stdio: ['ignore', 'ignore', 'pipe'] })
    return true
  } catch (e) {
    // 1: there is no such rule.
    if ((e as { status?: number }).status === 1) return false
    throw e
  }
}
