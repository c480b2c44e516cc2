/**
 * Everybody who may not upload to the data centre tries to: without a certificate, with one in the app's name that must not
 * count, as somebody else who is known, for another platform, in clear, by a protocol of old. The app itself is let in.
 */
import { scenario } from '../../bench/index.ts'
import { knockAt } from './_doors.ts'

export default scenario({
  title: 'The data centre takes uploads of the upload app for its own platform, and nothing of anybody else',
  verifies: [
    'M:0068/app-proven',
    'M:0068/only-authorised-uploads',
    'M:0069/confidential',
    'M:0082/app-proven',
    'M:0082/only-authorised-uploads',
  ],
  needs: ['platform', 'centre'],
  catches: {
    'data-server/lets-anybody-in': 'M:0068/app-proven',
    'data-server/knows-no-revocations': 'M:0082/app-proven',
    'data-server/takes-from-anyone': 'M:0068/only-authorised-uploads',
    'data-server/takes-for-any-platform': 'M:0082/only-authorised-uploads',
    'data-server/agrees-to-old-tls': 'M:0069/confidential',
  },
  horizon: '40 s',
  async run({ centre, time, check }) {
    await knockAt(
      centre,
      { time, check },
      {
        unproven: ['M:0068/app-proven', 'M:0082/app-proven'],
        unauthorised: ['M:0068/only-authorised-uploads', 'M:0082/only-authorised-uploads'],
        open: ['M:0069/confidential'],
      },
    )
    await time.pass('20 s')
  },
})
