import { fsyncSync, fstatSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { tempFolder } from '../testing.ts'
import { makeFolder, readJson, removeFile, replaceFile } from './disk.ts'

function aFolder(): string {
  const folder = tempFolder()
  onTestFinished(() => folder.remove())
  return folder.path
}

/** Flushes, and notes of what, by inode. */
function noting(): { flush: (fd: number) => void; readonly inodes: number[] } {
  const inodes: number[] = []
  return {
    inodes,
    flush(fd) {
      inodes.push(fstatSync(fd).ino)
      fsyncSync(fd)
    },
  }
}

describe('a file that is replaced', () => {
  test('holds the new bytes, and nothing lies beside it', () => {
    const folder = aFolder()
    const file = join(folder, 'a.json')
    replaceFile(file, 'before')
    replaceFile(file, Uint8Array.of(0x5b, 0x31, 0x5d))
    expect(readJson(file)).toEqual([1])
    expect(readdirSync(folder)).toEqual(['a.json'])
  })

  test('is flushed, and then its folder', () => {
    const folder = aFolder()
    const { flush, inodes } = noting()
    replaceFile(join(folder, 'a'), 'x', { flush })
    expect(inodes).toEqual([statSync(join(folder, 'a')).ino, statSync(folder).ino])
  })

  test('keeps what it held where the new bytes do not come to the disk', () => {
    const file = join(aFolder(), 'a')
    replaceFile(file, 'before')
    const full = (): never => {
      throw new Error('no space')
    }
    expect(() => replaceFile(file, 'after', { flush: full })).toThrow('no space')
    expect(readFileSync(file, 'utf8')).toBe('before')
  })

  test('overwrites what an end without warning left aside', () => {
    const file = join(aFolder(), 'a')
    writeFileSync(`${file}.new`, 'torn and long')
    replaceFile(file, 'x')
    expect(readFileSync(file, 'utf8')).toBe('x')
  })

  test.skipIf(process.platform === 'win32')('has the access bits it is made with', () => {
    const file = join(aFolder(), 'a')
    replaceFile(file, 'x', { mode: 0o600 })
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })
})

describe('a folder that is made', () => {
  test('is noted in its parent, and each one made above it in its own', () => {
    const folder = aFolder()
    const { flush, inodes } = noting()
    makeFolder(join(folder, 'a', 'b'), flush)
    expect(inodes).toEqual([statSync(join(folder, 'a')).ino, statSync(folder).ino])
  })

  test('costs no flush where it is there already', () => {
    const { flush, inodes } = noting()
    makeFolder(aFolder(), flush)
    expect(inodes).toEqual([])
  })
})

test('a file that is removed is gone, as its folder on the disk has it; one that is not there is no error', () => {
  const folder = aFolder()
  const { flush, inodes } = noting()
  replaceFile(join(folder, 'a'), 'x')
  removeFile(join(folder, 'a'), flush)
  removeFile(join(folder, 'a'), flush)
  expect(readdirSync(folder)).toEqual([])
  expect(inodes).toEqual([statSync(folder).ino, statSync(folder).ino])
})

test('what is no JSON, or not there, is read as nothing', () => {
  const folder = aFolder()
  writeFileSync(join(folder, 'torn'), '{"a":')
  expect(readJson(join(folder, 'torn'))).toBeUndefined()
  expect(readJson(join(folder, 'none'))).toBeUndefined()
})
