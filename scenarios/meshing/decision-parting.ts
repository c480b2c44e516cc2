/**
 * Meshed networks: each thing that keeps them meshed on a calm night, alone; and what parts them at once, need or no need.
 */
import { commandsEveryPhase, decisionFollowsRules, scenario } from '../../bench/index.ts'
import { breaker, calm, evening, quick, roomy, told, walkMeshed } from './_rows.ts'
import type { Row } from './_rows.ts'

const rows: readonly Row[] = [
  { name: 'forecast: the peer alone would have too much', flip: { peer: { forecast: 706 } }, back: roomy },
  { name: 'peer: its load is not valid', ...told('peer.partner.current.l1', 'invalid') },
  { name: 'breakers: one is in local control', ...breaker({ flags: ['local-control'] }, { flags: [] }) },
  { name: 'switch: it is engaged', flip: { isolation: true }, back: { isolation: false } },
  {
    name: 'forecast: too much here in the second hour',
    flip: { local: { forecast: [500, 500, 706, 500] } },
    back: calm,
  },
  { name: 'rating: less in the second hour', flip: { local: { rating: [830, 560] } }, back: calm },
  { name: 'data: the local hot spot is not valid', ...told('dtr.transformer.hot_spot', 'invalid') },
  { name: 'peer: its app says that it is away', flip: { peer: { alive: false } }, back: roomy },
]

export default scenario({
  title: 'LoadSense parts the networks when either side can do alone, at once on a fault, and not before',
  verifies: ['M:0045', 'M:0046/right-decision', 'I:0073/pre-defined-logic'],
  needs: ['platform', 'advisers'],
  catches: {
    'loadsense-app/never-parts': 'M:0045/decides-to-part',
    'loadsense-app/parts-by-its-own-load-alone': 'M:0045/decides-to-part',
    'loadsense-app/ignores-local-control': 'M:0045/decides-to-part',
    'loadsense-app/ignores-isolation': 'M:0045/decides-to-part',
    'loadsense-app/believes-the-invalid': 'M:0045/decides-to-part',
    'loadsense-app/meshes-at-dead-peer': 'M:0045/decides-to-part',
    'loadsense-app/ignores-faults': 'M:0046/right-decision',
    'loadsense-app/ignores-lockout-of-breakers': 'M:0046/right-decision',
    'loadsense-app/commands-l1-alone': 'M:0045/instructs',
  },
  horizon: '6 min',
  short: '85 s',
  prove: { others: '3 min', 'loadsense-app/meshes-at-dead-peer': '6 min' },
  async run({ platform, advisers, time, note, check }) {
    await platform.ask('operator', { do: 'change', app: 'loadsense', config: quick.config })
    // What is told before it listens again is lost.
    await time.pass('2 s')
    check(
      decisionFollowsRules({
        within: quick.within,
        rules: quick.rules,
        only: 'open',
        verifies: ['M:0045/decides-to-part', 'M:0046/right-decision', 'I:0073/pre-defined-logic'],
      }),
    )
    check(commandsEveryPhase({ verifies: ['M:0045/instructs'], between: '1 s', only: 'open' }))
    await advisers.advise({ ...calm, ...roomy })
    await time.pass('3 s')
    // At once, though the mesh is needed: a fault, a lockout, and a load that only the mesh brings.
    for (const [what, change, back] of [
      [
        'row breakers: one tells of a fault',
        { breakers: { l2: { flags: ['cable-fault'] } } },
        { breakers: { l2: { flags: [] } } },
      ],
      [
        'row breakers: one is locked out',
        { breakers: { l3: { flags: ['lockout'] } } },
        { breakers: { l3: { flags: [] } } },
      ],
      ['row peer: the mesh gives it too much', { peer: { current: [840, 840, 840] } }, roomy],
    ] as const) {
      note(what)
      await advisers.advise(evening)
      await time.pass('5 s')
      await advisers.advise(change)
      await time.pass('5 s')
      await advisers.advise({ ...calm, ...back })
      await time.pass('4 s')
    }
    await walkMeshed({ advisers, time, note }, rows)
  },
})
