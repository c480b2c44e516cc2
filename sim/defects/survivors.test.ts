import { describe, expect, test } from 'vitest'
import { mutationOf, seams } from './mutations.ts'
import { knownSurvivors, survivorOf } from './survivors.ts'

describe('a known survivor', () => {
  test.each(knownSurvivors.map((k) => [k.example[0], k] as const))(
    '%s: is of a mutation that there is',
    (id, k) => {
      expect(mutationOf(id)).toMatchObject({ app: k.app, kind: 'mutation' })
      expect(Object.keys(seams[k.app as keyof typeof seams])).toContain(k.part)
      expect(survivorOf(...k.example)).toBe(k)
      expect(k.why).toMatch(/^[A-Z].*\.$/)
    },
  )

  test('is no other app’s, part’s or change’s, and no other thing’s', () => {
    const [id, change] = knownSurvivors.find((k) => k.part === 'interpret')?.example ?? ['', '']
    expect(survivorOf(id.replace('/repeat/', '/alter/'), change)).toBeUndefined()
    expect(survivorOf(id.replace('/interpret/', '/decide/'), change)).toBeUndefined()
    expect(survivorOf(id.replace('container-manager', 'marketplace'), change)).toBeUndefined()
    expect(survivorOf(id, 'payload.Value: 1 -> 2')).toBeUndefined()
    expect(survivorOf('container-manager/drifts', change)).toBeUndefined()
  })

  test('of the first calls is none of later ones', () => {
    for (const k of knownSurvivors.filter((x) => x.calls !== undefined)) {
      const later = k.example[0].replace(/\d+$/, String((k.calls ?? 0) + 1))
      expect(survivorOf(later, k.example[1])).toBeUndefined()
    }
  })

  test('is explained once', () => {
    for (const k of knownSurvivors)
      expect(knownSurvivors.filter((o) => o !== k && survivorOf(k.example[0], k.example[1]) === o)).toEqual(
        [],
      )
  })
})
