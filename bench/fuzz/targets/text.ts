/** Messages of the marketplace, texts of a platform, and words of a command line. */
import { messageOf, GridproofError } from '../../../drivers/errors.ts'
import { streams } from '../../../drivers/random.ts'
import { duration, ratio, tolerance } from '../../../drivers/units.ts'
import { LvcapError } from '../../../sim/reference/lvcap/errors.ts'
import { identityOf, mayPublish } from '../../../sim/reference/lvcap/marketplace/acl.ts'
import { logReader } from '../../../sim/reference/lvcap/marketplace/mosquitto-log.ts'
import { interpret } from '../../../sim/reference/lvcap/manager/messages.ts'
import { parseObject } from '../../../sim/reference/lvcap/api.ts'
import { fieldsOf, wholeLines } from '../../../sim/reference/lvcap/apps/recorder/row.ts'
import { readConfig } from '../../../sim/reference/lvcap/storage/config.ts'
import { planQuery, readMarks } from '../../../sim/reference/lvcap/storage/query.ts'
import { readStatement } from '../../acceptance/statement.ts'
import { publicKeyOf } from '../../acceptance/keys.ts'
import { holdsSecret } from '../../evidence/redact.ts'
import { aloneKinds } from '../../main/alone/kinds.ts'
import { createConsole } from '../../main/alone/console.ts'
import { judge } from '../../main/doctor/certificate.ts'
import { csvReader } from '../../platforms/csv.ts'
import { compact, kept, membersOf } from '../../platforms/json-text.ts'
import { payloadOf, stampOf } from '../../platforms/observer.ts'
import { answerOf } from '../../platforms/storage-answer.ts'
import { bytesOf, parser, textOf } from '../target.ts'
import type { Target } from '../target.ts'

const never = (): boolean => false
export const refusal = (e: unknown): boolean =>
  e instanceof GridproofError && e.code !== 'internal' && e.code !== 'escaped' && e.code !== 'power-gone'

const payloads = [
  '{"Timestamp":1510000000,"Value":239.7,"Valid":true,"ToStore":true,"StorePriority":3}',
  '{"Timestamp":1510000000,"StartPoint":0,"Interval":1800,"Value":[1,2,3],"Confidence":[1,0.5,0],"Valid":true}',
  '{"Status":1,"Message":"OK","Timestamp":1510000000}',
  '{"Id":"1","Do":"configure","IID":"org-app-1","ContainerConfig":{"a":[1,{"b":null}]}}',
  '{"Instance":"org-app-1","Max":10,"After":1,"Before":2,"SubTopic":"x"}',
  '{"NewData":[{"org-app-1":[1,2,3]},{"other":[4]}]}',
  '{"Status":0,"Timestamp":1,"Response":[{"org-app-1":[{"ID":1,"Timestamp":2,"Data":{"Value":1.50}}]}]}',
  '[1e5, -0, 1.0, "\\ud83d\\ude00\\\\", true, null, {"a":{}}]',
]
const keys = [
  '"Value":',
  '"Status":',
  '"Response":[',
  '"NewData":[',
  '"Timestamp":',
  '"ToStore":true',
  '"Valid":',
]
const json = () => payloads.map(bytesOf)

const topics = [
  'algorithm/data/org-app-1',
  'algorithm/data/org-app-1/sub/topic',
  'storage/data/org-app-1/',
  'config/request/org-app-1',
  'status/response/org-app-1',
  'manager/request',
  '$SYS/broker/clients',
]

/** A topic, a line feed, and a payload. */
const messages = (): Uint8Array[] =>
  topics.flatMap((t) => payloads.slice(0, 4).map((p) => bytesOf(`${t}\n${p}`)))

function messageIn(input: Uint8Array): { topic: string; payload: Buffer } {
  const b = Buffer.from(input)
  const at = b.indexOf(10)
  return at < 0
    ? { topic: b.toString('utf8'), payload: Buffer.alloc(0) }
    : { topic: b.subarray(0, at).toString('utf8'), payload: b.subarray(at + 1) }
}

const directory = {
  managerIid: 'manager',
  apps: [
    { apid: 'a', iid: 'org-app-1' },
    { apid: 's', iid: 'store', service: 'storage' },
  ],
} as const

const storage = readConfig({})

