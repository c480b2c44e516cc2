/**
 * The process that holds a power board. It does what the bench asks; when the bench is gone, in whatever way, it puts the
 * outlet into its safe state and ends. It does not belong to the bench's group, so that nobody ends both at once.
 */
import { isGridproofError, messageOf } from '../errors.ts'
import type { PowerBoard } from './board.ts'
import type { FromGuardian, OutletSpec, ToGuardian } from './guardian-talk.ts'
import { operationLimit } from './limit.ts'
import { openBoard } from './open.ts'

/** How often it tries to reach the safe state, and how long it waits in between, ms. Ours. */
const tries = 5
const between = 500

function main(): void {
  let held: { board: PowerBoard; spec: OutletSpec; take: (now: number) => void } | undefined
  let ending: Promise<void> | undefined
  let powered: boolean | undefined
  /** One thing after the other. */
  let turn: Promise<void> = Promise.resolve()

  const say = (m: FromGuardian): void => {
    if (process.connected) process.send?.(m, () => undefined)
  }
  const failed = (e: unknown, id?: number): void =>
    say({
      say: 'failed',
      ...(id === undefined ? {} : { id }),
      code: isGridproofError(e) ? e.code : 'internal',
      message: messageOf(e),
    })
  const power = async (on: boolean): Promise<void> => {
    if (held === undefined) return
    if (!on && powered !== false) held.take(Date.now())
    await held.board.set(held.spec.outlet, on === (held.spec.powerWhen === 'on'))
    powered = on
  }
  const leaveSafe = async (): Promise<void> => {
    await turn
    if (held !== undefined) {
      const { board, spec } = held
      const safe = spec.safe === 'powered'
      for (let n = 0; n < tries; n++)
        try {
          await board.set(spec.outlet, safe === (spec.powerWhen === 'on'))
          break
        } catch (e) {
          if (n === tries - 1) failed(e)
          await new Promise((resolve) => {
            setTimeout(resolve, between)
          })
        }
      await Promise.resolve(board[Symbol.asyncDispose]()).catch(() => undefined)
    }
    process.exit(0)
  }
  const end = (): void => {
    ending ??= leaveSafe()
  }
  const open = async (spec: OutletSpec, state: string): Promise<void> => {
    const limit = operationLimit(nameOf(spec), spec.operationsAnHour, state)
    held = { board: await openBoard(spec.board, spec.within), spec, take: (now) => limit.take(now) }
    // How it stands now is not known, or somebody else's doing: it begins where it is to end.
    await power(spec.safe === 'powered')
    say({ say: 'open' })
  }
  process.on('message', (m: ToGuardian) => {
    if (m.do === 'end') end()
    else
      turn = turn
        .then(() => (m.do === 'open' ? open(m.spec, m.state) : power(m.on)))
        .then(
          () => (m.do === 'power' ? say({ say: 'done', id: m.id }) : undefined),
          (e: unknown) => failed(e, m.do === 'power' ? m.id : undefined),
        )
  })
  process.on('disconnect', end)
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  // Ctrl-C is the bench's own matter.
  process.on('SIGINT', () => undefined)
  if (!process.connected) end()
}

/** An outlet, however its board is written: the same one has one count. */
function nameOf(s: OutletSpec): string {
  const b = s.board
  const place = b.kind === 'serial-relay' ? b.path : b.kind === 'coils' ? `${b.host}:${b.port ?? 502}` : b.url
  return `outlet ${s.outlet} at ${place}`
}

main()
