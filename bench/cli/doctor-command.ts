/** The work of `gridproof doctor`. */
import { GridproofError } from '../../drivers/errors.ts'
import { loopback } from '../main/doctor/loopback.ts'
import { clock, folders, loopbackAddresses, stolen, system } from '../main/doctor/machine.ts'
import { rig } from '../main/doctor/rig.ts'
import { ports } from '../main/doctor/serial.ts'
import type { Finding } from '../main/doctor/finding.ts'
import { readMaterial } from '../main/material.ts'
import { findRig } from '../main/plan.ts'
import { readRig } from '../rigs/schema.ts'
import { exitCodes } from '../verdicts/exit-code.ts'
import type { DoctorOptions } from './doctor.ts'

/** Performs the command and returns its exit code. */
export async function performDoctor(o: DoctorOptions): Promise<number> {
  const wired = o.loopback ?? []
  if (o.loopback !== undefined && (wired.length !== 2 || wired[0] === wired[1]))
    throw new GridproofError('usage', '--loopback takes two ports that are wired to each other')
  // Before anything is looked at: a rig that cannot be read is a usage error.
  const { rigs } = readMaterial(o)
  const file = o.rig === undefined ? undefined : readRig(findRig(o.rig, rigs))
  const found: Finding[] = []
  const add = (f: readonly Finding[]): void => {
    found.push(...f)
    if (o.json !== true) for (const x of f) process.stdout.write(text(x))
  }
  add(system())
  add([await loopbackAddresses()])
  add(folders(o.out))
  add(await Promise.all([clock(), stolen()]))
  add(ports())
  if (file !== undefined) add(await rig(file))
  const [a, b] = wired
  if (a !== undefined && b !== undefined) add(await loopback(a, b))

  const count = (h: Finding['health']): number => found.filter((f) => f.health === h).length
  const sums = { ok: count('ok'), warn: count('warn'), missing: count('missing') }
  process.stdout.write(
    o.json === true
      ? `${JSON.stringify({ format: 'gridproof-doctor/1', ...sums, findings: found }, null, 1)}\n`
      : `${sums.ok} ok, ${sums.warn} to look at, ${sums.missing} missing\n`,
  )
  return sums.missing > 0 ? exitCodes.rigFault : exitCodes.ok
}

function text(f: Finding): string {
  const todo = f.todo === undefined ? '' : `\n${' '.repeat(9)}→ ${f.todo}`
  return `${f.health.padEnd(8)} ${f.what}${todo}\n`
}
