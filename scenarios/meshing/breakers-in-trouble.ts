/**
 * The breakers' line in every kind of trouble, one unit of it and all three: what is read goes on and says so, the other two
 * are read all the same, and it recovers. An uptime of which half is of before the carry is not shown.
 */
import { always, equalsTruth, flowsWhateverHappens, invalidDuring, scenario } from '../../bench/index.ts'
import type { Event } from '../../bench/faces.ts'

const phases = ['l1', 'l2', 'l3'] as const

/** Faults in order, and for how many seconds. The first two make the short run. */
const spells: readonly (readonly [
  name: string,
  params: { readonly [k: string]: number | string },
  seconds: number,
])[] = [
  ['no-reply', { phase: 'l2' }, 30],
  ['unplugged', {}, 30],
  ['crc-error', { phase: 'l2' }, 30],
  ['wrong-unit', { phase: 'l2' }, 30],
  ['busy', { phase: 'l2' }, 30],
  ['truncated', { phase: 'l2', bytes: 5 }, 30],
  ['indeterminate', { phase: 'l2' }, 20],
  ['reboot', { phase: 'l2', seconds: 12 }, 30],
]
const ofL2 = ['no-reply', 'crc-error', 'wrong-unit', 'busy', 'truncated'] as const

/** What an uptime shows of a unit goes on by as much as has passed, or begins anew. */
function goesOn(): (e: Event) => boolean {
  const last = new Map<string, { readonly at: number; readonly uptime: number }>()
  return (e) => {
    const { alias, payload } = e.data as { alias: string; payload: { Valid?: unknown; Value?: unknown } }
    const uptime = payload.Value
    if (payload.Valid !== true || typeof uptime !== 'number') return true
    const before = last.get(alias)
    last.set(alias, { at: e.at, uptime })
    if (before === undefined) return true
    const passed = (e.at - before.at) / 1000
    const carried = before.uptime < 65_536 && before.uptime + passed >= 65_530
    return Math.abs(uptime - before.uptime - passed) <= 6 || (uptime <= passed + 6 && !carried)
  }
}

export default scenario({
  title: 'Whatever befalls the breakers and their line, readings go on, say so, and recover',
  verifies: ['API:4.8', 'M:0028/from-breaker', 'M:0030/every-minute', 'M:0029/uptime', 'M:0029/fault-status'],
  needs: ['platform', 'alvin'],
  catches: {
    'meshing-app/silent-when-dead': 'API:4.8/keeps-flowing',
    'meshing-app/valid-when-dead': 'API:4.8/valid-false',
    'meshing-app/stale-timestamp': 'API:4.8/new-timestamp',
    'meshing-app/believes-a-torn-uptime': 'M:0029/uptime',
    'meshing-app/status-of-another-unit': 'M:0029/fault-status',
    'meshing-app/wrong-scale': 'M:0028/from-breaker',
  },
  horizon: '10 min',
  short: '84 s',
  prove: '10 min',
  async run({ platform, alvin, time, check }) {
    const currents = platform.watch('marketplace', 'alvin.*.link_current')
    const of = (phase: string): typeof currents =>
      platform.watch('marketplace', `alvin.${phase}.link_current`)
    check(
      flowsWhateverHappens(currents, alvin, {
        id: 'flow',
        verifies: ['API:4.8', 'M:0030/every-minute'],
        period: '10 s',
        gap: '±2 s',
        recover: '25 s',
        channels: phases.map((p) => `alvin.${p}.link_current`),
      }),
    )
    check(
      equalsTruth(platform.watch('marketplace', 'alvin.*'), alvin, {
        id: 'as-answered',
        verifies: ['M:0028/from-breaker', 'M:0029/fault-status'],
      }),
    )
    check(
      always(platform.watch('marketplace', 'alvin.*.uptime'), goesOn(), {
        id: 'uptime-in-one-piece',
        verifies: ['M:0029/uptime'],
        limit: 'an uptime goes on by the time that has passed, or begins anew',
        least: '9 min',
      }),
    )
    const during = {
      role: 'alvin',
      verifies: ['API:4.8/valid-false'],
      settle: '12 s',
      least: '9 min',
    } as const
    check(invalidDuring(of('l2'), { ...during, id: 'one-without-answer', faults: ofL2 }))
    for (const phase of ['l1', 'l3'] as const)
      check(invalidDuring(of(phase), { ...during, id: `line-cut-${phase}`, faults: ['unplugged'] }))

    // The lower half of its uptime begins anew in the middle of the last fault.
    alvin.command({ do: 'preset', phase: 'l3', uptime: 65_536 - 415 - 35 })
    for (const [i, phase] of phases.entries())
      alvin.command({ do: 'supply', phase, busVolts: 240, cableVolts: 239 - i, amps: 60 + 50 * i })
    const short = time.horizon < 9 * 60_000
    await time.pass(short ? '15 s' : '25 s')
    for (const [name, params, seconds] of short ? spells.slice(0, 2) : spells) {
      const fault = alvin.inflict(name, params)
      await time.pass(short ? '22 s' : seconds * 1000)
      fault.lift()
      await time.pass(short ? '0 s' : '20 s')
    }
    if (!short) {
      // The carry comes after 35 s, and its upper half 70 s later.
      const torn = alvin.inflict('uptime-tear', { phase: 'l3', seconds: 70 })
      await time.pass('150 s')
      torn.lift()
    }
    await time.pass(short ? '15 s' : '24 s')
  },
})
