import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import * as gridkey from '../reference/lvcap/apps/gridkey/main.ts'
import * as temperature from '../reference/lvcap/apps/temperature/main.ts'
import * as meshing from '../reference/lvcap/apps/meshing/main.ts'
import * as loadsense from '../reference/lvcap/apps/loadsense/main.ts'
import * as comms from '../reference/lvcap/apps/comms/main.ts'
import * as upload from '../reference/lvcap/apps/upload/main.ts'
import * as peer from '../reference/lvcap/apps/peer/main.ts'
import * as dtr from '../reference/lvcap/apps/dtr/main.ts'
import * as predictor from '../reference/lvcap/apps/predictor/main.ts'
import * as recorder from '../reference/lvcap/apps/recorder/main.ts'
import type { Message } from '../reference/lvcap/api.ts'
import * as maintenance from '../reference/lvcap/maintenance/main.ts'
import * as marketplace from '../reference/lvcap/marketplace/main.ts'
import * as platform from '../reference/lvcap/platform.ts'
import * as reader from '../reference/han-logger/main.ts'
import * as storage from '../reference/lvcap/storage/main.ts'
import * as watchdog from '../reference/lvcap/watchdog/main.ts'
import * as uploadServer from '../servers/uploads/main.ts'
import { soundServer } from './data-server.ts'
import { defectOf, defects } from './index.ts'
import { altered, difference, mutationOf, mutations, seams } from './mutations.ts'

const modules = {
  'gridkey-app': gridkey.parts({}),
  'temperature-app': temperature.parts({}),
  marketplace: marketplace.parts({}),
  maintenance: maintenance.parts({}),
  'csv-recorder': recorder.parts({}),
  'data-storage': storage.parts({}),
  'container-manager': platform.parts({}),
  'han-logger': reader.parts({}),
  'predictor-app': predictor.parts({}),
  'dtr-app': dtr.parts({}),
  'meshing-app': meshing.parts({}),
  'loadsense-app': loadsense.parts({}),
  'peer-app': peer.parts({}),
  'upload-app': upload.parts({}),
  'comms-app': comms.parts({}),
  watchdog: watchdog.parts({}),
  'upload-server': uploadServer.parts({}),
  host: {},
  'data-server': soundServer,
} as const

