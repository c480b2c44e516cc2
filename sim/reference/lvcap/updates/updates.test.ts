import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { fsyncSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AppEntry } from '../config.ts'
import type { JsonObject } from '../env.ts'
import { initial, shippedPolicy, step, type Input, type State } from '../manager/machine.ts'
import { configStore } from '../manager/store.ts'
import { makePki } from '../pki.ts'
import { updateSettings } from './config.ts'
import { changedBy, isUpdate, judgePackage, soundJudging, type Manifest, type Trust } from './package.ts'
import { openUpdates, soundUpdates, type UpdateParts } from './procedure.ts'
import { openUpdateStore } from './store.ts'

const folder = mkdtempSync(join(tmpdir(), 'gridproof-updates-'))
beforeAll(() => {
  makePki(join(folder, 'rsa'), { apps: [] })
  return () => rmSync(folder, { recursive: true })
})

const program = 'apps/a.ts'
const installed: readonly AppEntry[] = [
  { apid: 'a_a_1.0', iid: 'a_a_01', entry: program, config: { n: 1 } },
  { apid: 'b_b_1.0', iid: 'b_b_01', entry: 'apps/b.ts', config: { n: 1 } },
  { apid: 's_s_1.0', iid: 's_s_01', entry: 'apps/s.ts', config: {}, service: 'storage' },
]
const rsa = (name: string): string => readFileSync(join(folder, 'rsa', name), 'utf8')
const trust = (): Trust => ({
  ca: rsa('ca.crt'),
  signer: 'operator',
  revoked: [],
  platform: 'here',
  now: Date.parse('2018-01-15'),
})
const both = [
  { iid: 'a_a_01', apid: 'a_a_1.1', config: { n: 2 } },
  { iid: 'b_b_01', config: { n: 2 } },
]
interface Made {
  readonly by?: string
  readonly key?: string
  readonly body?: Uint8Array
  readonly after?: (manifest: string) => string
}
function packed(m: Partial<Manifest>, made: Made = {}): Buffer {
  const body = made.body ?? Buffer.from('image')
  const sha256 = createHash('sha256').update('image').digest('hex')
  const text = JSON.stringify({ id: 'one', platform: 'here', payload: { size: 5, sha256 }, ...m })
  const { by = 'operator' } = made
  const head = {
    lvcap: 'update',
    manifest: made.after?.(text) ?? text,
    certificate: rsa(`${by}.crt`),
    signature: sign('sha256', Buffer.from(text), made.key ?? rsa(`${by}.key`)).toString('base64'),
  }
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body])
}
function judged(bytes: Uint8Array, t = trust()): ReturnType<typeof judgePackage> {
  const file = join(folder, 'package')
  writeFileSync(file, bytes)
  return judgePackage(soundJudging, file, t, installed)
}

