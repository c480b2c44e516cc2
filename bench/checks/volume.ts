/** Whether 18 months of recording fit the disk (OpenLV M:004), from bytes measured in the recorder's files. */
import { duration, durationText } from '../../drivers/units.ts'
import {
  diskBytes,
  formulaOf,
  isSensorTopic,
  projectDays,
  projectVolume,
  systemBytes,
  type MeasuredVolume,
  type ProjectVolume,
} from '../analysis/volume.ts'
import { publisherIn } from '../analysis/publisher.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import { checkOf, fail, inconclusive, pass, type CheckOptions, type Fold, type Watch } from './check.ts'
import { type JsonObject, objectOf } from './scalar.ts'

export interface VolumeOptions extends CheckOptions {
  /** Interval of the sensors while it is measured. */
  readonly interval: string
  /**
   * Instance IDs of whatever hands on what neighbours send, and the interval of the readings in it; all that they publish
   * is a class of its own then. Without it nothing of neighbours is measured.
   */
  readonly neighbours?: { readonly instances: readonly string[]; readonly interval: string }
}

/** What is told apart: what our sensors deliver, what neighbours send, all else that apps publish. */
export type VolumeClass = 'sensors' | 'apps' | 'neighbours'

type Counts = Record<VolumeClass, number>

interface Measured {
  readonly seq: number
  readonly volume: MeasuredVolume
  readonly lines: Readonly<Counts>
}

/** A fold over the messages published, and the last sum of the files. */
function measuring(
  published: Series,
  lines: Series,
  o: VolumeOptions,
  watch: Watch,
): {
  see(e: Event): boolean
  readonly messages: Readonly<Counts>
  measured(): Measured | undefined
} {
  const isPublished = matcher(published)
  const isRead = matcher({ src: lines.src, kind: 'seen', select: 'csv.read' })
  const messages: Counts = { sensors: 0, apps: 0, neighbours: 0 }
  const neighbours = new Set(o.neighbours?.instances)
  let last: Measured | undefined
  return {
    messages,
    measured: () => last,
    see(e) {
      if (isPublished(e)) {
        // A recorder may need a moment until it hears.
        if (e.at < watch.begin + start) return false
        const named = objectOf(e.data)?.['topic']
        const topic = typeof named === 'string' ? named : ''
        if (neighbours.has(publisherIn(topic) ?? '')) messages.neighbours++
        else if (isSensorTopic(topic)) messages.sensors++
        else messages.apps++
        return false
      }
      if (!isRead(e)) return false
      const read = objectOf(objectOf(e.data)?.['payload']) ?? {}
      const [lines, bytes] = (['lines [1]', 'volume [B]'] as const).map((key) =>
        countsOf(read, key, neighbours),
      ) as [Counts, Counts]
      last = {
        seq: e.seq,
        volume: {
          sensorBytes: bytes.sensors,
          appBytes: bytes.apps,
          ...(o.neighbours === undefined
            ? {}
            : { peers: { bytes: bytes.neighbours, intervalMs: duration(o.neighbours.interval) } }),
          spanMs: figure(read, 'last') - figure(read, 'first'),
          intervalMs: duration(o.interval),
        },
        lines,
      }
      return true
    },
  }
}

/** One figure of the sums by class: those of neighbours are taken out of the two others. */
function countsOf(read: JsonObject, key: string, neighbours: ReadonlySet<string>): Counts {
  const of = (o: JsonObject, kind: 'sensors' | 'apps'): number => figure(objectOf(o[kind]) ?? {}, key)
  const theirs = { sensors: 0, apps: 0 }
  const publishers = objectOf(read['publishers']) ?? {}
  for (const iid of neighbours) {
    const sums = (Object.hasOwn(publishers, iid) ? objectOf(publishers[iid]) : undefined) ?? {}
    theirs.sensors += of(sums, 'sensors')
    theirs.apps += of(sums, 'apps')
  }
  return {
    sensors: of(read, 'sensors') - theirs.sensors,
    apps: of(read, 'apps') - theirs.apps,
    neighbours: theirs.sensors + theirs.apps,
  }
}

function figure(o: JsonObject, key: string): number {
  const n = o[key]
  return typeof n === 'number' ? n : 0
}

/** Messages of the first moments are not counted. Ours. */
const start = 5_000

/** A message in a hundred may be on its way while the files are read. Ours. */
const share = 0.99

const words: Readonly<Record<VolumeClass, string>> = {
  sensors: 'all that sensors deliver',
  apps: 'all that apps publish beside',
  neighbours: 'all that neighbours send',
}

