import { expect, test } from 'vitest'
import { z } from 'zod'
import { parseYaml } from './yaml.ts'

const schema = z.strictObject({
  name: z.string(),
  ports: z.array(z.strictObject({ number: z.int().max(65_535) })),
})
const refusal = (text: string): string => {
  try {
    parseYaml(text, 'rig.yaml', schema)
  } catch (e) {
    return e instanceof Error ? e.message : String(e)
  }
  return 'accepted'
}

test('a file that fits is read', () => {
  expect(parseYaml('name: a\nports: [{ number: 502 }]\n', 'rig.yaml', schema)).toEqual({
    name: 'a',
    ports: [{ number: 502 }],
  })
})

test('a value that does not fit is refused with file, line, column, path and what was expected', () => {
  expect(refusal('name: a\nports:\n  - number: 502\n  - number: 70000\n')).toBe(
    'rig.yaml:4:5 (ports.1.number): Too big: expected number to be <=65535',
  )
})

test('a missing key is refused at its parent', () => {
  expect(refusal('ports: []\n')).toBe(
    'rig.yaml:1:1 (name): Invalid input: expected string, received undefined',
  )
})

test('an unknown key is refused where it stands', () => {
  expect(refusal('name: a\nports: []\nprots: []\n')).toMatch(/^rig\.yaml:3:1 \(prots\): Unrecognized key/)
})

test('what is no YAML is refused with its line', () => {
  expect(refusal('name: a\nports: [\n')).toMatch(/^rig\.yaml:\d+:\d+: is not YAML: /)
})

test('a key that stands twice is refused', () => {
  expect(refusal('name: a\nname: b\nports: []\n')).toMatch(
    /^rig\.yaml:2:1: is not YAML: Map keys must be unique/,
  )
})

test('an alias without an anchor is refused with its line', () => {
  expect(refusal('name: a\nports: *nowhere\n')).toMatch(/^rig\.yaml:2:8: cannot be unfolded: /)
})

test('a file that is not there is refused by name', async () => {
  const { readYaml } = await import('./yaml.ts')
  expect(() => readYaml('no/such.yaml', schema)).toThrow(/^no\/such\.yaml: cannot be read: ENOENT/)
})
