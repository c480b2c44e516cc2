import { expect, test } from 'vitest'
import type { ClockNote } from '../../bench/evidence/schema.ts'
import type { Event } from '../../bench/faces.ts'
import { ScenarioFold } from '../model/fold.ts'
import type { RunView } from '../model/run.ts'
import { clockText, runClockText } from './clock.ts'

const note = (offsetMs: number, uncertaintyMs = 625): ClockNote => ({ offsetMs, uncertaintyMs })
const run = (...clocks: (ClockNote | undefined)[]): RunView =>
  ({
    scenarios: clocks.map((clock) => ({ contents: clock === undefined ? {} : { clock } })),
  }) as unknown as RunView

test('the clock of a platform is ahead or behind, by so much, known to so much', () => {
  expect(clockText(note(1240))).toBe('1.24 s ± 0.63 s ahead of the bench')
  expect(clockText(note(-40, 5))).toBe('0.04 s ± 0.01 s behind the bench')
})

test('of a run it is told once where it held, and as a span where it moved', () => {
  expect(runClockText(run(undefined))).toBeUndefined()
  expect(runClockText(run(note(100), undefined, note(104)))).toBe('0.10 s ± 0.63 s ahead of the bench')
  expect(runClockText(run(note(900), note(-300)))).toBe(
    'from 0.30 s ± 0.63 s behind the bench to 0.90 s ± 0.63 s ahead of the bench',
  )
})

test('what was told last counts; a clock that the bench itself set, or garbage, is no measurement', () => {
  const fold = new ScenarioFold()
  const see = (data: unknown): void =>
    fold.see({ seq: 1, at: 1, src: 'clock', kind: 'note', data } as unknown as Event)
  see({ what: 'set', offsetMs: 60_000, uncertaintyMs: 1, ppm: 0 })
  expect(fold.clock).toBeUndefined()
  see(note(5))
  see(note(7))
  see({ offsetMs: 'much' })
  see(null)
  expect(fold.clock).toEqual(note(7))
})
