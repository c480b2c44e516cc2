import { describe, expect, test } from 'vitest'
import { Progress, progressLines, type ProgressState } from './progress.ts'
import { columns } from './text/plain.ts'
import type { Terminal } from './text/terminal.ts'

const terminal: Terminal = { width: 100, colour: false, redraws: true, unicode: true }
const half: ProgressState = {
  running: [
    {
      scenario: 'capture/gridkey-every-minute',
      simulatedMs: 43_200_000,
      horizonMs: 86_400_000,
      wallMs: 8000,
    },
    { scenario: 'security/strangers', simulatedMs: 0, horizonMs: 120_000, wallMs: 0 },
  ],
  ended: 2,
  all: 5,
}

describe('progress', () => {
  test('says how far, how fast and how long still', () => {
    const [first = '', second = '', third = ''] = progressLines(half, terminal)
    expect(first).toMatch(
      /^capture\/gridkey-every-minute +12:00:00 of 1 d 00:00:00 {3}50\.0 % {2}5,400x {2}00:00:08 left$/,
    )
    expect(second).toMatch(/^security\/strangers +00:00:00 of 00:02:00 .* 0\.0 %$/)
    expect(third).toBe('2 of 5 scenarios ended')
  })

  test('keeps each line within the width, down to a narrow one, whatever the name', () => {
    const hostile = { scenario: '\u001b[2Jx'.repeat(50), simulatedMs: -1, horizonMs: 0, wallMs: 5 }
    for (const width of [40, 80, 160])
      for (const line of progressLines(
        { ...half, running: [...half.running, hostile] },
        { ...terminal, width },
      )) {
        expect(columns(line)).toBeLessThanOrEqual(width)
        expect(line).not.toContain('\u001b')
      }
  })

  test('draws over its own lines on a terminal, and leaves nothing behind', () => {
    let out = ''
    const p = new Progress({ terminal, write: (t) => (out += t) })
    p.show(half, 0)
    p.show(half, 50)
    expect(out.split('\n')).toHaveLength(4)
    p.show(half, 150)
    expect(out).toContain('\u001b[3A\r\u001b[0J')
    p.say('a scenario ended')
    p.close()
    expect(out.endsWith('a scenario ended\n')).toBe(true)
  })

  test('tells a plain stream now and then, in whole lines without escapes', () => {
    let out = ''
    const p = new Progress({ terminal: { ...terminal, redraws: false }, write: (t) => (out += t) })
    const at = (share: number, wallMs: number): void =>
      p.show(
        { running: [{ scenario: 's', simulatedMs: share * 1e6, horizonMs: 1e6, wallMs }], ended: 0, all: 1 },
        wallMs,
      )
    at(0, 0)
    for (let i = 1; i <= 99; i++) at(i / 1000, i)
    at(0.11, 1000)
    at(0.12, 40_000)
    p.close()
    expect(out.trimEnd().split('\n')).toHaveLength(3)
    expect(out).not.toContain('\u001b')
  })
})
