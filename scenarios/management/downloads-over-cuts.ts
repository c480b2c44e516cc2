/**
 * Software and settings on their way when power goes: in the midst of a download, and just when the server has been told
 * that one is installed; and the link drops too. With power and link back each is fetched to its end, and what stands
 * installed is whole.
 */
import { installsWhole, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'Downloads that a loss of power broke into are complete when it is back, and never half installed',
  verifies: ['S:008/software', 'S:008/configuration', 'M:0077/download-loss', 'M:003/management-outgoing'],
  needs: ['platform', 'storage', 'management', 'link', 'mains'],
  catches: {
    'comms-app/leaves-a-broken-download': 'S:008/software',
    'comms-app/leaves-broken-settings': 'S:008/configuration',
    'comms-app/flushes-no-download': 'S:008/software',
    'comms-app/downloads-in-place': 'M:0077/download-loss',
  },
  horizon: '8 min',
  short: '130 s',
  prove: '130 s',
  async run({ management, link, mains, time, check }) {
    check(
      installsWhole(management, {
        id: 'software',
        kind: 'software',
        verifies: ['S:008/software', 'M:0077/download-loss', 'M:003/management-outgoing'],
        within: '30 s',
      }),
    )
    check(
      installsWhole(management, {
        id: 'settings',
        kind: 'configuration',
        verifies: ['S:008/configuration'],
        within: '30 s',
      }),
    )
    const rounds = Math.max(1, Math.floor(time.horizon / 125_000))
    for (let n = 0; n < rounds; n++) {
      const midway = mains.cut({ for: '2 s', at: { ...management.served, nth: 7 + 3 * n }, within: '14 s' })
      management.offer({
        id: `image-${n}`,
        kind: 'software',
        name: `openlv_app_${n}.tar`,
        size: 40 * management.piece + n,
      })
      await midway
      await management.collect()
      await time.pass('11 s')
      link.drop('5 s')
      await management.collect()
      await time.pass('17 s')

      const settings = mains.cut({ for: '2 s', at: { ...management.served, nth: 2 }, within: '14 s' })
      management.offer({
        id: `settings-${n}`,
        kind: 'configuration',
        name: `settings_${n}.json`,
        size: 3 * management.piece,
      })
      await settings
      await time.pass('15 s')
      await management.collect()

      // It counts as installed from now on, and so it has to be there after this.
      const told = mains.cut({ for: '2 s', at: management.installed, within: '20 s' })
      management.offer({
        id: `last-${n}`,
        kind: 'software',
        name: `last_${n}.tar`,
        size: 2 * management.piece,
      })
      await told
      await time.pass('34 s')
      await management.collect()
    }
  },
})
