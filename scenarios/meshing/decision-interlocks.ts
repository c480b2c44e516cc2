/**
 * What keeps LoadSense from closing the breakers although relief is needed, each alone: voltages, flags and contacts of any
 * phase, the isolation switch. Without it the networks are meshed at once.
 */
import { decisionFollowsRules, scenario } from '../../bench/index.ts'
import { breaker, calm, quick, roomy, walkApart } from './_rows.ts'
import type { Row } from './_rows.ts'

const well = { bus: 241, cable: 239 } as const
const flag = (
  f:
    | 'lockout'
    | 'reclosing'
    | 'overcurrent'
    | 'cable-fault'
    | 'over-temperature'
    | 'energy-low'
    | 'local-control'
    | 'operation-failed'
    | 'self-test'
    | 'stale',
  phase: 'l1' | 'l2' | 'l3',
): Omit<Row, 'name'> => breaker({ flags: [f] }, { flags: [] }, phase)

const rows: readonly Row[] = [
  {
    name: 'breakers: the cable is 5.1 V below the busbar',
    ...breaker({ bus: 241, cable: 235.9 }, well, 'l3'),
  },
  { name: 'breakers: one is in local control', ...flag('local-control', 'l2') },
  { name: 'switch: it is engaged', flip: { isolation: true }, back: { isolation: false } },
  { name: 'breakers: one tells of an overcurrent', ...flag('overcurrent', 'l3') },
  { name: 'breakers: one is locked out', ...flag('lockout', 'l1') },
  { name: 'breakers: one goes through its reclose cycle', ...flag('reclosing', 'l2') },
  { name: 'breakers: both sides are below 216.2 V', ...breaker({ bus: 216.1, cable: 216.1 }, well, 'all') },
  { name: 'breakers: both sides are above 253.0 V', ...breaker({ bus: 253.1, cable: 253.1 }, well, 'all') },
  { name: 'breakers: one cable is above 253.0 V', ...breaker({ bus: 251, cable: 253.1 }, well, 'l2') },
  { name: 'breakers: a cable is dead', ...breaker({ cable: 0.4 }, well, 'l1') },
  {
    name: 'switch: its contact is not valid',
    flip: { told: { 'isolation.engaged': 'invalid' } },
    back: { told: { 'isolation.engaged': null } },
  },
  { name: 'breakers: a cable has been seen faulty', ...flag('cable-fault', 'l1') },
  { name: 'breakers: one is too hot', ...flag('over-temperature', 'l2') },
  { name: 'breakers: one has no energy to open again', ...flag('energy-low', 'l3') },
  { name: 'breakers: one has failed at its last operation', ...flag('operation-failed', 'l1') },
  { name: 'breakers: one has failed its self-test', ...flag('self-test', 'l2') },
]

export default scenario({
  title: 'LoadSense never closes breakers onto a voltage, a fault or a person',
  verifies: ['M:0044/decides-to-mesh', 'M:0046/right-decision', 'I:0073/pre-defined-logic'],
  needs: ['platform', 'advisers'],
  catches: {
    'loadsense-app/ignores-voltages': 'M:0044/decides-to-mesh',
    'loadsense-app/looks-at-the-busbar-alone': 'M:0046/right-decision',
    'loadsense-app/looks-at-l1-alone': 'M:0046/right-decision',
    'loadsense-app/ignores-faults': 'M:0044/decides-to-mesh',
    'loadsense-app/ignores-lockout-of-breakers': 'M:0044/decides-to-mesh',
    'loadsense-app/ignores-reclosing': 'M:0044/decides-to-mesh',
    'loadsense-app/ignores-local-control': 'M:0044/decides-to-mesh',
    'loadsense-app/ignores-isolation': 'M:0044/decides-to-mesh',
  },
  horizon: '6 min',
  short: '85 s',
  prove: '140 s',
  async run({ platform, advisers, time, note, check }) {
    await platform.ask('operator', { do: 'change', app: 'loadsense', config: quick.config })
    // What is told before it listens again is lost.
    await time.pass('2 s')
    check(
      decisionFollowsRules({
        within: quick.within,
        rules: quick.rules,
        verifies: ['M:0044/decides-to-mesh', 'M:0046/right-decision', 'I:0073/pre-defined-logic'],
      }),
    )
    await advisers.advise({ ...calm, ...roomy })
    await time.pass('3 s')
    await walkApart({ advisers, time, note }, rows)
  },
})
