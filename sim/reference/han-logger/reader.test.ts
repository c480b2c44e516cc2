/** The reader as a program, between a line, a broker with TLS and a modem: each story in virtual time, some in real time too. */
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../../../drivers/faces.ts'
import { ptyProvider } from '../../../drivers/real/pty.ts'
import { createRealWorld } from '../../../drivers/real/world.ts'
import { runInChild } from '../../../drivers/virtual/child.ts'
import {
  makeKit,
  type ModemManners,
  type Order,
  stories,
  type Told,
} from '../../defects/cases/han-reader.case.ts'
import { hashPassword } from '../lvcap/maintenance/password.ts'
import { makePki } from '../lvcap/pki.ts'
import { freePort, tempFolder } from '../lvcap/testing.ts'

const folder = tempFolder()
beforeAll(() =>
  makePki(folder.path, { apps: ['a_b_1.0'], addresses: ['10.0.0.30', '10.0.0.10'], algorithm: 'ed25519' }),
)
afterAll(() => folder.remove())

type Result = { readonly [k: string]: Json }

const password = 'a right good password'
const stored = hashPassword(password, { n: 1024, r: 8, p: 1 })
const page = (pki: string, port: number): Json => ({ password, stored, port, pki })
const modem = (manners: ModemManners, baudRate = 115_200, lists = 3): Json => ({
  baudRate,
  manners: { ...manners },
  lists,
})
const ways = {
  usual: modem({}),
  slow: modem({}, 300),
  busy: modem({ silentFor: 5, busyFor: 2 }),
  dropping: modem({ dropAfter: 3000 }, 9600, 20),
  resetting: modem({ resetAfter: 3000 }, 9600, 20),
}
const ends: readonly { [k: string]: Json }[] = [{ silentFor: 1e9 }, { mum: true }]

/** All that is told in virtual time, in one process: a process each takes longer than its story. */
const orders = (): Order[] => [
  ...['plain', 'away', 'crash', 'thesis', 'cut', 'carrier', 'unacknowledged', 'disk'].map((story) => ({
    story,
  })),
  { story: 'diskAtAcknowledgement' },
  { story: 'refused' },
  { story: 'page', arg: page(folder.path, 8443) },
  ...Object.values(ways).map((arg) => ({ story: 'modem', arg })),
  ...ends.map((arg) => ({ story: 'modemEnd', arg })),
]
let told: Promise<Told[]> | undefined

async function virtually<T = Result>(story: string, arg: Json = null): Promise<T> {
  told ??= runInChild<Told[] & Json[]>({
    module: new URL('../../defects/cases/han-reader.case.ts', import.meta.url),
    arg: { pki: folder.path, orders: orders() as never },
    kernel: { seed: 1, epoch: Date.parse('2018-05-24T15:34:51Z') },
  })
  const at = orders().findIndex((o) => o.story === story && isDeepStrictEqual(o.arg ?? null, arg))
  const one = (await told)[at]
  if (one === undefined) throw new Error(`${story} is not among the orders`)
  if ('error' in one) throw new Error(one.error)
  expect(one.escapes).toEqual([])
  return one.result as T
}

async function really<T = Result>(story: string, arg: Json = null): Promise<T> {
  await using world = await createRealWorld({ seed: 1 })
  // Addresses of real time are the machine's own.
  const addresses = ['10.0.0.30', '10.0.0.10'].map((address) => world.realm({ name: 'x', address }).address)
  const pki = join(folder.path, story)
  makePki(pki, { apps: ['a_b_1.0'], addresses, algorithm: 'ed25519' })
  const k = await makeKit(world, pki, await freePort())
  const tell = stories[story]
  if (tell === undefined) throw new Error(story)
  return (await tell(k, arg)) as T
}

const ptys = ptyProvider()
if ('lacks' in ptys) process.stderr.write(`the HAN reader is not tried in real time: ${ptys.lacks}\n`)
const times = [['virtual', virtually], ...('lacks' in ptys ? [] : [['real', really] as const])] as const
const upTo = (n: number, from = 1): number[] => Array.from({ length: n - from + 1 }, (_, i) => i + from)

