import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Message } from '../../api.ts'
import type { JsonObject } from '../../env.ts'
import { LvcapError } from '../../errors.ts'
import type { AppContext, Hears, Operation } from '../../sdk/app.ts'
import type { RegisterBus } from '../../sdk/modbus.ts'
import { journalIn } from './journal.ts'
import { parts } from './main.ts'
import { operateMeshing } from './operate.ts'

const app = {
  apid: 'eatl_lvmeshing_1.0',
  iid: 'eatl_lvmeshing_01',
  pki: '/pki',
  marketplace: { address: '10.0.0.10', port: 8883 },
  topics: 'spec' as const,
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'meshing-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

/** The app at a line on which nobody is. */
function begin(disk: string): {
  readonly operation: Operation
  readonly writes: number[]
  say(topic: string, body: JsonObject | string): void
  /** Resolves when so many results are on record. */
  results(n: number): Promise<readonly [name: string, payload: JsonObject][]>
} {
  const writes: number[] = []
  const nobody = (): Promise<never> => Promise.reject(new LvcapError('link', 'nobody answers'))
  const bus: RegisterBus = {
    read: nobody,
    write: (unit) => {
      writes.push(unit)
      return nobody()
    },
    close: () => Promise.resolve(),
    counts: () => ({ opened: 0, open: 0 }),
  }
  const published: [name: string, payload: JsonObject][] = []
  let awaited: (() => void) | undefined
  let hears: Hears = () => undefined
  const context: AppContext = {
    config: app,
    log: () => undefined,
    publish: ({ topic, payload }: Message) => {
      const name = /operation\/(.*)$/.exec(topic)?.[1]
      if (name === undefined) return
      published.push([name, payload as JsonObject])
      awaited?.()
    },
    error: () => undefined,
    deliver: () => Promise.resolve(),
    hear: (_filters, f) => {
      hears = f
      return Promise.resolve()
    },
    stats: () => ({ connected: true, queued: 0, inFlight: 0, reconnects: 0, givenUp: 0 }),
  }
  const p = { ...parts({}), bus: () => bus }
  const operation = operateMeshing(p, journalIn(disk))({ serial: { path: '/dev/null' } }, context)
  return {
    operation,
    writes,
    say(topic, body) {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      hears(`algorithm/data/${topic}`, Buffer.from(text), { qos: 1, retain: false, dup: false })
    },
    async results(n) {
      while (published.filter(([name]) => name.endsWith('/result')).length < n)
        await new Promise<void>((resolve) => (awaited = resolve))
      return published
    },
  }
}

const loadsense = 'eatl_loadsense_01/control/'
const close = (): JsonObject => ({
  Timestamp: Math.floor(Date.now() / 1000),
  Value: true,
  Valid: true,
  ToStore: true,
})

describe('the meshing app at an empty line', () => {
  test('sends a signal for each command, and records that there is no device', async () => {
    const a = begin(folder())
    a.say(`${loadsense}l2`, close())
    const list = await a.results(1)
    await a.operation.stop()
    expect(list.map(([name, p]) => [name, p['Value'], p['Valid'], p['ToStore'], p['Errno'] ?? null])).toEqual(
      [
        ['l2/command', true, true, true, null],
        ['l2/before', false, false, true, 4],
        ['l2/signal', 0xc105, false, true, null],
        ['l2/after', false, false, true, 4],
        ['l2/result', 3, true, true, null],
      ],
    )
    expect(a.writes).toEqual([2])
  })

  test('obeys no command twice, also after a restart', async () => {
    const disk = folder()
    const first = begin(disk)
    const command = close()
    first.say(`${loadsense}l1`, command)
    first.say(`${loadsense}l1`, command)
    const list = await first.results(2)
    await first.operation.stop()
    expect(list.filter(([name]) => name === 'l1/result').map(([, p]) => p['Value'])).toEqual([4, 3])
    expect(first.writes).toEqual([1])
    const second = begin(disk)
    second.say(`${loadsense}l1`, command)
    expect((await second.results(1)).map(([name, p]) => [name, p['Value']])).toEqual([
      ['l1/command', true],
      ['l1/result', 4],
    ])
    await second.operation.stop()
    expect(second.writes).toEqual([])
  })

  test('a torn journal holds nothing, and one that cannot be written moves nothing', async () => {
    const disk = folder()
    writeFileSync(join(disk, 'obeyed.json'), '[{"phase":"l1","sta')
    expect(journalIn(disk).recall()).toEqual([])
    const a = begin(join(disk, 'nowhere'))
    a.say(`${loadsense}l3`, close())
    const list = await a.results(1)
    await a.operation.stop()
    expect(list.map(([name, p]) => [name, p['Value']])).toEqual([
      ['l3/command', true],
      ['l3/result', 4],
    ])
    expect(a.writes).toEqual([])
  })

  test('of a burst the newest waits, and what it overtakes is recorded as not obeyed', async () => {
    const a = begin(folder())
    const { Timestamp: now, ...rest } = close()
    for (const back of [3, 2, 1, 0]) a.say(`${loadsense}l1`, { Timestamp: Number(now) - back, ...rest })
    const list = await a.results(4)
    await a.operation.stop()
    expect(list.filter(([name]) => name === 'l1/result').map(([, p]) => p['Value'])).toEqual([4, 4, 3, 3])
  })
})
