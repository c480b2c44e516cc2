/**
 * An app publishes what is to be stored and what is not, in every way that the API has for it, in forms that a careless
 * store would alter; Data Storage is restarted and crashes meanwhile. Then everything is fetched, and compared.
 */
import { answered, nothingLost, scenario } from '../../bench/index.ts'

/** JSON that does not survive being parsed and written again, and other things that tend to get lost. */
const delicate = [
  '{"Timestamp":1500000001,"Value":1.10,"Valid":true,"ToStore":true}',
  '{"Timestamp":1500000002,"Value":12345678901234567890,"Valid":true,"ToStore":true}',
  '{"Timestamp":1500000003,"Value":1e-7,"Valid":false,"ToStore":true,"Note":"caf\\u00e9 \\"quoted\\" \\\\ \\n"}',
  '{"ToStore":true,"Valid":true,"Value":false,"Timestamp":1500000004}',
  '{"Timestamp":1500000005,"Value":[120.0,122.50],"Confidence":[1.0,0.85],"StartPoint":1500000000,"Interval":1800.0,"Valid":true,"ToStore":true}',
  '{"Timestamp":1500000006,"Coordinates":[51.4545,-2.5879],"System":"WGS84","Valid":true,"ToStore":true}',
  '{"Timestamp":1500000007,"Value":1,"Valid":true,"ToStore":true,"Signature":{"alg":"none","x":[{"deep":{"er":[]}}]}}',
  '{"Timestamp":1500000008,"Value":1,"Valid":true,"ToStore":true,"Text":"Ωß漢字🙂"}',
] as const

