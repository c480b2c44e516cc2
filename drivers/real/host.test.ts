import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isGridproofError } from '../errors.ts'
import type { Json, Program } from '../faces.ts'
import { canOneCore } from './child.ts'
import { createRealHost, type RealHost } from './host.ts'
import { openLedger, type Ledger } from './ledger.ts'
import { processStamp } from './process.ts'

let state = ''
let ledger: Ledger
let host: RealHost
let log: { proc: string; entry: Json }[] = []
let heard: (() => void)[] = []

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'host-test-'))
  ledger = openLedger(state)
  host = createRealHost({ name: 'edge', address: '127.0.0.7', ledger })
  log = []
  host.onLog((proc, entry) => {
    log.push({ proc, entry })
    for (const f of heard.splice(0)) f()
  })
})
afterEach(async () => {
  await host[Symbol.asyncDispose]()
  expect(ledger.close()).toEqual([])
  rmSync(state, { recursive: true, force: true })
})

const program = (way: string, more: object = {}): Program => ({
  entry: 'drivers/real/testing/programs.ts',
  config: { way, ...more },
  defects: ['some-defect'],
})

/** Waits until the log has an entry that fits, and returns it. */
async function logged<T extends Json>(fits: (proc: string, entry: Json) => boolean): Promise<T> {
  for (;;) {
    const found = log.find((l) => fits(l.proc, l.entry))
    if (found !== undefined) return found.entry as T
    await new Promise<void>((done) => {
      heard.push(done)
    })
  }
}
const pidOf = async (name: string): Promise<number> => {
  const e = await logged<{ pid: number }>(
    (proc, entry) => proc === name && typeof entry === 'object' && entry !== null && 'pid' in entry,
  )
  return e.pid
}
/** Resolves once no such process runs. It has been killed; the wait is for the kernel alone. */
async function goneFor(pid: number): Promise<void> {
  while (processStamp(pid) !== undefined)
    await new Promise((done) => {
      setImmediate(done)
    })
}

