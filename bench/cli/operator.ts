/** The commands of whoever accepts a platform: record, accept, compare, verify, keygen. Their work is imported when called. */
import { Command, Option } from 'commander'

const collect = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  text,
]
const ownFolders = (name: string, what: string): Option =>
  new Option(
    `--${name} <folder>`,
    `${what}; may be given again, and 'shipped' stands for the bench's own`,
  ).argParser(collect)
const requirementsOption = (): Option => ownFolders('requirements', 'a folder of requirements')

export function operatorCommands(): readonly Command[] {
  return [record(), accept(), compare(), verify(), keygen()]
}

function record(): Command {
  return new Command('record')
    .description('Records what a person saw of a requirement that no test judges, or that one is waived')
    .argument('<requirement>', 'an ID, or one clause of it: M:005, M:005/secured')
    .option('--pass', 'it is met')
    .option('--fail', 'it is not met')
    .option('--waive', 'it is accepted although it is not shown to be met; the note is the reason')
    .option('--by <name>', 'who says so')
    .option('--note <text>', 'what was seen, or why it is waived')
    .option(
      '--attach <file>',
      'a photo, a data sheet, a calculation; may be given several times',
      collect,
      [],
    )
    .option('--of <run>', 'folder of a run: what it judged is what was looked at')
    .option('--into <folder>', 'where records are kept', 'records')
    .addOption(requirementsOption())
    .addHelpText(
      'after',
      `
Example:
  gridproof record M:005 --pass --by 'A. Fitter' --note 'Two locks, one key; hinges inside' --attach photo.jpg`,
    )
    .action(async (requirement: string, options) => {
      const { recordCommand } = await import('./record.ts')
      process.exitCode = await recordCommand(requirement, options)
    })
}

function accept(): Command {
  return new Command('accept')
    .description(
      'Merges runs and records into one acceptance: a state for each requirement, a report to sign',
    )
    .argument('<folders...>', 'folders of runs, of records, or of folders of records')
    .requiredOption('--out <folder>', 'a new folder for the acceptance')
    .option(
      '--sign <key>',
      "the operator's private key (keygen makes one): the digests of all files are signed",
    )
    .option('--of <run>', 'folder of a run: what it judged is accepted (default: what the newest run judged)')
    .option('--no-pdf', 'write no PDF')
    .addOption(requirementsOption())
    .addOption(ownFolders('scenarios', 'a folder of scenarios'))
    .addHelpText(
      'after',
      `
Example:
  gridproof accept runs/latest records --out acceptance --sign operator.pem

Exit codes: 0 all that was judged passed, waived ones apart; 1 something failed; 3 something is inconclusive, outdated,
contradictory, or was handed in and does not count.`,
    )
    .action(async (folders: string[], options) => {
      const { acceptCommand } = await import('./accept.ts')
      process.exitCode = await acceptCommand(folders, options)
    })
}

function compare(): Command {
  return new Command('compare')
    .description('Compares two runs: what changed of each requirement, clause and check')
    .argument('<before>', 'folder of a run')
    .argument('<after>', 'folder of another run')
    .option('--figures', 'also the figures of checks whose verdict is the same')
    .addOption(requirementsOption())
    .addHelpText(
      'after',
      `
Example:
  gridproof compare runs/2026-11-20T10-00-00Z-virtual runs/latest

Exit codes: 0 nothing got worse, 1 something did.`,
    )
    .action(async (before: string, after: string, options) => {
      const { compareCommand } = await import('./compare.ts')
      process.exitCode = await compareCommand(before, after, options)
    })
}

function verify(): Command {
  return new Command('verify')
    .description(
      'Checks that evidence is as it was signed: every digest, the signature, the chain of the logs',
    )
    .argument('<folder>', 'an acceptance, or a run')
    .option('--key <file>', "the operator's public key, from the operator himself")
    .addHelpText(
      'after',
      `
Example:
  gridproof verify acceptance --key operator.pub.pem

Exit codes: 0 whole and signed, 1 a file is changed, missing or added, or the signature does not hold; 3 whole as far as
can be seen, and not signed.`,
    )
    .action(async (folder: string, options) => {
      const { verifyCommand } = await import('./verify.ts')
      process.exitCode = await verifyCommand(folder, options)
    })
}

function keygen(): Command {
  return new Command('keygen')
    .description('Makes the key with which an operator signs (Ed25519): <name>.pem and <name>.pub.pem')
    .argument('[name]', 'path without ending', 'operator')
    .addHelpText(
      'after',
      `
With GRIDPROOF_KEY_PASSPHRASE set, the private key is encrypted with it.

Example:
  gridproof keygen operator`,
    )
    .action(async (name: string) => {
      const { keygenCommand } = await import('./keygen.ts')
      process.exitCode = await keygenCommand(name)
    })
}