describe('a package', () => {
  test('that is sound is taken', () => {
    expect(judged(packed({ apps: both }))).toMatchObject({ ok: true, manifest: { id: 'one' } })
    expect(isUpdate(join(folder, 'package'))).toBe(true)
  })

  test('is refused where signature, signer, payload or platform is not right', () => {
    const strange = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const key = strange.export({ type: 'pkcs8', format: 'pem' }).toString()
    const why = (made: Made, t?: Trust): string => {
      const j = judged(packed({ apps: both }, made), t)
      return j.ok ? 'taken' : j.why
    }
    expect(why({ key })).toBe('its signature is not right')
    expect(why({ after: (m) => m.replace('"n":2', '"n":3') })).toBe('its signature is not right')
    expect(why({ by: 'observer' })).toBe('it is signed by "observer", who may not')
    expect(why({ by: 'intruder/foreign-ca' })).toBe('it is signed by somebody unknown')
    expect(why({ body: Buffer.from('imagf') })).toBe('its payload is not the one that was signed')
    expect(why({ body: Buffer.from('imag') })).toBe('its payload is not the one that was signed')
    expect(why({}, { ...trust(), platform: 'there' })).toBe('it is for "here", not for there')
    expect(why({}, { ...trust(), now: Date.parse('1960-01-01') })).toMatch(/not valid now/)
  })

  test('is refused where it does not go with what is installed', () => {
    const why = (m: Partial<Manifest>): string => {
      const j = judged(packed(m))
      return j.ok ? 'taken' : j.why
    }
    expect(why({})).toBe('it changes nothing')
    expect(why({ apps: [{ iid: 'a_a_01', apid: 'a_a_1.0' }] })).toBe('a_a_1.0 is installed already')
    expect(why({ apps: [{ iid: 'a_a_01', apid: 'c_c_1.0' }] })).toBe('c_c_1.0 is no version of a_a_1.0')
    expect(why({ apps: [{ iid: 'a_a_01', entry: 'x' }] })).toMatch(/another program of the same version/)
    expect(why({ apps: [{ iid: 'a_a_01', config: { n: 1 } }] })).toBe('it changes nothing of a_a_01')
    expect(why({ apps: [{ iid: 'c_c_01', apid: 'c_c_1.0' }] })).toMatch(/brings no program/)
    expect(why({ apps: [{ iid: 's_s_01', apid: 's_s_1.1' }] })).toBe('s_s_01 is a core service')
    expect(why({ remove: ['c_c_01'] })).toBe('c_c_01 is not installed')
    expect(why({ apps: both, remove: ['a_a_01'] })).toBe('it names an instance twice')
  })

  test('makes of what is installed exactly what it says', () => {
    const m = { apps: both, remove: [] } as unknown as Manifest
    expect(changedBy(m, installed).slice(0, 2)).toEqual([
      { apid: 'a_a_1.1', iid: 'a_a_01', entry: program, config: { n: 2 } },
      { apid: 'b_b_1.0', iid: 'b_b_01', entry: 'apps/b.ts', config: { n: 2 } },
    ])
    const fresh = { iid: 'c_c_01', apid: 'c_c_1.0', entry: 'apps/c.ts' }
    const other = { apps: [fresh], remove: ['b_b_01'] } as unknown as Manifest
    expect(changedBy(other, installed).map((a) => a.iid)).toEqual(['a_a_01', 's_s_01', 'c_c_01'])
  })

  test('may hold any bytes', () => {
    const sound = packed({ apps: both })
    const first = judged(sound)
    const was = first.ok ? first.manifest : undefined
    fc.assert(
      fc.property(fc.nat(sound.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = Buffer.from(sound)
        bytes[at] = (bytes[at] ?? 0) ^ flip
        const j = judged(bytes)
        // The last bits of what is written in base 64 may mean nothing.
        if (j.ok) expect(j.manifest).toEqual(was)
      }),
      { numRuns: 60 },
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (b) => !judged(b).ok))
    fc.assert(fc.property(fc.nat(sound.length - 1), (n) => !judged(sound.subarray(0, n)).ok))
  })
})

/** Power goes. */
class Gone extends Error {}

/** A Container Manager whose applications start, say that they run and go when they are told to, in no time. */
class Site {
  readonly disk = mkdtempSync(join(folder, 'disk-'))
  /** Version and configuration of what runs. */
  readonly running = new Map<string, string>()
  readonly told: string[] = []
  readonly parts: UpdateParts
  /** Versions that do not come up. */
  broken = ''
  #state: State = initial([])
  #updates: ReturnType<typeof openUpdates> | undefined
  #flushes = Number.POSITIVE_INFINITY

  constructor(parts: Partial<UpdateParts> = {}) {
    const flushUpdate = (fd: number): void => {
      if (this.#flushes-- <= 0) throw new Gone()
      fsyncSync(fd)
    }
    this.parts = { ...soundUpdates, flushUpdate, ...parts }
  }

  /** Boots; power goes when so much has been flushed. */
  boot(flushes = Number.POSITIVE_INFINITY): boolean {
    this.#flushes = flushes
    this.running.clear()
    try {
      const configs = configStore(this.disk)
      this.#updates = openUpdates(
        this.parts,
        {
          disk: this.disk,
          settings: updateSettings.parse({ platform: 'here', look: 1, settle: 2, patience: 10 }),
          trust,
          configs,
          take: (input) => this.take(input),
          state: () => this.#state,
          admit: async () => undefined,
          log: (entry) => {
            if (entry['event'] === 'trouble') throw new Gone()
            this.told.push(JSON.stringify([entry['event'], entry['state'] ?? null]))
          },
        },
        openUpdateStore(this.disk, (fd) => this.parts.flushUpdate(fd)),
        installed,
      )
      const updates = this.#updates
      this.#state = initial(updates.entries().map((a) => ({ iid: a.iid, config: updates.configOf(a) })))
      this.take({ kind: 'begin' })
      updates.begin()
      return true
    } catch (error) {
      if (error instanceof Gone) return false
      throw error
    }
  }

