/** `gridproof doctor`: what it takes; the work is in doctor-command.ts. */
import { Command } from 'commander'

export interface DoctorOptions {
  readonly rig?: string
  readonly rigs?: readonly string[]
  readonly loopback?: readonly string[]
  readonly out: string
  readonly json?: boolean
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Looks at this machine, its serial ports and a rig before a run does, and says what to do')
    .option(
      '--rig <name>',
      'a rig of fixtures/rigs, or the path of a rig file: its brokers, certificates, ports',
    )
    .option('--loopback <ports...>', 'two serial ports wired to each other: bytes are sent both ways')
    .option('--out <folder>', 'where runs will be kept: whether the disk is enough for 24 h', 'runs')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  gridproof doctor
  gridproof doctor --rig fixtures/rigs/local.yaml --json
  gridproof doctor --loopback /dev/ttyUSB0 /dev/ttyUSB1    (needs hardware)

Exit codes: 0 nothing is missing, 4 something is; a warning alone is 0.`,
    )
    .action(async (options: DoctorOptions) => {
      const { performDoctor } = await import('./doctor-command.ts')
      process.exitCode = await performDoctor(options)
    })
}
