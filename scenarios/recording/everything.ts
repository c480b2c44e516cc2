/**
 * The CSV recorder beside two apps at different rates, one of whose readings turn invalid for a while. At the end its
 * files are copied from the disk and laid beside everything that was seen at the marketplace. The checks look at all
 * topics of the rig, so that apps added to it later are judged with the others.
 */
import {
  arrivesEvery,
  attributable,
  equalsTruth,
  recordsAll,
  recordsAtRate,
  recordsTimes,
  recordsTruly,
  scenario,
  temperatureChannels,
} from '../../bench/index.ts'

export default scenario({
  title:
    'Whatever any app publishes stands in the CSV files: once, true, in time, by name, as often as published',
  verifies: [
    'M:0039/every-value',
    'M:0040/timestamped',
    'M:0041',
    'M:0042/measured',
    'M:0043',
    'M:0025/collects-ambient',
    'M:0025/collects-transformer',
    'M:0025/stored',
    'M:0026/takes-values',
    'M:0026/passes-on',
    'I:0090/captured-data',
    'I:0090/app-output',
    'I:0091',
    'I:0092',
    'I:0093',
  ],
  needs: ['platform', 'gridkey', 'thermocouple', 'recorder'],
  catches: {
    'csv-recorder/drops-a-topic': 'M:0025/stored',
    'csv-recorder/only-measurements': 'I:0091/all-traffic',
    'csv-recorder/only-first-app': 'I:0092/other-apps',
    'csv-recorder/misses-one-in-a-thousand': 'M:0039/every-value',
    'csv-recorder/drops-on-burst': 'M:0039/every-value',
    'csv-recorder/every-other-output': 'M:0043/same-rate',
    'csv-recorder/unquoted-commas': 'M:0042/measured',
    'csv-recorder/wrong-publisher': 'M:0041/attributable',
    'csv-recorder/one-publisher-for-all': 'I:0091/publisher',
    'csv-recorder/own-time-as-message-time': 'M:0040/timestamped',
    'csv-recorder/records-in-local-time': 'I:0091/timestamp',
    'csv-recorder/rounds-values': 'M:0042/measured',
    'csv-recorder/shifts-columns': 'M:0042/measured',
    'csv-recorder/ignores-valid-false': 'M:0042/measured',
    'csv-recorder/truncates-payload': 'M:0042/measured',
    'csv-recorder/last-first': 'M:0039/every-value',
    'csv-recorder/rotates-away-unread': 'M:0039/every-value',
    'temperature-app/swaps-channels': 'M:0026/passes-on',
    'temperature-app/skips-a-minute': 'M:0026/takes-values',
  },
  horizon: '6 h',
  short: '100 s',
  prove: '12 min',
  async run({ platform, gridkey, thermocouple, recorder, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    thermocouple.set('ambient', { mean: 1, swing: 6, period: '2 h' })
    thermocouple.set('indoor', { mean: 14, swing: 3, period: '2 h' })
    thermocouple.set('top_oil', { mean: 48, swing: 12, period: '2 h' })
    const long = time.horizon > 3_600_000
    const rate = long ? 60 : 10
    await platform.ask('config', { app: 'gridkey', intervalSeconds: rate })
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 2 * rate })

    const { lines } = recorder
    // The recorder says that all is well a moment before its own session stands.
    const start = '3 s'
    const all = platform.watch('marketplace', '*')
    const temperatures = platform.watch('marketplace', 'thermocouple.*')
    check(
      recordsAll(all, lines, {
        start,
        id: 'everything-once',
        verifies: [
          'M:0039/every-value',
          'I:0090/captured-data',
          'I:0090/app-output',
          'I:0091/all-traffic',
          'I:0092',
          'I:0093',
        ],
        publishers: ['lucy_gridkeysensor_01', 'eatl_modbusrtusensor_01'],
      }),
    )
    check(
      recordsAll(
        temperatures,
        { ...lines, select: 'thermocouple.*' },
        {
          id: 'temperatures-stored',
          start,
          verifies: ['M:0025/stored'],
        },
      ),
    )
    check(recordsTruly(all, lines, { id: 'as-published', start, verifies: ['M:0042/measured'] }))
    check(
      recordsTimes(all, lines, {
        id: 'with-times',
        start,
        verifies: ['M:0040/timestamped', 'I:0091/timestamp'],
      }),
    )
    check(attributable(all, lines, { id: 'by-name', start, verifies: ['M:0041', 'I:0091/publisher'] }))
    check(recordsAtRate(all, lines, { id: 'as-often', start, verifies: ['M:0043'] }))
    check(
      arrivesEvery(`${2 * rate} s`, temperatures, {
        id: 'each-input-read',
        verifies: ['M:0026/takes-values'],
        channels: temperatureChannels,
        drift: '2 %',
        start: `${4 * rate + 5} s`,
      }),
    )
    for (const [id, input, clauses] of [
      ['ambient-collected', 'ambient', ['M:0025/collects-ambient']],
      ['oil-collected', 'top_oil', ['M:0025/collects-transformer']],
      ['passed-on', '*', ['M:0026/passes-on']],
    ] as const)
      check(
        equalsTruth(
          platform.watch('marketplace', `thermocouple.${input}${input === '*' ? '' : '.*'}`),
          thermocouple,
          {
            id,
            verifies: clauses,
            ...(input === '*' ? {} : { channels: [`thermocouple.${input}.temperature`] }),
          },
        ),
      )

    // A broken element: its readings go on and are not valid, which must stand in the files too.
    const end = 10_000
    const part = (time.horizon - end) / 4
    await time.pass(2 * part)
    const open = thermocouple.inflict('open', { input: 'indoor' })
    await time.pass(part)
    open.lift()
    await time.pass(part + end)
    await recorder.collect()
  },
})
