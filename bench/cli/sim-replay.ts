/** `gridproof sim replay`: a capture of a HAN port, played back. What it takes; the work is in sim-replay-command.ts. */
import { Command, InvalidArgumentError } from 'commander'

export interface ReplayCommandOptions {
  readonly tcp?: string
  readonly port?: string
  readonly pty?: string | true
  readonly line?: string
  readonly speed: number
  readonly for?: string
  readonly quiet?: boolean
}

export function replayCommand(): Command {
  return new Command('replay')
    .description('Plays a capture of gridproof listen back, byte for byte, in its own timing')
    .argument('<capture>', 'a file that listen --record wrote')
    .option('--tcp <host:port>', 'where it listens; it begins with the first who connects')
    .option('--port <path>', 'a serial port of this machine')
    .option('--pty [link]', 'a pseudo terminal, with a link to it of this name')
    .option('--line <settings>', 'in place of the settings of the capture: 2400-8E1')
    .option(
      '--speed <factor>',
      '2 plays in half the time; a real line is as fast as it is, so not above 1 with --port',
      (text) => {
        const n = Number(text)
        if (!(n >= 0.01 && n <= 10_000))
          throw new InvalidArgumentError('expected a number from 0.01 to 10000')
        return n
      },
      1,
    )
    .option('--for <duration>', 'ends by itself after so long, though there is more')
    .option('--quiet', 'does not tell each chunk')
    .addHelpText(
      'after',
      `
Examples:
  gridproof sim replay meter.capture --pty --speed 20
  gridproof sim replay meter.capture --port /dev/ttyUSB0 --for 2s`,
    )
    .action(async (file: string, options: ReplayCommandOptions) => {
      const { performReplay } = await import('./sim-replay-command.ts')
      process.exitCode = await performReplay(file, options)
    })
}
