/** What the scenarios of the peer link publish at both ends. */
import type { PeerEnd, Peers, Stage } from '../../bench/index.ts'

/** Round `n` at one end: another value each time, at each end, under each name. Values of a winter evening, ours. */
export function valueOf(
  at: PeerEnd,
  name: string,
  n: number,
  seconds: number,
): { readonly [k: string]: unknown } {
  const side = at === 'a' ? 0 : 100
  const [kind = '', part = ''] = name.split('/')
  const spread = part.startsWith('l') ? Number(part.slice(1)) : 4
  const Value = (kind === 'load' ? 300 : 200) + side + spread * 10 + n / 8
  const now = { Timestamp: seconds, Valid: n % 4 !== 3 }
  if (part !== 'forecast') return { ...now, Value: kind === 'breaker' ? (n % 2) + 1 : Value, ToStore: true }
  const [steps, interval] = kind === 'rating' ? [24, 3_600] : [n % 4 === 2 ? 2_000 : 48, 1_800]
  return {
    ...now,
    StartPoint: seconds - (seconds % interval),
    Interval: interval,
    Value: Array.from({ length: steps }, (_, i) => Value + i / 4),
    Confidence: Array.from({ length: steps }, () => 0.9),
    TimestampStart: seconds - 86_400,
    TimestampEnd: seconds,
  }
}

/** Publishes these names at these ends again and again, each 10 s, for so long (ms). Returns the next round's number. */
export async function tell(
  peers: Peers,
  time: Stage['time'],
  names: readonly string[],
  ms: number,
  from: number,
): Promise<number> {
  const every = 10_000
  const end = time.now() + ms
  let n = from
  for (; time.now() < end; n++) {
    const next = Math.min(end, time.now() + every)
    const seconds = Math.floor(time.now() / 1_000)
    for (const at of ['a', 'b'] as const)
      await Promise.all(names.map((name) => peers.publish(at, name, valueOf(at, name, n, seconds) as never)))
    await time.pass(Math.max(1, next - time.now()))
  }
  return n
}
