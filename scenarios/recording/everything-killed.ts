/**
 * Every process of the platform is killed at once, as when its machine goes down, and the platform starts again. What had
 * been recorded is on the disk. What a loss of power costs beside, of bytes that were not yet written there, takes a disk
 * whose unflushed bytes can be taken away, and is not judged here.
 */
import { arrivesEvery, keptThrough, scenario, temperatureChannels } from '../../bench/index.ts'

export default scenario({
  title:
    'What was recorded stands on the disk, as it was published, when everything was killed and started again',
  verifies: [
    'M:0026/kept',
    'M:0042/non-volatile',
    'M:004/non-volatile',
    'I:0090/actions',
    'M:0026/takes-values',
  ],
  needs: ['platform', 'gridkey', 'thermocouple', 'recorder'],
  catches: {
    'csv-recorder/keeps-a-minute-in-memory': 'M:0042/non-volatile',
    'csv-recorder/overwrites-at-start': 'M:004/non-volatile',
    'csv-recorder/truncates-payload': 'M:0042/non-volatile',
    'csv-recorder/drops-a-topic': 'M:0026/kept',
    'csv-recorder/only-measurements': 'I:0090/actions',
    'temperature-app/ignores-its-interval': 'M:0026/takes-values',
  },
  horizon: '3 min',
  short: '90 s',
  prove: '3 min',
  async run({ platform, gridkey, thermocouple, recorder, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    thermocouple.set('ambient', { mean: 1, swing: 6, period: '6 min' })
    thermocouple.set('indoor', { mean: 14, swing: 3, period: '6 min' })
    thermocouple.set('top_oil', { mean: 48, swing: 12, period: '6 min' })
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 10, feeders: [1] })
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 10 })
    const all = platform.watch('marketplace', '*')
    const start = '3 s'
    for (const [id, select, verifies] of [
      ['everything', '*', ['M:0042/non-volatile', 'M:004/non-volatile']],
      ['temperatures', 'thermocouple.*', ['M:0026/kept']],
      // What the operator has done to an app is an action: its command is on record.
      ['actions', 'command.*', ['I:0090/actions']],
    ] as const)
      check(
        keptThrough(
          { ...all, select },
          { ...recorder.lines, select },
          { id, verifies, start, settle: '3 s' },
        ),
      )

    const part = Math.max(20_000, (time.horizon - 50_000) / 2)
    await time.pass(part - 5000)
    await platform.ask('operator', { do: 'restart', app: 'gridkey' })
    await time.pass('15 s')
    // In the middle between two outputs.
    await platform.ask('machine', { do: 'restart' })
    await time.pass('20 s')
    // What the apps were told is on the disk too: they go on at the interval that was set.
    check(
      arrivesEvery('10 s', platform.watch('marketplace', 'thermocouple.*'), {
        id: 'goes-on',
        verifies: ['M:0026/takes-values'],
        gap: '±2 s',
        drift: '5 %',
        channels: temperatureChannels,
        start: '25 s',
      }),
    )
    await time.pass(part)
    await recorder.collect()
  },
})
