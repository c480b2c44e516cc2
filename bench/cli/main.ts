/** The command line. Each command's work is imported when it is called, so that help is there at once. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import { materialOptions } from './material-options.ts'
import { operatorCommands } from './operator.ts'
import { doctorCommand } from './doctor.ts'
import { exploreCommand } from './explore.ts'
import { listenCommand } from './listen.ts'
import { simCommand } from './sim.ts'

// A reader that has seen enough (`| head`), or a terminal that is gone, is no fault of anybody.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (e: NodeJS.ErrnoException) => {
    if (e.code !== 'EPIPE' && e.code !== 'EIO') throw e
  })
// Where nobody else listens, a signal ends the bench by way of `exit`, so that what it made is undone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (process.listenerCount(signal) === 1) process.exit(130)
  })
process.on('uncaughtException', (e) => {
  tell(e)
  process.exit(5)
})

/** Every command; nothing is done before `perform`. */
export const program = new Command('gridproof')
  .description(
    'Acceptance bench for low-voltage grid platforms: plays the devices, judges the platform, keeps the evidence.',
  )
  .version(versionOf(), '-V, --version', 'tell the version')
  .showHelpAfterError('(--help tells what there is)')
  .exitOverride()
  // A command below a command may have options of the same names.
  .enablePositionalOptions()
  .addHelpText(
    'after',
    `
Examples:
  gridproof run                                   all scenarios on the embedded platform, in virtual time
  gridproof run capture --rig local --short       the capture scenarios on this machine's sockets and ptys
  gridproof prove                                 break the platform on purpose, and see each check notice
  gridproof requirements --find M:002             what is asked, and which scenarios look at it

Exit codes: 0 passed, 1 failed, 2 usage or a malformed file, 3 inconclusive, 4 rig fault, 5 fault of the bench,
130 stopped by the operator.`,
  )

