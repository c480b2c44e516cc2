/**
 * Whatever is no fresh word of LoadSense moves no breaker: another app on LoadSense's topics and on its own, commands that are
 * old, from the future, not valid, no booleans or no objects, one that is sent twice or played again, a burst of them, one
 * kept by the marketplace for whoever comes, and what was commanded before a restart. Between them, plain commands show that
 * LoadSense itself is obeyed all along.
 */
import { carriesOutCommands, operatesOnlyOnCommand, recordsEachCommand, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'Breakers move at the word of LoadSense alone, and only at a fresh one',
  verifies: ['M:0035', 'I:0082', 'I:0077'],
  needs: ['platform', 'alvin', 'commander'],
  catches: {
    'meshing-app/obeys-any-topic': 'M:0035/ignores-others',
    'meshing-app/obeys-stale': 'I:0082',
    'meshing-app/obeys-future': 'I:0082',
    'meshing-app/ignores-valid-false': 'I:0082',
    'meshing-app/takes-any-value': 'I:0082',
    'meshing-app/obeys-twice': 'I:0082',
    'meshing-app/forgets-at-restart': 'I:0082',
    'meshing-app/repeats-at-restart': 'I:0082',
    'meshing-app/operates-without-select': 'M:0035/obeys-loadsense',
    'meshing-app/no-record-of-openings': 'I:0077',
  },
  horizon: '5 min',
  short: '88 s',
  prove: '88 s',
  async run({ platform, commander, time, check }) {
    const commands = platform.watch('marketplace', 'loadsense.control.*')
    const records = platform.watch('marketplace', 'meshing.operation.*')
    const stands = { initially: 'closed' } as const
    check(
      operatesOnlyOnCommand(commands, {
        ...stands,
        id: 'nobody-else',
        verifies: ['M:0035/ignores-others', 'I:0082'],
      }),
    )
    check(
      carriesOutCommands(commands, {
        ...stands,
        id: 'loadsense-itself',
        verifies: ['M:0035/obeys-loadsense', 'I:0082'],
      }),
    )
    check(
      recordsEachCommand(commands, records, {
        ...stands,
        id: 'refusals-too',
        only: ['record', 'result'],
        verifies: ['I:0077'],
      }),
    )

    const pause = (whole: string): string => (time.horizon >= 5 * 60_000 ? whole : '4 s')
    await time.pass('3 s')
    await commander.command({ close: false })
    await time.pass('5 s')
    for (const as of ['loadsense', 'itself'] as const) {
      await commander.pretend({ as, close: true })
      await time.pass(pause('8 s'))
    }
    for (const form of ['stale', 'future', 'invalid', 'non-boolean', 'text'] as const) {
      await commander.command({ phases: ['l1', 'l2'], close: true, form })
      await time.pass(pause('8 s'))
    }
    // Sent twice; undone; and the same words once more.
    await commander.command({ phases: ['l3'], close: true, form: 'duplicate' })
    await time.pass('5 s')
    await commander.command({ phases: ['l3'], close: false })
    await time.pass('5 s')
    await commander.command({ phases: ['l3'], close: true, form: 'repeated' })
    await time.pass('5 s')
    // Ended and started again, it does nothing by itself, knows what it has obeyed, and hears nothing of what it missed.
    commander.crash()
    await commander.command({ phases: ['l2'], close: true, form: 'retained' })
    await time.pass('9 s')
    await commander.command({ phases: ['l3'], close: true, form: 'repeated' })
    await time.pass(pause('20 s'))
    await commander.command({ close: false })
    await time.pass('5 s')
    await commander.command({ phases: ['l1'], close: true, form: 'storm', times: 12 })
    await time.pass(pause('30 s'))
    await time.pass('12 s')
  },
})
