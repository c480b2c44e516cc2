/** How soon the command line answers. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** `gridproof --help`, from start to end, ms. */
export const helpBarMs = 200

export interface HelpFigures {
  /** The best of the runs: a busy machine only adds to it. */
  readonly ms: number
  /** The same of a Node that does nothing. */
  readonly nodeMs: number
  readonly runs: number
}

function best(runs: number, args: readonly string[]): number {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < runs; i++) {
    const from = performance.now()
    execFileSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    least = Math.min(least, performance.now() - from)
  }
  return least
}

/** The first run fills the compile cache, if it is empty, and is not counted alone. */
export function measureHelp(runs = 15): HelpFigures {
  const cli = fileURLToPath(new URL('../cli/gridproof.mjs', import.meta.url))
  return { ms: best(runs, [cli, '--help']), nodeMs: best(runs, ['-e', '0']), runs }
}
