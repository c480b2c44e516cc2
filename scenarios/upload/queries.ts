/**
 * An upload app asks Data Storage in every way that the API knows, and in some that it forbids: numbers of rows at and
 * around each limit, instances and sub-topics, times, tables that it may not have, and what is no query at all.
 */
import { answered, scenario } from '../../bench/index.ts'

/** Rows in the first table before the long queries: as many as a query without MaxLength brings, and one. */
const some = 101
const many = 15_000
const times = ['StartTime', 'EndTime'] as const

export default scenario({
  title: 'Queries for new data are answered with the right rows, the right status, and never with too much',
  verifies: [
    'API:8.5/statuses',
    'API:8.5/rows',
    'API:8.5/filters',
    'API:8.5/authorised-only',
    'API:8.5/repeatable',
    'API:8.5/qos',
    'API:8.5.1/default-100',
    'API:8.5.1/most-15000',
    'API:8.5.1/bytes',
    'API:8.5.1/age',
    'W:006/request-key-ignored',
    'W:006/all-priorities',
  ],
  needs: ['platform', 'storage'],
  catches: {
    'data-storage/one-record-too-many': 'API:8.5/rows',
    'data-storage/ignores-max-length': 'API:8.5/rows',
    'data-storage/newest-first-always': 'API:8.5/rows',
    'data-storage/cuts-long-requests': 'API:8.5.1/most-15000',
    'data-storage/permits-a-thousand': 'API:8.5.1/most-15000',
    'data-storage/ignores-the-byte-limit': 'API:8.5.1/bytes',
    'data-storage/counts-only-the-data': 'API:8.5.1/bytes',
    'data-storage/more-said-as-ok': 'API:8.5/statuses',
    'data-storage/more-at-the-limit': 'API:8.5.1/default-100',
    'data-storage/empty-said-as-ok': 'API:8.5/statuses',
    'data-storage/denied-said-as-empty': 'API:8.5/authorised-only',
    'data-storage/invalid-said-as-empty': 'API:8.5/statuses',
    'data-storage/too-old-said-as-empty': 'API:8.5.1/age',
    'data-storage/serves-denied-tables': 'API:8.5/authorised-only',
    'data-storage/serves-anybody': 'API:8.5/authorised-only',
    'data-storage/ignores-the-times': 'API:8.5/filters',
    'data-storage/times-inclusive': 'API:8.5/filters',
    'data-storage/ignores-the-sub-topic': 'API:8.5/filters',
    'data-storage/forgets-the-sub-topic': 'API:8.5/filters',
    'data-storage/refuses-priorities': 'W:006/request-key-ignored',
    'data-storage/obeys-priorities': 'W:006/request-key-ignored',
    'data-storage/leaves-out-low-priorities': 'W:006/all-priorities',
    'data-storage/answers-at-qos-0': 'API:8.5/qos',
    'data-storage/answers-on-one-topic': 'API:8.5/statuses',
  },
  horizon: '10 min',
  short: '90 s',
  prove: '90 s',
  async run({ platform, storage, time, check }) {
    const answers = platform.watch('upload', 'upload.*')
    const { first, second } = storage.tables
    const long = time.horizon > 300_000
    const top = long ? many : 1_000
    const ask = async (name: string, request: object, as = 'all'): Promise<void> => {
      await platform.ask('upload', { do: 'query', name, as, request: request as never })
    }

    check(
      answered(
        answers,
        {
          'nothing-yet': { status: 2, rows: 0 },
          'one-row': { status: 1, rows: 1, numbers: [1, 1] },
          'no-json': { status: 9, rows: 0 },
          'zero-length': { status: 9, rows: 0 },
          'no-object': { status: 9, rows: 0 },
          'max-length-0': { status: 9, rows: 0 },
          'max-length-negative': { status: 9, rows: 0 },
          'ten-of-many': { status: 8 },
          'all-of-many': { status: [1, 8] },
        },
        { id: 'statuses', verifies: ['API:8.5/statuses'] },
      ),
    )
    check(
      answered(
        answers,
        {
          'ten-newest': { status: 8, rows: 10, tables: [first], numbers: [some - 9, some] },
          'ten-oldest': { status: 8, rows: 10, tables: [first], numbers: [1, 10] },
          'ten-of-many': { status: 8, rows: [1, 10] },
        },
        { id: 'rows', verifies: ['API:8.5/rows'] },
      ),
    )
    check(
      answered(
        answers,
        {
          'exactly-100': { status: 1, rows: 100, numbers: [1, 100] },
          'one-over-100': { status: 8, rows: 100, numbers: [2, 101] },
          'all-101': { status: 1, rows: 101 },
        },
        { id: 'default-100', verifies: ['API:8.5.1/default-100'] },
      ),
    )
    check(
      answered(
        answers,
        {
          '16000-of-none': { status: 4, rows: 0 },
          '15001': { status: 4, rows: 0 },
          '15000-of-none': { status: 2, rows: 0 },
          '15000-of-as-many': { status: 1, rows: top, numbers: [1, top] },
        },
        { id: 'most-15000', verifies: ['API:8.5.1/most-15000'] },
      ),
    )
    check(
      answered(
        answers,
        {
          'of-first': { status: 1, rows: [1, 101], tables: [first] },
          'of-a-sub-topic': { status: 1, rows: 3, tables: [second], subTopic: 'alarm/highhigh' },
          'of-no-sub-topic': { status: 1, rows: 2, tables: [second], subTopic: null },
          'of-half-a-sub-topic': { status: 2, rows: 0 },
          'after-the-first': { status: 1, rows: 1, numbers: [2, 2] },
          'before-the-second': { status: 1, rows: 1, numbers: [1, 1] },
          'after-the-last': { status: 2, rows: 0 },
        },
        { id: 'filters', verifies: ['API:8.5/filters'] },
      ),
    )
    check(
      answered(
        answers,
        {
          'limited-all': { status: 1, rows: [1, 101], tables: [first] },
          'limited-denied': { status: 3, rows: 0 },
          'unknown-table': { status: 3, rows: 0 },
          stranger: { status: 3, rows: 0 },
        },
        { id: 'authorised-only', verifies: ['API:8.5/authorised-only'] },
      ),
    )
    check(
      answered(
        answers,
        {
          'highest-priority': { status: 1, rows: 3, tables: [second], subTopic: 'alarm/highhigh' },
          'no-priority': { status: 1, rows: 3, tables: [second], subTopic: 'alarm/highhigh' },
        },
        { id: 'priorities', verifies: ['W:006/request-key-ignored'] },
      ),
    )
    check(
      answered(
        answers,
        { 'of-a-sub-topic': { status: 1, rows: 3, tables: [second] }, 'all-of-many': { status: [1, 8] } },
        { id: 'every-priority', verifies: ['W:006/all-priorities'] },
      ),
    )
    check(
      answered(
        answers,
        { 'ten-newest': { status: 8, rows: 10 }, 'all-101': { status: 1, rows: 101 } },
        { id: 'qos', verifies: ['API:8.5/qos'], qos: 2 },
      ),
    )
    check(
      answered(
        answers,
        { again: { status: 8, rows: 10, tables: [first], numbers: [some - 9, some] } },
        { id: 'repeatable', verifies: ['API:8.5/repeatable'] },
      ),
    )
    check(
      answered(
        answers,
        {
          'too-many-bytes': { status: 5, rows: 0 },
          'few-enough-bytes': { status: [1, 8], rows: 50, bytes: 8_000 },
        },
        { id: 'bytes', verifies: ['API:8.5.1/bytes'] },
      ),
    )
    check(
      answered(
        answers,
        {
          'closed-past': { status: 6, rows: 0 },
          'open-past': { status: [1, 2, 8] },
          'no-start': { status: [1, 2, 8] },
        },
        { id: 'age', verifies: ['API:8.5.1/age'] },
      ),
    )

    const reading = (n: number): string =>
      `{"Timestamp":1500000000,"Value":1.5,"Valid":true,"ToStore":true,"n":${n}}`
    const readings = (from: number, to: number): string[] =>
      Array.from({ length: to - from + 1 }, (_, i) => reading(from + i))
    const settle = (): Promise<void> => time.pass('2 s')

    await ask('nothing-yet', {})
    await ask('15000-of-none', { MaxLength: many, InstanceID: first })
    await ask('16000-of-none', { MaxLength: 16_000, InstanceID: first })
    await ask('15001', { MaxLength: many + 1 })
    await storage.publish({ messages: readings(1, 1), kept: true })
    await settle()
    await ask('one-row', { InstanceID: first })
    const began = Math.floor(time.now() / 1000)
    await ask('after-the-last', { InstanceID: first, StartTime: began + 100 })
    for (const [name, text] of [
      ['no-json', '{"MaxLength": 10,'],
      ['zero-length', ''],
      ['no-object', '[1, 2]'],
    ] as const)
      await platform.ask('upload', { do: 'query', name, text })
    await ask('max-length-0', { MaxLength: 0 })
    await ask('max-length-negative', { MaxLength: -5 })
    await time.pass('5 s')
    await storage.publish({ messages: readings(2, 2), kept: true })
    await settle()
    // When the two records were added, as Data Storage has it: times leave out the moments themselves.
    const rows = await addedAt(platform, first)
    for (const [name, key, at] of [
      ['after-the-first', times[0], rows[0]],
      ['before-the-second', times[1], rows[1]],
    ] as const)
      await ask(name, { InstanceID: first, [key]: at ?? began })
    await storage.publish({ messages: readings(3, 100), kept: true })
    await settle()
    await ask('exactly-100', { InstanceID: first })
    await storage.publish({ messages: readings(101, some), kept: true })
    await storage.publish({
      as: 'second',
      subTopic: 'alarm/highhigh',
      messages: [1, 5, 7].map((p) => ({ Timestamp: 1, Value: p, Valid: true, ToStore: true, Priority: p })),
      kept: true,
    })
    await storage.publish({ as: 'second', messages: readings(1, 2), kept: true })
    await settle()
    await ask('one-over-100', { InstanceID: first })
    await ask('all-101', { InstanceID: first, MaxLength: some })
    await ask('ten-newest', { InstanceID: first, MaxLength: 10 })
    await ask('again', { InstanceID: first, MaxLength: 10 })
    await ask('ten-oldest', { InstanceID: first, MaxLength: 10, PreferOldest: true })
    await ask('ten-of-many', { MaxLength: 10 })
    await ask('all-of-many', { MaxLength: 500 })
    await ask('of-first', { InstanceID: first, MaxLength: 500 })
    const alarms = { InstanceID: second, SubTopic: 'alarm/highhigh' }
    await ask('of-a-sub-topic', alarms)
    await ask('of-half-a-sub-topic', { InstanceID: second, SubTopic: 'alarm' })
    await ask('of-no-sub-topic', { InstanceID: second, SubTopic: '' })
    await ask('highest-priority', { ...alarms, MaxPriority: 1 })
    await ask('no-priority', { ...alarms, MinPriority: 6, MaxPriority: 6 })
    await ask('limited-all', { MaxLength: 500 }, 'limited')
    await ask('limited-denied', { InstanceID: second }, 'limited')
    await ask('unknown-table', { InstanceID: 'nobody_nothing_01' })
    await ask('stranger', {}, 'stranger')

    await storage.publish({ messages: readings(some + 1, top), kept: true })
    await settle()
    await ask('15000-of-as-many', { InstanceID: first, MaxLength: many })

    // 50 rows of some 130 B take 7 kB; 100 take 13 kB, of which 7.9 kB are data.
    await platform.ask('operator', { do: 'change', app: 'storage', config: { maxBytes: 8_000 } })
    await settle()
    await ask('too-many-bytes', { InstanceID: first, MaxLength: 90 })
    await ask('few-enough-bytes', { InstanceID: first, MaxLength: 50 })
    await platform.ask('operator', { do: 'change', app: 'storage', config: { maxAge: 3600 } })
    await settle()
    const now = Math.floor(time.now() / 1000)
    await ask('closed-past', { InstanceID: first, StartTime: now - 7200, MaxLength: 10 })
    await ask('open-past', { InstanceID: first, StartTime: now - 1800, MaxLength: 10 })
    await ask('no-start', { InstanceID: first, MaxLength: 10 })
    await time.pass('5 s')
  },
})

/** When the two records of a table were added, in Unix seconds, by the platform's own word. */
async function addedAt(
  platform: { ask(port: 'upload', request: never): Promise<unknown> },
  table: string,
): Promise<readonly number[]> {
  const request = { do: 'query', name: 'added-at', request: { InstanceID: table, PreferOldest: true } }
  const a = (await platform.ask('upload', request as never)) as {
    readonly tables?: readonly { readonly rows: readonly { readonly timestamp: number }[] }[]
  } | null
  return (a?.tables ?? []).flatMap((t) => t.rows.map((r) => r.timestamp)).sort((x, y) => x - y)
}
