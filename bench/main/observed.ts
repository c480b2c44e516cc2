/**
 * What a run showed, as one digest: everything that was seen of the platform and everything that its devices told it, with
 * the moment of each. Two runs of one scenario in virtual time with the same digest are the same to anybody outside.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** Events of the outside: `seen`, `said`, `sent`, `wire`; not what a host holds, for memory is never twice the same. */
const outside = /^(?!.*"src":"host").*"kind":"(?:seen|said|sent|wire)"/
/** Sequence numbers shift with each note of a defect; what led to an event is told by them too. */
const numbers = /^\{"seq":\d+,|,"cause":\d+/g

/** SHA-256, hexadecimal, of the events of the outside in an evidence log. Throws what `fs` throws. */
export function observedDigest(file: string): string {
  const hash = createHash('sha256')
  for (const line of readFileSync(file, 'utf8').split('\n'))
    if (outside.test(line)) hash.update(line.replace(numbers, '')).update('\n')
  return hash.digest('hex')
}
