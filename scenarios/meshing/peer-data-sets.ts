/**
 * What LoadSense needs of the linked substation is carried from each platform to the other: forecasts, ratings, voltages,
 * currents, breakers. Then each end is told to carry something else, and carries that and nothing more.
 */
import { carriedOver, scenario } from '../../bench/index.ts'
import { tell } from './_peers.ts'

export default scenario({
  title:
    'Two platforms carry to each other what they are configured to, unchanged, in time, and nothing else',
  verifies: [
    'M:0018/sends',
    'M:0018/receives',
    'M:0087',
    'M:0088',
    'I:0012',
    'I:0027',
    'I:00144',
    'I:00145',
    'I:00146/transfer',
    'I:00148',
  ],
  needs: ['platform', 'platform2', 'peers'],
  catches: {
    'peer-app/first-data-set-for-ever': 'M:0088/configurable',
    'peer-app/adds-to-the-data-set': 'M:0088/configurable',
    'peer-app/leaves-out-the-last': 'M:0088/configurable',
    'peer-app/own-time-stamps': 'M:0087/voltage',
    'peer-app/whole-numbers': 'M:0087/current',
    'peer-app/always-valid': 'I:00144/operation',
    'peer-app/mixes-phases': 'I:00145/voltage',
    'peer-app/says-nothing': 'I:0012/outgoing',
    'peer-app/cuts-long-values': 'M:0087/load-forecast',
    'peer-app/tells-old-news': 'M:0087/thermal-rating',
  },
  horizon: '6 min',
  short: '70 s',
  prove: '2 min',
  async run({ peers, time, check }) {
    const { carried } = peers
    // Nothing is wrong with the link here.
    const quick = { start: '15 s', recovery: '10 s' }
    const part = (id: string, names: readonly string[], verifies: readonly string[]): void =>
      check(carriedOver({ id, carried, names, verifies, ...quick }))
    part('voltages', ['voltage'], ['M:0087/voltage', 'I:00145/voltage', 'I:00144/operation'])
    part('currents', ['current'], ['M:0087/current', 'I:00145/current', 'I:00144/operation'])
    part('breakers', ['breaker'], ['I:00144/status'])
    part(
      'forecasts',
      ['transformer/forecast', 'feeder/forecast'],
      ['M:0087/load-forecast', 'I:00145/load-forecast'],
    )
    part('ratings', ['rating/forecast', 'hot_spot'], ['M:0087/thermal-rating', 'I:00145/weathersense'])
    check(
      carriedOver({
        id: 'data-set',
        carried,
        ...quick,
        verifies: [
          'M:0088/configurable',
          'M:0018/sends',
          'M:0018/receives',
          'I:0012',
          'I:0027/loadsense-data',
          'I:00146/transfer',
          'I:00148',
        ],
      }),
    )
    await time.pass('10 s')
    const names = carried.map((e) => e.name)
    const third = (time.horizon - 10_000) / 3
    let n = await tell(peers, time, names, third, 0)
    // Another set at one end: less of it, and one under another name.
    const few = carried.filter((e) => ['hot_spot', 'voltage/l1', 'rating/forecast'].includes(e.name))
    const current = carried.find((e) => e.name === 'current/l1')
    await peers.carry('a', [...few, { name: 'load/l1', topic: current?.topic ?? '' }])
    n = await tell(peers, time, [...names, 'load/l1'].slice(3), third, n)
    // And one at the other.
    await peers.carry('b', [...few.slice(1), { name: 'load/l1', topic: current?.topic ?? '' }])
    await tell(peers, time, names, third, n)
  },
})
