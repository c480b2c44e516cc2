import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { mountsBelow } from './block.ts'
import { memoryFolder, openDurable, probeDurable } from './disk.ts'
import { createRealHost } from './host.ts'
import { clearLeftovers, openLedger } from './ledger.ts'

const probe = probeDurable()
const lacks = 'lacks' in probe ? probe.lacks : undefined

describe.skipIf(lacks !== undefined)(`a disk in an image (${lacks ?? 'played here'})`, () => {
  // How long that takes is judged by `npm run perf`.
  test('is cut and mounted again thirty times, and is always whole', () => {
    const folder = mkdtempSync(join(memoryFolder(), 'gridproof-test-'))
    const disk = openDurable({ folder, at: join(folder, 'm') })
    try {
      for (let n = 0; n < 30; n++) {
        writeFileSync(join(disk.path, `flushed-${n}`), 'x', { flush: true })
        writeFileSync(join(disk.path, `unflushed-${n}`), 'x')
        disk.cut()
        expect(disk.remount()).toBe(true)
      }
      const left = readdirSync(disk.path)
      expect(left.filter((f) => f.startsWith('unflushed'))).toEqual([])
      expect(left).toHaveLength(30)
    } finally {
      disk.close()
      expect(mountsBelow(folder)).toEqual([])
      rmSync(folder, { recursive: true })
    }
  })

  test('takes nothing between a cut and its mounting, and is busy while a file is open', () => {
    const folder = mkdtempSync(join(memoryFolder(), 'gridproof-test-'))
    const disk = openDurable({ folder, at: join(folder, 'm') })
    try {
      disk.cut()
      expect(() => writeFileSync(join(disk.path, 'late'), 'x')).toThrow(/EIO|EROFS/)
      expect(disk.remount()).toBe(true)
      expect(readdirSync(disk.path)).toEqual([])
    } finally {
      disk.close()
      rmSync(folder, { recursive: true })
    }
  })

  const unshare = '/usr/bin/unshare'
  test.skipIf(!existsSync(unshare))(
    'is not taken for mounted again while somebody with mounts of his own keeps what was shut down (unshare)',
    async () => {
      const folder = mkdtempSync(join(memoryFolder(), 'gridproof-test-'))
      const disk = openDurable({ folder, at: join(folder, 'm') })
      const other = spawn(unshare, ['-m', '--propagation', 'private', 'sh', '-c', 'echo there; cat'])
      try {
        await once(other.stdout, 'data')
        disk.cut()
        expect(disk.remount()).toBe(false)
        other.stdin.end()
        await once(other, 'close')
        expect(disk.remount()).toBe(true)
        writeFileSync(join(disk.path, 'again'), 'x', { flush: true })
      } finally {
        other.kill()
        disk.close()
        rmSync(folder, { recursive: true })
      }
    },
  )

  test('is as large as it was asked to be', () => {
    const folder = mkdtempSync(join(memoryFolder(), 'gridproof-test-'))
    const disk = openDurable({ folder, at: join(folder, 'm'), bytes: 96 * 1024 * 1024 })
    try {
      const { bsize, blocks } = statfsSync(disk.path)
      expect(bsize * blocks).toBeGreaterThan(80 * 1024 * 1024)
      expect(bsize * blocks).toBeLessThan(96 * 1024 * 1024)
    } finally {
      disk.close()
      rmSync(folder, { recursive: true })
    }
  })

  test('of a host in real time: what a killed process had flushed is there, and nothing else', async () => {
    const state = mkdtempSync(join(tmpdir(), 'disk-test-'))
    const ledger = openLedger(state)
    const host = createRealHost({ name: 'edge', address: '127.0.0.7', ledger, durable: true })
    try {
      expect(host.can.has('durability')).toBe(true)
      const heard = Promise.withResolvers<void>()
      const found: Record<string, number[]> = { full: [], file: [] }
      const kept: Record<string, number> = {}
      host.onLog((proc, entry) => {
        const e = entry as { kept?: number; found?: number }
        if (e.found !== undefined) found[proc]?.push(e.found)
        if (e.kept !== undefined) kept[proc] = e.kept
        if ((kept['full'] ?? 0) > 20 && (kept['file'] ?? 0) > 20) heard.resolve()
      })
      for (const way of ['full', 'file'])
        await host.start(way, {
          entry: 'drivers/real/testing/keeper.ts',
          config: { way, everyMs: 2 },
          defects: [],
        })
      await heard.promise
      host.cut()
      const before = { ...kept }
      const procs = await host.restore()
      expect(procs.map((p) => p.name)).toEqual(['full', 'file'])
      while ((found['full']?.length ?? 0) < 2 || (found['file']?.length ?? 0) < 2)
        await new Promise((resolve) => {
          setTimeout(resolve, 5)
        })
      // What it kept and had no time to tell may be there too.
      expect(found['full']?.[1]).toBeGreaterThanOrEqual(before['full'] ?? 0)
      expect(found['file']).toEqual([0, 0])
    } finally {
      await host[Symbol.asyncDispose]()
      expect(mountsBelow(host.disk)).toEqual([])
      expect(ledger.close()).toEqual([])
      rmSync(state, { recursive: true, force: true })
    }
  })

  test('that a killed bench left behind is unmounted by whoever clears up', () => {
    const state = mkdtempSync(join(tmpdir(), 'disk-test-'))
    const ledger = openLedger(state)
    const folder = ledger.folder('disk-left', memoryFolder())
    openDurable({ folder, at: join(folder, 'm') })
    // Its ledger, as of a bench that no longer runs.
    const file = join(state, 'ledgers', readdirSync(join(state, 'ledgers'))[0] ?? '')
    const [head = '', ...rest] = readFileSync(file, 'utf8').split('\n')
    writeFileSync(file, [head.replace(/"stamp":"[^"]*"/, '"stamp":"of-another"'), ...rest].join('\n'))
    expect(clearLeftovers(state)).toContainEqual({ what: `folder ${folder}`, outcome: 'undone' })
    expect(existsSync(folder)).toBe(false)
    expect(mountsBelow(folder)).toEqual([])
    rmSync(state, { recursive: true, force: true })
  })
})

test('says what it lacks where it cannot be played', () => {
  expect(probeDurable(join(tmpdir(), 'not-there'))).toMatchObject({ lacks: expect.any(String) as string })
})
