/**
 * What LoadSense is told of loads, ratings and the peer, each item alone flipped: with it the networks stay apart, without
 * it they are meshed, and on a calm night they part again.
 */
import { commandsEveryPhase, decisionFollowsRules, scenario } from '../../bench/index.ts'
import { calm, evening, quick, roomy, told, walkApart } from './_rows.ts'
import type { Row } from './_rows.ts'

const rows: readonly Row[] = [
  {
    name: 'forecast: one half-hour above the rating is not two',
    flip: { local: { forecast: [720, 900, 700] } },
    back: evening,
  },
  { name: 'rating: high enough for the whole evening', flip: { local: { rating: 901 } }, back: evening },
  { name: 'peer: its forecast leaves no room', flip: { peer: { forecast: 598 } }, back: roomy },
  {
    name: 'present: the load is the rating, and no more',
    flip: { local: { forecast: 500, current: [830, 830, 830] } },
    back: { local: { current: [840, 835, 838] } },
  },
  { name: 'peer: its app says that it is away', flip: { peer: { alive: false } }, back: roomy },
  {
    name: 'rating: the hot spot is at its limit, and no more',
    flip: { local: { forecast: 500, hotSpot: 120 } },
    back: { local: { hotSpot: 121 } },
  },
  { name: 'forecast: it is not valid', ...told('predictor.transformer.forecast', 'invalid') },
  { name: 'rating: it is not valid', ...told('dtr.transformer.rating.forecast', 'invalid') },
  { name: 'peer: one of its far breakers is open', flip: { peer: { breakers: [1, 2, 1] } }, back: roomy },
  { name: 'forecast: at the rating, and not above it', flip: { local: { forecast: 830 } }, back: evening },
  {
    name: 'forecast: above it only after four hours',
    flip: { local: { forecast: [720, 700, 700, 700, 700, 700, 700, 700, 700, 900] } },
    back: evening,
  },
  {
    name: 'peer: its rating falls within the planned four hours',
    flip: { peer: { rating: [830, 830, 500] } },
    back: roomy,
  },
  {
    name: 'peer: its forecast ends too soon to tell',
    flip: { told: { 'peer.partner.feeder.forecast': 'invalid' } },
    back: { told: { 'peer.partner.feeder.forecast': null } },
  },
  {
    name: 'peer: it needs help itself, and here is no room',
    flip: { peer: { hotSpot: 125 }, local: { ...evening.local, rating: 899 } },
    back: { ...roomy, ...evening },
  },
  { name: 'peer: its load is not valid', ...told('peer.partner.current.l3', 'invalid') },
  { name: 'peer: what it measured is dated ahead', ...told('peer.partner.current.l1', { ahead: 200 }) },
  {
    name: 'data: the forecast of the shared feeder is not valid',
    ...told('predictor.feeder.forecast', 'invalid'),
  },
  {
    name: 'peer: only it needs help, and here is no room',
    flip: { ...calm, local: { ...calm.local, forecast: 600 }, peer: { hotSpot: 125 } },
    back: { local: { forecast: 500 } },
  },
]

export default scenario({
  title: 'LoadSense meshes when forecast, rating and peer together ask for it, and each of them bears on it',
  verifies: ['M:0044', 'M:0045', 'M:0046/right-decision', 'I:0073', 'I:0094', 'I:0095', 'I:0098'],
  needs: ['platform', 'advisers'],
  catches: {
    'loadsense-app/ignores-forecast': 'M:0044/uses-load-forecast',
    'loadsense-app/ignores-rating': 'M:0044/uses-thermal-rating',
    'loadsense-app/ignores-hot-spot': 'I:0098/weathersense',
    'loadsense-app/ignores-present-load': 'I:0094/real-time',
    'loadsense-app/ignores-own-need': 'I:0094/predicted',
    'loadsense-app/ignores-room': 'M:0044/uses-peer-data',
    'loadsense-app/ignores-far-breakers': 'I:0098/peer',
    'loadsense-app/meshes-at-dead-peer': 'M:0044/uses-peer-data',
    'loadsense-app/believes-the-invalid': 'M:0046/right-decision',
    'loadsense-app/never-parts': 'M:0045/decides-to-part',
    'loadsense-app/takes-a-minute': 'I:0095/immediate',
    'loadsense-app/commands-l1-alone': 'M:0044/instructs',
    'loadsense-app/commands-slowly': 'M:0045/instructs',
    'loadsense-app/commands-are-not-stored': 'M:0044/instructs',
  },
  horizon: '7 min',
  short: '85 s',
  prove: {
    others: '150 s',
    'loadsense-app/believes-the-invalid': '4 min',
    'loadsense-app/ignores-far-breakers': '4 min',
  },
  async run({ platform, advisers, time, note, check }) {
    await platform.ask('operator', { do: 'change', app: 'loadsense', config: quick.config })
    // What is told before it listens again is lost.
    await time.pass('2 s')
    const o = { within: quick.within, rules: quick.rules }
    check(
      decisionFollowsRules({
        ...o,
        id: 'meshes',
        verifies: ['M:0044/decides-to-mesh', 'M:0046/right-decision', 'I:0073'],
        only: 'close',
      }),
    )
    check(
      decisionFollowsRules({
        ...o,
        id: 'parts',
        verifies: ['M:0045/decides-to-part', 'M:0046/right-decision', 'I:0073'],
        only: 'open',
      }),
    )
    for (const [id, about, verifies] of [
      [
        'by-forecast',
        /^row forecast/,
        ['M:0044/uses-load-forecast', 'I:0098/load-profile', 'I:0094/predicted'],
      ],
      ['by-rating', /^row rating/, ['M:0044/uses-thermal-rating', 'I:0098/weathersense', 'I:0095']],
      ['by-peer', /^row peer/, ['M:0044/uses-peer-data', 'I:0098/peer']],
      ['by-load', /^row present/, ['I:0094/real-time']],
    ] as const)
      check(decisionFollowsRules({ ...o, id, verifies, rows: about, only: 'close' }))
    check(
      commandsEveryPhase({ id: 'closes-all', verifies: ['M:0044/instructs'], between: '1 s', only: 'close' }),
    )
    check(
      commandsEveryPhase({ id: 'opens-all', verifies: ['M:0045/instructs'], between: '1 s', only: 'open' }),
    )
    await advisers.advise({ ...calm, ...roomy })
    await time.pass('3 s')
    await walkApart({ advisers, time, note }, rows)
  },
})
