/**
 * Apps of third parties publish results, as algorithms do, beside the recorder; one of them, installed but without a
 * configuration, begins only when the recorder has been at work for a while. The recorder is told of none of them.
 */
import { attributable, recordsAll, recordsAtRate, recordsTruly, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'Results of any app are recorded by its name, also of one that begins long after the recorder',
  verifies: ['M:0039/every-app', 'M:0042/calculated', 'M:0041', 'M:0043', 'I:0090/app-output'],
  needs: ['platform', 'scripted', 'recorder'],
  catches: {
    'csv-recorder/deaf-to-newcomers': 'M:0039/every-app',
    'csv-recorder/only-sensors': 'I:0090/app-output',
    'csv-recorder/truncates-payload': 'M:0042/calculated',
    'csv-recorder/wrong-publisher': 'M:0041/attributable',
    'csv-recorder/every-other-output': 'M:0043/same-rate',
  },
  horizon: '30 min',
  short: '100 s',
  prove: '5 min',
  async run({ platform, scripted, recorder, time, check }) {
    const { lines } = recorder
    const all = platform.watch('marketplace', '*')
    const start = '3 s'
    check(
      recordsAll(all, lines, {
        id: 'every-app',
        verifies: ['M:0039/every-app', 'I:0090/app-output'],
        start,
        publishers: scripted.all.map((a) => a.iid),
      }),
    )
    check(recordsTruly(all, lines, { id: 'as-published', verifies: ['M:0042/calculated'], start }))
    check(attributable(all, lines, { id: 'by-name', verifies: ['M:0041'], start }))
    check(recordsAtRate(all, lines, { id: 'as-often', verifies: ['M:0043'], start }))

    const end = 10_000
    const part = (time.horizon - end) / 2
    await time.pass(part)
    await platform.ask('operator', { do: 'configure', app: 'bare', config: { name: 'bare', pulse: 7 } })
    await time.pass(part + end)
    await recorder.collect()
  },
})
