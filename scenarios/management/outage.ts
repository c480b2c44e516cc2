/**
 * Power goes while records are stored at an even pace, twice, for different lengths; in between the app alone is
 * restarted. After each outage the platform's log tells how long it was and what is missing, as far as its signs of life and
 * its records tell, and the management server gets word of it.
 */
import { reportsOutages, scenario } from '../../bench/index.ts'

export default scenario({
  title:
    'After a loss of power the platform reports how long it was off and what it lost, and no more than it knows',
  verifies: [
    'S:006/time-offline',
    'S:006/data-lost',
    'S:006/serial-number',
    'S:006/location',
    'S:006/last-record',
    'S:006/restoration',
    'S:006/notification',
  ],
  needs: ['platform', 'storage', 'management', 'mains'],
  catches: {
    'comms-app/no-notice': 'S:006/notification',
    'comms-app/outage-too-short': 'S:006/time-offline',
    'comms-app/signs-rarely': 'S:006/time-offline',
    'comms-app/no-serial-number': 'S:006/serial-number',
    'comms-app/no-location': 'S:006/location',
    'comms-app/sign-for-record': 'S:006/last-record',
    'comms-app/restored-at-the-cut': 'S:006/restoration',
    'comms-app/counts-no-losses': 'S:006/data-lost',
    'comms-app/restarts-are-outages': 'S:006/time-offline',
  },
  horizon: '10 min',
  short: '130 s',
  prove: '130 s',
  async run({ platform, storage, management, mains, time, check }) {
    const series = {
      reports: platform.watch('log', 'log.outage'),
      notices: management.notices,
      mains: mains.events,
      published: storage.sent,
    }
    const known = {
      life: management.life,
      serial: management.serial,
      location: management.location,
      interval: '4 s',
    }
    const judged = {
      span: ['S:006/time-offline', 'S:006/restoration'],
      names: ['S:006/serial-number', 'S:006/location'],
      records: ['S:006/last-record', 'S:006/data-lost'],
      notice: ['S:006/notification'],
    } as const
    for (const [judges, verifies] of Object.entries(judged) as [keyof typeof judged, readonly string[]][])
      check(reportsOutages(series, { ...known, judges, verifies }))
    let n = 0
    const record = async (count: number): Promise<void> => {
      for (let k = 0; k < count; k++) {
        await storage.publish({
          messages: [`{"Timestamp":1,"Value":${++n},"ToStore":true,"n":${n}}`],
          kept: true,
        })
        await time.pass('4 s')
      }
    }
    const lengths = time.horizon > 400_000 ? [21, 7, 64, 33, 120] : [21, 13]
    for (const [k, seconds] of lengths.entries()) {
      await record(8)
      if (k > 0) {
        await platform.ask('operator', { do: 'restart', app: 'comms' })
        await record(3)
      }
      // At any distance from the last sign of life.
      await time.pass(`${300 + 1_100 * (k % 4)} ms`)
      await mains.cut({ for: `${seconds} s` })
      await time.pass('8 s')
    }
    await time.pass('18 s')
  },
})
