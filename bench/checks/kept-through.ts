/**
 * What was recorded is on the disk: it stands in the recorder's files, unaltered, after every process of the platform was
 * killed and the platform started again (OpenLV M:0026, M:0042, M:004). What a loss of power may cost beside, of bytes
 * that the operating system has yet to write, is another matter, and not judged here.
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import type { Check, Series } from '../faces.ts'
import { checkOf, inconclusive, into, notShown, offences, pass } from './check.ts'
import { Pairing } from './pairing.ts'
import type { RecordOptions } from './pairing.ts'
import { objectOf, textOf } from './scalar.ts'

export interface KeptThroughOptions extends RecordOptions {
  /** What was published so shortly before the end may be lost with it; `2 s` unless given (ours). */
  readonly settle?: string
}

/** Begin of the note by which the bench tells that it has ended everything (bench/platforms/machine.ts). */
const end = 'every process of the platform is killed'

/** Judges messages from `start` on until `settle` before the last end. Needs the capabilities `machine` and `disk`. */
export function keptThrough(published: Series, lines: Series, o: KeptThroughOptions): Check {
  const settle = duration(o.settle ?? '2 s')
  return checkOf(o, {
    id: 'kept-through',
    limit: `each message of up to ${durationText(settle)} before everything was killed stands in the files afterwards, as it was published`,
    over: lines,
    needs: [published.src, 'machine', 'disk'],
    fold: (watch) => {
      const found = offences()
      const pairing = new Pairing(watch, published, lines, o)
      let ended: { readonly at: Instant; readonly seq: number } | undefined
      let held = 0
      return {
        see(e) {
          if (e.kind === 'host' && textOf(objectOf(e.data)?.['what']).startsWith(end))
            ended = { at: e.at, seq: e.seq }
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
            if (m.at <= at - settle)
              all.add('lost', `${m.topic}, published ${into(watch, m.at)}, is in no file any more`, m.seq)
          const observed = { 'messages from before the end that are there [1]': held, ...all.counts() }
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
