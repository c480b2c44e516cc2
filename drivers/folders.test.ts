import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeFolders } from './folders.ts'

test('folders are made with what lies above them, and are left alone where they are', () => {
  const base = mkdtempSync(join(tmpdir(), 'gridproof-folders-'))
  onTestFinished(() => rmSync(base, { recursive: true }))
  makeFolders(join(base, 'a/b/c'))
  makeFolders(join(base, 'a/b/c'))
  expect(existsSync(join(base, 'a/b/c'))).toBe(true)
  writeFileSync(join(base, 'file'), '')
  expect(() => makeFolders(join(base, 'file/below'))).toThrow('ENOTDIR')
})

test.skipIf(!existsSync('/proc/self'))(
  'where there can be no folder, it is told and not tried for ever',
  () => {
    expect(() => makeFolders('/proc/no/where')).toThrow(/ENOENT|EACCES/)
  },
)
