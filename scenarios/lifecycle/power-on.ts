/** Power goes and comes back: the platform comes up by itself, core services first, then every app (LV-CAP API 5.1). */
import { allSeen, always, eventually, inOrder, scenario, within } from '../../bench/index.ts'
import { iidOf, sameApp, told } from './_life.ts'

export default scenario({
  title:
    'After power-on the platform comes up by itself: its core first, then each app in the order of installation',
  verifies: ['M:0013', 'API:5.1', 'API:5.2/answered', 'API:5.2/none-known'],
  needs: ['platform', 'scripted'],
  catches: {
    'container-manager/starts-apps-before-the-marketplace': 'API:5.1/core-first',
    'container-manager/starts-apps-in-another-order': 'API:5.1/in-order',
    'container-manager/leaves-the-last-app-out': 'API:5.1/by-itself',
    'container-manager/asks-nothing': 'M:0013/installed',
    'container-manager/silent-where-none-is-known': 'API:5.2/none-known',
  },
  horizon: '10 min',
  short: '70 s',
  prove: '10 min',
  async run({ platform, scripted, time, check, note }) {
    await platform.ask('operator', { do: 'interval', seconds: 10 })
    await time.pass('5 s')
    const [host] = platform.hosts
    host?.cut()
    note('the power of the platform was cut')
    await time.pass('10 s')
    check(
      allSeen(
        scripted.saw('started'),
        scripted.all.map((a) => a.iid),
        {
          id: 'by-itself',
          limit: "each installed app is started with nobody's help within 30 s of power-on",
          verifies: ['API:5.1/by-itself'],
          key: (e) => String(iidOf(e)),
          by: '30 s',
        },
      ),
    )
    check(
      always(scripted.saw('connected'), (e) => told(e)['attempts'] === 1, {
        id: 'core-first',
        limit: 'the marketplace takes the first connection of each app: it was there before',
        verifies: ['API:5.1/core-first'],
      }),
    )
    check(
      inOrder(
        platform.watch('log', 'log.started'),
        scripted.all.map((a) => a.iid),
        {
          id: 'in-order',
          limit: 'apps are started in the order of their installation',
          verifies: ['API:5.1/in-order'],
        },
      ),
    )
    check(
      within('20 s', scripted.saw('asks'), scripted.saw('configured'), {
        id: 'manager-answers',
        limit: 'the Container Manager answers each request for configuration within 20 s',
        verifies: ['M:0013/installed', 'API:5.2/answered', 'API:5.2/none-known'],
        pairs: sameApp,
      }),
    )
    check(
      eventually(scripted.saw('asked'), () => true, {
        id: 'manager-asks',
        limit: 'the Container Manager asks for status within 45 s of power-on',
        verifies: ['M:0013/installed'],
        by: '45 s',
      }),
    )
    await host?.restore()
    const spent = 15_000
    await time.pass(time.horizon - spent)
  },
})
