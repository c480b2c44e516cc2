/**
 * A client of a server of resumable uploads as links make it: its connection breaks at any byte, or is left standing without
 * a word; it asks twice for what was done, comes over two connections at once, never hears the last answer. Each upload comes
 * out whole, and once, and no more of it is sent again than each break has cost.
 */
import { eventually, scenario, uploadsBecome, uploadsOwe } from '../../bench/index.ts'
import type { Event } from '../../bench/index.ts'
import { stands, status, unchanged, whole } from './_due.ts'

export default scenario({
  title: 'Uploads are resumed after any break, come out whole and once, and nothing is sent again in vain',
  verifies: ['TUS:patch/replay', 'TUS:resumes', 'TUS:whole', 'RUFH:offset', 'RUFH:two', 'RUFH:end'],
  needs: ['uploads'],
  catches: {
    'upload-server/takes-a-wrong-offset': 'TUS:patch/replay',
    'upload-server/forgets-the-offset': 'RUFH:offset/never-lower',
    'upload-server/keeps-the-old-writer': 'TUS:resumes/half-open',
    'upload-server/lets-two-append': 'RUFH:two/whole',
    'upload-server/forgets-what-is-complete': 'RUFH:end/told',
    'upload-server/completes-again': 'TUS:whole/once',
  },
  horizon: '5 min',
  short: '60 s',
  async run({ uploads, time, random, check }) {
    check(
      uploadsOwe(uploads.series('broken', 'offset'), {
        id: 'discovery',
        verifies: ['TUS:resumes/offset-told'],
        limit: 'after a break HEAD tells an offset between what was acknowledged and what has left',
        due: (x) => stands(x, x['told before [B]'], x['left [B]']),
      }),
    )
    check(
      uploadsBecome(uploads.series('broken', 'object'), {
        id: 'resent',
        verifies: ['TUS:resumes/resent'],
        limit: 'bytes sent are at most its size and what had left in the requests that broke off',
        due(x) {
          const most = x['length [B]'] + x['broken [B]']
          return x['sent [B]'] <= most
            ? undefined
            : `${x['sent [B]']} bytes were sent, where at most ${most} were due`
        },
      }),
    )
    check(
      uploadsOwe(uploads.series('replay'), {
        id: 'replay',
        verifies: ['TUS:patch/replay'],
        limit: 'an append that was acknowledged comes again: 409, and nothing is changed',
        due: (x) => (x.asked === 'append' ? status(x, 409) : unchanged(x)),
      }),
    )
    check(
      eventually(uploads.series('half-open', 'append'), isAcknowledged, {
        id: 'half-open',
        verifies: ['TUS:resumes/half-open'],
        limit: 'while an old connection stands in silence, a new one may append within 30 s',
      }),
    )
    check(
      uploadsBecome(uploads.series('at-once', 'object'), {
        id: 'at-once',
        verifies: ['RUFH:two/whole'],
        limit: 'two appends at once: the upload comes out as it is at the client (SHA-256)',
        due: whole,
      }),
    )
    check(
      uploadsOwe(uploads.series('last', 'offset'), {
        id: 'last-answer',
        verifies: ['RUFH:end/told'],
        limit: 'the answer to the last append is lost: HEAD says that the upload is complete',
        due: (x) =>
          x['told before [B]'] === x['length [B]']
            ? stands(x, x['length [B]'])
            : stands(x, x['told before [B]'], x['left [B]']),
      }),
    )
    check(
      uploadsBecome(uploads.series('*', 'object'), {
        id: 'whole',
        verifies: ['TUS:whole/bytes'],
        limit: 'each upload comes out as it is at the client (SHA-256)',
        due: whole,
      }),
    )
    check(
      uploadsBecome(uploads.series('*', 'object'), {
        id: 'once',
        verifies: ['TUS:whole/once'],
        limit: 'exactly one object comes of each upload',
        due(x) {
          const n = x['objects [1]']
          if (n === null) return { hidden: 'how many objects the server has made cannot be seen here' }
          return n === 1 ? undefined : `${n} objects, where 1 was due`
        },
      }),
    )
    check(
      uploadsOwe(uploads.series('*'), {
        id: 'never-lower',
        verifies: ['RUFH:offset/never-lower'],
        limit: 'no offset is told that is lower than one that was told before',
        due(x) {
          const at = x.answer?.['offset [B]'] ?? null
          if (x.answer === null || at === null || x.answer.status >= 300) return undefined
          const before = x['told before [B]']
          return at >= before ? undefined : `${at} bytes after ${before} had been told`
        },
      }),
    )

    const { 'most [B]': most } = await uploads.look()
    const begin = time.now()
    // An upload that the server takes is long enough for so many.
    const wanted = time.horizon > 120_000 ? 40 : 8
    const breaks = Math.max(1, Math.min(wanted, Math.floor((most ?? Infinity) / 40_000) - 2))
    const broken = await uploads.begin('broken', { length: (breaks + 2) * 40_000 })
    await broken.append('broken', { bytes: 20_000 })
    for (let n = 0; n < breaks; n++) {
      await broken.append('broken', { breaks: { after: random('break') * uploads.piece, how: 'reset' } })
      await broken.ask('broken')
      if (n % 3 === 2) await broken.append('broken', { bytes: 10_000 })
    }
    await broken.finish('broken')
    await broken.collect('broken')

    const replay = await uploads.begin('given', { length: 50_000 })
    await replay.append('given', { bytes: 20_000 })
    await replay.append('replay', { claims: 0, bytes: 20_000 })
    await replay.ask('replay')
    await replay.finish('given')
    await replay.collect('given')

    const silent = await uploads.begin('given', { length: 100_000 })
    await silent.append('given', { breaks: { after: 30_000, how: 'silence' } })
    for (let tries = 0; tries < 6; tries++) {
      await silent.ask('resumed')
      const before = silent.offset
      await silent.append('half-open', { bytes: 20_000 })
      if (silent.offset > before) break
      await time.pass('5 s')
    }
    await silent.wakeGhost('ghost')
    await silent.finish('resumed')
    await silent.collect('resumed')

    const two = await uploads.begin('given', { length: 2 * uploads.piece })
    const slices = { bytes: 8_192, every: '20 ms' }
    await Promise.all([
      two.append('at-once', { bytes: uploads.piece, slices }),
      two.append('at-once', { bytes: uploads.piece, slices }),
    ])
    await two.finish('given')
    await two.collect('at-once')

    const last = await uploads.begin('given', { length: 50_000 })
    await last.append('given', { bytes: 20_000 })
    await last.append('last', { ignores: true })
    await last.ask('last')
    await last.finish('given')
    await last.collect('given')
    await time.pass(Math.max(1_000, Math.min(10_000, begin + time.horizon - time.now())))
  },
})

function isAcknowledged(e: Event): boolean {
  const { payload } = e.data as {
    readonly payload?: { readonly answer?: { readonly status?: number } | null }
  }
  return payload?.answer?.status === 204
}
