/**
 * The platform boots with a clock that begins in 1970, for it has lost its time and no source answers; minutes later the
 * source is there, and the clock jumps by half a century. Readings flow all the while, stamped by the clock as it is, and
 * what is recorded stays in the order in which it was published, whatever its stamps say.
 */
import {
  always,
  arrivesEvery,
  gridkeyChannels,
  recordsAll,
  recordsTruly,
  scenario,
  stampedByHostClock,
} from '../../bench/index.ts'
import type { Event } from '../../bench/faces.ts'

const channels = gridkeyChannels.filter((c) => c.includes('.busbar.') || c.includes('.feeder1.'))

/** Whether the line's column of the time stamp says what its message says. A recorder may have no such column. */
function sameStamp(e: Event): boolean {
  const d = e.data as {
    readonly columns?: { readonly timestamp?: unknown }
    readonly payload?: { readonly Timestamp?: unknown }
  }
  const said = d.columns?.timestamp ?? null
  return said === null || said === String(d.payload?.Timestamp)
}

export default scenario({
  title:
    'A platform that boots in 1970 measures and records all the same, and again when its clock is put right',
  verifies: [
    'APPC:2.6/platform-clock',
    'APPC:2.6/after-a-step',
    'APPC:2.6/keeps-its-interval',
    'M:0022/timestamp',
    'M:0039/every-value',
    'M:0040/timestamped',
    'M:0042/measured',
  ],
  needs: ['platform', 'gridkey', 'clock', 'recorder'],
  catches: {
    'gridkey-app/stamps-by-a-clock-of-its-own': 'APPC:2.6/after-a-step',
    'gridkey-app/stamps-by-the-monitor': 'APPC:2.6/platform-clock',
    'gridkey-app/waits-for-a-plausible-clock': 'APPC:2.6/keeps-its-interval',
    'csv-recorder/drops-what-is-too-old': 'M:0039/every-value',
    'csv-recorder/own-time-as-message-time': 'M:0040/timestamped',
    'csv-recorder/truncates-payload': 'M:0042/measured',
    'csv-recorder/last-first': 'M:0039/every-value',
  },
  horizon: '6 min',
  short: '2 min',
  prove: '6 min',
  async run({ platform, gridkey, clock, recorder, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 10, feeders: [1] })
    const feeder = platform.watch('marketplace', 'gridkey.*')
    check(
      stampedByHostClock(feeder, {
        id: 'stamps',
        verifies: ['APPC:2.6/after-a-step', 'APPC:2.6/platform-clock', 'M:0022/timestamp'],
        within: '2 s',
        steps: 2,
      }),
    )
    await time.pass('15 s')
    const unset = clock.inflict('unset')
    await platform.ask('machine', { do: 'restart' })
    await time.pass('5 s')
    const lines = { ...recorder.lines, select: 'gridkey.*' }
    const needs = ['clock']
    check(
      arrivesEvery('10 s', feeder, {
        id: 'interval',
        verifies: ['APPC:2.6/keeps-its-interval'],
        gap: '±2 s',
        drift: '2 %',
        channels,
        start: '25 s',
        stamps: 'free',
        needs,
      }),
    )
    check(
      recordsAll(feeder, lines, { id: 'in-order', verifies: ['M:0039/every-value'], start: '15 s', needs }),
    )
    check(
      recordsTruly(feeder, lines, {
        id: 'as-published',
        verifies: ['M:0042/measured'],
        start: '15 s',
        needs,
      }),
    )
    check(
      always(lines, sameStamp, {
        id: 'stamps-recorded',
        limit: 'each line has the time stamp of its message, of 1970 or of today',
        verifies: ['M:0040/timestamped'],
        needs,
      }),
    )
    const part = (time.horizon - 30_000) / 2
    await time.pass(part)
    unset.lift()
    await time.pass(part)
    await recorder.collect()
  },
})
