/**
 * The peer falls silent while the networks are meshed: the mesh is kept for a quarter of an hour, then parted where the local
 * load allows, else kept with an alarm. Without the peer no mesh is begun. A short run has 20 s in place of 15 min.
 */
import { decisionFollowsRules, eventually, scenario } from '../../bench/index.ts'
import { calm, evening, quick, roomy } from './_rows.ts'

// Heard, the peer would have the mesh go on; the little that comes to it from here it can carry.
const busy = { peer: { ...roomy.peer, forecast: 720 } }
const needy = { local: { ...evening.local, feeder: 20 } }

export default scenario({
  title: 'LoadSense keeps a mesh for 15 min without its peer, then parts if it can, and begins none',
  verifies: ['M:0044/uses-peer-data', 'M:0045/decides-to-part', 'M:0046/right-decision', 'I:0098/peer'],
  needs: ['platform', 'advisers'],
  catches: {
    'loadsense-app/parts-at-once-without-the-peer': 'M:0045/decides-to-part',
    'loadsense-app/keeps-the-mesh-without-the-peer': 'M:0045/decides-to-part',
    'loadsense-app/parts-whatever-the-load': 'M:0045/decides-to-part',
    'loadsense-app/meshes-without-the-peer': 'M:0044/uses-peer-data',
    'loadsense-app/ignores-peer-age': 'M:0045/decides-to-part',
    'loadsense-app/never-parts': 'M:0045/decides-to-part',
    'loadsense-app/gives-no-alarm': 'M:0046/right-decision',
  },
  horizon: '40 min',
  short: '95 s',
  async run({ platform, advisers, time, note, check }) {
    const whole = time.horizon > 1_800_000
    const [age, lost] = whole ? [120, 900] : [12, 20]
    await platform.ask('operator', {
      do: 'change',
      app: 'loadsense',
      config: { ...quick.config, peerLost: lost, age: { data: age + 3, alive: age } },
    })
    await time.pass('2 s')
    const rules = {
      ...quick.rules,
      peerLost: lost,
      age: { measured: age + 3, forecast: 3900, breakers: 90, alive: age },
    }
    const o = { within: quick.within, rules }
    check(
      decisionFollowsRules({
        ...o,
        id: 'parts',
        only: 'open',
        verifies: ['M:0045/decides-to-part', 'M:0046/right-decision'],
      }),
    )
    check(
      decisionFollowsRules({
        ...o,
        id: 'meshes',
        only: 'close',
        verifies: ['M:0044/uses-peer-data', 'I:0098/peer'],
      }),
    )
    check(
      eventually(
        platform.watch('marketplace', 'error.eatl_loadsense_01'),
        (e) => JSON.stringify(e.data).includes('peer-lost'),
        {
          id: 'alarm',
          limit: 'an error of LoadSense says that the peer is lost',
          verifies: ['M:0046/right-decision'],
        },
      ),
    )
    const items = advisers.items.filter((i) => i.startsWith('peer.'))
    const silent = { told: Object.fromEntries(items.map((i) => [i, 'missing' as const])) }
    const heard = { told: Object.fromEntries(items.map((i) => [i, null])) }
    await advisers.advise({ ...needy, ...busy })
    await time.pass('4 s')
    note('row peer: it is silent, and the local transformer could do alone')
    await advisers.advise({ local: { ...calm.local, forecast: 700, feeder: 20 } })
    await advisers.advise(silent)
    await time.pass((lost + 8) * 1000)
    note('row peer: still silent, and needed: no mesh')
    await advisers.advise(needy)
    await time.pass('8 s')
    note('row peer: heard again')
    await advisers.advise({ ...heard, ...busy })
    await time.pass('6 s')
    note('row peer: silent, and the local transformer cannot do alone')
    await advisers.advise(silent)
    await time.pass((lost + 12) * 1000)
    note('row peer: still silent, and calm at last')
    await advisers.advise(calm)
    await time.pass('8 s')
  },
})