describe.each(times)('in %s time', (_time, tell) => {
  test('lists of two meters of two makers become JSON at the broker, with distinct keys and numbers', async () => {
    const { said } = await tell<{ said: Result[] }>('plain')
    expect(said.map((s) => s['DataID'])).toEqual([1, 2, 3, 4])
    expect(said[0]).toMatchObject({
      Logger_MAC: '5C:CF:7F:53:BA:8A',
      List: 1,
      data: { ActiveImportPower: 980 },
    })
    expect(said[2]?.['data']).toEqual({
      ListVersion: 'KFM_001',
      MeterID: '1972681403753285',
      MeterType: 'MA304H3E',
      MeterClock: '2018-05-24T17:00:10',
      ActiveImportPower: 604,
      ActiveExportPower: 0,
      ReactiveImportPower: 0,
      ReactiveExportPower: 156,
      CurrentL1: 1.091,
      CurrentL2: 1442 / 1000,
      CurrentL3: 1.447,
      VoltageL1: 240.2,
      VoltageL2: 0,
      VoltageL3: 241.9,
      CumulativeActiveImportEnergy: 103_293,
      CumulativeActiveExportEnergy: 0,
      CumulativeReactiveImportEnergy: 837,
      CumulativeReactiveExportEnergy: 21_992,
    })
    expect(said[3]?.['data']).toMatchObject({ ActiveImportPower: 77 })
  })

  test('what was read while the broker was away arrives once, whole and in order', async () => {
    const { ids, watts, refusals } = await tell<{ ids: number[]; watts: number[]; refusals: Json[] }>('away')
    // The first may have come twice, where the broker went before its acknowledgement had arrived.
    expect(ids.filter((n) => n !== 1)).toEqual(upTo(13, 2))
    expect([...new Set(watts)]).toEqual(upTo(13))
    // Said once, not at every try.
    expect(refusals).toHaveLength(1)
  })

  test('killed between keeping and acknowledgement, it sends the same under the same numbers, and goes on counting', async () => {
    const { ids, watts } = await tell<{ ids: number[]; watts: number[] }>('crash')
    expect(ids).toEqual([1, 2, 3, 4])
    expect(watts).toEqual([1, 2, 3, 4])
  })
})

test.each(times)(
  'set on its page from nothing, it reads and sends, and does so again after a kill (%s time)',
  async (time, tell) => {
    const port = time === 'real' ? await freePort() : 8443
    const pki = time === 'real' ? join(folder.path, 'page') : folder.path
    const { saved, said, passwords } = await tell<{ saved: number; said: Result[]; passwords: string[] }>(
      'page',
      page(pki, port),
    )
    expect(saved).toBe(303)
    expect(said).toMatchObject([
      { DataID: 1, Logger_MAC: 'device-7', data: { ActiveImportPower: 2 } },
      { DataID: 2, Logger_MAC: 'device-7', data: { ActiveImportPower: 3 } },
    ])
    expect(passwords).toEqual(['reader:cloud-key', 'reader:cloud-key'])
  },
)

