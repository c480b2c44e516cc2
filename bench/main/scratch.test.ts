import { X509Certificate } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readRig } from '../rigs/schema.ts'
import { makeScratch } from './scratch.ts'

test('a second set of certificates has the same names and room, and other keys', () => {
  using scratch = makeScratch(readRig('fixtures/rigs/virtual.yaml'))
  const again = scratch.otherPki()
  expect(readdirSync(again)).toEqual(readdirSync(scratch.pki))
  for (const file of readdirSync(again).filter((f) => f.endsWith('.crt'))) {
    const [one, other] = [scratch.pki, again].map((d) => new X509Certificate(readFileSync(join(d, file))))
    expect(other?.subject).toBe(one?.subject)
    expect(other?.raw.length).toBe(one?.raw.length)
    expect(other?.fingerprint256).not.toBe(one?.fingerprint256)
  }
})
