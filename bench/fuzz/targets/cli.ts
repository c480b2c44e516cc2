/** Arguments of the command line: parsed, and nothing done. */
import { CommanderError } from 'commander'
import type { Command } from 'commander'
import { program } from '../../cli/main.ts'
import { bytesOf, parser, textOf } from '../target.ts'
import type { Target } from '../target.ts'
import { refusal } from './text.ts'

/** The program with every work taken out, and nothing printed. */
function idle(): Command {
  const quieten = (c: Command): void => {
    c.configureOutput({ writeOut: () => undefined, writeErr: () => undefined }).exitOverride()
    // A command with commands below it may have work of its own too.
    if (c !== program) c.action(() => undefined)
    for (const sub of c.commands) quieten(sub)
  }
  quieten(program)
  return program
}

/** Every option of every command, as words to build from. */
function wordsOf(c: Command): string[] {
  return [
    c.name(),
    ...c.options.flatMap((o) => [o.long ?? '', o.short ?? '']),
    ...c.commands.flatMap((sub) => wordsOf(sub)),
  ].filter((w) => w !== '')
}

export const cliTargets: readonly Target[] = [
  {
    name: 'command-line',
    weight: 4,
    examples: () =>
      [
        'run capture/every-minute --short --seed 3 --jobs 2',
        'prove --mutations 0 --defect a/b',
        'requirements --find M:0022 --clauses --json',
        'sim gridkey --tcp 127.0.0.1:0 --for 1s --do quit',
        'replay runs/latest --report',
        'listen --port /dev/null --line 2400-8E1 --for 1s',
        'sim replay a.capture --pty --speed 2',
        '--version',
      ].map((line) => bytesOf(line.replaceAll(' ', '\u0000'))),
    words: wordsOf(program).map((w) => `\u0000${w}\u0000`),
    open: () => {
      const p = idle()
      return parser(
        // Arguments end with a zero, as the system hands them over.
        (input) => p.parse(textOf(input).split('\u0000'), { from: 'user' }),
        (e) => e instanceof CommanderError || refusal(e),
      )
    },
  },
]