/**
 * The volume of what sensors deliver, of what neighbours send, or of all else that apps publish, is computed from what was measured; it can be only
 * where the files hold everything that was published.
 */
export function volumeMeasured(published: Series, lines: Series, what: VolumeClass, o: VolumeOptions): Check {
  return checkOf(o, {
    id: `volume-of-${what}`,
    limit: `bytes of 18 months, from files that hold ${words[what]}`,
    over: lines,
    needs: [published.src],
    fold: (watch): Fold => {
      const m = measuring(published, lines, o, watch)
      return {
        see: (e) => m.see(e),
        result() {
          const got = m.measured()
          if (got === undefined) return inconclusive('bench', 'the recorder’s files were not read')
          const project = projectVolume(got.volume, got.volume.intervalMs)
          const theirs = projectVolume(got.volume, got.volume.peers?.intervalMs ?? got.volume.intervalMs)
          const [bytes, months] = {
            sensors: [got.volume.sensorBytes, project.sensors] as const,
            apps: [got.volume.appBytes, project.apps] as const,
            neighbours: [got.volume.peers?.bytes ?? 0, theirs.peers] as const,
          }[what]
          const observed = {
            'messages published [1]': m.messages[what],
            'lines [1]': got.lines[what],
            'measured [B]': bytes,
            'measured over [s]': got.volume.spanMs / 1000,
            '18 months [GB]': gigabytes(months),
            formula: formulaOf(got.volume),
          }
          if (bytes === 0 || !(months > 0))
            return fail(
              `nothing of ${what} stands in the files, so there is nothing to compute from`,
              observed,
              [got.seq],
            )
          if (got.lines[what] < m.messages[what] * share)
            return fail(
              `only ${got.lines[what]} of ${m.messages[what]} messages stand in the files: what was measured is not everything`,
              observed,
              [got.seq],
            )
          return pass(observed, [got.seq])
        },
      }
    },
  })
}

export interface VolumeFitsOptions extends VolumeOptions {
  /** Intervals at which it must fit. */
  readonly at: readonly string[]
  /** Intervals that are computed and told, whatever comes of it. */
  readonly tell?: readonly string[]
}

/** Sensors, apps and neighbours together fit the disk in 18 months, at each of the intervals. */
export function volumeFits(published: Series, lines: Series, o: VolumeFitsOptions): Check {
  const room = diskBytes - systemBytes
  return checkOf(o, {
    id: 'volume-fits',
    limit: `at most ${gigabytes(room)} GB in ${projectDays} days at ${o.at.join(' and ')} (disk ${gigabytes(diskBytes)} GB, system ${gigabytes(systemBytes)} GB)`,
    over: lines,
    needs: [published.src],
    fold: (watch): Fold => {
      const m = measuring(published, lines, o, watch)
      return {
        see: (e) => m.see(e),
        result() {
          const got = m.measured()
          if (got === undefined) return inconclusive('bench', 'the recorder’s files were not read')
          const asked = o.at.map((i) => projectVolume(got.volume, duration(i)))
          const told = (o.tell ?? []).map((i) => projectVolume(got.volume, duration(i)))
          const observed = {
            'measured [B]': got.volume.sensorBytes + got.volume.appBytes + (got.volume.peers?.bytes ?? 0),
            'measured over [s]': got.volume.spanMs / 1000,
            ...Object.fromEntries(
              [...asked, ...told].map((p) => [`18 months at ${durationText(p.intervalMs)} [GB]`, shown(p)]),
            ),
            'too much at': told.filter((p) => p.total > room).map((p) => durationText(p.intervalMs)),
            formula: formulaOf(got.volume),
          }
          const over = asked.find((p) => !(p.total <= room))
          if (over !== undefined)
            return fail(
              `at ${durationText(over.intervalMs)} it comes to ${gigabytes(over.total)} GB, ${gigabytes(over.total - room)} GB more than there is room for`,
              observed,
              [got.seq],
            )
          return pass(observed, [got.seq])
        },
      }
    },
  })
}

function shown(p: ProjectVolume): Record<string, number> {
  return {
    'sensors [GB]': gigabytes(p.sensors),
    'apps [GB]': gigabytes(p.apps),
    'neighbour [GB]': gigabytes(p.peers),
    'total [GB]': gigabytes(p.total),
  }
}

function gigabytes(bytes: number): number {
  return Number((bytes / 1e9).toPrecision(4))
}
