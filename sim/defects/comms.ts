/** Defects and variants of Management Comms: uploads, downloads, and what it says of outages (M:0071 to M:0078, S:006, S:008). */
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { CommsParts } from '../reference/lvcap/apps/comms/main.ts'
import { listOf, type Defect } from './defect.ts'
import { sendingDefects } from './upload.ts'

/** Of the ways to upload wrongly those that scenarios of the management server look for. */
const sending = sendingDefects<CommsParts>()
const uploads = listOf<CommsParts>(
  'comms-app',
  'defect',
  Object.fromEntries(
    [
      'reports-before-it-sends',
      'never-reports',
      'names-a-batch-anew',
      'leaves-a-row-out',
      'uploads-everything',
      'one-rtu-for-all',
      'trusts-any-server',
      'does-not-look-at-the-name',
      'gives-up',
      'sends-over-budget',
      'counts-what-it-sends',
      'forgets-its-volume',
      'drops-what-must-wait',
      'waits-for-ever',
    ].flatMap((name) => {
      const entry = sending[name]
      return entry === undefined ? [] : [[name, entry] as const]
    }),
  ),
)

const downloads = listOf<CommsParts>('comms-app', 'defect', {
  'downloads-from-zero': [
    'Begins a download at its first byte again after each break.',
    (p, reached) => ({
      ...p,
      resumeAt(have) {
        if (have > 0) reached()
        return 0
      },
    }),
  ],
  'goes-back-after-a-break': [
    'Fetches the last tenth of a file again after each break, to be sure of it.',
    (p, reached) => ({
      ...p,
      resumeAt(have, j) {
        if (have > 0 && have < j.size) reached()
        return Math.max(0, p.resumeAt(have, j) - Math.floor(j.size / 10))
      },
    }),
  ],
  'flushes-at-the-end': [
    'Flushes a download once, when all of it is there: what came before is lost with power.',
    (p, reached) => ({
      ...p,
      flushPart: () => reached(),
      rename(part, target) {
        const fd = openSync(part, 'r')
        p.flushPart(fd)
        closeSync(fd)
        p.rename(part, target)
      },
    }),
  ],
  'leaves-a-gap': [
    'Goes on after a break at the next multiple of 64 KiB, as if what lies before it were there.',
    (p, reached) => ({
      ...p,
      resumeAt(have, j) {
        const next = Math.min(j.size, Math.ceil(have / 65_536) * 65_536)
        if (next !== have) reached()
        return next
      },
    }),
  ],
  'looks-at-no-digest': [
    'Installs what it has fetched without a look at its digest.',
    (p, reached) => ({
      ...p,
      isRight(sha256, j) {
        if (!p.isRight(sha256, j)) reached()
        return true
      },
    }),
  ],
  'downloads-in-place': [
    'Fetches a download straight into the file that it is to become.',
    (p, reached) => ({
      ...p,
      partOf(folder, j) {
        reached()
        return join(folder, 'downloads', j.kind, j.name)
      },
    }),
  ],
  'mixes-two-versions': [
    'Goes on with the bytes of a file that the server has since replaced by another.',
    (p, reached) => ({
      ...p,
      isSame(noted, j) {
        if (!p.isSame(noted, j)) reached()
        return true
      },
      range: (from, to) => p.range(from, to, undefined),
    }),
  ],
  'flushes-no-download': [
    'Installs a download, and says so, before its bytes are on the disk.',
    (p, reached) => ({ ...p, flushPart: () => reached() }),
  ],
  'leaves-a-broken-download': [
    'Takes a download that was there half when it started for one that somebody else works on, and leaves it.',
    (p, reached) => {
      const left = new Set<string>()
      return {
        ...p,
        fetches(j, broken) {
          if (broken) left.add(j.id)
          if (!left.has(j.id)) return p.fetches(j, broken)
          reached()
          return false
        },
      }
    },
  ],
  'leaves-broken-settings': [
    'Forgets settings whose download a restart broke into.',
    (p, reached) => {
      const left = new Set<string>()
      return {
        ...p,
        fetches(j, broken) {
          if (broken && j.kind === 'configuration') left.add(j.id)
          if (!left.has(j.id)) return p.fetches(j, broken)
          reached()
          return false
        },
      }
    },
  ],
  'says-installed-too-early': [
    'Tells the server that a download is installed when it is about to be fetched.',
    (p, reached) => ({
      ...p,
      beforeFetch: (_, report) => {
        reached()
        return report()
      },
    }),
  ],
  'asks-for-nothing': [
    'Never looks again at what there is to fetch.',
    (p, reached) => ({
      ...p,
      pollEvery() {
        reached()
        return 2_000_000_000
      },
    }),
  ],
  'silent-after-a-break': [
    'Leaves the server alone for two days once it could not be reached.',
    (p, reached) => ({
      ...p,
      pause() {
        reached()
        return 2 * 86_400_000
      },
    }),
  ],
})

