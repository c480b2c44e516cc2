/**
 * Software and settings from the management server, over answers that break off in the midst, bytes that are not what they
 * should be, and a file that is replaced while half of it is there. The app fetches what is missing and no more, and what
 * stands installed is whole at any time.
 */
import { installsWhole, refetchesLittle, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'Downloads go on where they broke off, and only what is whole is ever installed',
  verifies: [
    'M:0077/download-loss',
    'M:0077/download-resumes',
    'M:0071/from-server',
    'M:0078/from-server',
    'I:00138/resume',
    'I:009/incoming',
  ],
  needs: ['platform', 'storage', 'management'],
  catches: {
    'comms-app/downloads-from-zero': 'M:0077/download-resumes',
    'comms-app/looks-at-no-digest': 'M:0077/download-loss',
    'comms-app/downloads-in-place': 'M:0077/download-loss',
    'comms-app/mixes-two-versions': 'M:0077/download-resumes',
    'comms-app/says-installed-too-early': 'M:0071/from-server',
    'comms-app/asks-for-nothing': 'M:0078/from-server',
    'comms-app/gives-up': 'M:0071/from-server',
  },
  horizon: '8 min',
  short: '118 s',
  prove: '4 min',
  async run({ management, time, check }) {
    check(
      installsWhole(management, {
        verifies: ['M:0077/download-loss', 'M:0071/from-server', 'M:0078/from-server', 'I:009/incoming'],
        within: '48 s',
      }),
    )
    check(
      refetchesLittle(management, {
        verifies: ['M:0077/download-resumes', 'I:00138/resume'],
        piece: management.piece,
      }),
    )
    const whole = time.horizon > 200_000
    const rounds = Math.max(1, Math.floor((time.horizon - 20_000) / 200_000))
    for (let n = 0; n < rounds; n++) {
      // Broken off at 40 % of the file, twice, and another one at 99 %.
      const size = 11 * management.piece
      const cutting = management.inflict('cuts-downloads', {
        passing: 4,
        answers: 2,
        after: Math.round(management.piece * 0.4),
      })
      management.offer({ id: `image-${n}`, kind: 'software', name: `openlv_app_${n}.tar`, size })
      for (let second = 0; second < 16; second++) {
        await time.pass('1 s')
        await management.collect()
      }
      cutting.lift()
      await time.pass('2 s')
      if (whole) {
        const late = management.inflict('cuts-downloads', {
          passing: 10,
          answers: 1,
          after: Math.round(management.piece * 0.89),
        })
        management.offer({ id: `late-${n}`, kind: 'software', name: `openlv_late_${n}.tar`, size })
        await time.pass('24 s')
        late.lift()
        await management.collect()
      }

      // A file that gives way to another while a part of it is there, under the same name.
      const often = management.inflict('cuts-downloads', { passing: 3, answers: 9, after: 1_000 })
      const replaced = {
        id: `app-${n}`,
        kind: 'software',
        name: `openlv_other_${n}.tar`,
        size: 9 * management.piece,
      } as const
      management.offer(replaced)
      await time.pass('13 s')
      management.offer(replaced)
      await management.collect()
      often.lift()
      await time.pass(whole ? '40 s' : '28 s')
      await management.collect()

      const wrong = management.inflict('wrong-bytes')
      management.offer({
        id: `settings-${n}`,
        kind: 'configuration',
        name: `settings_${n}.json`,
        size: 3_000,
      })
      await time.pass('14 s')
      await management.collect()
      wrong.lift()
      await time.pass(whole ? '65 s' : '38 s')
      await management.collect()
    }
    await time.pass('5 s')
  },
})
