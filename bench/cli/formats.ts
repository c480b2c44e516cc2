/** What the command line is told of reports, and how it tells where they are. */
import { isAbsolute, relative, resolve } from 'node:path'
import { z } from 'zod'
import { readYaml } from '../../drivers/yaml.ts'
import type { WriteOptions } from '../../reports/write.ts'

export interface FormatOptions {
  readonly junitFaults: 'error' | 'skipped'
  /** Path of a YAML file: requirement ID to GitLab's number. */
  readonly gitlab?: string
}

const wanted = 'expected the number (iid) of a requirement in GitLab, 1 or above'
const numbers = z.record(z.string(), z.int(wanted).positive(wanted))

/** Reads what reports need beside the evidence. Throws `bad-file`. */
export function readFormats(o: FormatOptions): Pick<WriteOptions, 'junitFaults' | 'gitlab'> {
  return {
    junitFaults: o.junitFaults,
    ...(o.gitlab === undefined ? {} : { gitlab: readYaml(o.gitlab, numbers) }),
  }
}

/** A path as a person at this prompt can use it: from the working folder where it lies below it, else whole. */
export function pathText(path: string, cwd = process.cwd()): string {
  const whole = resolve(cwd, path)
  const way = relative(cwd, whole)
  return way === '..' || way.startsWith('../') || isAbsolute(way) ? whole : way || '.'
}
