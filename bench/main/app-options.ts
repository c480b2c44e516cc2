/** What a rig adds to the configuration of the app that reads a device, held against the schema of that app. */
import type { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import { placeOf } from '../../drivers/yaml.ts'
import { lineSchema } from '../../sim/reference/han-logger/config.ts'
import { gridkeySchema } from '../../sim/reference/lvcap/apps/gridkey/config.ts'
import { meshingSchema } from '../../sim/reference/lvcap/apps/meshing/config.ts'
import { temperatureSchema } from '../../sim/reference/lvcap/apps/temperature/config.ts'
import type { playedDevices } from '../rigs/parts.ts'
import { isLab } from '../rigs/schema.ts'
import type { RigFile } from '../rigs/schema.ts'
import { nearest } from '../scenario/load.ts'

/** By role: the configuration of the app that reads the device. */
const readers: Readonly<Record<(typeof playedDevices)[number], Readonly<Record<string, z.ZodType>>>> = {
  gridkey: gridkeySchema.shape,
  gridkey2: gridkeySchema.shape,
  thermocouple: temperatureSchema.shape,
  thermocouple2: temperatureSchema.shape,
  adam: temperatureSchema.shape,
  alvin: meshingSchema.shape,
  alvin2: meshingSchema.shape,
  meter: lineSchema.shape,
  meter2: lineSchema.shape,
}

/** Throws `bad-file`, with file, line and what was expected, for what the app would not take. */
export function checkApps(rig: RigFile, file: string): void {
  if (isLab(rig)) return
  for (const [role, fields] of Object.entries(readers) as [keyof typeof readers, (typeof readers)['adam']][])
    for (const [key, value] of Object.entries(rig.roles[role]?.app ?? {})) {
      const refuse = (path: readonly PropertyKey[], message: string): never => {
        const all = ['roles', role, 'app', key, ...path]
        throw new GridproofError('bad-file', message, {
          place: { file, ...placeOf(file, all), path: all.map(String).join('.') },
        })
      }
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined
      if (field === undefined)
        return refuse([], `of the app that reads it: ${nearest(key, Object.keys(fields))}`)
      const issue = field.safeParse(value).error?.issues[0]
      if (issue === undefined) continue
      const { path, message } = deepest(issue)
      refuse([...issue.path, ...path], message)
    }
}

/** Of one that fits none of several shapes: what is wrong with it for the shape that it comes nearest to. */
function deepest(issue: z.core.$ZodIssue): {
  readonly path: readonly PropertyKey[]
  readonly message: string
} {
  if (issue.code !== 'invalid_union') return { path: [], message: issue.message }
  const [near] = issue.errors.toSorted((a, b) => a.length - b.length)
  const first = near?.[0]
  return first === undefined
    ? { path: [], message: issue.message }
    : { path: first.path, message: first.message }
}