describe('a host of real time', () => {
  test('gives a program its environment, and hears its log, its output and its exit code', async () => {
    const proc = await host.start('app', program('tell', { x: [1, 'ü'] }))
    expect(await proc.ended).toBe(7)
    expect(log.map((l) => l.entry)).toContainEqual({
      name: 'app',
      address: '127.0.0.7',
      disk: host.disk,
      config: { way: 'tell', x: [1, 'ü'] },
      defects: ['some-defect'],
    })
    expect(log).toContainEqual({ proc: 'app', entry: { stdout: 'to standard output' } })
  })

  test('claims to start programs, on one core where that can be, and no more', () => {
    expect([...host.can].filter((c) => c !== 'hang')).toEqual(
      canOneCore() ? ['start', 'one-core'] : ['start'],
    )
    try {
      host.clock({ stepMs: 1 })
      expect.unreachable()
    } catch (e) {
      expect(isGridproofError(e, 'not-capable')).toBe(true)
    }
  })

  test('lets a program finish at TERM, and gives none a chance at KILL', async () => {
    const proc = await host.start('app', program('obedient'))
    proc.signal('TERM')
    expect(await proc.ended).toBe(0)
    expect(readFileSync(join(host.disk, 'marks'), 'utf8')).toBe('term\n')
    const other = await host.start('app', program('stubborn'))
    other.signal('KILL')
    expect(await other.ended).toBe('SIGKILL')
    other.signal('KILL')
    other.signal('TERM')
  })

  test.skipIf(process.platform !== 'linux')(
    'hangs what it runs: it neither ends nor hears TERM, until its power is cut',
    async () => {
      const proc = await host.start('app', program('obedient'))
      const other = await host.start('other', program('obedient'))
      expect(host.hang('nobody')).toBe(false)
      expect(host.hang('app')).toBe(true)
      const file = `/proc/${await pidOf('app')}/stat`
      // Stopped (proc_pid_stat(5), field 3); the kernel alone decides when.
      const state = (): string | undefined => readFileSync(file, 'latin1').split(') ')[1]?.[0]
      while (state() !== 'T')
        await new Promise((done) => {
          setImmediate(done)
        })
      proc.signal('TERM')
      other.signal('TERM')
      expect(await other.ended).toBe(0)
      expect(state()).toBe('T')
      host.cut()
      expect(await proc.ended).toBe('cut')
    },
  )

  test.skipIf(!canOneCore())('confines a program to one core where it is asked to', async () => {
    const proc = await host.start('app', { ...program('stubborn'), oneCore: true })
    const status = readFileSync(`/proc/${await pidOf('app')}/status`, 'latin1')
    expect(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1]).toMatch(/^\d+$/)
    proc.signal('KILL')
    expect(await proc.ended).toBe('SIGKILL')
  })

  test('tells a crash: exit code 1, and the stack in the log', async () => {
    const proc = await host.start('app', program('crash'))
    expect(await proc.ended).toBe(1)
    expect(JSON.stringify(log)).toContain('Error: on purpose')
  })

  test('refuses what is no program, and says why', async () => {
    for (const [entry, code] of [
      ['drivers/real/testing/none.ts', 'no-such'],
      ['drivers/errors.ts', 'bad-value'],
      ['package.json', 'rig-broke'],
    ] as const) {
      const e: unknown = await host
        .start('app', { entry, config: null, defects: [] })
        .catch((x: unknown) => x)
      expect(isGridproofError(e, code), `${entry}: ${String(e)}`).toBe(true)
    }
  })

  test('starts programs for programs, and tells them how those end', async () => {
    const proc = await host.start('app', program('supervisor'))
    expect(await proc.ended).toBe(0)
    const said = log.filter((l) => l.proc === 'app').map((l) => l.entry)
    expect(said).toEqual([{ worker: 0 }, { other: 'SIGKILL' }, { none: 'no-such' }])
  })

  test('ends the whole family when its head is killed, or ends by itself', async () => {
    for (const [signal, how] of [
      ['KILL', 'SIGKILL'],
      ['TERM', 3],
    ] as const) {
      log = []
      const proc = await host.start('app', program('family'))
      await logged((name, entry) => name === 'app' && entry === 'child runs')
      const pids = [await pidOf('app'), await pidOf('child'), await pidOf('grandchild')]
      proc.signal(signal)
      expect(await proc.ended).toBe(how)
      for (const pid of pids) await goneFor(pid)
    }
  })

  test('kills one proc by its name, with all below it, and leaves the others alone', async () => {
    await host.start('app', program('family'))
    await logged((name, entry) => name === 'app' && entry === 'child runs')
    const [app, child, grandchild] = [await pidOf('app'), await pidOf('child'), await pidOf('grandchild')]
    expect(host.kill('child')).toBe(true)
    await goneFor(child)
    await goneFor(grandchild)
    expect(processStamp(app)).not.toBe(undefined)
    expect(host.kill('nobody')).toBe(false)
  })

  test('kills all at a cut, is silent then, and starts again in order what it had started', async () => {
    const first = await host.start('one', program('family'))
    const second = await host.start('two', program('obedient'))
    await logged((name, entry) => name === 'one' && entry === 'child runs')
    await pidOf('two')
    host.cut()
    const before = log.length
    await expect(host.start('three', program('tell'))).rejects.toThrow('has no power')
    expect(await first.ended).toBe('cut')
    expect(await second.ended).toBe('cut')
    expect(log.length).toBe(before)
    expect(existsSync(host.disk)).toBe(true)
    log = []
    await host.restore()
    await host.restore()
    await pidOf('two')
    const order = log.filter((l) => JSON.stringify(l.entry).includes('pid')).map((l) => l.proc)
    expect(order.indexOf('one')).toBeLessThan(order.indexOf('two'))
  })

  test('lets peers of a killed program see the end', async () => {
    const proc = await host.start('app', program('listens'))
    const { port } = await logged<{ port: number }>((_, e) => JSON.stringify(e).includes('port'))
    const client = connect({ host: host.address, port })
    await once(client, 'connect')
    client.on('error', () => {})
    const closed = new Promise((done) => client.once('close', done))
    client.resume()
    proc.signal('KILL')
    await closed
  })

  test('removes its disk and all processes when it is disposed', async () => {
    await host.start('app', program('family'))
    await logged((name, entry) => name === 'app' && entry === 'child runs')
    const pids = [await pidOf('app'), await pidOf('child'), await pidOf('grandchild')]
    await host[Symbol.asyncDispose]()
    for (const pid of pids) expect(processStamp(pid)).toBe(undefined)
    expect(existsSync(host.disk)).toBe(false)
  })
})
