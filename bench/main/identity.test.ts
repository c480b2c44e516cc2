import { expect, test } from 'vitest'
import { readRig } from '../rigs/schema.ts'
import { identityOf } from './identity.ts'
import { findRig } from './plan.ts'

const rig = readRig(findRig('virtual'))

test('who and where stand in the evidence, where told', () => {
  expect(identityOf(rig, { operator: 'Nother', site: 'Lab' })).toEqual({ operator: 'Nother', site: 'Lab' })
  expect(identityOf(rig, {})).toBeUndefined()
})

test('an empty name is none', () => {
  expect(() => identityOf(rig, { operator: ' ' })).toThrow('--operator is empty')
  expect(() => identityOf(rig, { site: '' })).toThrow('--site is empty')
  expect(() => identityOf(rig, { subject: ['serial=1'] })).toThrow("has the bench's own")
})
