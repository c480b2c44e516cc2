/**
 * The server's power goes just after it has told an offset, and 7 s after: what it has told is there when it comes back, for
 * a client may have let go of what was acknowledged. Needs a server whose power can be taken.
 */
import { scenario, uploadsBecome, uploadsOwe } from '../../bench/index.ts'
import { stands, whole } from './_due.ts'

export default scenario({
  title: 'What a server of resumable uploads has acknowledged is there after it lost its power',
  verifies: ['RUFH:keeps'],
  needs: ['uploads'],
  catches: {
    'upload-server/acknowledges-before-flushing': 'RUFH:keeps/at-once',
    'upload-server/flushes-no-folder': 'RUFH:keeps/at-once',
  },
  horizon: '5 min',
  short: '60 s',
  async run({ uploads, time, check }) {
    for (const [name, id, when] of [
      ['now', 'at-once', 'just after'],
      ['later', 'later', '7 s after'],
    ] as const)
      check(
        uploadsOwe(uploads.series(name, 'offset'), {
          id,
          verifies: [`RUFH:keeps/${id}`],
          limit: `power goes ${when} an offset was told: afterwards HEAD tells no lower one`,
          due(x) {
            const wrong = stands(x, x['told before [B]'], x['left [B]'])
            return wrong === undefined
              ? undefined
              : `${wrong}; ${x['told before [B]']} bytes had been acknowledged`
          },
          takes: 'power',
        }),
      )
    check(
      uploadsBecome(uploads.series('*', 'object'), {
        id: 'whole',
        verifies: ['RUFH:keeps/whole'],
        limit:
          'each upload comes out as it is at the client (SHA-256), those too that were complete before the power went',
        due: whole,
        takes: 'power',
      }),
    )
    await uploads.look()
    const { piece } = uploads
    const rounds = time.horizon > 120_000 ? 3 : 1
    for (let n = 0; n < rounds; n++)
      for (const name of ['now', 'later', 'complete'] as const) {
        const upload = await uploads.begin('given', { length: 4 * piece })
        await upload.append('given')
        await upload.append('given')
        if (name === 'later') await time.pass('7 s')
        if (name === 'complete') await upload.finish('given')
        // Of this one the server has told its address, and that nothing of it has come yet.
        const begun = name === 'now' ? await uploads.begin('given', { length: piece }) : undefined
        if (!(await uploads.cut('2 s'))) return
        await upload.ask(name)
        await begun?.ask(name)
        await upload.finish('given')
        await upload.collect(name)
      }
    await time.pass('1 s')
  },
})
