/**
 * LoadSense, the meshing app and three breakers together: what is decided is what the contacts do, and they do nothing else.
 * A breaker trips on a fault in the cable while the networks are meshed; another stays closed when it should open.
 */
import {
  carriesOutCommands,
  decisionFollowsRules,
  operatesOnlyOnCommand,
  scenario,
} from '../../bench/index.ts'
import { calm, evening, quick, roomy } from './_rows.ts'

export default scenario({
  title: 'What LoadSense decides the breakers do, and a fault or a stuck breaker ends in all of them open',
  verifies: ['M:0045/decides-to-part', 'M:0046', 'I:0073', 'I:0074', 'I:0082', 'I:0096'],
  needs: ['platform', 'advisers', 'alvin'],
  catches: {
    'meshing-app/opens-only': 'I:0074/mesh',
    'meshing-app/closes-only': 'I:0074/de-mesh',
    'meshing-app/repeats-at-restart': 'I:0082',
    'loadsense-app/believes-its-commands': 'M:0046/right-decision',
    'loadsense-app/stays-in-command': 'M:0045/decides-to-part',
    'loadsense-app/never-parts': 'M:0045/decides-to-part',
    'loadsense-app/takes-a-minute': 'M:0046/right-decision',
  },
  horizon: '3 min',
  short: '88 s',
  prove: '3 min',
  async run({ platform, advisers, alvin, time, note, check }) {
    const whole = time.horizon > 90_000
    const change = (letIn: string): Promise<unknown> =>
      platform.ask('operator', { do: 'change', app: 'loadsense', config: { ...quick.config, letIn } })
    await change('installed')
    await time.pass('2 s')
    const commands = platform.watch('marketplace', 'loadsense.control.*')
    const stands = { initially: 'closed' } as const
    check(
      decisionFollowsRules({
        // Breakers are read every 10 s.
        within: '6 s',
        rules: quick.rules,
        verifies: ['M:0045/decides-to-part', 'M:0046/right-decision', 'I:0073'],
      }),
    )
    check(
      operatesOnlyOnCommand(commands, {
        ...stands,
        verifies: ['M:0046/right-action', 'I:0082', 'I:0073/autonomous'],
      }),
    )
    check(
      carriesOutCommands(commands, {
        ...stands,
        id: 'closes',
        only: 'close',
        verifies: ['M:0046/right-action', 'I:0074/mesh', 'I:0096'],
      }),
    )
    check(
      carriesOutCommands(commands, {
        ...stands,
        id: 'opens',
        only: 'open',
        verifies: ['M:0046/right-action', 'I:0074/de-mesh'],
      }),
    )
    note('the breakers are found closed on a calm night')
    await advisers.advise({ ...calm, ...roomy })
    await time.pass('14 s')
    note('a winter evening')
    await advisers.advise(evening)
    await time.pass('12 s')
    note('and its end')
    await advisers.advise(calm)
    await time.pass('12 s')
    note('another evening, and a fault in the cable')
    await advisers.advise(evening)
    await time.pass('12 s')
    alvin.command({ do: 'supply', phase: 'l2', amps: 1900 })
    await time.pass('25 s')
    if (!whole) return
    alvin.command({ do: 'supply', phase: 'l2', amps: 60 })
    alvin.command({ do: 'reset' })
    note('it is repaired, and the automation let in again')
    await advisers.advise(calm)
    await time.pass('12 s')
    await change('the cable is repaired')
    // It has to read the breakers anew.
    await time.pass('14 s')
    await advisers.advise({ all: true, ...evening })
    await time.pass('12 s')
    note('a calm night, and one breaker that stays closed')
    const stuck = alvin.inflict('stuck', { phase: 'l3' })
    await advisers.advise(calm)
    await time.pass('25 s')
    stuck.lift()
    note('a person closes one by hand, and the meshing app starts anew: it leaves all alone')
    alvin.command({ do: 'operate', phase: 'l1', to: 'closed' })
    await time.pass('12 s')
    await platform.ask('operator', { do: 'restart', app: 'meshing' })
    await time.pass('14 s')
  },
})