export default scenario({
  title: 'What is to be stored is stored as it was published, and nothing else is',
  verifies: [
    'API:4.7',
    'API:4.9/any-priority-taken',
    'API:7/own-table',
    'API:7/unaltered',
    'API:7/nothing-lost',
    'API:7/timestamp',
    'API:8.4',
    'API:8.6/insert',
    'API:8.6/limits',
    'API:8.6/qos',
    'W:006/output-allowed',
  ],
  needs: ['platform', 'storage'],
  catches: {
    'data-storage/alters-numbers': 'API:7/unaltered',
    'data-storage/keeps-standard-keys-only': 'API:7/unaltered',
    'data-storage/forgets-the-sub-topic': 'API:7/own-table',
    'data-storage/stamps-with-the-payload': 'API:7/timestamp',
    'data-storage/stamps-in-milliseconds': 'API:7/timestamp',
    'data-storage/stores-everything': 'API:8.4/not-otherwise',
    'data-storage/stores-unless-told': 'API:8.4/not-otherwise',
    'data-storage/no-errors': 'API:8.6/insert',
    'data-storage/no-slash-at-the-end': 'API:8.6/insert',
    'data-storage/stores-twice': 'API:7/nothing-lost',
    'data-storage/acks-before-commit': 'API:4.7/after-a-restart',
    'data-storage/drops-prioritised-data': 'W:006/output-allowed',
    'data-storage/denied-said-as-empty': 'API:8.6/limits',
    'data-storage/answers-at-qos-0': 'API:8.6/qos',
    'container-manager/leaves-dead-apps': 'API:4.7/retrievable',
  },
  horizon: '3 min',
  short: '100 s',
  async run({ platform, storage, time, check }) {
    const uploads = platform.watch('upload', 'upload.*')
    const history = platform.watch('storage', 'storage.*')
    const { first, second } = storage.tables
    const object = (n: number, more: object = {}): object => ({
      Timestamp: 1_500_000_100 + n,
      Value: n,
      Valid: true,
      ...more,
    })

    check(
      nothingLost(storage.sent, uploads, {
        id: 'as-published',
        verifies: [
          'API:4.7',
          'API:4.9/any-priority-taken',
          'API:7/own-table',
          'API:7/unaltered',
          'API:7/nothing-lost',
          'API:8.4',
          'API:8.6/insert',
          'W:006/output-allowed',
        ],
        within: '20 s',
      }),
    )
    check(
      nothingLost(storage.sent, uploads, {
        id: 'stamps',
        verifies: ['API:7/timestamp'],
        within: '20 s',
        stamps: '20 s',
      }),
    )
    check(
      answered(
        history,
        {
          'own-history': { status: [1, 8], rows: 10, tables: [first] },
          'too-long': { status: 4, rows: 0 },
          'may-read': { status: [1, 8], rows: [1, 10], tables: [second] },
          'may-not-read': { status: 3, rows: 0 },
          'no-json': { status: 9, rows: 0 },
        },
        { id: 'history', verifies: ['API:4.7/retrievable', 'API:8.6/limits', 'API:8.6/qos'], qos: 1 },
      ),
    )

    await storage.publish({ messages: delicate, kept: true })
    await storage.publish({ subTopic: 'T1/forecast/4h/capacity', messages: delicate, kept: true })
    await storage.publish({
      as: 'second',
      subTopic: 'priorities',
      messages: [1, 2, 3, 4, 5, 0, 6, -1].map((p) => object(p, { ToStore: true, Priority: p }) as never),
      kept: true,
    })
    await storage.publish({
      subTopic: 'not/stored',
      messages: [
        object(1),
        object(2, { ToStore: false }),
        object(3, { ToStore: 'true' }),
        object(4, { ToStore: 1 }),
        object(5, { ToStore: null }),
        object(6, { tostore: true }),
      ] as never,
      kept: false,
    })
    await storage.publish({ via: 'storage', messages: ['{"anything":[1,2.50]}', '{"a":null}'], kept: true })
    await storage.publish({ via: 'storage', subTopic: 'below/it', messages: ['{"b":1}'], kept: true })
    await storage.publish({ via: 'storage-with-slash', messages: ['{"c":"with a slash"}'], kept: true })
    await storage.publish({
      via: 'error',
      as: 'second',
      messages: [{ Errno: 11, Message: 'The sensor is gone.', Timestamp: 1_500_000_200 }],
      kept: true,
    })
    const many = (from: number): never =>
      Array.from({ length: 100 }, (_, i) => object(from + i, { ToStore: true })) as never
    await storage.publish({ as: 'second', subTopic: 'series', messages: many(1000), kept: true })
    await time.pass('2 s')
    // A crash, and what is published while Data Storage is away; then an orderly restart.
    storage.crash()
    await storage.publish({ as: 'second', subTopic: 'series', messages: many(2000), kept: true })
    await time.pass('8 s')
    await storage.publish({ as: 'second', subTopic: 'series', messages: many(3000), kept: true })
    await platform.ask('operator', { do: 'restart', app: 'storage' })
    await time.pass('8 s')
    // What the operator has set goes before the flag.
    await platform.ask('operator', {
      do: 'change',
      app: 'storage',
      config: {
        store: [
          { iid: first, subTopic: 'always', keep: true },
          { iid: second, subTopic: 'never', keep: false },
        ],
      },
    })
    await time.pass('3 s')
    await storage.publish({
      subTopic: 'always',
      messages: [object(1, { ToStore: false })] as never,
      kept: true,
    })
    await storage.publish({
      as: 'second',
      subTopic: 'never',
      messages: [object(2, { ToStore: true })] as never,
      kept: false,
    })
    await time.pass('2 s')
    const ask = (name: string, request: object, as = 'all'): Promise<unknown> =>
      platform.ask('storage', { do: 'query', name, as, request: request as never })
    await ask('own-history', { InstanceID: first, MaxLength: 10 })
    await ask('too-long', { MaxLength: 16_000 })
    await ask('may-read', { InstanceID: second, MaxLength: 10 }, 'stranger')
    await ask('may-not-read', { InstanceID: first }, 'stranger')
    await platform.ask('storage', { do: 'query', name: 'no-json', text: '{' })
    await platform.ask('upload', { do: 'drain', name: 'drained', request: {} })
    await time.pass('25 s')
    await platform.ask('upload', { do: 'drain', name: 'drained', request: {} })
  },
})
