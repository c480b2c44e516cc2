/**
 * The platform's clock against the bench's, from the time stamps of its messages. A stamp is the whole second in which the
 * platform's clock stood when the message was made (LV-CAP API 4.5), and a message arrives after it was made. So for each
 * message: stamp - arrival <= offset, and the largest of these is nearest to it. It is short of the offset by less than the
 * second that the stamp leaves out, and by what the quickest message took to arrive.
 */
import type { Instant } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'

/** What the quickest of many messages may take from its making to the bench, in ms. Ours. */
const quickest = 250
const wholeSecond = 1000

/** Silence, in ms, after which the offset is told once more before the next message: checks may have been declared since. Ours. */
const pause = 400

/** Clocks drift: what was seen longer ago than one to two of these (ms) says nothing of now. Ours. */
const memory = 600_000

export interface ClockMeter {
  /** Told of each message before it becomes an event; `stamp` where it has one of its own making. */
  before(arrival: Instant, stamp: Instant | undefined): void
}

/** `stated`: what the rig file says instead. Notes are written of source `clock`, as checks of time stamps read them. */
export function clockMeter(
  stated: { readonly offsetMs: number; readonly uncertaintyMs: number; readonly method: string } | undefined,
  emit: Emit,
): ClockMeter {
  /** The largest of stamp - arrival, in this stretch of time and in the one before. */
  let now = Number.NEGATIVE_INFINITY
  let before = Number.NEGATIVE_INFINITY
  let since = Number.NEGATIVE_INFINITY
  let told = Number.NaN
  let last = Number.NEGATIVE_INFINITY
  let messages = 0
  return {
    before(arrival, stamp) {
      const rested = arrival - last >= pause
      last = arrival
      if (stamp !== undefined) {
        messages++
        if (arrival - since > memory) [before, now, since] = [now, Number.NEGATIVE_INFINITY, arrival]
        now = Math.max(now, stamp - arrival)
      }
      if (stated !== undefined) {
        if (rested) emit('note', { what: "the platform's clock, as the rig file states it", ...stated })
        return
      }
      const least = Math.max(now, before)
      if (!Number.isFinite(least) || (!rested && least === told)) return
      told = least
      const half = (wholeSecond + quickest) / 2
      emit('note', {
        what: "the platform's clock, measured",
        offsetMs: least + half,
        uncertaintyMs: half,
        method:
          'the largest of stamp - arrival over all messages; a stamp leaves out up to 1 s, the quickest message took up to 0.25 s',
        'messages [1]': messages,
      })
    },
  }
}