const whole =
  (least: number, most: number = 2 ** 32 - 1) =>
  (text: string) => {
    const n = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (!(n >= least && n <= most))
      throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`)
    return n
  }

const rigOption = (): Option =>
  new Option('--rig <name>', 'a rig of fixtures/rigs, or the path of a rig file').default('virtual')
const seedOption = (): Option =>
  new Option('--seed <n>', 'seed of every random number of the run').default(1).argParser(whole(0))
const jobsOption = (): Option =>
  new Option(
    '--jobs <n>',
    'scenarios at a time (default: one a core in virtual time, 4 in real time)',
  ).argParser(whole(1))
const junitOption = (): Option =>
  new Option('--junit-faults <what>', 'what junit.xml makes of tests that could not be judged')
    .choices(['error', 'skipped'])
    .default('error')
const gitlabOption = (): Option =>
  new Option('--gitlab <file>', "GitLab's numbers of requirements: requirements_v2.json is written too")
const outOption = (): Option => new Option('--out <folder>', 'where runs are kept').default('runs')

program
  .command('run')
  .description('Runs scenarios on a rig, prints the verdict for each requirement, and writes the report')
  .argument('[scenarios...]', 'IDs, folders or patterns with *; all when none is given')
  .addOption(rigOption())
  .addOption(seedOption())
  .option('--seeds <n>', 'repeat with n seeds, from --seed on', whole(1, 100_000), 1)
  .option('--short', 'short runs; what they cannot judge is declared inconclusive beforehand')
  .option('--twice', 'virtual time: run again and compare the trace hashes')
  .option('--load <load>', 'a profile, or <file.csv>:<column>:<scale>, in place of what scenarios name')
  .addOption(jobsOption())
  .addOption(outOption())
  .addOption(
    new Option('--drain <mode>', 'virtual time: how waiting callbacks are run')
      .choices(['sync', 'turn'])
      .default('sync'),
  )
  .option('--shard <i/n>', 'only the i-th of n parts of the run; gridproof merge makes one report of them')
  .option(
    '--timeout <duration>',
    'wall time that each scenario may take, such as 10 min: then it is a rig fault',
  )
  .option('--retries <n>', 'try a scenario again, for a reason of the rig and no other', whole(0, 20), 0)
  .option(
    '--resume <run>',
    'go on with a run whose bench was killed, under the conditions that it began under',
  )
  .option('--arm', 'of a lab whose breakers are real: what is played may move them')
  .option('--all', 'print every requirement, not only those judged in this run')
  .addOption(junitOption())
  .addOption(gitlabOption())
  .addHelpText(
    'after',
    `
Examples:
  gridproof run capture/every-minute --short
  gridproof run --resume runs/2026-11-21T08-24-40Z-lab      after the bench was killed, or its machine restarted`,
  )
  .action(async (scenarios: string[], options, command: Command) => {
    if (options.resume !== undefined) {
      const given = Object.keys(options).filter((name) => command.getOptionValueSource(name) === 'cli')
      const { resumeCommand } = await import('./resume-command.ts')
      process.exitCode = await resumeCommand(options.resume, scenarios, options, given)
      return
    }
    const { runCommand } = await import('./run-command.ts')
    process.exitCode = await runCommand(scenarios, options)
  })

program
  .command('prove')
  .description(
    'Runs each scenario against each defect it must catch, each legal variant, and seeded mutations',
  )
  .argument('[scenarios...]', 'IDs, folders or patterns with *; all when none is given')
  .addOption(rigOption())
  .addOption(seedOption())
  .option(
    '--mutations <n>',
    'so many untailored mutations, each in one scenario after the other until one notices it',
    whole(0),
    20,
  )
  .option(
    '--variants <n>',
    'each legal variant only until it has come to bear in n scenarios (default: in all)',
    whole(0),
  )
  .option('--defect <id>', 'only this defect, variant or mutation')
  .addOption(jobsOption())
  .addOption(outOption())
  .addHelpText('after', '\nExample:\n  gridproof prove capture --mutations 0')
  .action(async (scenarios: string[], options) => {
    const { proveCommand } = await import('./prove-command.ts')
    process.exitCode = await proveCommand(scenarios, options)
  })

program
  .command('replay')
  .description('Judges the evidence of a run again, and compares with the verdicts that stand in it')
  .argument('[run]', 'folder of a run', 'runs/latest')
  .option('--report', 'write the reports of the run anew')
  .addOption(junitOption())
  .addOption(gitlabOption())
  .option('--rig <name>', 'the rig of the run, where it is none of fixtures/rigs: the path of its file')
  .addHelpText('after', '\nExample:\n  gridproof replay runs/latest')
  .action(async (run: string, options) => {
    const { replayCommand } = await import('./replay-command.ts')
    process.exitCode = await replayCommand(run, options)
  })

program
  .command('merge')
  .description('Makes one report of the shards of a run, as if it had been one run')
  .argument('<shards...>', 'folders of the runs that --shard made, all of them')
  .addOption(outOption())
  .addOption(junitOption())
  .addOption(gitlabOption())
  .addHelpText('after', '\nExample:\n  gridproof merge shard-1/latest shard-2/latest --out runs')
  .action(async (shards: string[], options) => {
    const { mergeCommand } = await import('./merge-command.ts')
    process.exitCode = await mergeCommand(shards, options)
  })

program
  .command('demo')
  .description(
    'Shows defects of libraries as released: looks for a seed at which each of them comes to light',
  )
  .argument('[demonstrations...]', 'names in scenarios/demonstrations; all when none is given')
  .addOption(seedOption())
  .option('--within <duration>', 'how long to look for each', '60 s')
  .addOption(jobsOption())
  .addOption(outOption())
  .addHelpText(
    'after',
    `
Example:
  gridproof demo mqtt-js-drops-publishes

Exit codes: 0 each was shown, 1 one was not: the library is another than the page tells of.`,
  )
  .action(async (names: string[], options) => {
    const { demoCommand } = await import('./demo-command.ts')
    process.exitCode = await demoCommand(names, options)
  })

program
  .command('requirements')
  .description('Lists the requirements, their clauses, and the scenarios that look at them')
  .option('--find <text>', 'only IDs that begin so, or statements that hold the text')
  .option('--document <name>', 'only one source document: openlv, han, mp102b')
  .option('--clauses', 'clause by clause')
  .option('--json', 'as JSON')
  .addHelpText('after', '\nExample:\n  gridproof requirements --find M:0022 --clauses')
  .action(async (options) => {
    const { requirementsCommand } = await import('./list-commands.ts')
    process.exitCode = await requirementsCommand(options)
  })

program.addCommand(simCommand(program))
program.addCommand(listenCommand().copyInheritedSettings(program))
program.addCommand(doctorCommand().copyInheritedSettings(program))
program.addCommand(exploreCommand().copyInheritedSettings(program))

program
  .command('rigs')
  .description('Lists the rigs, and whether this machine has what each needs')
  .addHelpText('after', '\nExample:\n  gridproof rigs')
  .action(async (options) => {
    const { rigsCommand } = await import('./list-commands.ts')
    process.exitCode = await rigsCommand(options)
  })

program
  .command('scenarios')
  .description('Lists the scenarios: what each verifies, needs and catches')
  .addHelpText('after', '\nExample:\n  gridproof scenarios')
  .action(async (options) => {
    const { scenariosCommand } = await import('./list-commands.ts')
    process.exitCode = await scenariosCommand(options)
  })

for (const c of operatorCommands()) program.addCommand(c.copyInheritedSettings(program))

program
  .command('clean')
  .description('Undoes what a bench that was killed left behind: processes, folders, mounts, links, rules')
  .addHelpText('after', '\nExample:\n  gridproof clean')
  .action(async () => {
    const { cleanCommand } = await import('./list-commands.ts')
    process.exitCode = await cleanCommand()
  })

materialOptions(program)

/** Does what the command line asks, and sets the exit code. */
export async function perform(): Promise<void> {
  try {
    if (process.argv.length <= 2) {
      program.outputHelp()
      process.exitCode = 2
    } else await program.parseAsync()
  } catch (e) {
    if (e instanceof CommanderError) process.exitCode = e.exitCode === 0 ? 0 : 2
    else {
      tell(e)
      process.exitCode = e instanceof GridproofError ? exitCodeOf(e) : 5
    }
  }
}

/** Says what ended a command: in a sentence where it is known, with its place in the code where it is not. */
function tell(e: unknown): void {
  const text = e instanceof Error ? (e.stack ?? e.message) : messageOf(e)
  process.stderr.write(
    `gridproof: ${e instanceof GridproofError ? e.message : `a fault of the bench itself: ${text}`}\n`,
  )
}

function versionOf(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** Exit code for an error that ended a command (docs/exit-codes.md). */
function exitCodeOf(e: GridproofError): number {
  switch (e.code) {
    case 'usage':
    case 'bad-file':
    case 'bad-value':
    case 'no-such':
    case 'bad-log':
      return 2
    case 'rig-lacks':
    case 'rig-broke':
    case 'not-capable':
    case 'timeout':
      return 4
    case 'bad-frame':
    case 'escaped':
    case 'power-gone':
    case 'internal':
      return 5
    default:
      return e.code satisfies never
  }
}
