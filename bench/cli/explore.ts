/** `gridproof explore`: what it takes; the work is in explore-command.ts. */
import { Command, InvalidArgumentError } from 'commander'

export interface ExploreCommandOptions {
  readonly states: number
  readonly seed: number
  readonly items: number
  readonly out: string
  readonly json?: boolean
}

const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const n = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (!(n >= least && n <= most))
      throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`)
    return n
  }

export function exploreCommand(): Command {
  return new Command('explore')
    .description(
      'Cuts power at any write of a disk with a cache, mounts what may be left, and looks whether each promise was kept',
    )
    .argument(
      '[subjects...]',
      'what writes; everything when none is given: see the summary of a run for the names',
    )
    .option('--states <n>', 'crash states for each subject', whole(1, 1_000_000), 100)
    .option('--seed <n>', 'seed of the choice of states', whole(0, 2 ** 32 - 1), 1)
    .option('--items <n>', 'items that each subject keeps', whole(1, 400), 40)
    .option('--out <folder>', 'where results are kept', 'runs')
    .option('--json', 'the result as JSON')
    .addHelpText(
      'after',
      `
Examples:
  gridproof explore uploads --states 20              the data centre's uploads, in a few states
  gridproof explore records wal-normal --states 20   Data Storage as shipped, and set wrongly: to be found out

Without a name: everything that keeps something, sound ones, and flawed ones to be found out.

It takes root, /dev/fuse, loop devices and mkfs.ext4. Of a subject that raised an alarm the image of the first bad disk is
kept beside the result.

Exit codes: 0 each sound subject kept every promise and each flawed one was found out, 1 a sound one did not, 4 this
machine lacks what it takes, 5 a flawed one was not found out, 130 stopped.`,
    )
    .action(async (names: string[], options: ExploreCommandOptions) => {
      const { performExplore } = await import('./explore-command.ts')
      process.exitCode = await performExplore(names, options)
    })
}
