/** Options by which a command takes the user's own material, and hears who judges what. Light: read at every start. */
import { Option } from 'commander'
import type { Command } from 'commander'

const collect = (text: string, list: readonly string[] | undefined): readonly string[] => [
  ...(list ?? []),
  text,
]

const texts = {
  scenarios: 'a folder of scenarios in place of those of the project',
  requirements: 'a folder of requirement catalogues in place of those of the project',
  personalities: 'a folder in which personalities are looked for first',
  rigs: 'a folder in which rigs are looked for first',
} as const

/** Which commands take which of it. */
const takes: Readonly<Record<string, readonly (keyof typeof texts)[]>> = {
  run: ['scenarios', 'requirements', 'personalities', 'rigs'],
  prove: ['scenarios', 'requirements', 'personalities', 'rigs'],
  replay: ['scenarios', 'requirements', 'personalities', 'rigs'],
  merge: ['requirements'],
  requirements: ['scenarios', 'requirements'],
  scenarios: ['scenarios', 'requirements'],
  rigs: ['rigs'],
  doctor: ['rigs'],
}

/**
 * Adds `--scenarios <folder>` and its like to each command that takes them; each may be given more than once, and `shipped`
 * is what the project brings. And to `run` who judges, where, and which platform stands in the lab.
 */
export function materialOptions(program: Command): void {
  for (const command of program.commands) {
    for (const kind of takes[command.name()] ?? [])
      command.addOption(
        new Option(`--${kind} <folder>`, `${texts[kind]}; may be repeated`).argParser(collect),
      )
    if (command.name() === 'run') identityOptions(command)
  }
}

function identityOptions(command: Command): void {
  command
    .option('--operator <name>', 'who runs it, for the evidence; goes before what the rig file says')
    .option('--site <name>', 'where, for the evidence; goes before what the rig file says')
    .addOption(
      new Option(
        '--subject <key=value>',
        'of a lab: maker, product, model, version, serial, digest or image:<name> of the platform; may be repeated',
      ).argParser(collect),
    )
    .option('--dry-run', 'show what would be done, and touch nothing')
}
