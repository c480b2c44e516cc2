/** What the tests of the feeder monitor share. Vitest's fake timers are the clock. */
import { vi } from 'vitest'
import { getFloat32, getUint32 } from '../../../drivers/protocols/modbus/registers.ts'
import type { GridKey } from '../../faces.ts'
import { readPersonality } from '../personality.ts'
import { askTcp, play } from '../testing.ts'
import type { Client, Played } from '../testing.ts'
import { createGridKey } from './device.ts'
import type { GridKeyOptions } from './device.ts'
import { gridkeySchema } from './personality.ts'

export const start = Date.parse('2018-01-15T17:00:00Z')
export const personality = readPersonality('gridkey-standin', gridkeySchema)
export const wait = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1)

export const make = (seed = 1, options: GridKeyOptions = {}): Promise<Played<GridKey>> =>
  play(createGridKey(personality, options), seed)

export async function registers(c: Client, address: number, quantity: number): Promise<readonly number[]> {
  const r = await askTcp(c, { fc: 4, address, quantity }, wait)
  if (r?.kind !== 'registers') throw new Error(`no registers: ${JSON.stringify(r)}`)
  return r.values
}
export const float = async (c: Client, address: number): Promise<number> =>
  getFloat32(await registers(c, address, 2), 0)

export interface Status {
  time: number
  sequence: number
  validity: number
  state: number
  averaging: number
}
export async function status(c: Client): Promise<Status> {
  const w = await registers(c, 1000, 7)
  return {
    time: getUint32(w, 0),
    sequence: getUint32(w, 2),
    validity: w[4] ?? 0,
    state: w[5] ?? 0,
    averaging: w[6] ?? 0,
  }
}

/** Everything in seven reads, as a client does it. */
export async function readAll(c: Client): Promise<void> {
  await registers(c, 0, 14)
  for (let f = 1; f <= 5; f++) await registers(c, 100 * f, 24)
  await registers(c, 1000, 7)
}

export type Answers = Record<string, [number | null, number]>
export const saidOf = (p: Played<GridKey>): Answers =>
  Object.assign(
    {},
    ...p.events.filter((e) => e.kind === 'said').map((e) => (e.data as { answers: Answers }).answers),
  )
