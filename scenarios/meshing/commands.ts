/**
 * LoadSense, played by the bench, has the three breakers closed and opened, all and one by one: each moves within seconds,
 * and the records say how it stood before and after, and what came of it. Then one is locked off for a while, and one
 * contact sticks.
 */
import {
  carriesOutCommands,
  operatesOnlyOnCommand,
  recordsEachCommand,
  recordsSignals,
  scenario,
  tellsDiscrepancy,
} from '../../bench/index.ts'

export default scenario({
  title: 'Breakers open and close at LoadSense’s word, and everything about it is on record',
  verifies: [
    'M:0028/to-breaker',
    'M:0017/commands-three',
    'M:0031/mesh-recorded',
    'M:0031/break-recorded',
    'M:0032',
    'M:0033/acknowledged',
    'M:0035/obeys-loadsense',
    'M:0036',
    'M:0037/with-breaker',
    'I:0026',
    'I:0074',
    'I:0076',
    'I:0077',
  ],
  needs: ['platform', 'alvin', 'commander'],
  catches: {
    'meshing-app/operates-without-select': 'M:0028/to-breaker',
    'meshing-app/swaps-phases': 'M:0017/commands-three',
    'meshing-app/closes-only': 'I:0076/open',
    'meshing-app/opens-only': 'I:0076/close',
    'meshing-app/operates-all-three': 'M:0017/commands-three',
    'meshing-app/records-what-was-commanded': 'M:0032/after',
    'meshing-app/records-before-as-commanded': 'M:0032/before',
    'meshing-app/no-record-of-openings': 'M:0031/break-recorded',
    'meshing-app/no-record-of-closings': 'M:0031/mesh-recorded',
    'meshing-app/no-record-of-acknowledged': 'M:0033/acknowledged',
    'meshing-app/records-not-for-storage': 'M:0031/mesh-recorded',
    'meshing-app/says-done-whatever-came-of-it': 'I:0077',
    'meshing-app/tells-no-discrepancy': 'I:0077',
  },
  horizon: '8 min',
  short: '85 s',
  prove: '4 min',
  async run({ platform, alvin, commander, time, check }) {
    const commands = platform.watch('marketplace', 'loadsense.control.*')
    const records = platform.watch('marketplace', 'meshing.operation.*')
    const stands = { initially: 'closed' } as const
    check(
      operatesOnlyOnCommand(commands, {
        ...stands,
        id: 'each-by-command',
        verifies: ['M:0017/commands-three', 'M:0035/obeys-loadsense'],
      }),
    )
    for (const [id, only, verifies] of [
      ['closes', 'close', ['I:0074/mesh', 'I:0076/close', 'M:0036/close']],
      ['opens', 'open', ['I:0074/de-mesh', 'I:0076/open', 'M:0036/open']],
    ] as const)
      check(carriesOutCommands(commands, { ...stands, id, only, verifies }))
    check(
      carriesOutCommands(commands, {
        ...stands,
        id: 'carried-out',
        verifies: [
          'M:0028/to-breaker',
          'M:0017/commands-three',
          'M:0035/obeys-loadsense',
          'M:0037/with-breaker',
          'I:0026',
        ],
      }),
    )
    for (const [id, direction, verifies] of [
      ['closings-recorded', 'close', ['M:0031/mesh-recorded']],
      ['openings-recorded', 'open', ['M:0031/break-recorded']],
    ] as const)
      check(recordsEachCommand(commands, records, { ...stands, id, direction, only: ['record'], verifies }))
    for (const part of ['before', 'after'] as const)
      check(
        recordsEachCommand(commands, records, {
          ...stands,
          id: `state-${part}`,
          only: [part],
          verifies: [`M:0032/${part}`],
        }),
      )
    check(
      recordsEachCommand(commands, records, {
        ...stands,
        id: 'course-recorded',
        only: ['record', 'result'],
        verifies: ['I:0077'],
      }),
    )
    check(
      recordsSignals(records, {
        id: 'signals-recorded',
        of: 'acknowledged',
        verifies: ['M:0033/acknowledged'],
      }),
    )
    check(
      tellsDiscrepancy(platform.watch('marketplace', 'meshing.discrepancy'), {
        ...stands,
        id: 'discrepancy-told',
        verifies: ['I:0077'],
        least: '2 min',
      }),
    )

    const whole = time.horizon >= 4 * 60_000
    await time.pass('3 s')
    await commander.command({ close: false })
    await time.pass('12 s')
    await commander.command({ close: true })
    await time.pass('12 s')
    // One contact sticks: the unit says done, and stands as it did.
    const stuck = alvin.inflict('stuck', { phase: 'l2' })
    await commander.command({ close: false })
    await time.pass(whole ? '40 s' : '12 s')
    stuck.lift()
    await commander.command({ close: false })
    await time.pass('12 s')
    if (whole) {
      for (const phase of ['l1', 'l2', 'l3'] as const) {
        await commander.command({ phases: [phase], close: true })
        await time.pass('11 s')
      }
      // A person has one in local control: it refuses, which is told.
      alvin.command({ do: 'local', phase: 'l3', on: true })
      await commander.command({ phases: ['l3'], close: false })
      await time.pass('12 s')
      alvin.command({ do: 'local', phase: 'l3', on: false })
      await commander.command({ close: false })
      await time.pass('12 s')
    }
    await time.pass('20 s')
  },
})
