import { describe, expect, test } from 'vitest'
import type { Host, HostCan, Json, Proc } from '../../drivers/faces.ts'
import { mainsModel } from '../../sim/mains/index.ts'
import { playMains } from './mains.ts'

function stand(o: { slow?: Promise<void>; own?: true; watched?: true } = {}) {
  const did: string[] = []
  const doing: (() => void)[] = []
  const events: { kind: string; data: Json }[] = []
  const proc: Proc = { name: 'platform', ended: new Promise(() => undefined), signal: () => undefined }
  const host = {
    name: 'platform',
    can: new Set<HostCan>(['cut']),
    cut: () => void did.push('cut'),
    async restore() {
      did.push('restore')
      await o.slow
      did.push('up')
      return [proc]
    },
    ...(o.watched === true
      ? {
          onDoing: (what: string, how: Json, f: () => void) => {
            did.push(`watch ${what} ${JSON.stringify(how)}`)
            doing.push(f)
            return { [Symbol.dispose]: () => void did.push('unwatch') }
          },
        }
      : {}),
  } as unknown as Host
  const mains = playMains({
    model: mainsModel,
    now: () => performance.now(),
    random: () => 0.5,
    emit: (kind, data) => events.push({ kind, data }),
  })
  const told = {
    coming: () => void did.push('coming'),
    restored: (p: readonly Proc[]) => void did.push(`${p.length} run`),
  }
  mains.feed(host, told, o.own === true ? 'its own' : 'played')
  return { mains, did, doing, events }
}

const seen = (alias: string) => ({ seq: 1, at: 0, src: 'log', kind: 'seen' as const, data: { alias } })

describe('the mains', () => {
  test('go for a while and come back, and everybody is told', async () => {
    const { mains, did, events } = stand()
    expect(await mains.cut({ for: '5 ms' })).toBe(true)
    expect(did).toEqual(['cut', 'coming', 'restore', 'up', '1 run'])
    expect(events.map((e) => (e.data as { alias: string }).alias)).toEqual(['mains.cut', 'mains.restored'])
  })
  test('stay away until they are given back, and a second cut is none', async () => {
    const { mains, did } = stand()
    await mains.cut()
    await mains.cut()
    await mains.restore()
    expect(did.filter((d) => d === 'cut')).toHaveLength(1)
  })
  test('may go again while the host is still coming up', async () => {
    const slow = Promise.withResolvers<void>()
    const { mains, did } = stand({ slow: slow.promise })
    await mains.cut()
    const coming = mains.restore()
    await mains.cut()
    slow.resolve()
    await coming
    // It came up behind the cut: that is made good.
    expect(did.at(-1)).toBe('cut')
    await mains.restore()
    expect(did.at(-1)).toBe('1 run')
  })
  test('go at the n-th event of a series, at once', async () => {
    const { mains, did } = stand()
    const cut = mains.cut({ at: { src: 'log', kind: 'seen', select: 'log.*', nth: 2 } })
    mains.see(seen('log.a'))
    mains.see(seen('other.a'))
    expect(did).toEqual([])
    mains.see(seen('log.b'))
    expect(did).toEqual(['cut'])
    expect(await cut).toBe(true)
  })
  test('do not go where the point is not reached, and say so', async () => {
    const { mains, did, events } = stand({ watched: true })
    expect(await mains.cut({ at: { doing: 'rename' }, within: '5 ms', for: '1 s' })).toBe(false)
    expect(did).toEqual(['watch rename {"nth":1,"when":"before"}', 'unwatch'])
    expect(events).toEqual([
      { kind: 'note', data: expect.objectContaining({ point: 'before rename' }) as Json },
    ])
  })
  test('go in the midst of what the host does, where that can be watched', async () => {
    const { mains, did, doing } = stand({ watched: true })
    const cut = mains.cut({ at: { doing: 'row', nth: 3, when: 'after' } })
    doing[0]?.()
    expect(did).toContain('cut')
    expect(await cut).toBe(true)
    await expect(stand().mains.cut({ at: { doing: 'row' } })).rejects.toMatchObject({ code: 'not-capable' })
  })
  test('dip, and the supply rides through, or does not', async () => {
    const { mains, did } = stand()
    await mains.dip({ for: '30 ms', to: 0.8 })
    expect(did).toEqual([])
    await mains.dip({ for: '60 ms' })
    expect(did).toEqual(['cut', 'coming', 'restore', 'up', '1 run'])
    await expect(stand({ own: true }).mains.dip({ for: '1 s' })).rejects.toMatchObject({
      code: 'not-capable',
    })
  })
  test('follow a plan, and refuse one that cannot be followed', async () => {
    const { mains, did } = stand()
    await mains.follow([
      { at: 2, for: 2 },
      { at: 8, for: 1 },
    ])
    expect(did.filter((d) => d === 'cut')).toHaveLength(2)
    await expect(mains.follow([{ at: -1, for: 1 }])).rejects.toThrow(/0 or more/)
  })
  test('are a fault that is lifted, once', async () => {
    const { mains, did } = stand()
    const fault = mains.inflict('cut')
    expect(did).toEqual(['cut'])
    fault.lift()
    fault.lift()
    await mains.restore()
    expect(did.filter((d) => d === 'restore')).toHaveLength(1)
    expect(() => mains.inflict('flicker')).toThrow(/no fault/)
    await expect(mains.cut({ host: 'nowhere' })).rejects.toThrow(/no host 'nowhere'/)
  })
})
