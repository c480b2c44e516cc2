/**
 * A maintenance engineer turns the isolator in the breakers' line and locks it, works a breaker by hand, and goes home. A
 * burst of commands, a restart of the app and one of the whole platform get nothing through; each command is on record
 * with its error. When the line is joined again, nothing of it is made up for; the next command is obeyed.
 */
import {
  carriesOutCommands,
  operatesOnlyOnCommand,
  recordsEachCommand,
  recordsSignals,
  scenario,
} from '../../bench/index.ts'

export default scenario({
  title: 'Behind a locked isolator nothing reaches a breaker, and nothing comes after it is unlocked',
  verifies: ['M:007/isolates', 'M:008/stays-isolated', 'M:0033/unacknowledged', 'I:0078'],
  needs: ['platform', 'alvin', 'commander'],
  catches: {
    'meshing-app/flushes-when-reached': 'M:008/stays-isolated',
    'meshing-app/no-record-of-unacknowledged': 'M:0033/unacknowledged',
    'meshing-app/no-record-without-device': 'I:0078',
    'meshing-app/records-open-where-none-answers': 'I:0078',
    'meshing-app/opens-only': 'M:007/isolates',
  },
  horizon: '6 min',
  short: '89 s',
  prove: '89 s',
  async run({ platform, alvin, commander, time, check }) {
    const commands = platform.watch('marketplace', 'loadsense.control.*')
    const records = platform.watch('marketplace', 'meshing.operation.*')
    const stands = { initially: 'closed' } as const
    check(
      operatesOnlyOnCommand(commands, {
        ...stands,
        id: 'nothing-gets-through',
        // A command that waits for the isolator is none any more.
        within: '6 s',
        verifies: ['M:007/isolates', 'M:008/stays-isolated'],
      }),
    )
    check(
      carriesOutCommands(commands, {
        ...stands,
        id: 'obeyed-when-joined',
        verifies: ['M:007/isolates'],
      }),
    )
    check(
      recordsSignals(records, {
        id: 'unanswered-signals',
        of: 'unacknowledged',
        verifies: ['M:0033/unacknowledged'],
      }),
    )
    check(
      recordsEachCommand(commands, records, {
        ...stands,
        id: 'error-code',
        only: ['errno', 'record'],
        verifies: ['I:0078'],
      }),
    )
    const whole = time.horizon >= 6 * 60_000
    await time.pass('3 s')
    await commander.command({ close: false })
    await time.pass('8 s')
    alvin.command({ do: 'isolate', engaged: true, locked: true })
    alvin.command({ do: 'operate', phase: 'l1', to: 'closed' })
    await time.pass('4 s')
    alvin.command({ do: 'operate', phase: 'l1', to: 'open' })
    await commander.command({ close: true })
    await time.pass(whole ? '30 s' : '9 s')
    await commander.command({ close: true, form: 'storm', times: whole ? 25 : 8 })
    await time.pass(whole ? '30 s' : '8 s')
    commander.crash()
    await commander.command({ phases: ['l3'], close: true, form: 'retained' })
    await time.pass('9 s')
    if (whole) {
      await platform.ask('operator', { do: 'restart', app: 'meshing' })
      await time.pass('15 s')
      await platform.ask('machine', { do: 'restart' })
      await time.pass('30 s')
    }
    await commander.command({ phases: ['l2'], close: true })
    await time.pass('7 s')
    alvin.command({ do: 'isolate', engaged: false, locked: false })
    await time.pass(whole ? '90 s' : '15 s')
    await commander.command({ phases: ['l2'], close: true })
    await time.pass('11 s')
    await time.pass(whole ? '15 s' : '2 s')
  },
})
