/** `gridproof sim`: one device alone, for any platform. What it takes; the work is in sim-command.ts. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { fleetCommand } from './sim-fleet.ts'
import { linkCommand } from './sim-link.ts'
import { replayCommand } from './sim-replay.ts'

export interface SimCommandOptions {
  readonly tcp?: string
  readonly port?: string
  readonly pty?: string | true
  readonly personality?: string
  readonly load?: string
  readonly seed: number
  readonly do: readonly string[]
  readonly for?: string
  readonly console: boolean
  readonly quiet?: boolean
  readonly json?: boolean
  readonly dryRun?: boolean
}

/** Takes its settings from the program above it, and hands them on to its own commands. */
export function simCommand(above: Command): Command {
  const gather = (text: string, before: readonly string[]): readonly string[] => [...before, text]
  const sim = new Command('sim')
    .copyInheritedSettings(above)
    // Its own commands have options of the same names.
    .enablePositionalOptions()
    .description('Plays one device alone, for any platform, and says live what it is asked')
    .argument(
      '[device]',
      'gridkey, thermocouple, alvin, kaifa, aidon, kamstrup, or meter with any personality of one',
    )
    .option('--list-ports', 'lists the serial ports of this machine, with what is known of each')
    .option('--tcp <host:port>', 'where a TCP device or a meter listens; port 0 takes a free one')
    .option('--port <path>', 'of a device on a serial line: a serial port of this machine')
    .option('--pty [link]', 'of a device on a serial line: a pseudo terminal, with a link to it of this name')
    .option('--personality <name>', 'a name of fixtures/personalities, or the path of a file')
    .option('--load <load>', 'of feeder monitor and meters: a profile, or <file.csv>:<column>:<scale>')
    .addOption(
      new Option('--seed <n>', 'seed of its random numbers').default(1).argParser((text) => {
        if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number')
        return Number(text)
      }),
    )
    .option('--do <line>', 'a line of the console to begin with; may be given again', gather, [])
    .option('--for <duration>', 'ends by itself after so long: 10s, 2h')
    .option('--no-console', 'reads no commands from standard input')
    .option('--quiet', 'does not tell what it is asked')
    .option('--json', 'tells as JSON, one line each; what the console answers goes to standard error')
    .option('--dry-run', 'checks everything, opens nothing')
    .addHelpText(
      'after',
      `
Examples:
  gridproof sim gridkey --tcp 127.0.0.1:0 --do 'load 1 250' --for 1s
  gridproof sim thermocouple --pty --do 'fault open input=top_oil' --for 1s
  gridproof sim thermocouple --port /dev/ttyUSB0 --dry-run
  gridproof sim alvin --pty --do 'isolate on' --do 'close l1' --for 1s
  gridproof sim kaifa --port /dev/ttyUSB0 --do 'export 2000' --for 3s
  gridproof sim aidon --pty --do 'fault lost-byte share=0.1' --for 3s
  gridproof sim meter --personality kaifa-ma309m --tcp 127.0.0.1:0 --for 1s
  gridproof sim --list-ports

Type help while it plays. Ctrl-C ends it (130), as do quit and --for (0).`,
    )
    .action(async (device: string | undefined, options: SimCommandOptions & { listPorts?: boolean }) => {
      if (options.listPorts === true) {
        const { listPorts, portsText } = await import('../main/doctor/port-list.ts')
        process.stdout.write(portsText(await listPorts()))
        return
      }
      const { performSim } = await import('./sim-command.ts')
      process.exitCode = await performSim(device ?? '', options)
    })
  for (const c of [replayCommand(), fleetCommand(), linkCommand()])
    sim.addCommand(c.copyInheritedSettings(sim))
  return sim
}
