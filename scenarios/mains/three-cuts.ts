/**
 * Power goes three times within five minutes, while rows are being stored, uploaded and recorded. On a disk that loses what
 * was not flushed, nothing that was acknowledged is lost, and the platform does afterwards what it did before.
 */
import {
  arrivesEvery,
  backInService,
  keptThrough,
  nothingLost,
  scenario,
  temperatureChannels,
  uploadSome,
} from '../../bench/index.ts'

export default scenario({
  title:
    'Three cuts within five minutes lose nothing that was acknowledged, and the platform comes back by itself',
  verifies: [
    'S:007/three-cuts',
    'S:007/no-lasting-error',
    'M:0042/non-volatile',
    'M:004/non-volatile',
    'M:0073/queue',
    'API:7/nothing-lost',
  ],
  needs: ['platform', 'thermocouple', 'storage', 'recorder', 'mains'],
  catches: {
    'data-storage/wal-normal': 'API:7/nothing-lost',
    'data-storage/no-fsync': 'API:7/nothing-lost',
    'data-storage/acks-before-commit': 'S:007/no-lasting-error',
    'data-storage/forgets-reports-at-a-restart': 'M:0073/queue',
    'data-storage/left-locked': 'S:007/three-cuts',
    'csv-recorder/no-fsync': 'M:0042/non-volatile',
    'csv-recorder/keeps-a-minute-in-memory': 'M:004/non-volatile',
    'container-manager/renames-without-fsync': 'S:007/no-lasting-error',
    'container-manager/overwrites-in-place': 'S:007/no-lasting-error',
    'container-manager/gives-up-at-the-fourth-boot': 'S:007/three-cuts',
  },
  horizon: '8 min',
  short: '100 s',
  // A minute in memory shows only where there is more than a minute between two cuts.
  prove: { 'csv-recorder/keeps-a-minute-in-memory': '8 min', others: '100 s' },
  async run({ platform, thermocouple, storage, recorder, mains, time, check }) {
    thermocouple.set('ambient', { mean: 1, swing: 6, period: '6 min' })
    thermocouple.set('indoor', { mean: 14, swing: 3, period: '6 min' })
    thermocouple.set('top_oil', { mean: 48, swing: 12, period: '6 min' })
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 5 })
    const needs = ['durability']
    const readings = platform.watch('marketplace', 'thermocouple.*')
    check(
      nothingLost(storage.sent, platform.watch('upload', 'upload.*'), {
        id: 'nothing-lost',
        verifies: ['S:007/no-lasting-error', 'M:0073/queue', 'API:7/nothing-lost'],
        within: '30 s',
        needs,
      }),
    )
    check(
      keptThrough(
        readings,
        { ...recorder.lines, select: 'thermocouple.*' },
        {
          id: 'recorded',
          verifies: ['S:007/no-lasting-error', 'M:0042/non-volatile', 'M:004/non-volatile'],
          start: '3 s',
          settle: '2 s',
          needs,
        },
      ),
    )
    check(
      // Data Storage says so when it hears again what it is to store.
      backInService([readings, platform.watch('log', 'log.hears')], {
        verifies: ['S:007/three-cuts'],
        within: '20 s',
        cuts: 3,
      }),
    )
    let last = 0
    const publish = (n: number): Promise<void> => {
      const messages = Array.from({ length: n }, () => `{"Timestamp":1,"Value":${++last},"ToStore":true}`)
      return storage.publish({ messages, kept: true })
    }

    const start = time.now()
    await time.pass('8 s')
    await publish(40)
    const plan = time.horizon > 400_000 ? mains.threeInFiveMinutes() : threeInAMinute
    const began = time.now()
    for (const outage of plan) {
      const before = began + outage.at - time.now() - 4_000
      if (before > 0) await time.pass(before)
      await publish(20)
      await uploadSome(platform, 20)
      // The broker's word comes before Data Storage's: what is on its way between the two is not judged.
      await time.pass('2500 ms')
      await mains.cut({ for: `${outage.for} ms` })
      await time.pass('9 s')
    }
    await time.pass('3 s')
    check(
      arrivesEvery('5 s', readings, {
        id: 'goes-on',
        verifies: ['S:007/no-lasting-error'],
        gap: '±2 s',
        drift: '10 %',
        channels: temperatureChannels,
        needs,
      }),
    )
    await publish(20)
    await time.pass(Math.max(20_000, start + time.horizon - time.now() - 3_000))
    await platform.ask('upload', { do: 'drain', name: 'drained', request: {} })
    await recorder.collect()
  },
})

/** For a short run. Each comes while the platform has just come back from the one before. */
const threeInAMinute = [
  { at: 6_000, for: 2_000 },
  { at: 22_000, for: 1_000 },
  { at: 38_000, for: 3_000 },
] as const
