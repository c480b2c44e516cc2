/** What of a rig must not stand in its evidence: what its file lists, its passwords, and every private key. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { readYaml } from '../../drivers/yaml.ts'
import { redactor } from '../evidence/redact.ts'
import type { Redactor } from '../evidence/redact.ts'
import { isLab } from './schema.ts'
import type { RigFile } from './schema.ts'

/** The file that `secrets` of a rig names: by name the texts that are taken out, wherever they stand. */
const secretsFile = z.record(
  z.string().min(1),
  z.union([z.string(), z.number().transform(String)]).refine((v) => v.length >= 4, {
    message:
      'expected at least 4 characters: a shorter text would blacken half of the log, and protect nothing',
  }),
)

/**
 * A redactor that knows the secrets of a rig. `pki`: folder of the keys that the bench made for its platform. Throws
 * `bad-file` for a file of secrets that is none; a password or key that cannot be read is left to whoever uses it.
 */
export function redactorFor(rig: RigFile, rigFile: string, pki: string): Redactor {
  const known = redactor()
  if (rig.secrets !== undefined)
    for (const [name, value] of Object.entries(
      readYaml(resolve(dirname(rigFile), rig.secrets), secretsFile),
    )) {
      if (value.includes('PRIVATE KEY-----')) known.addKey(value)
      else known.add(name, value)
    }
  if (isLab(rig))
    for (const door of [rig.points.marketplace, rig.points.server]) {
      const password = textOf(door?.passwordFile)?.split(/\r?\n/)[0] ?? ''
      if (password.length >= 4) known.add('password', password)
      known.addKey(textOf(door?.tls?.key) ?? '')
    }
  if (isLab(rig)) {
    known.addKey(textOf(rig.uploads?.tls?.key) ?? '')
    for (const line of textOf(rig.uploads?.headersFile)?.split(/\r?\n/) ?? []) {
      const value = line.slice(line.indexOf(':') + 1).trim()
      if (value.length >= 4) known.add('header', value)
    }
  }
  for (const file of keysBelow(pki)) known.addKey(textOf(file) ?? '')
  return known
}

function textOf(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}

function keysBelow(folder: string): readonly string[] {
  if (folder === '' || !existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith('.key'))
    .map((f) => join(folder, f))
}