/** Self-signed, made for this. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIUNoOwJ12pYzUty1JzIvK4tFi3t1AwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEZnV6ejAgFw0yNjExMjExMTE2NTlaGA8yMTI2MTAyODExMTY1
OVowDzENMAsGA1UEAwwEZnV6ejBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKD/
FWPVPEUu+JoHaddqjxepAoV+xhWW6n/yCf3XliKlERoihqW0Xk7MRHJaHoIfRokL
dQWwm0PNjp1GdScdHH+jUzBRMB0GA1UdDgQWBBTVFyHpcmGbMtfwekItNYED+/k+
SzAfBgNVHSMEGDAWgBTVFyHpcmGbMtfwekItNYED+/k+SzAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0gAMEUCIG1Lyh/EB43D4aOBl3OMArKIrBUtbQFJp5Gf
8eFFUAMSAiEAhwY1UX5H+ZVjRzy22EkVcLYUNFTvdaFyx5qXukkrcek=
-----END CERTIFICATE-----
`

export const textTargets: readonly Target[] = [
  {
    name: 'marketplace-messages',
    weight: 15,
    examples: messages,
    words: [...keys, ...topics],
    open: () =>
      parser((input) => {
        const { topic, payload } = messageIn(input)
        interpret(topic, payload)
        parseObject(payload)
        for (const who of ['container-manager', 'a', 's', 'nobody'])
          mayPublish(identityOf(who, directory), topic)
        stampOf(payloadOf(payload))
      }, never),
  },
  {
    name: 'storage-requests',
    weight: 10,
    examples: json,
    words: keys,
    open: () =>
      parser((input) => {
        readMarks(input)
        planQuery({ by: 'store', api: 'history', payload: input }, storage, ['org-app-1'], 1_800_000_000)
        planQuery({ by: 'store', api: 'newdata', payload: input }, storage, ['org-app-1'], 1_800_000_000)
      }, never),
  },
  {
    name: 'storage-answers',
    weight: 10,
    examples: json,
    words: keys,
    open: () =>
      parser(
        (input) => answerOf('x', 'topic', { bytes: Buffer.from(input), qos: 1, retain: false }, 1000),
        never,
      ),
  },
  {
    name: 'json-as-text',
    weight: 8,
    examples: json,
    words: keys,
    open: () =>
      parser(
        (input) => {
          const text = textOf(input)
          // As in use: its parts are looked for once it has been parsed.
          JSON.parse(text)
          for (const [, span] of membersOf(text, { from: 0, to: text.length })) {
            JSON.parse(text.slice(span.from, span.to))
            membersOf(text, span)
          }
          if (JSON.stringify(JSON.parse(compact(text))) !== JSON.stringify(JSON.parse(text)))
            throw new Error('compacted, it is another value')
          kept(text)
        },
        (e) => e instanceof SyntaxError && !/compact/.test(messageOf(e)),
      ),
  },
  {
    name: 'platform-configuration',
    weight: 4,
    examples: json,
    words: ['"maxRecords":', '"store":[', '"iid":', '"readers":'],
    open: () =>
      parser(
        (input) => {
          const o = parseObject(input)
          if (o !== undefined) readConfig(o)
        },
        (e) => e instanceof LvcapError,
      ),
  },
  {
    name: 'recorded-csv',
    weight: 8,
    examples: () => [
      bytesOf(
        'RecordedAt,Publisher,Topic,Timestamp,Value,Valid,Payload\r\n1,a,"t/1",2,3.5,true,"{""Value"":3.5}"\r\n',
      ),
      bytesOf('a,"b\nc",""\n\n,,\n"torn'),
    ],
    open: () =>
      parser((input) => {
        const at = input.length >> 1
        const reader = csvReader(() => undefined)
        reader.take(input.subarray(0, at))
        reader.take(input.subarray(at))
        if (reader.rest() > input.length) throw new Error('it holds more than it was given')
        fieldsOf(textOf(input))
        wholeLines(input)
      }, never),
  },
  {
    name: 'broker-log',
    weight: 4,
    examples: () => [
      bytesOf("1510000000: New client connected from 127.0.0.1:5000 as org-app-1 (p2, c1, k60, u'a')."),
      bytesOf('1510000000: OpenSSL Error[0]: error:0A000418:SSL routines::tlsv1 alert unknown ca'),
      bytesOf('1510000000: Client x disconnected, not authorised.'),
    ],
    open: () => {
      const read = logReader()
      return parser((input) => {
        for (const line of textOf(input).split('\n')) read(line)
      }, never)
    },
  },
  {
    name: 'keys-and-statements',
    weight: 3,
    examples: () => [
      bytesOf(
        '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n',
      ),
      bytesOf('{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{}}'),
    ],
    words: ['-----BEGIN PRIVATE KEY-----', '-----BEGIN CERTIFICATE-----', '-----END'],
    open: () =>
      parser((input) => {
        const text = textOf(input)
        holdsSecret(text)
        for (const read of [publicKeyOf, readStatement])
          try {
            read(text, 'x')
          } catch (e) {
            if (!refusal(e)) throw e
          }
      }, never),
  },
  {
    name: 'certificates',
    weight: 3,
    examples: () => [bytesOf(certificate), bytesOf(certificate + certificate)],
    words: ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----', '-----BEGIN PRIVATE KEY-----'],
    open: () =>
      parser((input) => {
        const text = textOf(input)
        const now = 1_800_000_000_000
        judge({ what: 'x', certificate: text, ca: certificate, key: text, name: 'x', now })
        judge({ what: 'x', certificate, ca: text, now })
      }, never),
  },
  {
    name: 'durations-and-limits',
    weight: 3,
    examples: () => ['60 s', '1.5 h', '±6 s', '0.1 %', '50 ppm', '7 d', '+-250 ms'].map(bytesOf),
    open: () =>
      parser((input) => {
        for (const read of [duration, tolerance, ratio])
          try {
            read(textOf(input))
          } catch (e) {
            if (!refusal(e)) throw e
          }
      }, never),
  },
  {
    name: 'console-lines',
    weight: 3,
    examples: () =>
      [
        'load 1 250 phase=2',
        'set top_oil from=20 to=80 over=1h',
        'export 500 load=2',
        'fault lost-byte share=0.5',
        'fault slow ms=300 share=0.5',
        'follow "a b" x=[1,2]',
      ].map(bytesOf),
    async open() {
      const consoles = await Promise.all(
        Object.values(aloneKinds).map(async (kind) => {
          // `meter` has no usual personality.
          const device = kind.make(kind.speaks === 'lists' ? { personality: 'aidon-6534' } : {})
          let seq = 0
          const wire = {
            name: 'fuzz',
            can: new Set<never>(),
            open: async () => ({ async [Symbol.asyncDispose]() {} }),
          }
          const now = (): number => 1_800_000_000_000
          await device.start(wire, { now, random: streams(1), emit: () => ++seq })
          return createConsole(kind, device, now)
        }),
      )
      return {
        feed(input) {
          for (const c of consoles)
            try {
              c.line(textOf(input))
            } catch (e) {
              if (!refusal(e)) throw e
            }
        },
      }
    },
  },
]