describe('in virtual time', () => {
  test('the form of the thesis has its doubled keys, its texts, its kW, raw mA and 0.1 V', async () => {
    const { came } = await virtually<{ came: string[] }>('thesis')
    expect(came[0]).toBe(
      '{"Logger_MAC":"5C:CF:7F:53:BA:8A","DataID":"1","Timestamp":"2018-05-24-15-34-51","data":{' +
        '"ListVersion":"KFM_001","MeterID":"1972681403753285","MeterType":"MA304H3E",' +
        '"ActiveImportPower":"0.604","ActiveImportPower":"0.000","ReactiveImportPower":"0.000","ReactiveImportPower":"0.156",' +
        '"CurrentL1":"1091","CurrentL2":"1442","CurrentL3":"1447","VoltageL1":"2402","VoltageL2":"0","VoltageL3":"2419",' +
        '"CumulativeActiveImportEnergy":"103293","CumulativeActiveExportEnergy":"0",' +
        '"CumulativeReactiveImportEnergy":"837","CumulativeReactiveExportEnergy":"21992"}}',
    )
  })

  test('after a loss of power it sends what was not acknowledged, and goes on counting', async () => {
    expect(await virtually('cut')).toEqual({ ids: [1, 2, 3, 4], watts: [1, 2, 3, 4] })
  })

  test('a network that goes without a word is noticed, and nothing is missing afterwards', async () => {
    const { ids, lost } = await virtually<{ ids: number[]; lost: Result[] }>('carrier')
    expect([...new Set(ids)].sort((a, b) => a - b)).toEqual(upTo(40))
    expect(lost.map((l) => l['why'])).toEqual(['Keepalive timeout'])
  })

  test('what a broker took without a word is sent once more, under the same numbers, and not twice more', async () => {
    expect((await virtually<{ ids: number[] }>('unacknowledged')).ids).toEqual([1, 2, 3, 1, 2, 3])
  })

  test('readings of the time of a full disk are held and sent when it takes them again; numbers stay in order', async () => {
    const { whileFull, ids, disk } = await virtually<{ whileFull: number[]; ids: number[]; disk: Result[] }>(
      'disk',
    )
    expect(whileFull).toEqual([1, 2])
    expect([...new Set(ids)]).toEqual(upTo(6))
    expect(ids.filter((n) => n === 2).length).toBeLessThanOrEqual(2)
    expect(disk.map((d) => d['what'] ?? 'full')).toEqual(['full', 'takes readings again'])
  })

  test('an acknowledgement that a full disk cannot note is not forgotten', async () => {
    expect((await virtually<{ ids: number[] }>('diskAtAcknowledgement')).ids).toEqual([1, 1, 2])
  })

  test('a broker with a certificate of somebody else gets nothing, and the log says so once', async () => {
    const { came, refusals } = await virtually<{ came: string[]; refusals: Json[] }>('refused')
    expect(came).toEqual([])
    expect(refusals).toHaveLength(1)
  })
})

describe('through a serial modem', () => {
  type Modem = {
    connectedAfter: number
    ids: number[]
    heard: string[]
    online: boolean
    ended: number
    lost: Result[]
    refusals: Result[]
  }
  test.each(times)(
    'TLS stands end to end, and the call is ended at the end (%s time)',
    async (_time, tell) => {
      const r = await tell<Modem>('modem', ways.usual)
      expect(r.ids).toEqual([1, 2, 3])
      expect(r.heard[0]).toBe('AT')
      expect(r.heard[1]).toMatch(/^ATD[\d.]+:\d+$/)
      expect(r.online).toBe(false)
      expect(r.ended).toBe(0)
      expect([...r.lost, ...r.refusals]).toEqual([])
    },
  )

  test('at 300 baud it takes its time, and everything arrives', async () => {
    const r = await virtually<Modem>('modem', ways.slow)
    expect(r.connectedAfter).toBeGreaterThan(30_000)
    expect(r.ids).toEqual([1, 2, 3])
    expect([...r.lost, ...r.refusals]).toEqual([])
  })

  test('one that is silent at first, and busy then, is asked until it gets through', async () => {
    const r = await virtually<Modem>('modem', ways.busy)
    expect(r.ids).toEqual([1, 2, 3])
    expect(JSON.stringify(r.refusals)).toMatch(/does not answer.*BUSY/)
  })

  test.each(ends)('told to end while it is asked or calls (%o), it ends', async (m) => {
    const { ended, after } = await virtually<{ ended: number; after: number }>('modemEnd', m)
    expect(ended).toBe(0)
    expect(after).toBeLessThan(3_000)
  })

  test('one that loses its carrier in the middle is called again; what was not acknowledged comes again', async () => {
    const r = await virtually<Modem>('modem', ways.dropping)
    expect([...new Set(r.ids)]).toEqual(upTo(20))
    expect(r.lost.map((x) => x['why'])).toEqual(['the modem lost its carrier'])
  })

  test('one that resets without a word is noticed, and called again', async () => {
    const r = await virtually<Modem>('modem', ways.resetting)
    expect([...new Set(r.ids)]).toEqual(upTo(20))
    expect(r.lost).toHaveLength(1)
  })
})
