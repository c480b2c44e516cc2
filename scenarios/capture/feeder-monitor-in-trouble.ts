/**
 * The feeder monitor in every kind of trouble: messages go on with new stamps, Valid false while there is nothing to
 * trust, and values again soon after. A current transformer put on the wrong way round is told by nothing: there the
 * platform must show what the monitor says.
 */
import {
  equalsTruth,
  flowsWhateverHappens,
  gridkeyChannels,
  invalidDuring,
  scenario,
} from '../../bench/index.ts'

const feeders = [1, 2]
const channels = gridkeyChannels.filter(
  (c) => c.includes('.busbar.') || c.includes('.feeder1.') || c.includes('.feeder2.'),
)

/** Faults in order, what they are given, and for how many seconds they last. The first three make the short run. */
const spells: readonly (readonly [
  name: string,
  params: { readonly [k: string]: number | string },
  seconds: number,
])[] = [
  ['dead', {}, 30],
  ['freeze', {}, 30],
  ['nan', { of: 'feeder1' }, 20],
  ['half-open', {}, 40],
  ['rst', {}, 30],
  ['no-reply', {}, 30],
  ['exception-busy', {}, 20],
  ['wrong-unit', {}, 20],
  ['wrong-transaction', {}, 20],
  ['truncated', { bytes: 9 }, 20],
  ['slow', { ms: 3000 }, 30],
  ['vt-fuse', { phase: 1 }, 30],
  ['overrange', { feeder: 2, phase: 3 }, 30],
  ['reversed-ct', { feeder: 1 }, 30],
  // Away for 20 s and booting for 30 s: lifted just when it has booted.
  ['reboot', { seconds: 20, boot_seconds: 30 }, 52],
]

export default scenario({
  title:
    'Whatever befalls the feeder monitor, its messages go on, say so when they are not valid, and recover',
  verifies: ['API:4.8', 'APPC:2.5/valid-again', 'M:0022/voltage', 'M:0022/current'],
  needs: ['platform', 'gridkey'],
  catches: {
    'gridkey-app/silent-when-dead': 'API:4.8/keeps-flowing',
    'gridkey-app/valid-when-dead': 'API:4.8/valid-false',
    'gridkey-app/trusts-frozen-samples': 'API:4.8/valid-false',
    'gridkey-app/trusts-every-phase': 'API:4.8/valid-false',
    'gridkey-app/trusts-a-booting-device': 'API:4.8/valid-false',
    'gridkey-app/shows-what-is-no-number': 'API:4.8/valid-false',
    'gridkey-app/stale-timestamp': 'API:4.8/new-timestamp',
    'gridkey-app/gives-up-for-good': 'APPC:2.5/valid-again',
    'gridkey-app/stale-value': 'M:0022/current',
    'gridkey-app/loses-the-sign-of-reactive-power': 'M:0022/current',
  },
  horizon: '13 min',
  short: '2 min',
  prove: '13 min',
  async run({ platform, gridkey, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 10, feeders })
    const all = platform.watch('marketplace', 'gridkey.*')
    check(
      flowsWhateverHappens(all, gridkey, {
        id: 'flow',
        verifies: ['API:4.8', 'APPC:2.5/valid-again'],
        period: '10 s',
        gap: '±2 s',
        recover: '25 s',
        channels,
      }),
    )
    check(
      equalsTruth(all, gridkey, {
        id: 'as-answered',
        verifies: ['M:0022/voltage', 'M:0022/current'],
        within: 'answers',
        channels,
      }),
    )
    const whole = { role: 'gridkey', verifies: ['API:4.8/valid-false'], least: '12 min' } as const
    check(
      invalidDuring(all, {
        ...whole,
        id: 'no-answer',
        faults: [
          'dead',
          'half-open',
          'rst',
          'no-reply',
          'exception-busy',
          'wrong-unit',
          'wrong-transaction',
          'truncated',
          'slow',
        ],
        settle: '12 s',
      }),
    )
    check(invalidDuring(all, { ...whole, id: 'frozen', faults: ['freeze'], settle: '15 s', least: '2 min' }))
    check(
      invalidDuring(platform.watch('marketplace', 'gridkey.feeder1.*'), {
        ...whole,
        id: 'no-number',
        faults: ['nan'],
        settle: '12 s',
        least: '2 min',
      }),
    )
    check(
      invalidDuring(platform.watch('marketplace', 'gridkey.feeder*.l1.*'), {
        ...whole,
        id: 'fuse-lost',
        faults: ['vt-fuse'],
        settle: '12 s',
      }),
    )
    check(
      invalidDuring(platform.watch('marketplace', 'gridkey.feeder2.l3.*'), {
        ...whole,
        id: 'over-range',
        faults: ['overrange'],
        settle: '12 s',
      }),
    )
    check(invalidDuring(all, { ...whole, id: 'booting', faults: ['reboot'], settle: '12 s' }))

    // Faults begin in the middle between two outputs, and so does the time after them.
    await time.pass('25 s')
    const short = time.horizon < 13 * 60_000
    for (const [name, params, seconds] of short ? spells.slice(0, 3) : spells) {
      const fault = gridkey.inflict(name, params)
      await time.pass(seconds * 1000)
      fault.lift()
      const rest = (10 - (seconds % 10)) % 10
      await time.pass(1000 * ((short ? 0 : 20) + rest))
    }
    await time.pass('15 s')
  },
})
