/** `gridproof listen`: hears a HAN port. What it takes; the work is in listen-command.ts. */
import { Command, Option } from 'commander'

export interface ListenCommandOptions {
  readonly port?: string
  readonly tcp?: string
  readonly file?: string
  readonly line: string
  readonly framing: 'auto' | 'hdlc' | 'mbus'
  readonly key?: string
  readonly lengthOverflow?: boolean
  readonly kamstrupEnergy: '1' | '10'
  readonly silence: string
  readonly record?: string
  readonly for?: string
  readonly keepNumbers?: boolean
  readonly quiet?: boolean
  readonly json?: boolean
}

export function listenCommand(): Command {
  return new Command('listen')
    .description('Decodes the HAN port of a smart meter live: lists, their timing, what is rejected and why')
    .option('--port <path>', 'a serial port of this machine, behind an M-Bus transceiver')
    .option('--tcp <host:port>', 'connects there: a bridge from a serial line, or gridproof sim')
    .option('--file <capture>', 'a capture of --record, in place of a line')
    .option('--line <settings>', 'of the serial port: speed, data bits, parity, stop bits', '2400-8E1')
    .addOption(
      new Option('--framing <which>', 'auto tries both until a frame is right')
        .choices(['auto', 'hdlc', 'mbus'])
        .default('auto'),
    )
    .option('--key <file>', 'file with the keys of ciphered meters: [title] <key> [authentication key]')
    .option('--length-overflow', 'takes M-Bus frames whose length byte overflows, as some Sagemcom send them')
    .addOption(
      new Option('--kamstrup-energy <Wh>', 'of one count of a Kamstrup register: 10 in Norway, 1 in Sweden')
        .choices(['1', '10'])
        .default('10'),
    )
    .option('--silence <duration>', 'after it, what has begun and not ended is given up', '4 s')
    .option('--record <file>', 'writes a capture for sim replay; it is raw, with the number of the meter')
    .option('--for <duration>', 'ends by itself after so long: 30s, 2h')
    .option('--keep-numbers', 'shows the number of the meter in full')
    .option('--quiet', 'tells the figures at the end, and not each list')
    .option('--json', 'tells as JSON, one line each; the last one has the figures')
    .addHelpText(
      'after',
      `
Examples:
  gridproof listen --port /dev/ttyUSB0 --line 2400-8E1 --record heard.capture --for 2s
  gridproof listen --file meter.capture

Ends with 0 where a list was read, 3 where none was, 130 by Ctrl-C.`,
    )
    .action(async (options: ListenCommandOptions) => {
      const { performListen } = await import('./listen-command.ts')
      process.exitCode = await performListen(options)
    })
}
