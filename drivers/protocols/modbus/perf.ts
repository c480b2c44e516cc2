/**
 * How fast our Modbus/TCP server is beside a libmodbus server in C, in the same run on the same core: rounds of the
 * two in turn, a C client on another core, medians. The bar is ours: within 10 % at 10 clients, function 3 x 60.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { GridproofError } from '../../errors.ts'

export interface PerfOptions {
  /** Connections, one request in flight on each; 1..64. */
  readonly clients?: number
  /** Rounds of each server. */
  readonly rounds?: number
  /** Length of one round after its warm-up, ms. */
  readonly runMs?: number
  readonly warmMs?: number
  /** Takes the lines of the report. */
  readonly print?: (line: string) => void
}

/** Medians over the rounds. */
export interface PerfFigure {
  readonly requestsPerSecond: number
  /** Round trip at the client, microseconds. */
  readonly p50: number
  readonly p99: number
  /** CPU time of the server for each request, microseconds: less disturbed by what else runs than the rate is. */
  readonly cpu: number
}

export type PerfReport =
  | { readonly skipped: string }
  | {
      readonly ours: PerfFigure
      readonly peer: PerfFigure
      /** Median of ours/peer of each pair of rounds: 1 is as fast, above 1 faster. */
      readonly ratio: number
      readonly clients: number
      readonly rounds: number
    }

const here = join(import.meta.dirname, 'perf')

/** Why this machine cannot measure, or undefined. */
export function cannotMeasure(): string | undefined {
  const has = (program: string, args: string[]): boolean => spawnSync(program, args).status === 0
  if (process.platform !== 'linux') return `epoll and taskset are of Linux; this is ${process.platform}`
  if (availableParallelism() < 2) return 'one core only: client and server would measure each other'
  if (!has('gcc', ['--version'])) return 'gcc is missing (apt-get install gcc)'
  if (!has('taskset', ['--version'])) return 'taskset is missing (apt-get install util-linux)'
  const probe = spawnSync('gcc', ['-E', '-include', 'modbus/modbus.h', '-x', 'c', '-'], { input: '' })
  if (probe.status !== 0) return 'the headers of libmodbus are missing (apt-get install libmodbus-dev)'
  return undefined
}

/** Measures. Throws `rig-broke` where a part does not build, start or answer rightly. */
export async function measureModbus(options: PerfOptions = {}): Promise<PerfReport> {
  const { clients = 10, rounds = 5, runMs = 2000, warmMs = 500, print = () => undefined } = options
  const reason = cannotMeasure()
  if (reason !== undefined) {
    print(`skipped: ${reason}`)
    return { skipped: reason }
  }
  const folder = mkdtempSync(join(tmpdir(), 'gridproof-modbus-'))
  const children: ChildProcess[] = []
  try {
    const peerProgram = join(folder, 'peer')
    const loadProgram = join(folder, 'load')
    build([join(here, 'peer.c'), '-I/usr/include/modbus', '-o', peerProgram, '-lmodbus'])
    build([join(here, 'load.c'), '-o', loadProgram])
    const [peerPort, ourPort] = [await freePort(), await freePort()]
    const peerServer = await started([peerProgram, String(peerPort)], children)
    const ourServer = await started([process.execPath, join(here, 'server.ts'), String(ourPort)], children)

    const one = (port: number, server: ChildProcess): PerfFigure => {
      const args = ['-c', '1', loadProgram, port, clients, warmMs, runMs].map(String)
      const before = cpuMicros(server)
      const r = spawnSync('taskset', args, { encoding: 'utf8', timeout: warmMs + runMs + 30_000 })
      const [rate = 0, p50 = 0, p99 = 0, bad = 0] = r.stdout.trim().split(' ').map(Number)
      if (r.status !== 0 || bad > 0 || rate === 0)
        throw new GridproofError(
          'rig-broke',
          `the load client ended with ${r.status ?? r.signal}; ${bad} bad answers`,
        )
      // the warm-up is served at about the same rate
      const served = (rate * (runMs + warmMs)) / 1000
      return { requestsPerSecond: rate, p50, p99, cpu: (cpuMicros(server) - before) / served }
    }
    const ours: PerfFigure[] = []
    const peer: PerfFigure[] = []
    for (let i = 0; i < rounds; i++) {
      // in turn, and the order turned about, so that a disturbance meets both
      const order = i % 2 === 0 ? [peer, ours] : [ours, peer]
      for (const list of order) list.push(list === peer ? one(peerPort, peerServer) : one(ourPort, ourServer))
    }
    const ratios = ours.map((o, i) => o.requestsPerSecond / (peer[i]?.requestsPerSecond ?? Number.NaN))
    const report = { ours: medians(ours), peer: medians(peer), ratio: median(ratios), clients, rounds }
    const line = (name: string, f: PerfFigure): string =>
      `${name.padEnd(12)} ${f.requestsPerSecond.toFixed(0).padStart(8)} req/s   p50 ${f.p50} us   p99 ${f.p99} us   CPU ${f.cpu.toFixed(1)} us a request`
    print(
      `Modbus/TCP, function 3 x 60 registers, ${clients} clients, ${rounds} rounds of ${runMs} ms in turn, medians`,
    )
    print(line('libmodbus C', report.peer))
    print(line('ours', report.ours))
    print(`ratio        ${report.ratio.toFixed(3)} (bar: at least 0.900)`)
    return report
  } finally {
    for (const c of children) c.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

function build(args: string[]): void {
  try {
    execFileSync('gcc', ['-O2', '-Wall', ...args], { stdio: 'pipe' })
  } catch (e) {
    throw new GridproofError('rig-broke', `gcc could not build a part of the measurement`, { cause: e })
  }
}

/** CPU time that a process has used, microseconds; the kernel counts in hundredths of a second (proc(5), stat). */
function cpuMicros(child: ChildProcess): number {
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** A server pinned to core 0, added to `children`; resolves when it says that it is ready. */
async function started(command: string[], children: ChildProcess[]): Promise<ChildProcess> {
  const child = spawn('taskset', ['-c', '0', ...command], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  await new Promise<void>((resolve, reject) => {
    const failed = (): void =>
      reject(new GridproofError('rig-broke', `${command[0] ?? 'a server'} ended before it was ready`))
    child.once('exit', failed)
    child.once('error', failed)
    child.stdout.once('data', () => {
      child.off('exit', failed)
      resolve()
    })
  })
  return child
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

function medians(figures: readonly PerfFigure[]): PerfFigure {
  return {
    requestsPerSecond: median(figures.map((f) => f.requestsPerSecond)),
    p50: median(figures.map((f) => f.p50)),
    p99: median(figures.map((f) => f.p99)),
    cpu: median(figures.map((f) => f.cpu)),
  }
}