  take(input: Input): void {
    const [next, effects] = step(this.#state, input, 0, shippedPolicy, 'm_m_01')
    this.#state = next
    for (const e of effects) {
      if (e.do === 'start') {
        const app = this.#updates?.entries().find((a) => a.iid === e.iid)
        const config = next.apps.find((a) => a.iid === e.iid)?.config
        this.running.set(e.iid, `${app?.apid} ${JSON.stringify(config)}`)
        if (app?.apid === this.broken) this.take({ kind: 'exited', iid: e.iid, how: 1 })
        else this.take({ kind: 'status', iid: e.iid, code: 1 })
      } else if (e.do === 'publish' && e.message.topic.startsWith('command/')) {
        const iid = e.message.topic.slice('command/'.length)
        this.running.delete(iid)
        this.take({ kind: 'status', iid, code: 4 })
        this.take({ kind: 'exited', iid, how: 0 })
      }
    }
    this.#updates?.saw(input)
  }

  /** What runs of the two applications: `old`, `new`, or what is neither. */
  get runs(): string {
    const all = ['a_a_01', 'b_b_01'].map((iid) => this.running.get(iid) ?? 'away').join(', ')
    if (all === 'a_a_1.0 {"n":1}, b_b_1.0 {"n":1}') return 'old'
    return all === 'a_a_1.1 {"n":2}, b_b_1.0 {"n":2}' ? 'new' : all
  }

  fetch(bytes: Uint8Array, name = 'one.update'): void {
    mkdirSync(join(this.disk, 'comms/downloads/software'), { recursive: true })
    writeFileSync(join(this.disk, 'comms/downloads/software', name), bytes)
  }

  /** Passes so many seconds; false where power went. */
  async pass(seconds: number): Promise<boolean> {
    try {
      await vi.advanceTimersByTimeAsync(seconds * 1_000)
      return true
    } catch (error) {
      if (error instanceof Gone) return false
      throw error
    }
  }

  off(): void {
    this.#updates?.stop()
  }

  decisions(): JsonObject[] {
    const at = join(this.disk, 'updates/decided')
    return readdirSync(at).map((f) => JSON.parse(readFileSync(join(at, f), 'utf8')) as JsonObject)
  }
}

describe('the procedure', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('replaces all that an update touches, and keeps it over a boot', async () => {
    const site = new Site()
    site.boot()
    expect(site.runs).toBe('old')
    site.fetch(packed({ apps: both }))
    await site.pass(2)
    expect(site.runs).toBe('new')
    expect(site.decisions()).toEqual([])
    await site.pass(5)
    expect(site.decisions()).toMatchObject([{ state: 'applied' }])
    site.off()
    site.boot()
    expect(site.runs).toBe('new')
    expect(readdirSync(join(site.disk, 'updates')).toSorted()).toEqual([
      'decided',
      'installed.json',
      'packages',
    ])
    await site.pass(5)
    expect(site.told.filter((t) => t === '["update","begun"]')).toHaveLength(1)
    site.off()
  })

  test('brings back what was before where a part of an update does not run', async () => {
    const site = new Site()
    site.broken = 'a_a_1.1'
    site.boot()
    site.fetch(packed({ apps: both }))
    await site.pass(8)
    expect(site.runs).not.toBe('old')
    await site.pass(10)
    expect(site.runs).toBe('old')
    expect(site.decisions()).toMatchObject([{ state: 'returned' }])
    await site.pass(60)
    expect(site.told.filter((t) => t === '["update","begun"]')).toHaveLength(1)
    site.off()
  })

  test('leaves what it must not take, and says why', async () => {
    const site = new Site()
    site.boot()
    site.fetch(packed({ apps: both, platform: 'elsewhere' }))
    site.fetch(Buffer.from('some other file'), 'two.tar')
    await site.pass(10)
    expect(site.runs).toBe('old')
    expect(site.decisions()).toEqual([{ state: 'refused', why: 'it is for "elsewhere", not for here' }])
    site.off()
  })

  for (const [how, parts] of [
    ['goes on', {}],
    ['starts over', { resume: () => 'from the start' as const }],
  ] as const)
    test(`${how} after a loss of power at any flush, and is never there in part`, async () => {
      const bytes = packed({ apps: both })
      let broken = 0
      for (let n = 2; n < 16; n++) {
        const site = new Site(parts)
        site.boot()
        site.off()
        site.fetch(bytes)
        // Twice at the same step, and then no more.
        for (const flushes of [n, n % 5, Number.POSITIVE_INFINITY]) {
          const up = site.boot(flushes)
          if (up) expect(['old', 'new']).toContain(site.runs)
          if (!up || !(await site.pass(8))) broken++
          site.off()
        }
        expect(site.runs).toBe('new')
        expect(site.decisions()).toMatchObject([{ state: 'applied' }])
      }
      expect(broken).toBeGreaterThan(12)
    })
})
