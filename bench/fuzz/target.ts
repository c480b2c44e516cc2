/** What is fuzzed: a parser or a server, with examples to begin from. */
import type { Random } from '../../drivers/random.ts'

export interface Target {
  readonly name: string
  /** How many of the inputs it gets, beside the others. */
  readonly weight: number
  /** Examples that are as they should be; inputs are made of them by damage. Called once. */
  examples(): readonly Uint8Array[]
  /** Makes an input otherwise than by damage to an example. */
  readonly make?: (random: Random) => Uint8Array
  /** Words that belong to the language, for text. */
  readonly words?: readonly string[]
  /** `folder` is empty, this target's own, and removed later. */
  open(folder: string): Opened | Promise<Opened>
}

/** A target that takes inputs, one after the other; a server keeps its state between them. */
export interface Opened {
  /** Throws for a finding: whatever is no refusal. May take no longer than a moment. */
  feed(input: Uint8Array): void
  /** After some inputs: what has to hold still, such as that a good request is answered. Throws for a finding. */
  check?(): void
}

/** A parser as a target: it may refuse, by errors that are meant for it, and nothing else may come of it. */
export function parser(parse: (input: Uint8Array) => unknown, refuses: (e: unknown) => boolean): Opened {
  return {
    feed(input) {
      try {
        parse(input)
      } catch (e) {
        if (!refuses(e)) throw e
      }
    },
  }
}

export const textOf = (b: Uint8Array): string => Buffer.from(b).toString('utf8')
export const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8')
