/**
 * Everybody who is not the management app tries to upload to the management server: without a certificate, with one in the
 * app's name that must not count, as somebody else who is known, for another platform. The app itself is let in.
 */
import { scenario } from '../../bench/index.ts'
import { knockAt } from './_doors.ts'

export default scenario({
  title: 'The management server takes uploads of the management app for its own platform, and of nobody else',
  verifies: [
    'M:0057/app-proven',
    'M:0057/only-authorised-uploads',
    'I:00125/app-proven',
    'I:00125/only-authorised-uploads',
  ],
  needs: ['platform', 'management'],
  catches: {
    'data-server/lets-anybody-in': 'M:0057/app-proven',
    'data-server/knows-no-revocations': 'I:00125/app-proven',
    'data-server/takes-from-anyone': 'M:0057/only-authorised-uploads',
    'data-server/takes-for-any-platform': 'I:00125/only-authorised-uploads',
  },
  horizon: '40 s',
  async run({ management, time, check }) {
    await knockAt(
      management,
      { time, check },
      {
        unproven: ['M:0057/app-proven', 'I:00125/app-proven'],
        unauthorised: ['M:0057/only-authorised-uploads', 'I:00125/only-authorised-uploads'],
      },
    )
    await time.pass('20 s')
  },
})
