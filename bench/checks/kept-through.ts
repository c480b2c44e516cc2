/**
 * What was recorded is on the disk: it stands in the recorder's files, unaltered, after every process of the platform was
 * killed and the platform started again, or after its power was cut and came back (OpenLV M:0026, M:0042, M:004). Only a cut
 * shows what it costs that the operating system had yet to write something.
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import type { Check, Series } from '../faces.ts'
import { checkOf, inconclusive, into, notShown, offences, pass } from './check.ts'
import { Pairing } from './pairing.ts'
import type { RecordOptions } from './pairing.ts'
import { isCut, isRestored } from './power.ts'
import { objectOf, textOf } from './scalar.ts'

export interface KeptThroughOptions extends RecordOptions {
  /** What was published so shortly before the end may be lost with it; `2 s` unless given (ours). */
  readonly settle?: string
  /**
   * What was published so shortly after a start may be missing too: the broker then knows nobody who would hear it. `10 s`
   * unless given (ours).
   */
  readonly boot?: string
}

/** Begin of the note by which the bench tells that it has ended everything (bench/platforms/machine.ts). */
const end = 'every process of the platform is killed'

/** Judges messages from `start` on until `settle` before the last end. Needs the capabilities `machine` and `disk`. */
export function keptThrough(published: Series, lines: Series, o: KeptThroughOptions): Check {
  const settle = duration(o.settle ?? '2 s')
  const boot = duration(o.boot ?? '10 s')
  return checkOf(o, {
    id: 'kept-through',
    limit: `each message of up to ${durationText(settle)} before everything was killed or lost power stands in the files afterwards, as it was published`,
    over: lines,
    needs: [published.src, 'machine', 'disk'],
    fold: (watch) => {
      const found = offences()
      const pairing = new Pairing(watch, published, lines, o)
      let ended: { readonly at: Instant; readonly seq: number } | undefined
      /** Spans of which nothing need be kept: from just before each end to a while after the start that follows. */
      const excused: { readonly from: Instant; to: Instant }[] = []
      let held = 0
      return {
        see(e) {
          if (isCut(e) || (e.kind === 'host' && textOf(objectOf(e.data)?.['what']).startsWith(end))) {
            ended = { at: e.at, seq: e.seq }
            excused.push({ from: e.at - settle, to: e.at + boot })
          }
          const last = excused.at(-1)
          if (last !== undefined && isRestored(e)) last.to = e.at + boot
          let some = false
          for (const { line, how, published: message } of pairing.see(e)) {
            if (message === undefined || ended === undefined || message.at > ended.at - settle) continue
            some = true
            held++
            if (how === 'altered')
              found.add(
                'altered',
                `${line.where}: ${line.text.slice(0, 200)}, published as ${message.text}`,
                message.seq,
                line.seq,
              )
          }
          return some
        },
        result() {
          const all = found.copy()
          const at = ended?.at ?? Number.NEGATIVE_INFINITY
          for (const m of pairing.lost())
            if (m.at <= at - settle && !excused.some((x) => m.at > x.from && m.at <= x.to))
              all.add('lost', `${m.topic}, published ${into(watch, m.at)}, is in no file any more`, m.seq)
          const observed = {
            'messages from before the end that are there [1]': held,
            'ends [1]': excused.length,
            ...all.counts(),
          }
          if (ended === undefined) return inconclusive(notShown(o), 'nothing was killed', observed)
          if (pairing.readAt === undefined || pairing.readAt < ended.at)
            return inconclusive('bench', 'the recorder’s files were not read afterwards', observed, [
              ended.seq,
            ])
          const failed = all.result(observed)
          if (failed !== undefined) return failed
          if (held === 0)
            return inconclusive('bench', 'nothing was published before the end', observed, [ended.seq])
          return pass(observed, [ended.seq, pairing.readSeq])
        },
      }
    },
  })
}
