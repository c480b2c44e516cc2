/**
 * Never two lines for one message: after a lost session the broker sends again what had not been acknowledged, also what
 * stands in the files already. Such messages come first, in the order in which they came before (MQTT 3.1.1, 4.6), so
 * they are recognised against the last lines.
 */

/** What a line has in common with the message that it came from. */
export interface Key {
  readonly topic: string
  /** As in the column Payload. */
  readonly payload: string
}

/** Lines that are remembered: more than a broker has in flight to one session. Ours. */
export const remembered = 2_000

/** Whether a message stands in the files already; asked for each message in turn. */
export type IsRepeated = (key: Key, how: { readonly qos: 0 | 1 | 2; readonly dup: boolean }) => boolean

/** `tail`: the last lines before the session was resumed, oldest first. */
export function repeats(tail: readonly Key[]): IsRepeated {
  let next = 0
  let over = false
  let matched = 0
  return (key, how) => {
    // At most once: never sent again.
    if (over || how.qos === 0) return false
    // A payload without time, such as a last will, may rightly come twice: it takes a neighbour to know it again.
    const telling = matched > 0 || how.dup || how.qos === 2 || /"Timestamp"\s*:/.test(key.payload)
    const at = telling
      ? tail.findIndex((k, i) => i >= next && k.topic === key.topic && k.payload === key.payload)
      : -1
    if (at < 0) {
      // The first message that is new ends what was sent again.
      over = true
      return false
    }
    next = at + 1
    matched++
    return true
  }
}
