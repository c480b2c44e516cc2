/** One command to one breaker: select, operate, read back. Nothing is tried for longer than the time for reading back. */
import { LvcapError, textOf } from '../../errors.ts'
import type { RegisterBus } from '../../sdk/modbus.ts'
import type { MeshingConfig } from './config.ts'
import { standingOf, type Standing, type State } from './decode.ts'

/** A unit, as far as commands go. All of it throws LvcapError `link` where it does not answer, `refused` where it says no. */
export interface Breaker {
  standing(): Promise<Standing>
  /** Announces the command that will follow. */
  select(code: number): Promise<void>
  operate(code: number): Promise<void>
  /** What the unit says of the last command that it took, and how many it has taken. */
  report(): Promise<{ readonly result: number; readonly sequence: number }>
}

/** What is told of a command while it is carried out, for the records. */
export interface Tell {
  /** Undefined: no answer. */
  before(state: State | undefined): void
  after(state: State | undefined): void
  /** A control message to the unit, acknowledged or not (M:0033). */
  signal(register: number, value: number, acknowledged: boolean): void
}

/** Values of the record `result`. Ours. */
export const result = { done: 0, refused: 1, failed: 2, noDevice: 3, notObeyed: 4 } as const

export interface Outcome {
  readonly result: 0 | 1 | 2 | 3
  /** Unless it was done. */
  readonly why?: string
  /** Where it is known to stand. */
  readonly state: State | undefined
}

/** Values of the register `result` of the map. Ours. */
const reported = { busy: 1, done: 2, refused: 3, failed: 4 } as const

/** Milliseconds between two looks at a unit that has been commanded. Ours. */
const lookEvery = 200

export function breakerAt(bus: RegisterBus, unit: number, c: MeshingConfig, tell: Tell): Breaker {
  const { control, answer } = c
  const read = async (table: 'input' | 'holding', start: number, count: number): Promise<readonly number[]> =>
    bus.read(unit, { table, start, count }, answer, true)
  const signal = async (register: number, value: number): Promise<void> => {
    try {
      await bus.write(unit, register, value, answer, true)
    } catch (error) {
      tell.signal(register, value, false)
      throw error
    }
    tell.signal(register, value, true)
  }
  return {
    async standing() {
      const place = c.map.fault_status
      const [status = 0] = await read(place.table, place.at, 1)
      return standingOf(status, c)
    },
    select: (code) => signal(control.token, code),
    operate: (code) => signal(control.command, code),
    async report() {
      const [first = 0, sequence = 0] = await read('holding', control.result, 2)
      return { result: first, sequence }
    },
  }
}

/** `sure`: what the unit shows of its state cannot be from before its last operation. */
export async function carryOut(
  b: Breaker,
  close: boolean,
  sure: boolean,
  c: MeshingConfig,
  tell: Tell,
): Promise<Outcome> {
  const end = performance.now() + c.readBack * 1_000
  const left = (): boolean => performance.now() < end
  const again = <T>(f: () => Promise<T>): Promise<Answer<T>> => persist(f, c.retries, left)
  const wanted: State = close ? 'closed' : 'open'
  const code = close ? c.control.close : c.control.open

  const before = await again(() => b.standing())
  tell.before(before.got?.state)
  if (before.got?.state === wanted && !before.got.reclosing && sure)
    return finish(0, undefined, before.got.state)
  const report: Answer<{ readonly sequence: number }> =
    before.got === undefined ? {} : await again(() => b.report())
  if (before.got === undefined || report.got === undefined) {
    // Without a breaker too the signal goes out (M:0037); nothing moves on it alone.
    const selected = await persist(
      () => b.select(code),
      0,
      () => true,
    )
    const silent = selected.error instanceof LvcapError && selected.error.code === 'link'
    const why = `its state could not be read: ${textOf(before.error ?? report.error)}`
    return silent ? finish(3, why, undefined) : finish(2, why, before.got?.state)
  }

  const { sequence } = report.got
  for (let tries = 0; ; tries++) {
    const selected = await again(() => b.select(code))
    if (selected.error !== undefined) return lost(selected.error)
    const operated = await persist(
      () => b.operate(code),
      0,
      () => true,
    )
    if (operated.error === undefined) break
    // It may have been taken although no answer came: only the unit knows, and it is not told twice.
    const taken = await again(() => b.report())
    if (taken.got === undefined) return lost(taken.error)
    if (taken.got.sequence !== sequence) break
    if (tries >= c.retries || !left()) return lost(operated.error)
  }
  return readBack()

  async function readBack(): Promise<Outcome> {
    let standing: Standing | undefined
    let said: number = reported.busy
    let trouble: unknown
    while (left()) {
      const r = await persist(() => b.report(), 0, left)
      said = r.got?.result ?? said
      if (said === reported.refused || said === reported.failed) break
      const s = await persist(() => b.standing(), 0, left)
      standing = s.got
      trouble = r.error ?? s.error
      if (said === reported.done && standing?.state === wanted) return finish(0, undefined, wanted)
      await new Promise<void>((resolve) => {
        setTimeout(resolve, lookEvery)
      })
    }
    // Not before what it shows of its state can follow.
    if (said === reported.refused || said === reported.failed)
      standing = (
        await persist(
          () => b.standing(),
          c.retries,
          () => true,
        )
      ).got
    if (said === reported.refused) return finish(1, 'the unit refused it', standing?.state)
    if (said === reported.failed) return finish(2, 'the unit says that it failed', standing?.state)
    if (standing === undefined) return finish(3, `it fell silent: ${textOf(trouble)}`, undefined)
    return finish(
      2,
      said === reported.done ? `it says done, and stands ${standing.state}` : 'it was not done in time',
      standing.state,
    )
  }

  async function lost(error: unknown): Promise<Outcome> {
    const refused = error instanceof LvcapError && error.code === 'refused'
    const after = await persist(
      () => b.standing(),
      refused ? c.retries : 0,
      () => true,
    )
    return finish(refused ? 1 : 3, textOf(error), after.got?.state)
  }

  function finish(is: Outcome['result'], why: string | undefined, state: State | undefined): Outcome {
    tell.after(state)
    return { result: is, state, ...(why === undefined ? {} : { why }) }
  }
}

interface Answer<T> {
  readonly got?: T
  readonly error?: unknown
}

/** Tries again so often, as long as it may. */
async function persist<T>(f: () => Promise<T>, retries: number, may: () => boolean): Promise<Answer<T>> {
  for (let n = 0; ; n++) {
    try {
      return { got: await f() }
    } catch (error) {
      if (n >= retries || !may()) return { error: error ?? new Error('unknown') }
    }
  }
}
