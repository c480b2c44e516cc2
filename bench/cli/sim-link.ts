/** `gridproof sim link`: a wide-area link alone, as a TCP proxy. What it takes; the work is in sim-link-command.ts. */
import { Command, InvalidArgumentError } from 'commander'

export interface LinkCommandOptions {
  readonly listen: string
  readonly to: string
  readonly profile: string
  readonly seed: number
  readonly do: readonly string[]
  readonly every: string
  readonly for?: string
  readonly console: boolean
  readonly json?: boolean
}

export function linkCommand(): Command {
  const gather = (text: string, before: readonly string[]): readonly string[] => [...before, text]
  return new Command('link')
    .description('Plays a 4G link between any client and any TCP server, and says live what it does')
    .requiredOption('--listen <host:port>', 'where the client connects; port 0 takes a free one')
    .requiredOption('--to <host:port>', 'the server behind the link')
    .option('--profile <name>', 'a name of fixtures/links, or the path of a file', 'good-site')
    .option(
      '--seed <n>',
      'seed of its random numbers',
      (text) => {
        if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number')
        return Number(text)
      },
      1,
    )
    .option('--do <line>', 'a line of the console to begin with; may be given again', gather, [])
    .option('--every <duration>', 'how often the figures are told', '10 s')
    .option('--for <duration>', 'ends by itself after so long: 10s, 2h')
    .option('--no-console', 'reads no commands from standard input')
    .option('--json', 'tells as JSON, one line each')
    .addHelpText(
      'after',
      `
Examples:
  gridproof sim link --listen 127.0.0.1:0 --to 127.0.0.1:8883 --profile poor-site --for 1s
  gridproof sim link --listen 127.0.0.1:0 --to 127.0.0.1:80 --profile wire --do 'fault rate up_kbit=64' --for 1s

Type help while it plays. Ctrl-C ends it (130), as do quit and --for (0).`,
    )
    .action(async (options: LinkCommandOptions) => {
      const { performLink } = await import('./sim-link-command.ts')
      process.exitCode = await performLink(options)
    })
}
