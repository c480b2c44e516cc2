/** `gridproof sim fleet`: very many smart meters on TCP. What it takes; the work is in sim-fleet-command.ts. */
import { Command, InvalidArgumentError } from 'commander'

export interface FleetCommandOptions {
  readonly personality: readonly string[]
  readonly count: number
  readonly tcp: string
  readonly portEach?: boolean
  readonly spread: string
  readonly seed: number
  readonly every: string
  readonly for?: string
  readonly json?: boolean
}

const whole = (least: number, most: number) => (text: string) => {
  const n = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (!(n >= least && n <= most))
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`)
  return n
}

export function fleetCommand(): Command {
  return new Command('fleet')
    .description('Plays very many smart meters: each connection gets one, and its lists at their instants')
    .requiredOption('--tcp <host:port>', 'where they are reached; port 0 takes a free one')
    .option('--personality <names...>', 'of the meters, in turn', ['kaifa-ma304h3e'])
    .option('--count <n>', 'meters', whole(1, 100_000), 10_000)
    .option('--port-each', 'meter i on port + i, instead of one port with a meter for each connection')
    .option(
      '--spread <duration>',
      'the clocks of the meters are apart by up to so much; 0s: all at once',
      '2 s',
    )
    .option('--seed <n>', 'seed of homes and phases', whole(0, 999_999_999), 1)
    .option('--every <duration>', 'how often the figures are told', '10 s')
    .option('--for <duration>', 'ends by itself after so long: 10s, 2h')
    .option('--json', 'tells as JSON, one line each')
    .addHelpText(
      'after',
      `
Examples:
  gridproof sim fleet --personality kaifa-ma304h3e aidon-6525 --count 100 --tcp 127.0.0.1:0 --for 1s
  gridproof sim fleet --count 3 --port-each --tcp 127.0.0.1:0 --for 1s`,
    )
    .action(async (options: FleetCommandOptions) => {
      const { performFleet } = await import('./sim-fleet-command.ts')
      process.exitCode = await performFleet(options)
    })
}
