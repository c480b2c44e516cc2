/** Who judged what, where and with what: from the rig file, and from the command line, which goes before it. */
import { GridproofError } from '../../drivers/errors.ts'
import type { Identity, Subject } from '../evidence/schema.ts'
import type { LabRig } from '../rigs/lab.ts'
import { isLab } from '../rigs/schema.ts'
import type { RigFile } from '../rigs/schema.ts'

/** What a command line says of it. */
export interface IdentityOptions {
  readonly operator?: string
  readonly site?: string
  /** `serial=4711`: what the rig file of a lab says of the platform otherwise, or not at all. */
  readonly subject?: readonly string[]
}

const keys = ['maker', 'product', 'model', 'version', 'serial', 'digest'] as const

/** Nothing where nothing is known. Throws `usage` for a subject that is the bench's own. */
export function identityOf(rig: RigFile, o: IdentityOptions): Identity | undefined {
  if (!isLab(rig) && (o.subject ?? []).length > 0)
    throw new GridproofError(
      'usage',
      `--subject tells which platform stands in a lab; the rig '${rig.name}' has the bench's own`,
    )
  for (const [option, text] of [
    ['--operator', o.operator],
    ['--site', o.site],
  ] as const)
    if (text?.trim() === '')
      throw new GridproofError('usage', `${option} is empty: give a name, or leave it out`)
  const lab = isLab(rig) ? rig : undefined
  const operator = o.operator ?? lab?.operator
  const site = o.site ?? lab?.site
  const instruments = lab?.instruments ?? []
  if (operator === undefined && site === undefined && instruments.length === 0) return undefined
  return {
    ...(operator === undefined ? {} : { operator }),
    ...(site === undefined ? {} : { site }),
    ...(instruments.length === 0
      ? {}
      : {
          instruments: instruments.map(({ name, serial, calibration }) => ({
            name,
            ...(serial === undefined ? {} : { serial }),
            ...(calibration === undefined ? {} : { calibration }),
          })),
        }),
  }
}

/** The platform in a lab. Throws `usage` for what cannot be said of it. */
export function labSubject(rig: LabRig, said: readonly string[]): Subject {
  const told = new Map<string, string>()
  for (const text of said) {
    const [key = '', ...rest] = text.split('=')
    const value = rest.join('=').trim()
    const image = /^image:(.+)$/.exec(key)
    if ((image === null && !(keys as readonly string[]).includes(key)) || value === '')
      throw new GridproofError(
        'usage',
        `--subject '${text}': expected <key>=<value>; keys: ${keys.join(', ')}, image:<name>`,
      )
    told.set(key, value)
  }
  const { maker, product, version, model, serial, digest, images } = rig.platform
  const one = (key: 'model' | 'serial' | 'digest', own: string | undefined): { [k: string]: string } => {
    const value = told.get(key) ?? own
    return value === undefined ? {} : { [key]: value }
  }
  const parts = {
    ...images,
    ...Object.fromEntries(
      [...told].flatMap(([k, v]) => (k.startsWith('image:') ? [[k.slice('image:'.length), v]] : [])),
    ),
  }
  return {
    kind: 'real',
    maker: told.get('maker') ?? maker,
    product: told.get('product') ?? product,
    version: told.get('version') ?? version,
    ...one('model', model),
    ...one('serial', serial),
    ...one('digest', digest),
    ...(Object.keys(parts).length === 0 ? {} : { images: parts }),
  }
}
