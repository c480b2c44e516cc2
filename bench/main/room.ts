/** Whether the evidence of a run will fit the disk: looked at before anything starts. */
import { existsSync, statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Bytes that the evidence of a scenario takes, at most as a rule: a share for each, and one for each hour. Measured on the
 * scenarios of the project: 9.2 MB an hour where all of a feeder monitor is read each 10 s, 1.6 MB each minute; what floods
 * a platform takes 21 MB in its ten minutes. Rounded up; ours.
 */
const each = 5_000_000
const anHour = 10_000_000

/** Bytes for runs of these lengths in ms. */
export function evidenceBytes(lengths: readonly number[]): number {
  return lengths.reduce((sum, ms) => sum + each + (anHour * ms) / 3_600_000, 0)
}

/** Bytes that are free where a folder is or will be; nothing where the system does not tell. */
export function freeAt(folder: string): number | undefined {
  let at = resolve(folder)
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at)
  try {
    const s = statfsSync(at)
    return s.bavail * s.bsize
  } catch {
    return undefined
  }
}

/** As people write it: `1.2 GB`, `35 MB`. */
export function bytesText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`
}

/** A warning where there may be too little room for evidence of so many bytes. No more than that: it is an estimate. */
export function tooLittleRoom(
  folder: string,
  bytes: number,
  free: number | undefined = freeAt(folder),
): string | undefined {
  if (free === undefined || free >= bytes) return undefined
  return `The evidence of this run may take ${bytesText(bytes)}, and ${bytesText(free)} are free at '${folder}': make room, give another --out, or run fewer scenarios at a time.`
}