const calls = listOf<CommsParts>('comms-app', 'defect', {
  'ignores-calls': [
    'Answers a call of the server, and looks when it would have looked anyway.',
    (p, reached) => ({ ...p, called: () => reached() }),
  ],
  'hears-anybody': [
    'Does not ask whoever calls to prove who it is.',
    (p, reached) => ({
      ...p,
      callDoor(sound) {
        reached()
        return { ...p.callDoor(sound), rejectUnauthorized: false }
      },
      hears: () => true,
    }),
  ],
  'hears-any-colleague': [
    'Hears calls of everybody who has a certificate of the authority.',
    (p, reached) => ({
      ...p,
      hears(name, server) {
        if (!p.hears(name, server)) reached()
        return true
      },
    }),
  ],
})

const outages = listOf<CommsParts>('comms-app', 'defect', {
  'makes-an-outage-wait': [
    'Lets word of an outage wait for the budget, as everything else.',
    (p, reached) => ({
      ...p,
      purposeOf(what) {
        if (what === 'notice') reached()
        return 'ordinary'
      },
    }),
  ],
  'no-notice': [
    'Logs an outage and sends no word of it.',
    (p, reached) => ({
      ...p,
      notice() {
        reached()
        return undefined
      },
    }),
  ],
  'outage-too-short': [
    'Counts an outage from the boot on, and not from the last sign of life.',
    (p, reached) => ({
      ...p,
      outage(away, records, config) {
        reached()
        const r = p.outage(away, records, config)
        return { ...r, offline: Math.round((away.restored - away.started) / 1_000) }
      },
    }),
  ],
  'signs-rarely': [
    'Flushes no sign of life but its first: an outage seems to have begun long before it did.',
    (p, reached) => {
      let n = 0
      return {
        ...p,
        flushSign(fd) {
          if (++n === 1) p.flushSign(fd)
          else reached()
        },
      }
    },
  ],
  'no-serial-number': [
    'Leaves the serial number out of the report of an outage.',
    (p, reached) => ({
      ...p,
      outage(away, records, config) {
        reached()
        return { ...p.outage(away, records, config), serial: '' }
      },
    }),
  ],
  'no-location': [
    'Leaves the location out of the report of an outage.',
    (p, reached) => ({
      ...p,
      outage(away, records, config) {
        reached()
        return { ...p.outage(away, records, config), location: '' }
      },
    }),
  ],
  'sign-for-record': [
    'Gives the time of its restoration for that of the last record.',
    (p, reached) => ({
      ...p,
      outage(away, records, config) {
        reached()
        const r = p.outage(away, records, config)
        return { ...r, lastRecord: r.restored }
      },
    }),
  ],
  'restored-at-the-cut': [
    'Gives the time of the last sign of life for that of the restoration.',
    (p, reached) => ({
      ...p,
      outage(away, records, config) {
        reached()
        const r = p.outage(away, records, config)
        return { ...r, restored: r.lastSign }
      },
    }),
  ],
  'counts-no-losses': [
    'Says of every outage that nothing was lost.',
    (p, reached) => ({
      ...p,
      outage(away, records, config) {
        reached()
        const r = p.outage(away, records, config)
        return { ...r, lost: r.lost.map((l) => ({ ...l, missing: 0 })) }
      },
    }),
  ],
  'restarts-are-outages': [
    'Reports an outage where it alone was restarted.',
    (p, reached) => ({
      ...p,
      away(before, started, now) {
        if (before === undefined) return undefined
        if (before.started === started || before.closed) reached()
        return { started: now, lastSign: before.at, restored: now }
      },
    }),
  ],
})

const variants = listOf<CommsParts>('comms-app', 'variant', {
  'small-requests': [
    'Asks for at most 4 KiB of a download at a time.',
    (p, reached) => ({
      ...p,
      range(from, to, etag) {
        if (to - from > 4_096) reached()
        return p.range(from, Math.min(to, from + 4_096), etag)
      },
    }),
  ],
  'starts-over-after-a-restart': [
    'Begins a download anew that a restart of its program broke into (S:008 allows it).',
    (p, reached) => {
      const mine = new Set<string>()
      return {
        ...p,
        fetches(j, broken) {
          if (broken) reached()
          return p.fetches(j, broken)
        },
        resumeAt(have, j) {
          const first = !mine.has(j.id)
          mine.add(j.id)
          return first ? 0 : p.resumeAt(have, j)
        },
      }
    },
  ],
  'tries-again-steadily': [
    'Tries again every 5 s, however often it failed.',
    (p, reached) => ({
      ...p,
      pause() {
        reached()
        return 5_000
      },
    }),
  ],
})

export const commsDefects: readonly Defect<CommsParts>[] = [
  ...uploads,
  ...downloads,
  ...calls,
  ...outages,
  ...variants,
]
