/**
 * Breakers that do not do what they are told: one that is stuck, one that lies, one that a hand opens, and three of which
 * nothing is heard. All are opened at once, and the automation stays out, over a restart, until a person lets it in again.
 */
import { commandsEveryPhase, decisionFollowsRules, eventually, scenario } from '../../bench/index.ts'
import type { Advice } from '../../bench/index.ts'
import { calm, evening, quick, roomy } from './_rows.ts'

const wrongs: readonly {
  readonly what: string
  readonly before: Advice
  readonly meshed?: Advice
  readonly well: Advice
}[] = [
  {
    what: 'one is stuck',
    before: { breakers: { l2: { does: 'stuck' } } },
    well: { breakers: { l2: { does: 'obeys' } } },
  },
  {
    what: 'one lies',
    before: { breakers: { l3: { does: 'lies' } } },
    well: { breakers: { l3: { does: 'obeys' } } },
  },
  { what: 'one is opened by hand', before: {}, meshed: { breakers: { l1: { closed: false } } }, well: {} },
  {
    what: 'nothing is heard of any',
    before: { breakers: { all: { does: 'silent' } } },
    well: { breakers: { all: { does: 'obeys' } } },
  },
  {
    what: 'one shows neither contact',
    before: {},
    meshed: { breakers: { l2: { shown: 'between' } } },
    well: { breakers: { l2: { shown: 'true' } } },
  },
]

export default scenario({
  title: 'Where breakers disagree LoadSense opens all of them, and stays out of it until a person lets it in',
  verifies: ['M:0045', 'M:0046/right-decision', 'I:0073/pre-defined-logic'],
  needs: ['platform', 'advisers'],
  catches: {
    'loadsense-app/believes-its-commands': 'M:0045/decides-to-part',
    'loadsense-app/stays-in-command': 'M:0046/right-decision',
    'loadsense-app/forgets-the-lock-out': 'M:0046/right-decision',
    'loadsense-app/repeats-after-a-restart': 'M:0046/right-decision',
    'loadsense-app/gives-no-alarm': 'M:0046/right-decision',
    'loadsense-app/commands-l1-alone': 'M:0045/instructs',
  },
  horizon: '4 min',
  short: '85 s',
  async run({ platform, advisers, time, note, check }) {
    const end = time.now() + time.horizon
    const change = (letIn: string): Promise<unknown> =>
      platform.ask('operator', { do: 'change', app: 'loadsense', config: { ...quick.config, letIn } })
    await change('installed')
    await time.pass('2 s')
    // Every phase takes its time to be read back: 5 s after the last command at most.
    check(
      decisionFollowsRules({
        within: quick.within,
        rules: quick.rules,
        verifies: ['M:0045/decides-to-part', 'M:0046/right-decision', 'I:0073/pre-defined-logic'],
      }),
    )
    check(commandsEveryPhase({ verifies: ['M:0045/instructs'], between: '1 s' }))
    check(
      eventually(
        platform.watch('marketplace', 'error.eatl_loadsense_01'),
        (e) => JSON.stringify(e.data).includes('locked out'),
        {
          id: 'alarm',
          limit: 'an error of LoadSense says that it is locked out',
          verifies: ['M:0046/right-decision'],
        },
      ),
    )
    await advisers.advise({ ...calm, ...roomy })
    await time.pass('3 s')
    for (const [i, { what, before, meshed, well }] of wrongs.entries()) {
      if (time.now() + 42_000 > end) return
      note(`row breakers: ${what}`)
      await advisers.advise({ ...before, ...evening })
      await time.pass('4 s')
      if (meshed !== undefined) await advisers.advise(meshed)
      await time.pass('9 s')
      note('row breakers: all is well again, and still needed, but nobody has let it in')
      await advisers.advise(well)
      await time.pass('4 s')
      await platform.ask('operator', { do: 'restart', app: 'loadsense' })
      await time.pass('3 s')
      await advisers.advise({ all: true })
      await time.pass('6 s')
      note('row breakers: it is let in')
      await advisers.advise(calm)
      await change(`looked at, ${i}`)
      await time.pass('2 s')
      await advisers.advise({ all: true, ...evening })
      await time.pass('4 s')
      await advisers.advise(calm)
      await time.pass('7 s')
    }
  },
})