describe('mutations', () => {
  test('are as many as asked for, all different, and the same for the same seed', () => {
    const ids = mutations(7, 300).map((m) => m.id)
    expect(new Set(ids).size).toBe(300)
    expect(mutations(7, 300).map((m) => m.id)).toEqual(ids)
    expect(mutations(8, 300).map((m) => m.id)).not.toEqual(ids)
  })

  test('are found again by their ID, and fit the parts of their app', () => {
    for (const m of mutations(1, 500)) {
      expect(defectOf(m.id)).toMatchObject({ id: m.id, app: m.app, kind: 'mutation' })
      const parts = modules[m.app]
      const wrapped = m.wrap(parts, () => {})
      expect(Object.keys(wrapped).sort()).toEqual(Object.keys(parts).sort())
    }
  })

  test('name parts that there are', () => {
    for (const [app, parts] of Object.entries(seams)) {
      for (const part of Object.keys(parts)) expect(modules[app as keyof typeof modules]).toHaveProperty(part)
    }
  })

  test('any other text is no mutation', () => {
    for (const id of [
      'mutation/gridkey-app/publish/drop',
      'mutation/gridkey-app/publish/drop/0',
      'mutation/gridkey-app/publish/drop/17/x',
      'mutation/gridkey-app/publish/explode/17',
      'mutation/gridkey-app/toString/alter/1',
      'mutation/nobody/publish/drop/17',
      'gridkey-app/publish/drop/17',
    ])
      expect(mutationOf(id), id).toBeUndefined()
    fc.assert(fc.property(fc.string(), (id) => mutationOf(id) === undefined || id.startsWith('mutation/')))
  })

  const message = (n: number): Message => ({
    topic: 't',
    payload: { Value: n, Valid: true },
    qos: 1,
    retain: false,
  })

  /** Publishes messages 1 to 5 through a mutated part; what was sent, in order. */
  async function sent(change: string): Promise<{ list: Message[]; reached: number }> {
    const list: Message[] = []
    let reached = 0
    const found = mutationOf(`mutation/gridkey-app/publish/${change}/3`)
    const p = found?.wrap(modules['gridkey-app'], () => reached++) as gridkey.GridkeyParts
    const all = [1, 2, 3, 4, 5].map((n) =>
      p.publish(message(n), (m) => {
        list.push(m)
        return Promise.resolve()
      }),
    )
    await vi.advanceTimersByTimeAsync(60_000)
    await Promise.all(all)
    return { list, reached }
  }

  test('drop, duplicate, reorder, delay, alter and reveal one message', async () => {
    vi.useFakeTimers()
    try {
      const order = async (change: string): Promise<number[]> => {
        const { list, reached } = await sent(change)
        expect(reached).toBe(1)
        return list.map((m) => (m.payload as { Value: number }).Value)
      }
      expect(await order('drop')).toEqual([1, 2, 4, 5])
      expect((await order('duplicate')).sort((a, b) => a - b)).toEqual([1, 2, 3, 3, 4, 5])
      const reordered = await order('reorder')
      expect(reordered.indexOf(3)).toBeGreaterThan(reordered.indexOf(4))
      expect((await order('delay')).at(-1)).toBe(3)
      const alter = await sent('alter')
      expect(alter.list.length).toBe(5)
      expect(alter.list).not.toEqual([1, 2, 3, 4, 5].map(message))
      const reveal = await sent('reveal')
      expect(reveal.list.length).toBe(6)
      expect(reveal.list.filter((m) => m.topic === 't').length).toBe(6)
    } finally {
      vi.useRealTimers()
    }
  })

  test('say what they changed, and wait for a call on which the change makes a difference', () => {
    const told: (string | undefined)[] = []
    const wrap = (id: string): gridkey.GridkeyParts =>
      mutationOf(id)?.wrap(modules['gridkey-app'], (what) => told.push(what)) as gridkey.GridkeyParts
    const s = wrap('mutation/gridkey-app/stamp/repeat/2')
    expect([1_000, 1_100, 2_000, 3_000].map((t) => s.stamp(t))).toEqual([1, 1, 1, 3])
    const t = wrap('mutation/gridkey-app/due/alter/1')
    expect(t.due(1, 60_000)).toBe(60_601)
    expect(told).toEqual(['2 -> 1', 'output 1: 60000 -> 60601'])
    expect(difference({ a: [1, { b: true }] }, { a: [1, { b: false }] })).toBe('a.1.b: true -> false')
    expect(difference(new Map([[1, 2]]), new Map([[1, 3]]))).toBe('1: 2 -> 3')
    expect(difference({ a: [1] }, { a: [1] })).toBeUndefined()
  })

  test('leave out what nobody could see', () => {
    for (let i = 0; i < 50; i++)
      expect(altered({ retain: false, why: 'x', quantity: 'y', Value: 1 }, `${i}`)).toMatchObject({
        retain: false,
        why: 'x',
        quantity: 'y',
      })
  })

  test('leave the value of what is not valid alone', () => {
    for (let i = 0; i < 50; i++) {
      expect(altered({ Value: 1, Valid: false }, `${i}`)).toEqual({ Value: 1, Valid: true })
      expect(altered([{ value: 1, valid: false, quantity: 'x' }], `${i}`)).toEqual([
        { value: 1, valid: true, quantity: 'x' },
      ])
    }
  })

  test('alter, repeat and drop what was read or computed', async () => {
    const wrap = (id: string): gridkey.GridkeyParts =>
      mutationOf(id)?.wrap(modules['gridkey-app'], () => {}) as gridkey.GridkeyParts
    const link = {
      read: () => Promise.resolve([1, 2, 3]),
      close: () => Promise.resolve(),
      counts: () => ({ opened: 1, open: 1 }),
    }
    const block = { table: 'input' as const, start: 0, count: 3 }
    const p = wrap('mutation/gridkey-app/read/alter/2')
    expect(await p.read(link, block, 1)).toEqual([1, 2, 3])
    expect(await p.read(link, block, 1)).not.toEqual([1, 2, 3])
    expect(await p.read(link, block, 1)).toEqual([1, 2, 3])
    expect(await wrap('mutation/gridkey-app/read/drop/1').read(link, block, 1)).toEqual([2, 3])
    const s = wrap('mutation/gridkey-app/stamp/repeat/2')
    expect([s.stamp(1_000), s.stamp(2_000), s.stamp(3_000)]).toEqual([1, 1, 3])
  })

  test('of a decision change what it effects, never what it remembers', () => {
    const decided = (id: string): readonly unknown[] => {
      let n = 0
      const decide = (): unknown => [{ n: ++n }, [{ do: 'start', iid: `app-${n}` }]]
      const parts = mutationOf(id)?.wrap({ decide }, () => {}) as { readonly decide: () => unknown }
      return [parts.decide(), parts.decide(), parts.decide()]
    }
    const plain = [1, 2, 3].map((n) => [{ n }, [{ do: 'start', iid: `app-${n}` }]])
    expect(decided('mutation/container-manager/decide/repeat/2')).toEqual([
      plain[0],
      [{ n: 2 }, [{ do: 'start', iid: 'app-1' }]],
      plain[2],
    ])
    const altered = decided('mutation/container-manager/decide/alter/3')
    expect(altered.slice(0, 2)).toEqual(plain.slice(0, 2))
    expect(altered[2]).not.toEqual(plain[2])
    expect((altered[2] as readonly unknown[])[0]).toEqual({ n: 3 })
  })

  test('altering changes one leaf, and only that', () => {
    const leaves = (v: unknown): string[] =>
      typeof v === 'object' && v !== null
        ? Object.entries(v).flatMap(([k, x]) => leaves(x).map((y) => `${k}.${y}`))
        : [JSON.stringify(v)]
    const value = fc.jsonValue({ maxDepth: 3 })
    fc.assert(
      fc.property(value, fc.string(), (v, id) => {
        const before = leaves(v)
        const after = leaves(altered(v, id))
        expect(after.length).toBe(before.length)
        const changed = before.filter((x, i) => x !== after[i]).length
        // Nulls are left alone; the largest numbers have no successor.
        expect(changed).toBeLessThanOrEqual(1)
      }),
    )
    expect(altered({ a: [false] }, 'x')).toEqual({ a: [true] })
    expect(altered('x', 'x')).toBe('xx')
    expect(altered(10, 'x')).toBe(11)
  })
})

describe('the list of defects', () => {
  test('names each once, for the app it says, in one plain sentence', () => {
    const ids = defects.map((d) => d.id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const d of defects) {
      expect(d.id.startsWith(`${d.app}/`)).toBe(true)
      expect(d.describes).toMatch(/^[A-Z].*[.]$/s)
      expect(d.describes).not.toContain('\n')
    }
  })

  test('has what the scenarios of capture and security need', () => {
    const count = (kind: string): number => defects.filter((d) => d.kind === kind).length
    expect(count('defect')).toBeGreaterThanOrEqual(16)
    expect(count('variant')).toBeGreaterThanOrEqual(6)
  })

  test('knows no other', () => {
    expect(() => defectOf('gridkey-app/nothing')).toThrow("there is no defect 'gridkey-app/nothing'")
  })
})
