/** What scenarios of meter readers share. */
import type { Event } from '../../bench/index.ts'

/** As KFM_001 has it, but with a List 3 each half minute instead of each hour: they are what is long. */
export const oftenLong = {
  list_1: { every: '2 s' },
  list_2: { every: '10 s' },
  list_3: { every: '30 s' },
} as const

/** JSON as it should be: what the bench could parse, with no key twice in an object. */
export function isSoundJson(e: Event): boolean {
  return (e.data as { readonly problems?: unknown }).problems === undefined
}
