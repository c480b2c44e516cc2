/** A run dealt out to several machines: each performs its shard, `gridproof merge` makes one report of them. */
import { GridproofError } from '../../drivers/errors.ts'

export interface Shard {
  /** From 1. */
  readonly index: number
  readonly of: number
}

/** Shards of one run, at most. Ours: no CI deals out further. */
const most = 1000

/** `2/3`. Throws `usage`. */
export function readShard(text: string): Shard {
  const m = /^(\d{1,4})\/(\d{1,4})$/.exec(text)
  const [index, of] = [Number(m?.[1]), Number(m?.[2])]
  if (!(index >= 1 && of >= 1 && index <= of && of <= most))
    throw new GridproofError('usage', `'${text}' is no shard: write <i>/<n>, i from 1 to n, n up to ${most}`)
  return { index, of }
}

/** The part of a list that a shard has, dealt like cards, so that a list sorted by length is dealt out evenly. */
export function dealtTo<T>(shard: Shard, list: readonly T[]): T[] {
  return list.filter((_, i) => i % shard.of === shard.index - 1)
}
