/**
 * A result that makes as long a packet as the operator permits comes whole; one byte more is refused. The rigs set a
 * limit of a few megabytes; `virtual-true-size` has that of MQTT itself (LV-CAP API 8.5.1: 256 MB), for CI to try once.
 */
import { answered, nothingLost, scenario } from '../../bench/index.ts'

/** Rows that make up the longest answer: a query without MaxLength brings so many. */
const rows = 100

export default scenario({
  title: 'The longest answer that is permitted comes whole, and one byte more is refused',
  verifies: ['API:8.5.1/bytes', 'API:7/unaltered'],
  needs: ['platform', 'storage'],
  catches: {
    'data-storage/ignores-the-byte-limit': 'API:8.5.1/bytes',
    'data-storage/counts-only-the-data': 'API:8.5.1/bytes',
    'data-storage/stops-short-of-the-limit': 'API:8.5.1/bytes',
    'data-storage/cuts-long-data': 'API:7/unaltered',
  },
  horizon: '3 min',
  short: '90 s',
  async run({ platform, storage, time, check, note }) {
    const uploads = platform.watch('upload', 'upload.*')
    const { first } = storage.tables
    const longest = storage.maxBytes
    check(
      answered(
        uploads,
        {
          'of-the-limit': { status: 1, rows, tables: [first], bytes: longest },
          'one-byte-more': { status: 5, rows: 0 },
        },
        { id: 'longest', verifies: ['API:8.5.1/bytes'] },
      ),
    )
    check(nothingLost(storage.sent, uploads, { id: 'whole', verifies: ['API:7/unaltered'], within: '60 s' }))
    let last = 0
    const row = (bytes: number): string => {
      const text = (filling: string): string => `{"ToStore":true,"n":${last},"Text":"${filling}"}`
      last++
      return text('x'.repeat(Math.max(0, bytes - text('').length)))
    }
    const keep = (bytes: number): Promise<void> => storage.publish({ messages: [row(bytes)], kept: true })
    const ask = async (name: string): Promise<Answer | null> =>
      (await platform.ask('upload', {
        do: 'query',
        name,
        request: { InstanceID: first },
      })) as unknown as Answer | null

    // IDs of as many digits as those of the rows that count; these are fetched and reported before.
    await storage.publish({ messages: Array.from({ length: rows }, () => row(60)), kept: true })
    await time.pass('2 s')
    await platform.ask('upload', { do: 'drain', name: 'before', request: {} })
    // What a platform writes around the data is its own affair: it is measured at two small answers.
    const small = 100
    await keep(small)
    await time.pass('2 s')
    const one = lengthOf(await ask('one-row'))
    await keep(small)
    await time.pass('2 s')
    const around = lengthOf(await ask('two-rows')) - one - small
    const envelope = one - small - around
    note('what stands around the data in an answer', { 'a row [B]': around, 'all [B]': envelope })
    const data = longest - envelope - rows * around - 2 * small
    const each = Math.floor(data / (rows - 2))
    for (let n = 0; n < rows - 3; n++) await keep(each)
    const rest = data - (rows - 3) * each
    await keep(rest)
    await time.pass('5 s')
    const whole = await ask('of-the-limit')
    const tables = (whole?.tables ?? []).map((t) => ({
      name: t.name,
      ids: [Math.max(...t.rows.map((r) => r.id))],
    }))
    await platform.ask('upload', { do: 'report', tables })
    await keep(rest + 1)
    await time.pass('5 s')
    await ask('one-byte-more')
    await platform.ask('upload', { do: 'drain', name: 'drained', request: { MaxLength: 50 } })
    await time.pass('65 s')
    await platform.ask('upload', { do: 'drain', name: 'drained', request: { MaxLength: 50 } })
  },
})

interface Answer {
  readonly tables: readonly { readonly name: string; readonly rows: readonly { readonly id: number }[] }[]
  readonly 'length [B]': number
}

function lengthOf(a: Answer | null): number {
  return a?.['length [B]'] ?? 0
}
