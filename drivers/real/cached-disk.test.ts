import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync, fsyncSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { mountsBelow } from './block.ts'
import { lacksCached, memoryFolder, openDurable } from './disk.ts'
import type { DurableDisk } from './disk.ts'

const lacks = lacksCached()

/** Files kept and flushed, `each` before each of so many cuts, and how many of them were there in the end. */
function keep(
  o: { readonly cached: boolean; readonly mount?: string; readonly seed?: number },
  cuts: number,
  each = 4,
): { kept: number; found: number; unflushed: number; disk: DurableDisk['cache'] } & Disposable {
  const folder = mkdtempSync(join(memoryFolder(), 'gridproof-test-'))
  const disk = openDurable({
    folder,
    at: join(folder, 'm'),
    bytes: 64 * 1024 * 1024,
    ...(o.cached ? { cacheSeed: o.seed ?? 3 } : {}),
    mount: o.mount,
  })
  for (let n = 0; n < cuts; n++) {
    for (let k = 0; k < each; k++)
      writeFileSync(join(disk.path, `flushed-${n}-${k}`), 'x'.repeat(700), { flush: true })
    writeFileSync(join(disk.path, `unflushed-${n}`), 'x')
    disk.cut()
    expect(disk.remount()).toBe(true)
  }
  const left = readdirSync(disk.path)
  return {
    kept: cuts * each,
    found: left.filter((f) => f.startsWith('flushed')).length,
    unflushed: left.filter((f) => f.startsWith('unflushed')).length,
    disk: disk.cache,
    [Symbol.dispose]() {
      disk.close()
      expect(mountsBelow(folder)).toEqual([])
      rmSync(folder, { recursive: true })
    },
  }
}

describe.skipIf(lacks !== undefined)(`a disk with a write cache (${lacks ?? 'played here'})`, () => {
  test('has all that was flushed after each cut, and nothing that the file system had not written', () => {
    using r = keep({ cached: true }, 8)
    expect(r).toMatchObject({ found: r.kept, unflushed: 0 })
    expect(r.disk?.figures().flushes).toBeGreaterThan(r.kept)
  })

  test('loses what was flushed where barriers are off; a disk without a cache does not show that', () => {
    using r = keep({ cached: true, mount: 'barrier=0' }, 8)
    expect(r.found).toBeLessThan(r.kept)
    expect(r.disk?.figures().lost).toBeGreaterThan(0)
    using plain = keep({ cached: false, mount: 'barrier=0' }, 8)
    expect(plain).toMatchObject({ found: plain.kept, unflushed: 0, disk: undefined })
  })

  test('loses power in the midst of a flush when told to, and nothing of it counts from then on', () => {
    const folder = mkdtempSync(join(memoryFolder(), 'gridproof-test-'))
    const disk = openDurable({ folder, at: join(folder, 'm'), bytes: 64 * 1024 * 1024, cacheSeed: 5 })
    try {
      writeFileSync(join(disk.path, 'before'), 'x', { flush: true })
      disk.cache?.loseAtFlush(1)
      const fd = openSync(join(disk.path, 'torn'), 'w')
      writeFileSync(fd, 'y'.repeat(5_000))
      fsyncSync(fd)
      closeSync(fd)
      expect(disk.cache?.powered()).toBe(false)
      writeFileSync(join(disk.path, 'after'), 'z', { flush: true })
      disk.cut()
      expect(disk.remount()).toBe(true)
      expect(disk.cache?.powered()).toBe(true)
      // The record that makes its transaction count had not been written yet.
      expect(readdirSync(disk.path)).toEqual(['before'])
    } finally {
      disk.close()
      rmSync(folder, { recursive: true })
    }
  })
})
