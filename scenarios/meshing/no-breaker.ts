/**
 * A site without breakers: the app is installed, and nobody is on its line. Commands have their signals go out all the same,
 * and the records say of each that there is no device.
 */
import { recordsEachCommand, scenario, signalsAnyway } from '../../bench/index.ts'

export default scenario({
  title: 'Without breakers commands have their signals and their records too, with the error that says so',
  verifies: [
    'M:0037/without-breaker',
    'M:0031/mesh-recorded',
    'M:0031/break-recorded',
    'M:0033/unacknowledged',
    'I:0078',
  ],
  needs: ['platform', 'commander'],
  catches: {
    'meshing-app/no-record-without-device': 'I:0078',
    'meshing-app/records-another-errno': 'I:0078',
    'meshing-app/records-open-where-none-answers': 'I:0078',
    'meshing-app/no-record-of-openings': 'M:0031/break-recorded',
    'meshing-app/no-record-of-closings': 'M:0031/mesh-recorded',
    'meshing-app/operates-without-select': 'M:0037/without-breaker',
    'meshing-app/says-done-whatever-came-of-it': 'I:0078',
  },
  horizon: '3 min',
  short: '75 s',
  prove: '75 s',
  async run({ platform, commander, time, check }) {
    const commands = platform.watch('marketplace', 'loadsense.control.*')
    const records = platform.watch('marketplace', 'meshing.operation.*')
    const nobody = { fitted: false } as const
    check(
      signalsAnyway(
        commands,
        { src: 'line', kind: 'seen', select: 'line.write' },
        {
          id: 'signals-go-out',
          verifies: ['M:0037/without-breaker'],
        },
      ),
    )
    for (const [id, direction, verifies] of [
      ['closings-recorded', 'close', ['M:0031/mesh-recorded', 'M:0033/unacknowledged']],
      ['openings-recorded', 'open', ['M:0031/break-recorded', 'M:0033/unacknowledged']],
    ] as const)
      check(recordsEachCommand(commands, records, { ...nobody, id, direction, only: ['record'], verifies }))
    check(
      recordsEachCommand(commands, records, {
        ...nobody,
        id: 'error-code',
        only: ['record', 'errno', 'result'],
        verifies: ['I:0078'],
      }),
    )
    const pause = time.horizon >= 3 * 60_000 ? '40 s' : '18 s'
    await time.pass('3 s')
    await commander.command({ close: true })
    await time.pass(pause)
    await commander.command({ close: false })
    await time.pass(pause)
    await commander.command({ phases: ['l2'], close: true })
    await time.pass('25 s')
  },
})
