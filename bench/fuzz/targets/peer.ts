/** What comes over the link between two platforms, from whoever has the partner's key; and what is said to be stored. */
import { answerIn, queryFor } from '../../../sim/reference/lvcap/apps/peer/history.ts'
import { encode, frameReader } from '../../../sim/reference/lvcap/apps/peer/frames.ts'
import { LvcapError } from '../../../sim/reference/lvcap/errors.ts'
import type { Target } from '../target.ts'
import { bytesOf, parser } from '../target.ts'

/** Longest frame here, in bytes: short, so that the bound is met often. */
const most = 4_000

const examples = (): Uint8Array[] => {
  const value = JSON.stringify({ Timestamp: 1_515_974_400, Value: 98.5, Valid: true })
  const frames = [
    encode({ t: 'hello', v: 1, run: '0123456789abcdef' }, most),
    encode({ t: 'ask' }, most),
    encode({ t: 'value', name: 'rating/forecast', n: 17, text: value }, most),
    encode({ t: 'took', n: 17 }, most),
    encode({ t: 'beat' }, most),
  ].filter((f) => f !== undefined)
  return [...frames, Buffer.concat(frames)]
}

export const peerTargets: readonly Target[] = [
  {
    name: 'peer-frames',
    weight: 2,
    examples,
    words: ['"t"', '"hello"', '"value"', '"ask"', '"took"', '"beat"', '"run"', '"name"', '"text"', '"n"'],
    open: () =>
      parser(
        (input) => {
          const reader = frameReader(most)
          // In two pieces, as a stream may cut it.
          const half = input.length >> 1
          reader.push(input.subarray(0, half))
          reader.push(input.subarray(half))
          if (reader.held() > most + 4) throw new Error(`it holds ${reader.held()} bytes of a frame`)
        },
        (e) => e instanceof LvcapError && e.code === 'protocol',
      ),
  },
  {
    name: 'peer-stored',
    weight: 1,
    examples: () =>
      [1, 2, 3].map((Status) =>
        bytesOf(
          JSON.stringify({
            Status,
            Response: [
              {
                TableName: 'x_y_01',
                TableRows: [{ ID: 1, Timestamp: 2, SubTopic: 'a', Data: { Value: 3 } }],
              },
            ],
            Timestamp: 4,
          }),
        ),
      ),
    words: ['"Status"', '"Response"', '"TableName"', '"TableRows"', '"SubTopic"', '"Data"', '"x_y_01"'],
    // Whatever is said is an answer or none: it refuses nothing.
    open: () =>
      parser(
        (input) => answerIn(input, queryFor('algorithm/data/x_y_01/a', 0) ?? {}),
        () => false,
      ),
  },
]
