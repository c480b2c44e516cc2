/** What comes of knocking at a server's door, against histories written by hand. */
import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Result } from '../faces.ts'
import { idleCentre } from '../platforms/centre.ts'
import { keepsOut } from './upload-doors.ts'

const { doors, batches } = idleCentre()

function judged(events: readonly { readonly [k: string]: Json }[]): Result {
  const check = keepsOut(doors, batches, {
    verifies: ['M:0068'],
    out: ['nobody', 'expired'],
    inside: 'rightful',
  })
  check.see({ seq: 0, at: 0, src: 'bench', kind: 'check', data: { phase: 'declared', id: check.id } })
  events.forEach((data, i) =>
    check.see({ seq: i + 1, at: 1_000 * (i + 1), src: 'centre', kind: 'seen', data }),
  )
  return check.result(60_000)
}
const door = (attempt: string, stage: string) => ({
  alias: 'centre.door',
  payload: { attempt, stage, batch: `door-${attempt}` },
})
const kept = (attempt: string) => ({
  alias: 'centre.batch',
  rtu: 'site-1',
  batch: `door-${attempt}`,
  rows: [],
})
const rightful = [door('rightful', 'inside'), kept('rightful')]
const good = [...rightful, door('nobody', 'closed'), door('expired', 'refused')]

describe('keepsOut', () => {
  test('passes where all but one are turned away, and what that one brought is kept', () => {
    expect(judged(good).verdict).toBe('pass')
  })
  test.each([
    ['somebody is let in', [...rightful, door('nobody', 'closed'), door('expired', 'inside')]],
    ['something is kept, whatever was answered', [...good, kept('expired')]],
    ['the door is shut for all', [...good.slice(2), door('rightful', 'refused')]],
  ])('fails where %s', (_, events) => {
    expect(judged(events).verdict).toBe('fail')
  })
  test.each([
    ['somebody did not knock', good.slice(0, 3)],
    ['what the rightful one brought was not seen', [good[0] ?? {}, ...good.slice(2)]],
  ])('says nothing where %s', (_, events) => {
    expect(judged(events)).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
  })
})
