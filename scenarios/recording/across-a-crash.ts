/**
 * The recorder's process is killed in the middle of an output, and again a while later. The Container Manager starts it
 * again; what was published meanwhile waits for it at the marketplace. A process that ends loses nothing that it has
 * acknowledged, and records nothing twice. (What a loss of power may cost is another matter: it takes a disk whose
 * unflushed bytes can be taken away.)
 */
import { recordsAll, recordsTruly, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'A crash of the CSV recorder loses nothing and doubles nothing',
  verifies: ['M:0039/every-value', 'M:0042/measured', 'I:0091/all-traffic'],
  needs: ['platform', 'gridkey', 'recorder'],
  catches: {
    'csv-recorder/loses-what-it-missed': 'M:0039/every-value',
    'csv-recorder/keeps-a-minute-in-memory': 'M:0039/every-value',
    'csv-recorder/doubles-after-restart': 'M:0039/every-value',
    'csv-recorder/overwrites-at-start': 'I:0091/all-traffic',
    'csv-recorder/truncates-payload': 'M:0042/measured',
  },
  horizon: '10 min',
  short: '90 s',
  prove: '6 min',
  async run({ platform, gridkey, recorder, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 10 })
    const all = platform.watch('marketplace', '*')
    check(
      recordsAll(all, recorder.lines, {
        id: 'nothing-lost-or-doubled',
        verifies: ['M:0039/every-value', 'I:0091/all-traffic'],
        // What waits at the marketplace is recorded when the recorder is back.
        within: '2 min',
        start: '3 s',
      }),
    )
    check(
      recordsTruly(all, recorder.lines, {
        id: 'as-published',
        verifies: ['M:0042/measured'],
        within: '2 min',
        start: '3 s',
      }),
    )
    const part = (time.horizon - 20_000) / 3
    await time.pass(part)
    recorder.crash(platform.watch('marketplace', 'gridkey.feeder3.*'))
    await time.pass(part)
    recorder.crash(platform.watch('marketplace', 'gridkey.feeder1.*'))
    await time.pass(part + 20_000)
    await recorder.collect()
  },
})
