/**
 * Mutations to which nobody could object, each with its reason: what they change, the sources leave to a platform. `prove`
 * prints the reason, counts them apart, and lists the others as survivors: a survivor shows a hole in the checks, or is
 * missing here. Mutations after which nothing outside differs need no entry: `prove` sees that by itself.
 */
import { mutationOf } from './mutations.ts'

export interface KnownSurvivor {
  /** Which mutations: of this part, by this change. */
  readonly app: string
  readonly part: string
  readonly change: string
  /** What such a mutation says that it has changed. */
  readonly changed: RegExp
  /** Only of the first so many calls of the part; any where it is absent. */
  readonly calls?: number
  /** Why nobody outside could object. One sentence. */
  readonly why: string
  /** A mutation of the kind, and what it says: shows that the entry still fits what there is. */
  readonly example: readonly [id: string, change: string]
}

const firstOutput =
  'What an app shows first, it may have read before anybody watched: a check cannot know what the device answered then.'

const statusTwice = (app: string): KnownSurvivor => ({
  app,
  part: 'publish',
  change: 'duplicate',
  changed: /^\{"topic":"status\/response\//,
  why: 'A message of QoS 1 may come twice (MQTT 3.1.1, 4.3.2), and the second copy of a status says what the first one said.',
  example: [
    `mutation/${app}/publish/duplicate/7`,
    '{"topic":"status/response/some_app_01","payload":{"Status":1}} -> sent twice',
  ],
})

export const knownSurvivors: readonly KnownSurvivor[] = [
  {
    app: 'temperature-app',
    part: 'judge',
    change: 'alter',
    changed: /^samples\./,
    calls: 2,
    why: firstOutput,
    example: ['mutation/temperature-app/judge/alter/2', 'samples.0.value: 2.4 -> 3.424'],
  },
  {
    app: 'temperature-app',
    part: 'decode',
    change: 'alter',
    changed: /^channels\./,
    calls: 2,
    why: firstOutput,
    example: ['mutation/temperature-app/decode/alter/1', 'channels.indoor.over: false -> true'],
  },
  {
    app: 'gridkey-app',
    part: 'read',
    change: 'drop',
    changed: /^\d+: /,
    calls: 2,
    why: firstOutput,
    example: ['mutation/gridkey-app/read/drop/1', '0: 23131 -> 61184'],
  },
  {
    app: 'container-manager',
    part: 'publish',
    change: 'duplicate',
    changed: /^\{"topic":"(?:config\/response\/|status\/request")/,
    why: 'A message of QoS 1 may come twice (MQTT 3.1.1, 4.3.2), and a copy of a configuration changes nothing (API 8.2.1); a status request too many is answered as any other, and the API says how often apps are asked at the least.',
    example: [
      'mutation/container-manager/publish/duplicate/1',
      '{"topic":"config/response/thirdparty_first_01","payload":{"Configuration":{}},"qos":1,"retain":false} -> sent twice',
    ],
  },
  {
    app: 'gridkey-app',
    part: 'read',
    change: 'alter',
    changed: /^(?:[3579]|\d+[13579]): /,
    why: 'The lower half of a float of two registers: less than the resolution that the feeder monitor states.',
    example: ['mutation/gridkey-app/read/alter/40', '23: 26914 -> 27184'],
  },
  {
    app: 'gridkey-app',
    part: 'due',
    change: 'alter',
    changed: /^output \d+: /,
    why: 'One output comes later by a hundredth of the time since the start, within the tolerance of its interval.',
    example: ['mutation/gridkey-app/due/alter/6', 'output 6: 360000 -> 363601'],
  },
  {
    app: 'temperature-app',
    part: 'publish',
    change: 'reorder',
    changed: /^\{"topic":"status\/response\//,
    why: 'One status answer comes with the next one: a single answer is missing, and the API restarts an app after three.',
    example: [
      'mutation/temperature-app/publish/reorder/2',
      '{"topic":"status/response/eatl_modbusrtusensor_01","payload":{"Status":1},"qos":1,"retain":false} -> sent behind the next one of its topic',
    ],
  },
  {
    app: 'temperature-app',
    part: 'answer',
    change: 'alter',
    changed: /^qos: 1 -> 2$/,
    why: 'The API sets the quality of service of status requests and of commands, none of the answers (8.1.4).',
    example: ['mutation/temperature-app/answer/alter/5', 'qos: 1 -> 2'],
  },
  {
    app: 'marketplace',
    part: 'judge',
    change: 'repeat',
    changed: /^identity: /,
    why: 'One session that was rightly let in has the rights of another that was: rights that it does not use, which nobody sees.',
    example: ['mutation/marketplace/judge/repeat/1', 'identity: "operator" -> "observer"'],
  },
  {
    app: 'marketplace',
    part: 'record',
    change: 'repeat',
    changed: /^reason: /,
    why: 'The log gives another reason for a connection that it refused: an entry is asked for, its words are not.',
    example: ['mutation/marketplace/record/repeat/13', 'reason: "self-signed" -> "handshake"'],
  },
  {
    app: 'data-storage',
    part: 'publish',
    change: 'delay',
    changed: /^\{"topic":"config\/request\//,
    why: 'An app may ask for its configuration 20 s later: the API sets no time for it.',
    example: [
      'mutation/data-storage/publish/delay/1',
      '{"topic":"config/request/eatl_datastorage_00","payload":{},"qos":1,"retain":false} -> sent 20 s later',
    ],
  },
  {
    app: 'container-manager',
    part: 'interpret',
    change: 'repeat',
    changed: /^(iid|code|kind): /,
    why: 'One answer of an app is taken for that of another, so that one status request stays unanswered: the API restarts an app after three.',
    example: [
      'mutation/container-manager/interpret/repeat/221',
      'iid: "thirdparty_bare_01" -> "thirdparty_first_01"',
    ],
  },
  {
    app: 'container-manager',
    part: 'decide',
    change: 'alter',
    changed: /\.entry\./,
    why: 'Another word in the log of the Container Manager, for which no requirement gives a form.',
    example: [
      'mutation/container-manager/decide/alter/82',
      '1.0.entry.iid: "thirdparty_first_01" -> "thirdparty_first_01x"',
    ],
  },
  {
    app: 'container-manager',
    part: 'decide',
    change: 'alter',
    changed: /\.ms: /,
    why: 'A patience is longer by a hundredth and a millisecond, within what the checks of it leave to a platform.',
    example: ['mutation/container-manager/decide/alter/20', '1.2.ms: 120000 -> 121201'],
  },
  {
    app: 'data-storage',
    part: 'place',
    change: 'alter',
    changed: /^(when|table): /,
    why: 'The record would go where there is no table, so it is not acknowledged and comes again, and is then put right; or the message was not to be stored.',
    example: [
      'mutation/data-storage/place/alter/150',
      'table: "thirdparty_publisher_02" -> "thirdparty_publisher_02x"',
    ],
  },
  {
    app: 'han-logger',
    part: 'read',
    change: 'alter',
    changed: /^items\./,
    why: 'What a message held in codes and raw counts is no part of what the reader tells: it tells the values that came of it.',
    example: ['mutation/han-logger/read/alter/33', 'items.0.raw: 351 -> 355'],
  },
  {
    app: 'maintenance',
    part: 'record',
    change: 'repeat',
    changed: /^address: /,
    why: 'The log gives the port of another try of the same visitor: which port a visitor had, nobody outside knows.',
    example: ['mutation/maintenance/record/repeat/284', 'address: "10.77.0.67:40022" -> "10.77.0.67:40021"'],
  },
  {
    app: 'maintenance',
    part: 'record',
    change: 'alter',
    changed: /^what: "locked"/,
    why: 'One of hundreds of guesses that found the door locked is logged in other words; the others tell of the same lock.',
    example: ['mutation/maintenance/record/alter/144', 'what: "locked" -> "lockedx"'],
  },
  statusTwice('predictor-app'),
  statusTwice('dtr-app'),
  {
    app: 'data-storage',
    part: 'publish',
    change: 'delay',
    changed: /^\{"topic":"storage\/response\//,
    why: 'The API gives no time within which a query is answered (8.5, 8.6).',
    example: [
      'mutation/data-storage/publish/delay/14',
      '{"topic":"storage/response/newdata/some_uploader_01","payload":null} -> 20 s later',
    ],
  },
  {
    app: 'data-storage',
    part: 'publish',
    change: 'delay',
    changed: /^\{"topic":"status\/response\//,
    why: 'One status answer comes 20 s late: the API sets no time for it, and restarts an app after three that are missing.',
    example: [
      'mutation/data-storage/publish/delay/14',
      '{"topic":"status/response/eatl_datastorage_00","payload":{"Status":1},"qos":1,"retain":false} -> sent 20 s later',
    ],
  },
]

/** The entry that a surviving mutation falls under, by its ID and by what it says that it has changed. */
export function survivorOf(id: string, change: string): KnownSurvivor | undefined {
  if (mutationOf(id) === undefined) return undefined
  const [, app, part, how, call] = id.split('/')
  return knownSurvivors.find(
    (k) =>
      k.app === app &&
      k.part === part &&
      k.change === how &&
      Number(call) <= (k.calls ?? Number.POSITIVE_INFINITY) &&
      k.changed.test(change),
  )
}
