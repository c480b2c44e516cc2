/**
 * The feeder monitor's app publishes a series of its last readings beside them: a result that was computed from readings.
 * From the recorder's files alone each of its values must be found beside the reading that it was computed from, also
 * where the monitor was silent for a while and readings were not valid.
 */
import { reconstructs, scenario } from '../../bench/index.ts'

const end = '/profile'

export default scenario({
  title: 'From the CSV files alone, each result can be laid beside the readings that it was computed from',
  verifies: ['M:0040/reconstructable'],
  needs: ['platform', 'gridkey', 'recorder'],
  catches: {
    'gridkey-app/series-starts-at-its-end': 'M:0040/reconstructable',
    'gridkey-app/series-without-interval': 'M:0040/reconstructable',
    'csv-recorder/own-time-as-message-time': 'M:0040/reconstructable',
    'csv-recorder/rounds-stamps': 'M:0040/reconstructable',
    'csv-recorder/rounds-values': 'M:0040/reconstructable',
    'csv-recorder/every-other-output': 'M:0040/reconstructable',
    'csv-recorder/leaves-out-the-invalid': 'M:0040/reconstructable',
    'csv-recorder/truncates-payload': 'M:0040/reconstructable',
  },
  horizon: '10 min',
  short: '100 s',
  prove: '3 min',
  async run({ platform, gridkey, recorder, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    const quantities = ['feeder1.l1.current', 'busbar.l1n.voltage']
    check(
      reconstructs(recorder.lines, {
        id: 'results-beside-readings',
        verifies: ['M:0040/reconstructable'],
        readingsOf: (topic) => (topic.endsWith(end) ? topic.slice(0, -end.length) : undefined),
        of: quantities.map((q) => `gridkey.${q}`),
      }),
    )
    await platform.ask('config', {
      app: 'gridkey',
      intervalSeconds: 10,
      feeders: [1],
      profile: { quantities, outputs: 3 },
    })
    const part = time.horizon / 2
    await time.pass(part)
    const silent = gridkey.inflict('no-reply')
    await time.pass('25 s')
    silent.lift()
    await time.pass(part - 25_000)
    await recorder.collect()
  },
})
