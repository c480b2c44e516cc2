import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, json, oneof, property, string } from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isGridproofError } from '../errors.ts'
import { clearLeftovers, openLedger, stateFolder } from './ledger.ts'
import { killTree, processPlace, processStamp } from './process.ts'

let state = ''
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'ledger-test-'))
})
afterEach(() => rmSync(state, { recursive: true, force: true }))

/** A ledger as a bench leaves it that is dead. */
function deadLedger(lines: readonly object[], raw = ''): string {
  const file = join(state, 'ledgers', '999999999-x.jsonl')
  mkdirSync(join(state, 'ledgers'), { recursive: true })
  const head = { kind: 'bench', pid: 999_999_999, stamp: 'gone', place: processPlace() }
  writeFileSync(file, [head, ...lines].map((l) => `${JSON.stringify(l)}\n`).join('') + raw)
  return file
}

/** A child that sleeps until it is killed; no clock is waited for. */
async function sleeper(): Promise<{ pid: number; ended: Promise<unknown[]> }> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9)'], {
    detached: true,
    stdio: 'ignore',
  })
  await once(child, 'spawn')
  return { pid: child.pid ?? 0, ended: once(child, 'exit') }
}

describe('the ledger', () => {
  test('undoes what is left when it is closed, and takes its own file away', async () => {
    const ledger = openLedger(state)
    const folder = ledger.folder('disk of host 1')
    writeFileSync(join(folder, 'x'), 'x')
    const link = join(state, 'tty')
    ledger.link(link)
    symlinkSync('/dev/null', link)
    const child = await sleeper()
    ledger.child(child.pid, 'sleeper')
    const outcomes = ledger.close().map((c) => c.outcome)
    expect(outcomes).toEqual(['undone', 'undone', 'undone'])
    expect((await child.ended)[1]).toBe('SIGKILL')
    expect(existsSync(folder)).toBe(false)
    expect(existsSync(link)).toBe(false)
    expect(readdirSync(join(state, 'ledgers'))).toEqual([])
    expect(ledger.close()).toEqual([])
  })

  test('of a bench that runs is left alone by others', () => {
    const ledger = openLedger(state)
    const folder = ledger.folder('disk')
    expect(clearLeftovers(state)).toEqual([])
    expect(existsSync(folder)).toBe(true)
    ledger.close()
  })

  test('of a dead bench is undone by the next, except what it had undone itself', async () => {
    const mine = openLedger(state)
    const folder = mine.folder('disk')
    const other = mine.folder('other')
    const child = await sleeper()
    const file = deadLedger([
      { kind: 'folder', path: folder },
      { kind: 'folder', path: other },
      { kind: 'forget', what: other },
      { kind: 'child', pid: child.pid, stamp: processStamp(child.pid), name: 'app' },
    ])
    expect(clearLeftovers(state)).toEqual([
      { what: `process ${child.pid} (app)`, outcome: 'undone' },
      { what: `folder ${folder}`, outcome: 'undone' },
    ])
    await child.ended
    expect(existsSync(folder)).toBe(false)
    expect(existsSync(other)).toBe(true)
    expect(existsSync(file)).toBe(false)
    expect(clearLeftovers(state)).toEqual([])
    mine.close()
  })

  test('never kills a process that has only the number of a child', async () => {
    const child = await sleeper()
    deadLedger([{ kind: 'child', pid: child.pid, stamp: 'another start', name: 'app' }])
    expect(clearLeftovers(state)).toEqual([{ what: `process ${child.pid} (app)`, outcome: 'was gone' }])
    const stamp = processStamp(child.pid) ?? ''
    expect(stamp).not.toBe('')
    expect(killTree(child.pid, stamp)).toBe(true)
    await child.ended
    expect(killTree(child.pid, stamp)).toBe(false)
  })

  test('never removes what is none of ours, and says so', () => {
    const theirs = join(state, 'precious')
    const inside = join(theirs, 'file')
    mkdirSync(theirs)
    writeFileSync(inside, '')
    deadLedger([
      { kind: 'folder', path: theirs },
      { kind: 'folder', path: '/' },
      { kind: 'link', path: inside },
      { kind: 'rule', path: 'theirs', rule: { mark: 'theirs', which: 'to', address: '127.0.0.1', port: 22 } },
      { kind: 'rule', path: 'none', rule: null },
    ])
    expect(clearLeftovers(state).map((c) => c.outcome)).toEqual([
      'refused',
      'refused',
      'failed',
      'refused',
      'refused',
    ])
    expect(existsSync(inside)).toBe(true)
  })

  test('of another container that shares the state folder is left alone', () => {
    const file = deadLedger([])
    const head = { kind: 'bench', pid: 999_999_999, stamp: 'gone', place: 'pid:[1]' }
    writeFileSync(file, `${JSON.stringify(head)}\n`)
    expect(clearLeftovers(state)).toEqual([])
    expect(existsSync(file)).toBe(true)
  })

  test('takes any bytes in its files without a crash, and never acts on them', () => {
    assert(
      property(oneof(string(), json()), (raw) => {
        deadLedger([], raw)
        for (const c of clearLeftovers(state)) expect(c.outcome).not.toBe('undone')
      }),
      { numRuns: 50 },
    )
  })

  test('says what to do where the state folder cannot be written', () => {
    const blocked = join(state, 'file')
    writeFileSync(blocked, '')
    try {
      openLedger(blocked)
      expect.unreachable()
    } catch (e) {
      expect(isGridproofError(e, 'rig-lacks')).toBe(true)
      expect(String(e)).toContain('set GRIDPROOF_STATE')
    }
  })
})

test('the state folder follows GRIDPROOF_STATE, then XDG, then the home folder', () => {
  expect(stateFolder({ GRIDPROOF_STATE: '/a', XDG_STATE_HOME: '/b' })).toBe('/a')
  expect(stateFolder({ XDG_STATE_HOME: '/b' })).toBe('/b/gridproof')
  expect(stateFolder({ XDG_STATE_HOME: 'relative' })).toMatch(/\.local\/state\/gridproof$/)
  expect(stateFolder({ GRIDPROOF_STATE: '' })).toMatch(/\.local\/state\/gridproof$/)
})

test('a process that has ended, or that cannot be, has no stamp', async () => {
  expect(processStamp(process.pid)).toMatch(/.+/)
  expect(processStamp(process.pid)).toBe(processStamp(process.pid))
  for (const pid of [0, -1, 1.5, Number.NaN, 999_999_999]) expect(processStamp(pid)).toBe(undefined)
})
