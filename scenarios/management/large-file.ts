/**
 * A large file on a link that drops every 20 s and with power lost twice on the way, and once more when the server has been
 * told that it is installed: what is read after that is what the disk holds. The rigs `virtual` and `local` have a file of a
 * few megabytes, fetched in small pieces; `virtual-large-file` and `local-large-file` one of 300 MB.
 */
import { installsWhole, receivesLittle, scenario } from '../../bench/index.ts'

/** The rate of the profile good-site, bytes a millisecond, and what a request takes beside that, ms: a round trip, and a bit. */
const rate = 1_875
const request = 65
/** The share of the time in which something comes: there are drops, cuts, boots, and the app looks only now and then. Ours. */
const share = 0.13
/** What is left of the time when the file has to be there, ms: for a boot, and a look at the disk. */
const end = 16_000

/** A file of less than so many bytes may cost 10 % more and not 5 %: headers of small requests, and each break, weigh more. Ours. */
const truly = 100_000_000

/** One begins every 20 s, the first after 4 s. The one of 12 s is longer than the app waits for an answer; the third ends with another address. */
const drops = ['12 s', '4 s', '3 s', '2 s']

export default scenario({
  title:
    'A large file comes whole over a link that drops every 20 s and losses of power, and hardly a byte of it twice',
  verifies: [
    'S:008/software',
    'M:0077/download-loss',
    'I:00127/volume-managed',
    'I:00138/resume',
    'M:003/management-outgoing',
  ],
  needs: ['platform', 'storage', 'management', 'link', 'mains'],
  catches: {
    'comms-app/downloads-from-zero': 'I:00127',
    'comms-app/goes-back-after-a-break': 'I:00127',
    'comms-app/flushes-at-the-end': 'I:00127',
    'comms-app/leaves-a-gap': 'I:00127',
    // Legal elsewhere (S:008); not within this budget, which is ours.
    'comms-app/starts-over-after-a-restart': 'I:00127',
    'comms-app/small-requests': 'I:00127',
    'comms-app/flushes-no-download': 'S:008/software',
  },
  horizon: '35 min',
  short: '110 s',
  prove: '80 s',
  async run({ management, link, mains, time, check, random }) {
    const { piece } = management
    const each = request + piece / rate
    const size = Math.floor(Math.min(management.large, ((share * time.horizon) / each) * piece))
    const pieces = size / piece
    const began = time.now()
    const within = time.horizon - end
    check(
      installsWhole(management, {
        id: 'whole',
        verifies: ['S:008/software', 'M:0077/download-loss', 'I:00138/resume', 'M:003/management-outgoing'],
        within: `${within} ms`,
      }),
    )
    check(
      receivesLittle(
        { ...management, link: link.events },
        {
          id: 'little',
          verifies: ['I:00127/volume-managed'],
          peer: 'management',
          more: size < truly ? 0.1 : 0.05,
          drops: 2,
          cuts: 2,
        },
      ),
    )
    link.script(everyTwentySeconds(time.horizon))
    link.counters()
    const first = mains.cut({
      for: '3 s',
      at: { ...management.served, nth: Math.ceil(0.4 * pieces) },
      within: `${Math.round(0.6 * within)} ms`,
    })
    management.offer({ id: 'large', kind: 'software', name: 'openlv_image.tar', size })
    await first
    await management.collect()
    // At any byte, and before the file can have come to its end.
    await time.pass(Math.round((0.2 + 0.2 * random('second cut')) * pieces * each))
    await mains.cut({ for: '3 s' })
    const rest = within - (time.now() - began)
    const told = await mains.cut({
      for: '3 s',
      at: management.installed,
      within: `${Math.max(1, rest)} ms`,
    })
    if (!told) await mains.cut({ for: '3 s' })
    await time.pass('8 s')
    link.counters()
    await management.collect()
  },
})

function everyTwentySeconds(horizon: number) {
  return Array.from({ length: Math.floor(horizon / 20_000) }, (_, n) => {
    const lasts = drops[n % drops.length] ?? '2 s'
    const at = 4 + 20 * n
    return [
      { after: `${at} s`, do: 'drop', for: lasts } as const,
      ...(n % drops.length === 2
        ? [{ after: `${at + 3} s`, do: 'inflict', fault: 'new-address', for: '1 s' } as const]
        : []),
    ]
  }).flat()
}
