/**
 * Networks are meshed and parted, and then the power of the platform goes. What was on record of both commands is in the
 * recorder's files afterwards, breakers stand as they were left, and nothing moves by itself when power is back.
 */
import {
  carriesOutCommands,
  keptThrough,
  operatesOnlyOnCommand,
  recordsEachCommand,
  scenario,
} from '../../bench/index.ts'

export default scenario({
  title: 'What is on record of commands to breakers outlasts a loss of power, and none is repeated after it',
  verifies: ['M:0031', 'M:0032', 'M:0033/acknowledged', 'I:0082'],
  needs: ['platform', 'alvin', 'commander', 'recorder', 'mains'],
  catches: {
    'csv-recorder/overwrites-at-start': 'M:0031/non-volatile',
    'meshing-app/repeats-at-restart': 'I:0082',
    'meshing-app/closes-only': 'I:0082',
    'meshing-app/no-record-of-closings': 'M:0031/mesh-recorded',
    'meshing-app/no-record-of-openings': 'M:0031/break-recorded',
  },
  horizon: '4 min',
  short: '88 s',
  prove: '88 s',
  async run({ platform, alvin, commander, recorder, mains, time, check }) {
    void alvin
    const commands = platform.watch('marketplace', 'loadsense.control.*')
    const records = platform.watch('marketplace', 'meshing.operation.*')
    const stands = { initially: 'closed' } as const
    check(
      keptThrough(
        records,
        { ...recorder.lines, select: 'meshing.operation.*' },
        {
          id: 'records-are-there',
          verifies: ['M:0031/non-volatile', 'M:0032', 'M:0033/acknowledged'],
          start: '3 s',
          settle: '7 s',
        },
      ),
    )
    for (const [id, direction, verifies] of [
      ['closings-recorded', 'close', ['M:0031/mesh-recorded']],
      ['openings-recorded', 'open', ['M:0031/break-recorded']],
    ] as const)
      check(
        recordsEachCommand(commands, records, {
          ...stands,
          id,
          direction,
          within: '9 s',
          only: ['record'],
          verifies,
        }),
      )
    check(operatesOnlyOnCommand(commands, { ...stands, id: 'none-repeated', verifies: ['I:0082'] }))
    check(carriesOutCommands(commands, { ...stands, id: 'obeyed', verifies: ['I:0082'] }))
    const pause = time.horizon >= 4 * 60_000 ? '40 s' : '11 s'
    await time.pass('4 s')
    await commander.command({ close: false })
    await time.pass(pause)
    await commander.command({ close: true })
    await time.pass(pause)
    await mains.cut()
    await time.pass('4 s')
    await mains.restore()
    await time.pass('14 s')
    await commander.command({ close: false })
    await time.pass(pause)
    await time.pass('20 s')
    await recorder.collect()
  },
})
